//! A baked filter for Fluent Bit gives the same results as one that was opened with the same files, and Fluent Bit's
//! engine accepts it like the one it was made from.

use backchannel_bake::{BakeError, Settings, Site, component, filter};
use backchannel_embedded::{core, fluent_bit};
use wasmtime::{Config, Engine, Instance, Module, OptLevel, Store};

const SETTINGS: &str =
    r#"{"allow":[{"name":"n","reason":"r","owner":"o","analytics":["IPC-DCOM-023"],"hosts":["ws02"]}]}"#;
const LOG: &str = include_str!("../../../examples/logs/ws02.winlogbeat.jsonl");

fn site(json: &str) -> Site<'_> {
    Site { settings: Some(Settings { json, file: json.as_bytes() }), baseline: None }
}

/// Calls a filter as a log shipper does.
struct Shipper {
    store: Store<()>,
    instance: Instance,
}

impl Shipper {
    fn new(module: &[u8]) -> Self {
        let mut config = Config::new();
        // Features that Fluent Bit's engine lacks.
        config.wasm_simd(false).wasm_relaxed_simd(false).wasm_tail_call(false).wasm_multi_memory(false);
        config.wasm_memory64(false).wasm_extended_const(false);
        // It runs briefly; compilation dominates.
        config.cranelift_opt_level(OptLevel::None);
        let engine = Engine::new(&config).expect("an engine");
        let module = Module::new(&engine, module).expect("the engine takes it");
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).expect("it imports nothing");
        Self { store, instance }
    }

    /// Copies bytes and a NUL into the filter's memory.
    fn give(&mut self, bytes: &[u8]) -> u32 {
        let malloc = self.instance.get_typed_func::<u32, u32>(&mut self.store, "malloc").expect("malloc");
        let at = malloc.call(&mut self.store, bytes.len() as u32 + 1).expect("memory");
        let memory = self.instance.get_memory(&mut self.store, "memory").expect("a memory");
        memory.write(&mut self.store, at as usize, &[bytes, b"\0"].concat()).expect("it fits");
        at
    }

    fn open(&mut self, settings: &str) -> u32 {
        let at = self.give(settings.as_bytes());
        let open = self.instance.get_typed_func::<(u32, u32, u32, u32), u32>(&mut self.store, "backchannel_open");
        open.expect("open").call(&mut self.store, (at, settings.len() as u32, 0, 0)).expect("it does not trap")
    }

    fn filter(&mut self, record: &str) -> String {
        let (tag, at) = (self.give(b"log"), self.give(record.as_bytes()));
        let filter = self
            .instance
            .get_typed_func::<(u32, u32, u32, u32, u32, u32), u32>(&mut self.store, "backchannel_filter")
            .expect("the filter");
        let answer = filter.call(&mut self.store, (tag, 3, 0, 0, at, record.len() as u32)).expect("it does not trap");
        let memory = self.instance.get_memory(&mut self.store, "memory").expect("a memory");
        let data = &memory.data(&self.store)[answer as usize..];
        let end = data.iter().position(|byte| *byte == 0).expect("a NUL");
        let answer = String::from_utf8(data[..end].to_vec()).expect("text");
        let free = self.instance.get_typed_func::<u32, ()>(&mut self.store, "free").expect("free");
        for at in [tag, at] {
            free.call(&mut self.store, at).expect("it does not trap");
        }
        answer
    }

    fn all(&mut self) -> Vec<String> {
        LOG.lines().map(|record| self.filter(record)).collect()
    }
}

#[test]
fn a_baked_filter_gives_the_same_results_as_an_opened_one() {
    let baked = filter(fluent_bit(), &site(SETTINGS)).expect("it is baked");
    let answers = Shipper::new(&baked).all();
    let mut opened = Shipper::new(fluent_bit());
    assert_eq!(opened.open(SETTINGS), 0);
    assert_eq!(answers, opened.all());
    assert_ne!(answers, Shipper::new(fluent_bit()).all(), "the settings make a difference");
    // Baked or not, a record without a finding is returned unchanged.
    assert_eq!(answers[0], LOG.lines().next().expect("a record"));
}

#[test]
fn rejected_settings_baselines_and_modules_are_errors() {
    let wrong = site(r#"{"typo":1}"#);
    assert_eq!(filter(fluent_bit(), &wrong), Err(BakeError::Rejected));
    assert_eq!(component(core(), &wrong), Err(BakeError::Rejected));
    let invalid = Site { settings: None, baseline: Some(b"invalid") };
    assert_eq!(filter(fluent_bit(), &invalid), Err(BakeError::Rejected));
    assert_eq!(component(core(), &invalid), Err(BakeError::Rejected));
    let empty = Site { settings: None, baseline: Some(b"") };
    assert_eq!(component(core(), &empty), Err(BakeError::Rejected));
    assert!(matches!(component(b"invalid", &site(SETTINGS)), Err(BakeError::Module(_))));
    assert!(matches!(component(b"\0asm\x01\0\0\0", &site(SETTINGS)), Err(BakeError::Module(_))));
}
