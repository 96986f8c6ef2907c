//! [`Correlator`]: joins the documents of any number of detectors into incidents.

use backchannel_correlate as correlate;
use backchannel_report::IncidentEnvelope;
use backchannel_settings::SettingError;

use crate::Site;
use crate::snapshot::{self, Kind, SnapshotError};

/// Joins findings into incidents.
#[derive(Debug)]
pub struct Correlator {
    correlator: correlate::Correlator,
    settings: u64,
}

impl Correlator {
    /// Opens a correlator. `None`: the default settings.
    ///
    /// # Errors
    /// All errors in the settings.
    pub fn open(settings: Option<&str>) -> Result<Self, Vec<SettingError>> {
        Ok(Self::of(&Site::default().with(settings, None)?))
    }

    /// Opens a correlator with the settings of a site. None of them affects correlation so far.
    pub fn of(site: &Site) -> Self {
        Self { correlator: correlate::Correlator::new(), settings: site.hash }
    }

    /// Adds documents of findings, signals and activity, in any order between detectors. Returns the number of
    /// documents that could not be read; these are ignored.
    pub fn observe<T: AsRef<str>>(&mut self, findings: &[T], signals: &[T], activity: &[T]) -> u32 {
        let mut unread = 0;
        for document in findings {
            match backchannel_report::read_finding(document.as_ref()) {
                Ok(finding) => self.correlator.finding(finding),
                Err(_) => unread += 1,
            }
        }
        for document in signals {
            match backchannel_report::read_signal(document.as_ref()) {
                Ok(signal) => self.correlator.signal(signal),
                Err(_) => unread += 1,
            }
        }
        for document in activity {
            match backchannel_report::read_activity(document.as_ref()) {
                Ok(event) => self.correlator.watched(event),
                Err(_) => unread += 1,
            }
        }
        unread
    }

    /// Incidents that are new, or have changed since the previous call.
    pub fn incidents(&mut self) -> Vec<IncidentEnvelope> {
        let incidents = self.correlator.incidents();
        let rendered = incidents.iter().map(|incident| IncidentEnvelope {
            id: incident.id.clone(),
            revision: incident.revision,
            severity: incident.severity,
            tier: incident.tier,
            document: backchannel_report::incident(incident),
        });
        rendered.collect()
    }

    /// The state, for [`restore`](Self::restore).
    pub fn snapshot(&self) -> Vec<u8> {
        snapshot::write(Kind::Correlator, self.settings, self.correlator.memory())
    }

    /// Replaces the state with that of a snapshot.
    ///
    /// # Errors
    /// The snapshot has another layout or is damaged; the state is unchanged.
    pub fn restore(&mut self, snapshot: &[u8]) -> Result<(), SnapshotError> {
        self.correlator.restore(snapshot::read(Kind::Correlator, snapshot)?);
        Ok(())
    }
}
