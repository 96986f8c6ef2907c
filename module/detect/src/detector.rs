//! [`Detector`]: evaluates events and reports findings, host by host.

use std::collections::BTreeMap;
use std::hash::Hasher;
use std::sync::Arc;
use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Finding, LogonOutcome, Mechanism, ProcessEvent, Severity, Signal, SignalKind, Timestamp,
    WatchedEvent,
};
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;

use crate::actor::account;
use crate::analytics::ANALYTICS;
use crate::baseline::{Baseline, Edge};
use crate::context::wording::Wording;
use crate::context::{Context, exchange};
use crate::memory::share::{Share, oldest};
use crate::memory::{Host, Interner, Name};
use crate::remember::remember;
use crate::stats::{Stats, Upkeep};
use crate::tunables::HostKey;
use crate::verdict::{conceal, judge, watch};
use crate::vocabulary::pipes;
use crate::{Analytic, Tunables, text};

/// Maximum number of hosts in memory; idle ones are evicted first, as a whole.
const MOST_HOSTS: usize = 20_000;
/// Repeats of a finding within this time are folded into it.
const FOLDING: Duration = Duration::from_secs(3_600);
/// Maximum number of findings kept open for repeats; those not repeated for the longest time are closed first.
const MOST_OPEN: usize = 1_024;
/// Maximum number of keys by which a finding joins others.
const MOST_JOINS: usize = 64;
/// Maximum number of records kept as evidence of a finding.
const MOST_EVIDENCE: usize = 32;

/// Evaluates the events of any number of hosts and reports findings.
#[derive(Debug)]
pub struct Detector {
    tuning: Tunables,
    baseline: Option<Arc<Baseline>>,
    by_kind: [Vec<Enabled>; ActivityKind::COUNT],
    names: Interner,
    memory: Memory,
    /// The key of the host of the latest event, and that host's name as logged.
    key: String,
    named: String,
}

/// An analytic that is enabled at this site.
#[derive(Clone, Copy, Debug)]
struct Enabled {
    analytic: &'static Analytic,
    /// Maximum time between the records that it joins, at this site.
    window: Duration,
}

/// Receives the output of a detector. A closure over `&Finding` receives findings only.
pub trait Sink {
    /// A finding, or an earlier one that has become more severe or more frequent.
    fn finding(&mut self, finding: &Finding);

    /// An event of a watched process or logon.
    fn watched(&mut self, event: WatchedEvent) {
        let _ = event;
    }

    /// A connection between machines, or a name for an address.
    fn signal(&mut self, signal: Signal) {
        let _ = signal;
    }
}

impl<F: FnMut(&Finding)> Sink for F {
    fn finding(&mut self, finding: &Finding) {
        self(finding);
    }
}

/// The complete state of a detector, which can be saved and restored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    hosts: BTreeMap<Name, Host>,
    open: BTreeMap<u64, Open>,
    /// Number of findings that each rule of the site suppressed, without repeats.
    silenced: BTreeMap<String, u64>,
    /// The share of the memory of each host.
    share: Share,
    /// Time of the newest event.
    newest: Option<Timestamp>,
    /// Counters.
    pub stats: Stats,
}

impl Memory {
    /// Adds a new host. If there are now too many for full tables, the tables of all hosts are reduced, permanently.
    fn meet(&mut self, key: Name, mut host: Host) {
        host.fit(self.share);
        self.hosts.insert(key, host);
        let share = self.share.max(Share::among(self.hosts.len()));
        if share != self.share {
            self.share = share;
            for host in self.hosts.values_mut() {
                self.stats.evicted.add(&host.fit(share));
            }
        }
    }
}

/// An open finding to which repeats are added.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Open {
    finding: Finding,
    last: Timestamp,
    /// The count that was last reported.
    told: u32,
    /// The number of findings when it was made or last repeated, because logs read host by host are not in the order of
    /// time.
    touched: u64,
}

