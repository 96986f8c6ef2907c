//! The exported functions and resources.

use std::cell::RefCell;

use backchannel_engine::{CONTRACT, Correlator, Engine, Learner, Output, PackedError, Raw, VERSION, analytics};
use backchannel_events::ProcessEvent;

use crate::bindings::exports::backchannel::detection::{catalog, correlator, detector, learner, types};
use crate::{baked, from_wit, to_wit};

/// The exported module.
pub(crate) struct Module;

impl catalog::Guest for Module {
    fn describe() -> catalog::About {
        baked::with(|site| catalog::About {
            version: VERSION.to_owned(),
            contract: CONTRACT.to_owned(),
            baked_settings: site.has_settings(),
            baked_baseline: site.has_baseline(),
        })
    }

    fn analytics() -> Vec<catalog::Analytic> {
        analytics().iter().map(|analytic| to_wit::analytic(analytic)).collect()
    }
}

impl detector::Guest for Module {
    type Detector = Detector;
}

/// The resource `detector`.
pub(crate) struct Detector(RefCell<Engine>);

impl detector::GuestDetector for Detector {
    fn open(
        settings: Option<String>,
        baseline: Option<Vec<u8>>,
    ) -> Result<detector::Detector, Vec<types::SettingError>> {
        match baked::site(settings.as_deref(), baseline.as_deref()) {
            Ok(site) => Ok(detector::Detector::new(Self(RefCell::new(Engine::of(&site))))),
            Err(mistakes) => Err(mistakes.into_iter().map(to_wit::setting_error).collect()),
        }
    }

    fn evaluate(&self, batch: types::Batch) -> Result<types::Evaluation, types::BatchError> {
        take(&mut *self.0.borrow_mut(), batch)
    }

    fn flush(&self) -> types::Evaluation {
        to_wit::evaluation(self.0.borrow_mut().flush())
    }

    fn snapshot(&self) -> Vec<u8> {
        self.0.borrow().snapshot()
    }

    fn restore(&self, snapshot: Vec<u8>) -> Result<(), types::SnapshotError> {
        self.0.borrow_mut().restore(&snapshot).map_err(to_wit::snapshot_error)
    }

    fn stats(&self) -> types::Statistics {
        let engine = self.0.borrow();
        to_wit::statistics(&engine.stats(), &engine.sources(), engine.upkeep())
    }
}

impl correlator::Guest for Module {
    type Correlator = Correlation;
}

/// The resource `correlator`.
pub(crate) struct Correlation(RefCell<Correlator>);

impl correlator::GuestCorrelator for Correlation {
    fn open(settings: Option<String>) -> Result<correlator::Correlator, Vec<types::SettingError>> {
        match baked::site(settings.as_deref(), None) {
            Ok(site) => Ok(correlator::Correlator::new(Self(RefCell::new(Correlator::of(&site))))),
            Err(mistakes) => Err(mistakes.into_iter().map(to_wit::setting_error).collect()),
        }
    }

    fn observe(&self, findings: Vec<String>, signals: Vec<String>, activity: Vec<String>) -> u32 {
        self.0.borrow_mut().observe(&findings, &signals, &activity)
    }

    fn incidents(&self) -> Vec<types::Incident> {
        self.0.borrow_mut().incidents().into_iter().map(to_wit::incident).collect()
    }

    fn snapshot(&self) -> Vec<u8> {
        self.0.borrow().snapshot()
    }

    fn restore(&self, snapshot: Vec<u8>) -> Result<(), types::SnapshotError> {
        self.0.borrow_mut().restore(&snapshot).map_err(to_wit::snapshot_error)
    }
}

impl learner::Guest for Module {
    type Learner = Learning;
}

/// The resource `learner`.
pub(crate) struct Learning(RefCell<Learner>);

impl learner::GuestLearner for Learning {
    fn open(settings: Option<String>) -> Result<learner::Learner, Vec<types::SettingError>> {
        match baked::site(settings.as_deref(), None) {
            Ok(site) => Ok(learner::Learner::new(Self(RefCell::new(Learner::of(&site))))),
            Err(mistakes) => Err(mistakes.into_iter().map(to_wit::setting_error).collect()),
        }
    }

    fn observe(&self, batch: types::Batch) -> Result<types::Evaluation, types::BatchError> {
        take(&mut *self.0.borrow_mut(), batch)
    }

    fn baseline(&self) -> Vec<u8> {
        self.0.borrow().baseline()
    }

    fn merge(baselines: Vec<Vec<u8>>) -> Result<Vec<u8>, types::BaselineError> {
        Learner::merge(&baselines).map_err(to_wit::baseline_error)
    }

    fn show(baseline: Vec<u8>) -> Result<Vec<String>, types::BaselineError> {
        Learner::show(&baseline).map_err(to_wit::baseline_error)
    }
}

/// Common to the resources that accept batches in every encoding.
trait BatchInput {
    fn events(&mut self, events: &[ProcessEvent<'_>]) -> Output;
    fn packed(&mut self, bytes: &[u8]) -> Result<Output, PackedError>;
    fn records(&mut self, raw: Raw<'_>) -> Output;
}

impl BatchInput for Engine {
    fn events(&mut self, events: &[ProcessEvent<'_>]) -> Output {
        Engine::events(self, events)
    }

    fn packed(&mut self, bytes: &[u8]) -> Result<Output, PackedError> {
        Engine::packed(self, bytes)
    }

    fn records(&mut self, raw: Raw<'_>) -> Output {
        Engine::records(self, raw)
    }
}

impl BatchInput for Learner {
    fn events(&mut self, events: &[ProcessEvent<'_>]) -> Output {
        Learner::events(self, events)
    }

    fn packed(&mut self, bytes: &[u8]) -> Result<Output, PackedError> {
        Learner::packed(self, bytes)
    }

    fn records(&mut self, raw: Raw<'_>) -> Output {
        Learner::records(self, raw)
    }
}

fn take(taker: &mut impl BatchInput, batch: types::Batch) -> Result<types::Evaluation, types::BatchError> {
    let output = match &batch {
        types::Batch::Events(events) => {
            let events: Vec<ProcessEvent<'_>> = events.iter().map(from_wit::event).collect();
            taker.events(&events)
        }
        types::Batch::Packed(bytes) => taker.packed(bytes).map_err(to_wit::batch_error)?,
        types::Batch::Records(raw) => taker.records(Raw {
            input: &raw.input,
            format: from_wit::format(&raw.format)?,
            host: &raw.host,
            first_line: raw.first_line,
            time: None,
            data: &raw.data,
        }),
        types::Batch::Text(raw) => taker.records(Raw {
            input: &raw.input,
            format: from_wit::format(&raw.format)?,
            host: &raw.host,
            first_line: raw.first_line,
            time: None,
            data: raw.data.as_bytes(),
        }),
    };
    Ok(to_wit::evaluation(output))
}
