//! The driver of files: the harness's sources into the engine linked into the test, as a replay does it with the module.

use std::path::PathBuf;

use backchannel_engine::{Engine, FindingEnvelope};
use backchannel_host::source::{self, Filled, SourceOptions, Tally};

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// The findings as they were handed over, one perhaps several times.
    pub findings: Vec<FindingEnvelope>,
    /// Events evaluated.
    pub evaluated: u64,
    /// The sources' account.
    pub tally: Tally,
}

/// Reads `paths`, in batches of `batch` events, and evaluates what they hold.
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