impl Detector {
    /// A detector without any state.
    pub fn new(tuning: Tunables) -> Self {
        let mut by_kind: [Vec<Enabled>; ActivityKind::COUNT] = Default::default();
        for &analytic in ANALYTICS {
            let enabled = tuning.analytics.get(analytic.id).and_then(|wished| wished.enabled).unwrap_or(true);
            let window = analytic.window.map_or(Duration::ZERO, |shipped| tuning.window(analytic.id, shipped));
            for &kind in analytic.on {
                if enabled && let Some(list) = by_kind.get_mut(kind as usize) {
                    list.push(Enabled { analytic, window });
                }
            }
        }
        let names = Interner::keyed(tuning.hash_key);
        Self {
            tuning,
            baseline: None,
            by_kind,
            names,
            memory: Memory::default(),
            key: String::new(),
            named: String::new(),
        }
    }

    /// Evaluates one event together with earlier ones, reports findings to `sink`, and stores the event.
    pub fn evaluate(&mut self, event: &ProcessEvent<'_>, sink: &mut dyn Sink) {
        self.memory.stats.events += 1;
        self.memory.newest = self.memory.newest.max(Some(event.time));
        self.find_key(event);
        if !self.memory.hosts.contains_key(self.key.as_str()) {
            self.make_room();
            let key = self.names.name(&self.key);
            let shown = self.names.name(self.key.split('\0').next().unwrap_or_default());
            self.memory.meet(key, Host::new(shown, event.time));
        }
        let Some(host) = self.memory.hosts.get_mut(self.key.as_str()) else { return };
        if host.is_late(event.time) {
            self.memory.stats.late += 1;
        }
        let wording = Wording::of(event);
        let (mut watched, mut logon, mut alarmed) = (Vec::new(), None, false);
        if let Some(analytics) = self.by_kind.get(event.activity.kind() as usize)
            && !analytics.is_empty()
        {
            let context = Context::new(host, &self.tuning, self.baseline.as_deref(), event);
            let exchange = self.baseline.as_ref().and_then(|baseline| {
                let edge = exchange::of_event(&context, event)?;
                let standing = baseline.standing(&edge, &host.key, self.tuning.maturity);
                Some((edge, standing))
            });
            let mut context = context.with_exchange(exchange.as_ref()).with_wording(wording.as_ref());
            for &Enabled { analytic, window } in analytics {
                context.set_analytic(analytic.id, window);
                if let Some(evidence) = (analytic.evaluate)(&context, event) {
                    let judged = judge::finding(analytic, evidence, &context, event);
                    if judged.finding.severity >= Severity::Medium && judged.finding.suppressed.is_none() {
                        watched.extend(judged.processes);
                        logon = judged.logon.or(logon);
                        alarmed = true;
                        watch::of_finding(host, &judged.finding, event, &mut |event| sink.watched(event));
                    }
                    if let Some(by) = &judged.finding.suppressed {
                        *self.memory.silenced.entry(by.rule.clone()).or_default() += 1;
                    }
                    fold(&mut self.memory.open, &mut self.memory.stats, judged.finding, sink);
                }
            }
        }
        let new_address = match &event.activity {
            Activity::NetworkFlow(flow) if !host.addresses.is_own(flow.local.address) => Some(flow.local.address),
            _ => None,
        };
        let evicted = remember(host, event, wording.as_ref(), &self.tuning, &mut self.names);
        if alarmed {
            // The process of this event is stored only now.
            let process = &event.process;
            watched.extend(host.processes.find(process.entity, process.pid, event.time).map(|known| known.id));
            watch::begin(host, &watched, logon, event.time, &mut |event| report_watched(event, &self.tuning, sink));
        }
        watch::follow(host, event, &mut |event| report_watched(event, &self.tuning, sink));
        signal(host, event, new_address, &self.tuning, sink);
        identities(host, event, &self.tuning, sink);
        self.memory.stats.evicted.add(&evicted);
    }

    /// As [`evaluate`](Self::evaluate); returns the event's edge and host for learning.
    pub(crate) fn evaluate_and(&mut self, event: &ProcessEvent<'_>, sink: &mut dyn Sink) -> Option<(Edge, String)> {
        self.find_key(event);
        let edge = match self.memory.hosts.get(self.key.as_str()) {
            Some(host) => exchange::of_event(&Context::new(host, &self.tuning, self.baseline.as_deref(), event), event),
            None => {
                let host = Host::new(self.names.name(&self.key), event.time);
                exchange::of_event(&Context::new(&host, &self.tuning, None, event), event)
            }
        };
        let host = self.key.clone();
        self.evaluate(event, sink);
        edge.map(|edge| (edge, host))
    }

