//! Detection of abused inter-process communication for Rust programs: runs the detection module in its sandbox, and
//! reads logs as streams of events.
//!
//! The library embeds no module and prints nothing; the `backchannel` program does both. Export a module from that
//! program with `backchannel module export -o backchannel.wasm`, or with a site's settings and baseline baked in with
//! `backchannel bake --config site.toml -o site.wasm`.
//!
//! # Records in, incidents out
//! ```
//! use std::sync::Arc;
//!
//! use backchannel_host::Format;
//! use backchannel_host::component::{Batch, Correlator, Detector, Engine, EngineOptions, Limits, Module, RawBatch};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # std::env::set_current_dir(folder.path())?;
//! # std::fs::write("backchannel.wasm", backchannel_embedded::component())?;
//! # std::fs::write("ws02.jsonl", include_str!("../../examples/logs/ws02.winlogbeat.jsonl"))?;
//! // Load: compiled once, cached in the user's cache folder. Anything but a module without imports is rejected.
//! let engine = Arc::new(Engine::new(&EngineOptions::with_user_cache())?);
//! let module = Module::load(&engine, &std::fs::read("backchannel.wasm")?)?;
//!
//! // Limits on memory and time. A batch that exceeds them is reported as lost, and the module continues without it.
//! let limits = Limits { memory: 512 << 20, ..Limits::default() };
//!
//! // Open: settings as a JSON document, and a baseline; `None` uses what is baked into the module, else the defaults.
//! let settings = r#"{ "admin_hosts": ["jump01"] }"#.to_owned();
//! let mut detector = Detector::open(&module, limits, Some(settings.clone()), None)?;
//! let mut correlator = Correlator::open(&module, &limits, Some(&settings))?;
//!
//! // Evaluate: records as they are in the log, whole lines.
//! let data = std::fs::read("ws02.jsonl")?;
//! let log = RawBatch { input: "ws02.jsonl".into(), format: Format::Json, host: String::new(), first_line: 1, data };
//! let mut correlate = |seen: backchannel_host::component::Evaluation| {
//!     let findings: Vec<String> = seen.findings.into_iter().map(|finding| finding.document).collect();
//!     correlator.observe(&findings, &seen.signals, &seen.activity)
//! };
//! correlate(detector.evaluate(Batch::Records(log))?)?;
//! correlate(detector.flush()?)?;
//!
//! // The incidents for the analyst, each one JSON object.
//! let incidents = correlator.incidents()?;
//! assert_eq!(incidents[0].tier, 2);
//! assert!(incidents[0].document.starts_with(r#"{"type":"incident""#));
//!
//! // Snapshot: all of the detector's memory, for another process that continues from here. The correlator has one too.
//! let memory = detector.snapshot()?;
//! let mut successor = Detector::open(&module, limits, Some(settings), None)?;
//! successor.restore(memory)?;
//! # Ok(())
//! # }
//! ```
//! `examples/evaluate.rs` of this crate is a complete program. For logs in files of any format, [`source`] opens them
//! and [`replay()`](replay::replay) does all of the above.
//!
//! # Modules
//! - [`component`]: the module. [`Detector`](component::Detector) is stage one, one for each shard of hosts; it turns
//!   events into findings. [`Correlator`](component::Correlator) is stage two, one for all shards; it joins findings
//!   into incidents. [`Learner`](component::Learner) writes a baseline.
//! - [`source`]: files, folders, archives and standard input as streams of events.
//! - [`replay`]: runs sources through a module, and counts what was read, evaluated and skipped.
//! - [`report`]: reads and writes findings, incidents and summaries as documents; OCSF.
//! - [`settings_file`]: reads a site's settings from TOML or JSON; errors carry file, line and column.
//!
//! Each [`Detector`](component::Detector) has its own instance and memory and can be sent to another thread;
//! a [`Module`](component::Module) is cheap to clone, and any number of detectors share its code.

pub mod component;
pub mod replay;
pub mod settings_file;
pub mod source;

pub use backchannel_decode::Format;
pub use backchannel_events::{Confidence, Severity, Timestamp};
pub use backchannel_report as report;
