//! [`Learner`]: learns a baseline from batches.

use backchannel_detect as detect;
use backchannel_detect::Baseline;
use backchannel_events::ProcessEvent;
use backchannel_events::packed::{Batch, PackedError};
use backchannel_settings::SettingError;

use crate::intake::{Intake, Raw};
use crate::{BaselineError, Output, Site, baseline};

/// Learns which processes communicate, and over which channels.
#[derive(Debug)]
pub struct Learner {
    learner: detect::Learner,
    intake: Intake,
}

impl Learner {
    /// Opens a learner. `None`: the default settings.
    ///
    /// # Errors
    /// All errors in the settings.
    pub fn open(settings: Option<&str>) -> Result<Self, Vec<SettingError>> {
        Ok(Self::of(&Site::default().with(settings, None)?))
    }

    /// Opens a learner with the settings of a site. The baseline of the site is not included in what is learned.
    pub fn of(site: &Site) -> Self {
        Self { learner: detect::Learner::new(site.tuning.clone()), intake: Intake::default() }
    }

    /// Learns from events. The output has counts, but no findings.
    pub fn events(&mut self, events: &[ProcessEvent<'_>]) -> Output {
        self.each(events.iter().copied())
    }

    /// Learns from a packed batch.
    ///
    /// # Errors
    /// The batch is malformed; nothing was learned.
    pub fn packed(&mut self, bytes: &[u8]) -> Result<Output, PackedError> {
        Ok(self.each(Batch::parse(bytes)?.iter()))
    }

    /// Learns from raw records.
    pub fn records(&mut self, raw: Raw<'_>) -> Output {
        let (mut output, learner) = (Output::default(), &mut self.learner);
        self.intake.records(raw, &mut output, &mut |event| learner.observe(event));
        output
    }

    /// The baseline learned so far, as bytes.
    pub fn baseline(&self) -> Vec<u8> {
        baseline::write(self.learner.baseline())
    }

    /// Merges baselines; the order does not affect the result.
    ///
    /// # Errors
    /// The first baseline that cannot be read.
    pub fn merge<B: AsRef<[u8]>>(baselines: &[B]) -> Result<Vec<u8>, BaselineError> {
        let mut all = Baseline::default();
        for bytes in baselines {
            all.merge(&baseline::read(bytes.as_ref())?);
        }
        Ok(baseline::write(&all))
    }

    /// A baseline as readable, sorted lines of JSON: a line about the whole baseline, then one line per exchange.
    ///
    /// # Errors
    /// The baseline cannot be read.
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
