//! The driver `fluent_bit`: calls the filter for one record after the other, as Fluent Bit does.

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::sync::OnceLock;

use backchannel_events::Timestamp;
use backchannel_fluent_bit::{Filter, KEY};
use serde_json::Value;
use wasmtime::{Cache, CacheConfig, Config, Engine, Instance, Memory, Module, Store, TypedFunc};

use crate::case::Case;
use crate::native::latest;

/// Runs the filter. A call passes a record as text without NUL and returns the text that the host would copy; `None`
/// means that the record was lost.
pub trait Shipper {
    /// One call.
    fn call(&mut self, tag: &str, seconds: u32, record: &[u8]) -> Option<Vec<u8>>;
}

/// The filter linked into the test.
pub struct Linked(pub Filter);

impl Linked {
    /// Opens it with settings and a baseline.
    pub fn open(settings: Option<&str>, baseline: Option<&[u8]>) -> Self {
        Self(Filter::open(settings, baseline).expect("good settings"))
    }
}

impl Shipper for Linked {
    fn call(&mut self, tag: &str, seconds: u32, record: &[u8]) -> Option<Vec<u8>> {
        let time = Timestamp::from_unix(seconds.into(), 0);
        Some(self.0.filter(tag, time, record).map_or_else(|| record.to_vec(), |answer| answer.to_bytes().to_vec()))
    }
}

/// A case whose last record completes a finding.
const FIRES: &str = "component_object_model/remote_activation/mmc-is-activated-under-a-network-logon";

type Call = (u32, u32, u32, u32, u32, u32);

/// The shipped filter in wasmtime: the same calls as Fluent Bit's, without its engine.
pub struct Sandbox {
    store: Store<()>,
    memory: Memory,
    malloc: TypedFunc<u32, u32>,
    free: TypedFunc<u32, ()>,
    filter: TypedFunc<Call, u32>,
    open: TypedFunc<(u32, u32, u32, u32), i32>,
}

fn module() -> &'static Module {
    static MODULE: OnceLock<Module> = OnceLock::new();
    MODULE.get_or_init(|| {
        let mut config = Config::new();
        // Features that Fluent Bit's engine lacks.
        config.wasm_simd(false).wasm_relaxed_simd(false).wasm_tail_call(false).wasm_multi_memory(false);
        config.wasm_memory64(false).wasm_extended_const(false);
        config.cache(Cache::new(CacheConfig::new()).ok());
        let engine = Engine::new(&config).expect("an engine");
        Module::new(&engine, backchannel_embedded::fluent_bit()).expect("the filter is loaded")
    })
}

impl Default for Sandbox {
    fn default() -> Self {
        let module = module();
        let mut store = Store::new(module.engine(), ());
        let it = Instance::new(&mut store, module, &[]).expect("no imports are needed");
        let memory = it.get_memory(&mut store, "memory").expect("a memory");
        let malloc = it.get_typed_func(&mut store, "malloc").expect("malloc");
        let free = it.get_typed_func(&mut store, "free").expect("free");
        let filter = it.get_typed_func(&mut store, "backchannel_filter").expect("the filter");
        let open = it.get_typed_func(&mut store, "backchannel_open").expect("open");
        Self { store, memory, malloc, free, filter, open }
    }
}

impl Sandbox {
    /// Opens the filter with settings and a baseline; returns the number of mistakes in them.
    pub fn open(&mut self, settings: Option<&[u8]>, baseline: Option<&[u8]>) -> i32 {
        let mut give = |bytes: Option<&[u8]>| bytes.map_or((0, 0), |bytes| (self.dup(bytes), bytes.len() as u32));
        let (settings, baseline) = (give(settings), give(baseline));
        let mistakes = self.open.call(&mut self.store, (settings.0, settings.1, baseline.0, baseline.1));
        for pointer in [settings.0, baseline.0] {
            self.free.call(&mut self.store, pointer).expect("free does not trap");
        }
        mistakes.expect("open does not trap")
    }

    /// Copies bytes and a NUL into the guest; returns 0 if it has no memory for them.
    fn dup(&mut self, bytes: &[u8]) -> u32 {
        let pointer = self.malloc(bytes.len() as u32 + 1);
        if pointer != 0 {
            self.put(pointer, bytes);
        }
        pointer
    }

    /// Writes bytes and a NUL.
    pub fn put(&mut self, pointer: u32, bytes: &[u8]) {
        let text = [bytes, &[0]].concat();
        self.memory.write(&mut self.store, pointer as usize, &text).expect("it lies in the memory");
    }

    /// Calls the exported allocator.
    pub fn malloc(&mut self, size: u32) -> u32 {
        self.malloc.call(&mut self.store, size).expect("malloc does not trap")
    }

    /// Calls the filter with the record at address `record`, and reads the result up to its NUL.
    pub fn filter(&mut self, tag: &str, seconds: u32, record: u32, length: u32) -> Option<(u32, Vec<u8>)> {
        let tag_at = self.dup(tag.as_bytes());
        let answer = self.filter.call(&mut self.store, (tag_at, tag.len() as u32, seconds, 0, record, length));
        let answer = answer.ok().map(|answer| {
            let bytes = &self.memory.data(&self.store)[answer as usize..];
            (answer, CStr::from_bytes_until_nul(bytes).expect("a NUL ends it").to_bytes().to_vec())
        });
        self.free.call(&mut self.store, tag_at).expect("free does not trap");
        answer
    }

