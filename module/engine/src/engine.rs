//! [`Engine`]: stage one, as every host uses it.

use std::sync::Arc;

use backchannel_detect::{Detector, Memory, Stats, Upkeep};
use backchannel_events::packed::{Batch, PackedError};
use backchannel_events::{ProcessEvent, Source};
use backchannel_settings::SettingError;

use crate::intake::{self, Intake, Raw};
use crate::output::Collected;
use crate::snapshot::{self, Kind, SnapshotError};
use crate::{Output, Site};

/// A detector with its state, and the decoders of raw records.
#[derive(Debug)]
pub struct Engine {
    detector: Detector,
    intake: Intake,
    settings: u64,
}

impl Engine {
    /// Opens an engine. Without settings, the defaults apply; without a baseline, the analytics that need one are
    /// inactive.
    ///
    /// # Errors
    /// All errors in the settings, and a baseline that cannot be read.
    pub fn open(settings: Option<&str>, baseline: Option<&[u8]>) -> Result<Self, Vec<SettingError>> {
        Ok(Self::of(&Site::default().with(settings, baseline)?))
    }

    /// Opens an engine with the settings and the baseline of a site.
    pub fn of(site: &Site) -> Self {
        let mut detector = Detector::new(site.tuning.clone());
        if let Some(baseline) = &site.baseline {
            detector.set_baseline(Arc::clone(baseline));
        }
        Self { detector, intake: Intake::default(), settings: site.hash }
    }

    /// Evaluates events, in order.
    pub fn events(&mut self, events: &[ProcessEvent<'_>]) -> Output {
        self.each(events.iter().copied())
    }

    /// Evaluates a packed batch, in order.
    ///
    /// # Errors
    /// The batch is malformed; nothing of it was evaluated.
    pub fn packed(&mut self, bytes: &[u8]) -> Result<Output, PackedError> {
        Ok(self.each(Batch::parse(bytes)?.iter()))
    }

    /// Evaluates raw records, in order. Records that cannot be read are listed in the output.
    pub fn records(&mut self, raw: Raw<'_>) -> Output {
        let (mut output, mut collected, detector) = (Output::default(), Collected::default(), &mut self.detector);
        self.intake.records(raw, &mut output, &mut |event| detector.evaluate(event, &mut collected));
        collected.into_output(output)
    }

    /// Whether the first bytes of a JSON record show that no analytic reads it, so that it need not be passed to
    /// [`records`](Self::records). For hosts that pass one record per call and for which reading a whole record is
    /// expensive.
    pub fn is_unused(record: &[u8]) -> bool {
        intake::is_unused(record)
    }

    /// Ends the input: completes events of which only some lines were read, and returns findings whose count has
    /// changed. The engine can still be used afterwards.
    pub fn flush(&mut self) -> Output {
        let (mut output, mut collected, detector) = (Output::default(), Collected::default(), &mut self.detector);
        self.intake.flush(&mut output, &mut |event| detector.evaluate(event, &mut collected));
        detector.flush(&mut collected);
        collected.into_output(output)
    }

    /// The state, for [`restore`](Self::restore). It does not include partly read raw records (the first lines of an
    /// audit event, the header of a Zeek log): take a snapshot after a [`flush`](Self::flush), or repeat the input from
    /// its last complete event.
    pub fn snapshot(&self) -> Vec<u8> {
        snapshot::write(Kind::Detector, self.settings, self.detector.memory())
    }

    /// Replaces the state with that of a snapshot. The settings may differ.
    ///
    /// # Errors
    /// The snapshot has another layout or is damaged; the state is unchanged.
    pub fn restore(&mut self, snapshot: &[u8]) -> Result<(), SnapshotError> {
        let memory: Memory = snapshot::read(Kind::Detector, snapshot)?;
        self.detector.restore(memory);
        self.intake = Intake::default();
        Ok(())
    }

    /// Counters since the engine was opened or restored.
    pub fn stats(&self) -> Stats {
        self.detector.stats()
    }

    /// Settings of the site that have expired or matched nothing, as of the time of the newest event.
    pub fn upkeep(&self) -> Upkeep {
        self.detector.upkeep()
    }

    /// Kinds of log seen.
    pub fn sources(&self) -> Vec<Source> {
        Source::ALL.into_iter().filter(|&source| self.detector.has_source(source)).collect()
    }

    fn each<'a>(&mut self, events: impl Iterator<Item = ProcessEvent<'a>>) -> Output {
        let (mut output, mut collected) = (Output::default(), Collected::default());
        for event in events {
            output.evaluated += 1;
            self.detector.evaluate(&event, &mut collected);
        }
        collected.into_output(output)
    }
}
