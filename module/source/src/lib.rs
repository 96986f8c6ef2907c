//! Reads logs into batches of events; shared by the program and the browser page.
//!
//! A host adds inputs to [`Sources`]: [`Bytes`] that can be read at any offset (a file, a browser's `File`, memory), or
//! a stream that can be read once. Inputs are decompressed, archives are listed, and formats are recognised by content.
//! [`Sources::events`] merges all of them into one stream of packed batches in the order of event time. Each input is
//! read only as far as its next event is due, so that neither sorting nor a whole file in memory is needed. What cannot
//! be used is counted and reported with its reason ([`Tally`]).
//!
//! This crate opens no files and reads no clock. Walking folders, following growing inputs and temporary files are up
//! to the host.
//!
//! ```
//! use std::rc::Rc;
//!
//! use backchannel_source::{Filled, Options, Sources};
//!
//! let mut sources = Sources::new(Options::default());
//! let line = b"type=CWD msg=audit(1700000000.123:456): cwd=\"/\"\n";
//! sources.push("audit.log", Rc::new(line.to_vec()));
//! let mut merge = sources.events();
//! let mut batch = Vec::new();
//! while merge.fill(&mut batch) != Filled::End {
//!     // A packed batch: `backchannel_events::packed::Batch::parse` reads it.
//! }
//! assert_eq!(merge.into_tally().read, 1);
//! ```

mod ahead;
mod archive;
mod bytes;
mod clock;
mod evtx;
mod find;
mod input;
mod merge;
mod open;
mod options;
mod packed;
mod records;
mod skips;
mod sources;
mod stream;
#[cfg(test)]
mod tests;
mod text;
mod unpack;

pub use backchannel_decode::InputFormat;
pub use bytes::{Bytes, Spool};
pub use find::{RecordPlace, find_record};
pub use merge::{Filled, Merge, OPEN_INPUTS};
pub use options::{Options, Pace};
pub use packed::Packed;
pub use records::{RawBatch, RecordStream};
pub use skips::{SkipDetail, Skips, Tally};
pub use sources::{Progress, Sources};
pub use unpack::UnpackLimits;