    /// Sets the baseline. Any number of detectors can share one.
    pub fn set_baseline(&mut self, baseline: impl Into<Arc<Baseline>>) {
        self.baseline = Some(baseline.into());
    }

    /// Reports findings whose count has grown since they were last reported: at the end of the input.
    pub fn flush(&mut self, sink: &mut dyn Sink) {
        for open in self.memory.open.values_mut() {
            if open.finding.count > open.told {
                open.told = open.finding.count;
                sink.finding(&open.finding);
            }
        }
    }

    /// Counters.
    pub fn stats(&self) -> Stats {
        Stats { hosts: self.memory.hosts.len() as u64, ..self.memory.stats.clone() }
    }

    /// Settings of the site that have expired or matched nothing, as of the newest event.
    pub fn upkeep(&self) -> Upkeep {
        Upkeep::of(&self.tuning, &self.memory.silenced, self.memory.newest)
    }

    /// The state, to be saved.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Restores the state of another detector.
    pub fn restore(&mut self, memory: Memory) {
        self.memory = memory;
    }

    /// Which hosts' telemetry was seen, for the report on inactive analytics.
    pub fn has_source(&self, source: backchannel_events::Source) -> bool {
        self.memory.hosts.values().any(|host| host.has_source(source))
    }

    /// Writes the key of the event's host: usually it is the one of the event before.
    fn find_key(&mut self, event: &ProcessEvent<'_>) {
        if event.host.is_empty() || event.host != self.named {
            host_key(event, self.tuning.host_key, &mut self.key);
            event.host.clone_into(&mut self.named);
        }
    }

    fn make_room(&mut self) {
        if self.memory.hosts.len() < MOST_HOSTS {
            return;
        }
        let idle = self.memory.hosts.iter().min_by_key(|(_, host)| host.last_seen).map(|(key, _)| key.clone());
        if let Some(idle) = idle {
            self.memory.hosts.remove(&idle);
            self.memory.stats.evicted.hosts += 1;
        }
    }
}

/// Reports an event around a watched entity.
fn report_watched(mut event: WatchedEvent, tuning: &Tunables, sink: &mut dyn Sink) {
    if !tuning.show_secrets {
        conceal::watched(&mut event);
    }
    sink.watched(event);
}

/// Reports what joins the two sides of an attack between machines: own addresses, network logons from other machines,
/// explicit credentials for and activations on other machines.
fn signal(host: &Host, event: &ProcessEvent<'_>, new_address: Option<&str>, tuning: &Tunables, sink: &mut dyn Sink) {
    let (kind, peer, user) = match &event.activity {
        Activity::NetworkFlow(_) => match new_address {
            Some(address) if host.addresses.is_own(address) => (SignalKind::Address, address, String::new()),
            _ => return,
        },
        Activity::Logon(logon) if logon.outcome == LogonOutcome::Start => {
            let remote = matches!(logon.kind, 3 | 8 | 10) && !host.addresses.is_own(logon.source.address);
            if !remote || logon.source.address.is_empty() || tuning.is_service(logon.user) {
                return;
            }
            (SignalKind::LogonFrom, logon.source.address, account(logon.user))
        }
        Activity::Logon(logon) if logon.outcome == LogonOutcome::ExplicitCredentials => {
            let target = logon.target.rsplit('/').next().unwrap_or("");
            if target.is_empty() || target.eq_ignore_ascii_case("localhost") {
                return;
            }
            (SignalKind::ReachedFor, target, account(logon.user))
        }
        Activity::ComActivation(com) if com.outbound && com.remote => {
            (SignalKind::ReachedFor, com.peer, account(event.process.user))
        }
        _ => return,
    };
    sink.signal(Signal { host: host.key.to_string(), kind, peer: peer.to_ascii_lowercase(), user, time: event.time });
}

