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

/// A detector with its memory, and what it needs to read raw records.
#[derive(Debug)]
pub struct Engine {
    detector: Detector,
    intake: Intake,
    settings: u64,
}

impl Engine {
    /// Opens an engine that has seen nothing. No settings are the defaults; without a baseline the analytics that
    /// need one are inactive.
    ///
    /// # Errors
    /// Every mistake in the settings, and a baseline that cannot be used.
    pub fn open(settings: Option<&str>, baseline: Option<&[u8]>) -> Result<Self, Vec<SettingError>> {
        Ok(Self::of(&Site::default().with(settings, baseline)?))
    }

    /// An engine of a site, that has seen nothing.
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
    /// The batch is not well formed: nothing of it was evaluated.
    pub fn packed(&mut self, bytes: &[u8]) -> Result<Output, PackedError> {
        Ok(self.each(Batch::parse(bytes)?.iter()))
    }

    /// Evaluates raw records, in order. What cannot be used is reported in the output.
    pub fn records(&mut self, raw: Raw<'_>) -> Output {
        let (mut output, mut collected, detector) = (Output::default(), Collected::default(), &mut self.detector);
        self.intake.records(raw, &mut output, &mut |event| detector.evaluate(event, &mut collected));
        collected.into_output(output)
    }

    /// Whether a JSON record is known, from its first bytes, to carry nothing of use: it need not be handed over. A
    /// host that brings one record at a time, where even looking at all of it costs too much, asks this first.
    pub fn says_nothing(record: &[u8]) -> bool {
        intake::says_nothing(record)
    }

    /// The input has ended: events still being put together are completed, repeats still being counted are reported.
    /// The engine can be used on.
    pub fn flush(&mut self) -> Output {
        let (mut output, mut collected, detector) = (Output::default(), Collected::default(), &mut self.detector);
        self.intake.flush(&mut output, &mut |event| detector.evaluate(event, &mut collected));
        detector.flush(&mut collected);
        collected.into_output(output)
    }

    /// All of its memory. What was begun and not completed of an input of raw records (the first lines of an audit
    /// event, the header of a Zeek log) is not in it: take a snapshot after a [`flush`](Self::flush), or give the
    /// input again from its last complete event.
    pub fn snapshot(&self) -> Vec<u8> {
        snapshot::write(Kind::Detector, self.settings, self.detector.memory())
    }

    /// Takes up the memory of a snapshot and forgets its own. Other settings may continue it.
    ///
    /// # Errors
    /// It has another layout or is damaged: nothing was changed.
    pub fn restore(&mut self, snapshot: &[u8]) -> Result<(), SnapshotError> {
        let memory: Memory = snapshot::read(Kind::Detector, snapshot)?;
        self.detector.restore(memory);
        self.intake = Intake::default();
        Ok(())
    }

    /// Counters.
    pub fn stats(&self) -> Stats {
        self.detector.stats()
    }

    /// What of the site's settings no longer holds, or did nothing, as of the newest event.
    pub fn upkeep(&self) -> Upkeep {
        self.detector.upkeep()
    }

    /// Kinds of log that were seen.
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