    /// Size of its memory in bytes.
    pub fn size(&self) -> usize {
        self.memory.data_size(&self.store)
    }
}

impl Shipper for Sandbox {
    fn call(&mut self, tag: &str, seconds: u32, record: &[u8]) -> Option<Vec<u8>> {
        let at = self.dup(record);
        let answer = self.filter(tag, seconds, at, record.len() as u32);
        self.free.call(&mut self.store, at).expect("free does not trap");
        Some(answer?.1)
    }
}

/// The records of a case as a shipper that tails its log passes them: JSON unchanged, a line of text as member `log`.
/// `None` if the case does not have exactly one text log.
pub fn records(case: &Case) -> Option<Vec<Vec<u8>>> {
    let (data, format) = (case.text()?.as_bytes(), case.format()?);
    let lines = data.split(|byte| *byte == b'\n').map(|line| line.trim_ascii_end()).filter(|line| !line.is_empty());
    Some(lines.map(|line| if format.is_json() { line.to_vec() } else { tailed(line) }).collect())
}

/// For a Linux audit log, one more line per machine, 10 seconds after the last one, which belongs to no event.
pub fn going_on(case: &Case) -> Vec<String> {
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    for line in case.text().unwrap_or_default().lines() {
        let Some((before, rest)) = line.split_once("type=") else { continue };
        let seconds = rest.split_once("audit(").and_then(|(_, stamp)| stamp.split_once('.')?.0.parse().ok());
        if let Some(seconds) = seconds {
            last.insert(before, seconds);
        }
    }
    last.iter().map(|(node, seconds)| format!("{node}type=EOE msg=audit({}.000:999999): ", seconds + 10)).collect()
}

/// A line of text as the input `tail` passes it.
pub fn tailed(line: &[u8]) -> Vec<u8> {
    let text = serde_json::to_string(&String::from_utf8_lossy(line)).expect("JSON");
    format!("{{\"log\":{text}}}").into_bytes()
}

/// The documents of `kind` (`findings`, `incidents`) in the shipper's records, each in its latest state.
pub fn carried(answers: &[Vec<u8>], kind: &str) -> Vec<Value> {
    let mut documents = Vec::new();
    for answer in answers {
        let record: Value = serde_json::from_slice(answer).expect("a record is JSON");
        for document in record[KEY][kind].as_array().into_iter().flatten() {
            documents.push((document["id"].as_str().expect("an id").to_owned(), document.to_string()));
        }
    }
    latest(documents.into_iter()).iter().map(|text| serde_json::from_str(text).expect("JSON")).collect()
}

/// The record without the member that the filter adds.
pub fn without_ours(answer: &[u8]) -> Vec<u8> {
    let member = [b"\"", KEY.as_bytes(), b"\":{\"severity\":"].concat();
    let Some(at) = answer.windows(member.len()).rposition(|window| window == member) else { return answer.to_vec() };
    let before = &answer[..at];
    let end = answer.iter().rposition(|byte| *byte == b'}').expect("an object");
    [before.strip_suffix(b",").unwrap_or(before), &answer[end..]].concat()
}

/// Payloads that must be returned byte for byte, each as a member of a record.
pub fn payloads() -> Vec<String> {
    vec![
        r#""x":"Zażółć gęślą jaźń 漢字 🐟 \u00e4\ud83d\udc1f \ud83d""#.to_owned(),
        format!(r#""x":"{}""#, "a".repeat(1_000_000)),
        format!(r#""x":"{}""#, r"\n\t\\\u0000".repeat(80_000)),
        format!(r#""x":{}1{}"#, "[".repeat(200), "]".repeat(200)),
        format!(r#""x":{}1{}"#, r#"{"x":"#.repeat(200), "}".repeat(200)),
        r#""x":[18446744073709551615,-9223372036854775808,9223372036854775807,18446744073709551616,-0,-0.0]"#
            .to_owned(),
        r#""x":[1.7976931348623157e308,5e-324,2.2250738585072014E-308,1e400,0.1,1.10,123456789012345678901234567890]"#
            .to_owned(),
        r#""x":1,"x":2,"x":{"x":1,"x":1}"#.to_owned(),
        r#""":{},"x":[],"x ":null,"y":true"#.to_owned(),
        r#""x":"},\"backchannel\":{\"severity\":\"}""#.to_owned(),
    ]
}

/// Records of a case whose last one completes a finding, each with `member` prepended.
pub fn firing(member: &str) -> Vec<Vec<u8>> {
    let case = crate::case::all().into_iter().find(|case| case.name == FIRES).expect("the case is there");
    let put = |record: &Vec<u8>| {
        let record = String::from_utf8(record.clone()).expect("text");
        format!("{{{member},{}", record.strip_prefix('{').expect("an object")).into_bytes()
    };
    records(&case).expect("a log of text").iter().map(put).collect()
}