/// Says what a logon's record ties together: the name and the address of the machine it came from, the id and the name of
/// the account.
fn identities(host: &Host, event: &ProcessEvent<'_>, tuning: &Tunables, sink: &mut dyn Sink) {
    let Activity::Logon(logon) = &event.activity else { return };
    if logon.outcome != LogonOutcome::Start || tuning.is_service(logon.user) {
        return;
    }
    let (source, user, time) = (logon.source, logon.user, event.time);
    let named = !source.name.is_empty() && backchannel_events::parse_address(source.name).is_none();
    if named && !source.address.is_empty() && !host.addresses.is_own(source.address) {
        let (host, peer) = (source.name.to_ascii_lowercase(), source.address.to_ascii_lowercase());
        sink.signal(Signal { host, kind: SignalKind::PeerAddress, peer, user: String::new(), time });
    }
    // Where auditd has no uid of who logged on, the login uid of the session that begins is that of the account. With sudo
    // and su it is that of the account before.
    let session = Some(event.process.user.audit_id).filter(|_| matches!(logon.kind, 2 | 4 | 10));
    let id = if user.id.is_empty() { session.unwrap_or_default() } else { user.id };
    if !id.is_empty() && !user.name.is_empty() {
        let (host, peer) = (host.key.to_string(), id.to_ascii_lowercase());
        sink.signal(Signal { host, kind: SignalKind::Account, peer, user: account(user), time });
    }
}

/// Adds a finding to an earlier one of the same analytic, host, processes and channel, or reports it as new. A repeat is
/// reported when its count doubles or when it is more severe; the rest at the flush.
fn fold(open: &mut BTreeMap<u64, Open>, stats: &mut Stats, finding: Finding, sink: &mut dyn Sink) {
    let key = place(open, &finding);
    let touched = stats.findings + stats.suppressed + stats.repeats;
    if let Some(earlier) = open.get_mut(&key)
        && finding.time.within(FOLDING, earlier.last)
    {
        let worse = finding.severity > earlier.finding.severity || finding.confidence > earlier.finding.confidence;
        let known = &mut earlier.finding;
        let duplicate = finding.evidence.iter().all(|new| known.evidence.iter().any(|old| same_record(old, new)));
        if duplicate && !worse {
            return;
        }
        stats.repeats += 1;
        earlier.last = earlier.last.max(finding.time);
        earlier.touched = touched;
        known.count = known.count.saturating_add(1);
        known.reasons = known.reasons.and(finding.reasons);
        known.indicators = known.indicators.and(finding.indicators);
        for key in finding.joins {
            if known.joins.len() < MOST_JOINS && !known.joins.contains(&key) {
                known.joins.push(key);
            }
        }
        if worse {
            // The text of the worst: one that is only surer of something milder says less.
            if finding.severity >= known.severity {
                known.text = finding.text;
            }
            known.severity = known.severity.max(finding.severity);
            known.confidence = known.confidence.max(finding.confidence);
        }
        for observation in finding.evidence {
            if known.evidence.len() < MOST_EVIDENCE && !known.evidence.iter().any(|old| same_record(old, &observation))
            {
                known.evidence.push(observation);
            }
        }
        known.evidence.sort_by(|a, b| (a.time, &a.provider, &a.record).cmp(&(b.time, &b.provider, &b.record)));
        if worse || known.count >= earlier.told.saturating_mul(2) {
            earlier.told = known.count;
            sink.finding(known);
        }
        return;
    }
    if finding.suppressed.is_some() {
        stats.suppressed += 1;
    } else {
        stats.findings += 1;
    }
    sink.finding(&finding);
    let mut closed = Vec::new();
    if open.len() >= MOST_OPEN {
        let mut keys = oldest(open.iter().map(|(key, entry)| (entry.touched, *key)), MOST_OPEN / 8);
        keys.sort_unstable();
        closed.extend(keys.iter().filter_map(|key| open.remove(key)));
    }
    closed.extend(open.insert(key, Open { last: finding.time, told: 1, touched, finding }));
    for closed in closed.iter().filter(|closed| closed.finding.count > closed.told) {
        sink.finding(&closed.finding);
    }
}

fn same_record(a: &backchannel_events::Observation, b: &backchannel_events::Observation) -> bool {
    a.time == b.time
        && a.provider == b.provider
        && a.event_id == b.event_id
        && a.record == b.record
        // A record with an id is the same, whatever file and line it was collected in.
        && (!a.record.is_empty() || a.line == b.line)
        && (!a.record.is_empty() || a.line > 0 || a.text == b.text)
}

