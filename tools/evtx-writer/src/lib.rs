//! Writes small, valid EVTX files (Windows event logs), for fixtures and simulations.
//!
//! The layout is the one Windows writes: a 4 KiB file header, then 64 KiB chunks, each with its own names and
//! templates. A record is an instance of a `System` template, and holds an instance of the template of its event's
//! fields; a template is defined where the chunk first needs it, and referred to by offset from then on.
//!
//! As in a log that Windows exported, the records of a file are numbered from 1 in their headers, whatever
//! `System/EventRecordID` says. The same events in the same order give the same bytes.
//!
//! ```
//! use evtx_writer::{Data, Event, Value, Writer};
//!
//! let mut log = Writer::new();
//! log.push(&Event {
//!     provider: "Microsoft-Windows-Sysmon",
//!     event_id: 17,
//!     channel: "Microsoft-Windows-Sysmon/Operational",
//!     computer: "desk-4.example.org",
//!     record_id: 1,
//!     data: Data::named([("PipeName", Value::text(r"\chat")), ("ProcessId", Value::U32(812))]),
//!     ..Event::default()
//! })?;
//! assert_eq!(log.finish().len(), 4096 + 65536);
//! # Ok::<(), evtx_writer::TooLarge>(())
//! ```

mod binxml;
mod chunk;
mod event;
mod file;
mod identifier;
mod template;

pub use event::{Data, Event, Fields, Value};
pub use file::{FileWriter, TooLarge, Writer};
pub use identifier::{Guid, NotAnIdentifier, Sid};
