//! [`Learner`]: batches in, a baseline out.

use backchannel_detect as detect;
use backchannel_detect::Baseline;
use backchannel_events::ProcessEvent;
use backchannel_events::packed::{Batch, PackedError};
use backchannel_settings::SettingError;

use crate::intake::{Intake, Raw};
use crate::{BaselineError, Output, Site, baseline};

/// Learns which processes talk to each other, over what.
#[derive(Debug)]
pub struct Learner {
    learner: detect::Learner,
    intake: Intake,
}

impl Learner {
    /// Opens a learner. No settings are the defaults.
    ///
    /// # Errors
    /// Every mistake in the settings.
    pub fn open(settings: Option<&str>) -> Result<Self, Vec<SettingError>> {
        Ok(Self::of(&Site::default().with(settings, None)?))
    }

    /// A learner of a site: its settings; what it learned before is no part of what is learned now.
    pub fn of(site: &Site) -> Self {
        Self { learner: detect::Learner::new(site.tuning.clone()), intake: Intake::default() }
    }

    /// Learns from events. The output says how many; it has no findings.
    pub fn events(&mut self, events: &[ProcessEvent<'_>]) -> Output {
        self.each(events.iter().copied())
    }

    /// Learns from a packed batch.
    ///
    /// # Errors
    /// The batch is not well formed: nothing was learned.
    pub fn packed(&mut self, bytes: &[u8]) -> Result<Output, PackedError> {
        Ok(self.each(Batch::parse(bytes)?.iter()))
    }

    /// Learns from raw records.
    pub fn records(&mut self, raw: Raw<'_>) -> Output {
        let (mut output, learner) = (Output::default(), &mut self.learner);
        self.intake.records(raw, &mut output, &mut |event| learner.observe(event));
        output
    }

    /// What was learned, as bytes.
    pub fn baseline(&self) -> Vec<u8> {
        baseline::write(self.learner.baseline())
    }

    /// Puts baselines together: the same bytes in any order.
    ///
    /// # Errors
    /// The first of them that cannot be used.
    pub fn merge<B: AsRef<[u8]>>(baselines: &[B]) -> Result<Vec<u8>, BaselineError> {
        let mut all = Baseline::default();
        for bytes in baselines {
            all.merge(&baseline::read(bytes.as_ref())?);
        }
        Ok(baseline::write(&all))
    }

    /// A baseline as lines of JSON for a reader, sorted: first what it is as a whole, then one line an exchange.
    ///
    /// # Errors
    /// It cannot be used.
    pub fn show(baseline: &[u8]) -> Result<Vec<String>, BaselineError> {
        let baseline = baseline::read(baseline)?;
        let (hosts, mature) = baseline.hosts();
        let edges = baseline.edges();
        let mut lines = vec![backchannel_report::baseline(edges.len(), hosts, mature, baseline.saturated)];
        lines.extend(edges.into_iter().map(|known| {
            backchannel_report::exchange(&backchannel_report::Exchange {
                client: &known.edge.client,
                mechanism: known.edge.mechanism,
                endpoint: &known.edge.endpoint,
                server: &known.edge.server,
                user: known.edge.user.as_str(),
                count: known.count,
                days: known.days.len(),
                hosts: known.hosts_at_least(),
                busiest_minute: known.busiest_minute,
                alarmed: known.is_poisoned(),
            })
        }));
        Ok(lines)
    }

    fn each<'a>(&mut self, events: impl Iterator<Item = ProcessEvent<'a>>) -> Output {
        let mut output = Output::default();
        for event in events {
            output.evaluated += 1;
            self.learner.observe(&event);
        }
        output
    }
}
