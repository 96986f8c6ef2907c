//! The interface for the page's worker. The only file of this crate that uses JavaScript types.

use std::io;
use std::rc::Rc;

use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use backchannel_report::Ocsf;
use backchannel_source::{Bytes, RecordPlace};

use crate::session::{Session, find_record};

#[wasm_bindgen]
extern "C" {
    /// A file of the worker, readable synchronously at any offset.
    pub type LogFile;

    #[wasm_bindgen(method, getter)]
    fn name(this: &LogFile) -> String;

    #[wasm_bindgen(method, getter)]
    fn size(this: &LogFile) -> f64;

    #[wasm_bindgen(method, catch)]
    fn read(this: &LogFile, offset: f64, length: u32) -> Result<Vec<u8>, JsValue>;
}

impl Bytes for LogFile {
    fn size(&self) -> u64 {
        self.size() as u64
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let length = u32::try_from(into.len()).unwrap_or(u32::MAX);
        let bytes = self.read(offset as f64, length).map_err(|_| io::Error::other("the browser cannot read it"))?;
        let read = bytes.len().min(into.len());
        into[..read].copy_from_slice(&bytes[..read]);
        Ok(read)
    }
}

/// Evaluates `files` together. `progress` is called after every batch with the bytes read, the total of bytes, the
/// events evaluated and the findings so far. Returns the documents as JSON lines, and the skipped records as one JSON
/// list.
#[wasm_bindgen]
pub fn look(files: Vec<LogFile>, progress: &ProgressCallback) -> Vec<String> {
    // The default settings are valid: a test opens them.
    let Ok(mut session) = Session::open(None) else { return Vec::new() };
    for file in files {
        let name = file.name();
        session.push(&name, Rc::new(file));
    }
    let report = session.finish(&mut |at| {
        progress.report(at.done as f64, at.size as f64, at.events as f64, at.findings as f64);
    });
    vec![report.lines(), serde_json::to_string(&report.skips).unwrap_or_default()]
}

#[wasm_bindgen]
extern "C" {
    /// The callback for progress.
    pub type ProgressCallback;

    #[wasm_bindgen(method)]
    fn report(this: &ProgressCallback, done: f64, size: f64, events: f64, findings: f64);
}

/// The raw record behind a piece of evidence, if it is in `file`.
#[wasm_bindgen]
pub fn record(file: LogFile, source: &str, line: f64, record: &str, provider: &str, event_id: u32) -> Option<String> {
    let name = file.name();
    find_record(&name, Rc::new(file), RecordPlace { source, line: line as u64, record, provider, event_id })
}

/// Converts the findings among JSON lines to OCSF Detection Findings, one per line.
#[wasm_bindgen]
pub fn ocsf(lines: &str) -> String {
    Ocsf::of_lines(lines)
}
