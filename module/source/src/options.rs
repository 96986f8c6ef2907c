//! Options for reading inputs.

use std::io;

use backchannel_decode::InputFormat;

use crate::{Spool, UnpackLimits};

/// Decides when the reader of an input that is still being written to stops collecting events and returns what it has.
///
/// A host implements it with a clock. Without one, a reader that always finds more data would fill its batch first.
pub trait Pace {
    /// Whether the time is over. The first call after [`restart`](Self::restart) starts it.
    fn is_over(&mut self) -> bool;

    /// Called after events were returned.
    fn restart(&mut self);
}

/// Options for reading inputs.
#[derive(Clone, Debug)]
pub struct Options {
    /// Their format; `None`: recognised by content.
    pub format: Option<InputFormat>,
    /// Host of records that do not name one.
    pub host: Option<String>,
    /// Year of records without one (syslog).
    pub year: Option<i32>,
    /// Limits for compressed inputs.
    pub unpack: UnpackLimits,
    /// Number of skipped records that are kept with their details.
    pub skips_kept: usize,
    /// Set if the inputs are still being written to: events are returned without waiting for a full batch.
    pub pace: Option<fn() -> Box<dyn Pace>>,
    /// Creates temporary storage for decompressed archives. In memory by default; [`UnpackLimits::spooled`] limits its
    /// size.
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
