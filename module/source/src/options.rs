//! How inputs are read.

use std::io;

use backchannel_decode::InputFormat;

use crate::{Spool, UnpackLimits};

/// When the reader of an input that is still being written to stops collecting and hands over what it has.
///
/// A host implements it with a clock; without one a reader that always finds more to read would fill its batch first.
pub trait Pace {
    /// Whether it is time. The first call after [`restart`](Self::restart) begins the wait.
    fn is_over(&mut self) -> bool;

    /// Events were handed over.
    fn restart(&mut self);
}

/// How inputs are read.
#[derive(Clone, Debug)]
pub struct Options {
    /// Their format; `None`: recognised by content.
    pub format: Option<InputFormat>,
    /// Host for records that name none.
    pub host: Option<String>,
    /// Year of records that have none (syslog).
    pub year: Option<i32>,
    /// Limits for what is compressed.
    pub unpack: UnpackLimits,
    /// How many skipped records are kept with their details.
    pub skips_kept: usize,
    /// Set where the inputs are still being written to: what came is not held back.
    pub pace: Option<fn() -> Box<dyn Pace>>,
    /// Where an archive that is itself compressed is unpacked to. In memory unless the host has something better;
    /// [`UnpackLimits::spooled`] bounds it.
    pub spool: fn() -> io::Result<Box<dyn Spool>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            format: None,
            host: None,
            year: None,
            unpack: UnpackLimits::default(),
            skips_kept: 0,
            pace: None,
            spool: || Ok(Box::new(Vec::new())),
        }
    }
}
