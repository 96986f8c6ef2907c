//! `truth.json`: the labels of the attacks in the logs, with time, hosts and records.

use super::json::{Object, string};
use crate::clock;
use crate::fleet::Fleet;
use crate::options::Options;
use crate::plan::Kind;
use crate::record::{Body, Record};

/// A record of an episode.
#[derive(Debug, Clone, Default)]
pub(crate) struct Evidence {
    pub file: String,
    pub host: String,
    pub time: i64,
    /// Its first line in a text file, from 1; 0 in a file without lines.
    pub line: u64,
    /// `EventRecordID`, or the audit event's serial.
    pub record: u64,
    /// None for audit events.
    pub event_id: Option<u16>,
    pub channel: &'static str,
}

impl Evidence {
    pub(crate) fn of(record: &Record) -> Self {
        let (id, event_id, channel) = match &record.body {
            Body::Windows(event) => (event.record_id, Some(event.event_id), event.provider.channel),
            Body::Audit { serial, .. } => (*serial, None, "audit"),
        };
        // Names are only filled in for the records of episodes, which are kept.
        Evidence { time: record.time_ns, record: id, event_id, channel, ..Evidence::default() }
    }
}

/// The content of `truth.json`.
pub(crate) struct Truth {
    episodes: Vec<Vec<Evidence>>,
    kinds: Vec<Kind>,
}

impl Truth {
    pub(crate) fn new(fleet: &Fleet) -> Self {
        let kinds: Vec<Kind> = fleet.episodes().iter().map(|episode| episode.kind).collect();
        Truth { episodes: kinds.iter().map(|_| Vec::new()).collect(), kinds }
    }

    pub(crate) fn add(&mut self, episode: usize, evidence: Evidence) {
        if let Some(records) = self.episodes.get_mut(episode) {
            records.push(evidence);
        }
    }

    /// Number of attacks with records.
    pub(crate) fn attacks(&self) -> usize {
        let of_attack = |(kind, records): &(&Kind, &Vec<_>)| matches!(kind, Kind::Attack(_)) && !records.is_empty();
        self.kinds.iter().zip(&self.episodes).filter(of_attack).count()
    }

    pub(crate) fn text(&self, options: &Options, fleet: &Fleet, records: u64) -> String {
        let mut out = String::new();
        let mut root = Object::open(&mut out);
        root.number("seed", options.seed).text("start", &clock::rfc_3339(options.start_ns));
        root.text("end", &clock::rfc_3339(options.end_ns())).number("records", records);
        root.member("hosts", |out| {
            array(out, 0..fleet.hosts(), |out, host| string(out, fleet.host_name(host)));
        });
        root.member("attacks", |out| self.list(out, fleet, true));
        // Benign activity that resembles attacks: a finding here is a false positive, or an administrator to allow.
        root.member("ordinary", |out| self.list(out, fleet, false));
        root.close();
        out.push('\n');
        out
    }

    fn list(&self, out: &mut String, fleet: &Fleet, attacks: bool) {
        let wanted: Vec<usize> = (0..self.kinds.len())
            .filter(|number| matches!(self.kinds[*number], Kind::Attack(_)) == attacks)
            .filter(|number| !self.episodes[*number].is_empty())
            .collect();
        array(out, wanted.into_iter(), |out, number| {
            out.push('\n');
            let episode = &fleet.episodes()[number];
            let records = &self.episodes[number];
            let mut object = Object::open(out);
            object.text("name", episode.kind.name());
            if let Kind::Attack(attack) = episode.kind {
                object
                    .member("techniques", |out| array(out, attack.techniques().iter(), |out, text| string(out, text)));
            }
            object.text("host", fleet.host_name(episode.target));
            if let Some(source) = episode.source {
                object.text("source", fleet.host_name(source));
            }
            object.text("account", fleet.account(episode));
            let times = || records.iter().map(|evidence| evidence.time);
            object.text("first", &clock::rfc_3339(times().min().unwrap_or(0)));
            object.text("last", &clock::rfc_3339(times().max().unwrap_or(0)));
            object.member("records", |out| array(out, records.iter(), one));
            object.close();
        });
    }
}

fn one(out: &mut String, evidence: &Evidence) {
    out.push_str("\n  ");
    let mut object = Object::open(out);
    object.text("file", &evidence.file).text("host", &evidence.host);
    object.text("time", &clock::rfc_3339(evidence.time)).text("channel", evidence.channel);
    if let Some(event_id) = evidence.event_id {
        object.number("event_id", event_id);
    }
    object.number("record", evidence.record);
    if evidence.line > 0 {
        object.number("line", evidence.line);
    }
    object.close();
}

fn array<T>(out: &mut String, items: impl Iterator<Item = T>, mut write: impl FnMut(&mut String, T)) {
    out.push('[');
    for (number, item) in items.enumerate() {
        if number > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(']');
}
