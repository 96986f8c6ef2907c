//! From evidence to finding: the one place where the site's wishes, the severity rules and the escalation rules are
//! applied, and where a finding gets its id.

use std::hash::Hasher;

use backchannel_events::{Confidence, Finding, Mechanism, Observation, Party, ProcessEvent, Reasons, Severity, User};
use siphasher::sip128::{Hasher128, SipHasher13};

use crate::context::{Context, KnownLogon, ProcessId, account};
use crate::vocabulary::pipes;
use crate::{Analytic, Evidence, Status, assess, describe, joins, suppress};

/// A finding, and what it puts under watch.
pub struct Judged {
    /// The finding.
    pub finding: Finding,
    /// Remembered processes it names.
    pub processes: Vec<ProcessId>,
    /// The logon it happened under.
    pub logon: Option<u64>,
}

/// Makes a finding of what an analytic concluded.
pub fn finding(analytic: &Analytic, mut evidence: Evidence, context: &Context<'_>, event: &ProcessEvent<'_>) -> Judged {
    let tuning = context.tuning;
    let wished = tuning.analytics.get(analytic.id).copied().unwrap_or_default();
    let mut severity = evidence.severity;
    let mut reasons = evidence.reasons;

    let user = context.subject().account();
    let peer = evidence.channel.as_ref().map_or("", |channel| channel.peer.as_str());
    let from_admin_host = tuning.is_admin_host(&context.host.key) || tuning.is_admin_host(peer);
    if from_admin_host && tuning.is_admin_account(&user) {
        severity = severity.lowered();
        reasons = reasons.without(Reasons::E1);
    }
    if severity >= Severity::Medium && tuning.is_critical_host(&context.host.key) {
        severity = severity.raised();
    }
    if let Some(least) = tuning.unsigned_level.filter(|_| evidence.unsigned) {
        severity = severity.max(least);
    }
    if analytic.status == Status::Experimental && wished.enabled != Some(true) {
        severity = severity.min(Severity::Low);
        reasons = Reasons::NONE;
    }
    severity = wished.severity.unwrap_or(severity);
    // Signs of exploitation need something to stand on (catalogue 4.1, E2).
    if severity < Severity::Medium || evidence.confidence < Confidence::Medium {
        reasons = reasons.without(Reasons::E2);
    }

    if let Some(party) = &mut evidence.client {
        joins::complete(party, evidence.client_known, context);
    }
    if let Some(party) = &mut evidence.server {
        joins::complete(party, evidence.server_known, context);
    }
    let parties: Vec<&Party> = evidence.client.iter().chain(&evidence.server).collect();
    let ioc_matches = assess::ioc_matches(context, &evidence, &parties);
    let answers = assess::answers(context, &evidence, &parties, severity, reasons, &ioc_matches);
    let mut keys = std::mem::take(&mut evidence.joins);
    for id in [evidence.client_known, evidence.server_known].into_iter().flatten() {
        if let Some(actor) = context.remembered(id) {
            joins::of_actor(context, actor, &mut keys);
        }
    }
    joins::of_actor(context, context.subject(), &mut keys);
    joins::of_event(context, event, &mut keys);
    if let Some(channel) = evidence.channel.as_ref().filter(|channel| is_named(channel.mechanism)) {
        joins::of_channel(&context.host.key, &channel.name, &mut keys);
    }
    keys.sort_unstable();
    keys.dedup();

    let mut observations = std::mem::take(&mut evidence.earlier);
    observations.push(describe::observation(event));
    observations
        .sort_by(|a, b| (a.time, &a.provider, &a.record, a.line).cmp(&(b.time, &b.provider, &b.record, b.line)));
    observations.dedup_by(|a, b| (a.time, &a.provider, &a.record, a.line) == (b.time, &b.provider, &b.record, b.line));
    let techniques = evidence.techniques.unwrap_or(analytic.techniques);

    let mut finding = Finding {
        id: id(analytic.id, &context.host.key, &parties, observations.first()),
        analytic: analytic.id.to_owned(),
        title: analytic.title.to_owned(),
        severity,
        confidence: evidence.confidence,
        time: event.time,
        host: context.host.key.to_string(),
        user,
        client: evidence.client,
        server: evidence.server,
        channel: evidence.channel,
        techniques: techniques.iter().map(|&technique| technique.to_owned()).collect(),
        indicators: evidence.indicators,
        reasons,
        count: 1,
        text: evidence.text,
        evidence: observations,
        answers,
        changes: assess::changes(context, event),
        logon: context.logon_of(context.subject()).map(logon_observation),
        ioc_matches,
        joins: keys,
        suppressed: None,
    };
    if finding.user.is_empty() {
        finding.user = match &event.activity {
            backchannel_events::Activity::Logon(logon) => account(logon.user),
            _ => finding.client.as_ref().map_or_else(String::new, |client| client.user.clone()),
        };
    }
    finding.suppressed = suppress::by(context, event, &finding, [evidence.client_known, evidence.server_known]);
    let subject = context.subject();
    let known = [evidence.client_known, evidence.server_known, subject.known.map(|known| known.id)];
    let shared = |id: &u64| matches!(id, 0 | 0x3e4 | 0x3e5 | 0x3e7);
    Judged {
        finding,
        processes: known.into_iter().flatten().collect(),
        logon: subject.logon_id.filter(|id| !shared(id)),
    }
}

fn logon_observation(logon: &KnownLogon) -> Observation {
    let from = if logon.address.is_empty() { &logon.workstation } else { &logon.address };
    let from = if from.is_empty() { String::new() } else { format!(" from {from}") };
    let special = if logon.special { ", with administrative privileges" } else { "" };
    let user = User { name: &logon.user_name, domain: &logon.user_domain, ..User::default() };
    logon.note.observation(format!("{} logged on (type {}){from}{special}", account(user), logon.kind))
}

/// Whether the name of such a channel is one thing on its host, and not a class or a kind.
fn is_named(mechanism: Mechanism) -> bool {
    matches!(mechanism, Mechanism::NamedPipe | Mechanism::Fifo | Mechanism::UnixSocket | Mechanism::UnixAbstract)
}

/// 16 hexadecimal digits that depend on the analytic, the host, the processes and the first record only: never on a
/// file name, a line number or a batch. The record alone would not do: many findings rest on the same logon.
fn id(analytic: &str, host: &str, parties: &[&Party], first: Option<&Observation>) -> String {
    let mut hasher = SipHasher13::new();
    let mut part = |text: &str| {
        hasher.write(text.as_bytes());
        hasher.write_u8(0xff);
    };
    part(analytic);
    part(host);
    for party in parties {
        part(&party.name.to_ascii_lowercase());
        part(&party.pid.map_or_else(String::new, |pid| pid.to_string()));
    }
    if let Some(first) = first {
        part(&first.provider);
        if first.record.is_empty() {
            part(&first.time.0.to_string());
            part(&first.event_id.to_string());
            part(&first.text);
        } else {
            part(&first.record);
        }
    }
    format!("{:016x}", hasher.finish128().h1)
}

/// Whether `text` is what `pattern` means: the same text, case ignored, with `*` anywhere in it for anything.
pub fn matches(pattern: &str, text: &str) -> bool {
    pipes::like(pattern, text)
}
