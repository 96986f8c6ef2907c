//! The driver for files: runs the harness's sources through the linked engine, as a replay does with the module.

use std::path::PathBuf;

use backchannel_engine::{Engine, FindingEnvelope};
use backchannel_host::source::{self, Filled, SourceOptions, Tally};

/// The results.
#[derive(Debug)]
pub struct Outcome {
    /// The findings as returned; updated ones occur several times.
    pub findings: Vec<FindingEnvelope>,
    /// Number of evaluated events.
    pub evaluated: u64,
    /// The counters of the sources.
    pub tally: Tally,
}

/// Reads `paths` in batches of `batch` events, and evaluates them.
pub fn replay(paths: &[PathBuf], options: SourceOptions, batch: usize) -> Outcome {
    let mut engine = Engine::open(None, None).expect("the defaults are good settings");
    let mut merge = source::open(paths, options).events();
    merge.set_batch(batch);
    let (mut findings, mut evaluated, mut bytes) = (Vec::new(), 0, Vec::new());
    loop {
        bytes.clear();
        match merge.fill(&mut bytes) {
            Filled::Batch(_) => {
                let output = engine.packed(&bytes).expect("what the harness packs is well formed");
                evaluated += output.evaluated;
                findings.extend(output.findings);
            }
            Filled::Idle => {}
            Filled::End => break,
        }
    }
    findings.extend(engine.flush().findings);
    Outcome { findings, evaluated, tally: merge.into_tally() }
}
