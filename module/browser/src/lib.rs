//! The detection module in a browser page: reads files, returns the documents of findings and incidents; no data leaves
//! the machine.
//!
//! A page can read files at any offset, but cannot keep them in memory. It passes [`Bytes`], and a [`Session`] reads
//! each only as far as its next event is due: several files form one stream in the order of event time, as in the
//! harness, and the documents are those of `backchannel replay` on the same files.
//!
//! ```
//! use backchannel_browser::Session;
//!
//! let mut session = Session::open(None).expect("the default settings are valid");
//! let line = b"type=CWD msg=audit(1700000000.123:456): cwd=\"/\"\n";
//! session.push("audit.log", std::rc::Rc::new(line.to_vec()));
//! let report = session.finish(&mut |_| {});
//! assert!(report.summary.contains("\"read\":1"));
//! ```

#[cfg(target_arch = "wasm32")]
mod page;
mod session;

pub use backchannel_source::{Bytes, RecordPlace, SkipDetail};
pub use session::{Progress, Report, Session, find_record};