/// The key under which a finding, or the earlier one that it repeats, is kept open. Low findings are the same for every
/// process of a program and an account; a more severe one of a process is a separate finding.
fn place(open: &mut BTreeMap<u64, Open>, finding: &Finding) -> u64 {
    let exact = sameness(finding, true);
    if open.contains_key(&exact) {
        return exact;
    }
    let loose = sameness(finding, false);
    if finding.severity < Severity::Medium {
        return loose;
    }
    let pids = |finding: &Finding| [&finding.client, &finding.server].map(|party| party.as_ref().and_then(|it| it.pid));
    if open.get(&loose).is_some_and(|earlier| pids(&earlier.finding) == pids(finding))
        && let Some(earlier) = open.remove(&loose)
    {
        open.insert(exact, earlier);
    }
    exact
}

/// What makes two findings the same: analytic, host, both processes (or programs), the class of the channel.
fn sameness(finding: &Finding, by_process: bool) -> u64 {
    let mut hasher = SipHasher13::new();
    let mut part = |text: &str| {
        hasher.write(text.as_bytes());
        hasher.write_u8(0xff);
    };
    part(if by_process { "process" } else { "program" });
    part(&finding.analytic);
    part(&finding.host);
    for party in [&finding.client, &finding.server] {
        match party {
            Some(party) => {
                part(&party.name.to_ascii_lowercase());
                match by_process {
                    true => part(&party.pid.map_or_else(String::new, |pid| pid.to_string())),
                    false => part(&party.user),
                }
            }
            None => part(""),
        }
    }
    if let Some(channel) = &finding.channel {
        part(channel.mechanism.as_str());
        // A class id is not a variable part: two classes are two findings.
        match channel.mechanism {
            Mechanism::Com | Mechanism::Dcom => part(&channel.name),
            _ => part(&pipes::class(&channel.name)),
        }
        part(&channel.peer);
    }
    part(if finding.suppressed.is_some() { "suppressed" } else { "" });
    hasher.finish()
}

/// The key of a host in memory. For records without a host it is `unknown`, a NUL and the input, so that inputs are
/// separate; the part after the NUL is not shown.
fn host_key(event: &ProcessEvent<'_>, by: HostKey, key: &mut String) {
    by.write(event.host, key);
    if key.is_empty() {
        key.push_str("unknown\0");
        key.push_str(text::clip(event.provenance.input, 255));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Event, start};

    const EXCEL: &str = r"C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE";

    /// Excel as a COM server: a low finding, medium if a script may be the client.
    fn excel(second: f64, pid: u32) -> Event {
        let server = start(second, EXCEL, "EXCEL.EXE /automation -Embedding").pid(pid).session(1);
        server.by(r"C:\Windows\System32\svchost.exe", "svchost.exe -k DcomLaunch -p").user("CORP", "alice")
    }

    /// Each finding's severity and count as last reported.
    fn last(events: &[Event]) -> Vec<(Severity, u32)> {
        let mut detector = Detector::new(Tunables::default());
        let mut told: BTreeMap<String, (Severity, u32)> = BTreeMap::new();
        let mut sink = |finding: &Finding| {
            if finding.analytic == "IPC-DCOM-011" {
                told.insert(finding.id.clone(), (finding.severity, finding.count));
            }
        };
        events.iter().for_each(|event| detector.evaluate(event, &mut sink));
        detector.flush(&mut sink);
        told.into_values().collect()
    }

    #[test]
    fn low_findings_are_one_for_all_processes_of_a_program() {
        assert_eq!(last(&[excel(0.0, 60), excel(60.0, 61), excel(120.0, 62)]), [(Severity::Low, 3)]);
        let other = excel(60.0, 61).user("CORP", "bob");
        assert_eq!(last(&[excel(0.0, 60), other]), [(Severity::Low, 1); 2]);
    }

    #[test]
    fn a_more_severe_finding_of_a_process_is_separate() {
        let script = start(50.0, r"C:\Windows\System32\wscript.exe", "wscript.exe a.vbs").pid(44).session(1);
        let mut found = last(&[excel(0.0, 60), script, excel(60.0, 61)]);
        found.sort_unstable();
        assert_eq!(found, [(Severity::Low, 1), (Severity::Medium, 1)]);
    }
}
