//! The way into the page: what its worker calls. Nothing else of this crate knows JavaScript.

use std::io;
use std::rc::Rc;

use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use backchannel_report::Ocsf;
use backchannel_source::{Bytes, RecordPlace};

use crate::session::{Session, find_record};

#[wasm_bindgen]
extern "C" {
    /// A file as the worker offers it: it can be read at any place, at once.
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

/// Looks at `files` together. `progress` is called after every batch with the bytes read, the bytes there are, the
/// events evaluated and the findings so far. The answer: the documents as JSON lines, and the records that were not
/// used as one JSON list.
#[wasm_bindgen]
pub fn look(files: Vec<LogFile>, progress: &Listener) -> Vec<String> {
    // The defaults are good settings: a test opens them.
    let Ok(mut session) = Session::open(None) else { return Vec::new() };
    for file in files {
        let name = file.name();
        session.push(&name, Rc::new(file));
    }
    let report = session.finish(&mut |at| {
        progress.hear(at.done as f64, at.size as f64, at.events as f64, at.findings as f64);
    });
    vec![report.lines(), serde_json::to_string(&report.skips).unwrap_or_default()]
}

#[wasm_bindgen]
extern "C" {
    /// Whoever wants to hear how far it has come.
    pub type Listener;

    #[wasm_bindgen(method)]
    fn hear(this: &Listener, done: f64, size: f64, events: f64, findings: f64);
}

/// The raw record behind a piece of evidence, if `file` holds it.
#[wasm_bindgen]
pub fn record(file: LogFile, source: &str, line: f64, record: &str, provider: &str, event_id: u32) -> Option<String> {
    let name = file.name();
    find_record(&name, Rc::new(file), RecordPlace { source, line: line as u64, record, provider, event_id })
}

/// The findings among JSON lines as OCSF Detection Findings, a line each.
#[wasm_bindgen]
pub fn ocsf(lines: &str) -> String {
    Ocsf::of_lines(lines)
}
