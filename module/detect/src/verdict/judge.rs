//! From evidence to finding: the one place where the site's wishes, the severity rules and the escalation rules are
//! applied, and where a finding gets its id.

use std::hash::Hasher;

use backchannel_events::{
    Confidence, Finding, Mechanism, Observation, Outcome, Party, ProcessEvent, Reasons, Severity, Side, Timestamp, User,
};
use siphasher::sip128::{Hasher128, SipHasher13};

use super::{assess, conceal, describe, joins, sides, suppress};
use crate::actor::account;
use crate::context::Context;
use crate::evidence::Direction;
use crate::memory::{KnownLogon, ProcessId};
use crate::vocabulary::hubs;
use crate::{Analytic, Evidence, Status, predicates, text};

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
    sides::stay_here(&mut evidence, context);
    let wished = tuning.analytics.get(analytic.id).copied().unwrap_or_default();
    let mut severity = evidence.severity;
    let mut reasons = evidence.reasons;

    let user = context.subject().account();
    let peer = evidence.channel.as_ref().map_or("", |channel| channel.peer.as_str());
    // IPC-BASE-007: the playbook's first reason to escalate holds for every anomaly that an administrator's process
    // begins. The analytics weighed its rights already where they matter, so the severity stays.
    if severity >= Severity::Medium
        && evidence.confidence >= Confidence::Medium
        && is_administrators(context, &evidence)
    {
        reasons = reasons.and(Reasons::ADMINISTRATIVE_PRIVILEGES);
    }
    let from_admin_host = tuning.is_admin_host(&context.host.key) || tuning.is_admin_host(peer);
    if from_admin_host && tuning.is_admin_account(&user) {
        severity = severity.lowered();
        reasons = reasons.without(Reasons::ADMINISTRATIVE_PRIVILEGES);
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
        reasons = reasons.without(Reasons::DCOM_EXPLOITATION);
    }

    if let Some(party) = &mut evidence.client {
        joins::complete(party, evidence.client_known, context);
    }
    if let Some(party) = &mut evidence.server {
        joins::complete(party, evidence.server_known, context);
    }
    let parties: Vec<&Party> = evidence.client.iter().chain(&evidence.server).collect();
    let ioc_matches = assess::ioc_matches(context, &evidence, &parties);
    let changes = assess::changes(context, event);
    let answers = assess::answers(context, &evidence, &parties, severity, reasons, &ioc_matches, &changes);
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
        origin: Side::default(),
        target: Side::default(),
        techniques: techniques(analytic, &evidence.techniques, evidence.direction),
        indicators: evidence.indicators,
        reasons,
        count: 1,
        text: with_outcome(evidence.text, event),
        evidence: observations,
        answers,
        changes,
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
    sides::settle(&mut finding, evidence.direction, evidence.acted, evidence.target_account, context);
    finding.suppressed =
        suppress::by(analytic, context, event, &finding, [evidence.client_known, evidence.server_known]);
    if !tuning.show_secrets {
        conceal::finding(&mut finding);
    }
    let subject = context.subject();
    let known = [evidence.client_known, evidence.server_known, subject.known.map(|known| known.id)];
    let shared = |id: &u64| matches!(id, 0 | 0x3e4 | 0x3e5 | 0x3e7);
    Judged {
        finding,
        processes: known.into_iter().flatten().collect(),
        logon: subject.logon_id.filter(|id| !shared(id)),
    }
}

/// A call that did not succeed is told as one.
fn with_outcome(text: String, event: &ProcessEvent<'_>) -> String {
    let outcome = match event.outcome {
        Outcome::Failure => "failed",
        Outcome::Denied => "was refused",
        _ => return text,
    };
    if text::contains_any(&text, &["refuse", "fail", "denied", "tried", "could not"]) {
        return text;
    }
    format!("{} The call {outcome}.", text.trim_end())
}

/// The techniques that the evidence bears out: those of the analytic, or the ones that the evidence names instead; what
/// needs another machine only where one acted or was acted upon.
fn techniques(analytic: &Analytic, instead: &[&str], direction: Direction) -> Vec<String> {
    let named = if instead.is_empty() { analytic.techniques } else { instead };
    let crossed = direction != Direction::Local;
    let fitting = named.iter().filter(|technique| crossed || !technique.starts_with("T1021"));
    fitting.map(|&technique| technique.to_owned()).collect()
}

/// Whether who began the exchange is a process with administrative rights that a person stands behind: services act
/// with theirs all day.
fn is_administrators(context: &Context<'_>, evidence: &Evidence) -> bool {
    let Some(client) = &evidence.client else { return false };
    let subject = context.subject();
    let known = evidence.client_known.and_then(|id| context.remembered(id));
    let Some(actor) = known.or((subject.pid.is_some() && subject.pid == client.pid).then_some(subject)) else {
        return false;
    };
    // Root that somebody logged on for has a login uid.
    let person = match actor.user.acting_id() {
        "0" => !actor.user.audit_id.is_empty() && has_login(actor.user.audit_id),
        _ => !predicates::is_service_principal(actor.user) && !actor.account().is_empty(),
    };
    person && predicates::is_privileged(actor) && !hubs::is_hub(actor.name(), actor.original_name)
}

/// Whether a login uid is one: the kernel's "never set" is none.
fn has_login(audit_id: &str) -> bool {
    !matches!(audit_id, "4294967295" | "-1")
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

/// 16 hexadecimal digits that depend on the analytic, the host, the processes, the first record and its time only: never
/// on a file name, a line number or a batch. The record alone would not do: many findings rest on the same logon. Nor
/// does its id: it comes back after a log was cleared or a machine was set up anew. Whole seconds, because formats of
/// one log differ in what follows.
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
            part(&(first.time.0.div_euclid(Timestamp::SECOND)).to_string());
            part(&first.record);
        }
    }
    format!("{:016x}", hasher.finish128().h1)
}

#[cfg(test)]
mod tests {
    use backchannel_events::Integrity;

    use super::*;
    use crate::testing::*;
    use crate::{Family, analytics};

    /// An implant that opens a pipe of a known tool, with and without an administrator's rights.
    fn reasons(integrity: Integrity, domain: &'static str, user: &'static str) -> Vec<Reasons> {
        let analytic = analytics::ANALYTICS.iter().find(|one| one.id == "IPC-BASE-016").unwrap();
        assert_eq!(analytic.family, Family::Generic);
        let x = r"C:\Users\a\x.exe";
        let target =
            backchannel_events::Process { pid: Some(90), image: r"C:\Windows\notepad.exe", ..Default::default() };
        let access = backchannel_events::Access {
            kind: backchannel_events::AccessKind::RemoteThread,
            target,
            ..Default::default()
        };
        let events = [
            start(0, x, "x").pid(80).user(domain, user).integrity(integrity),
            event(1, backchannel_events::Activity::ProcessAccess(access)).of(x, 80),
            pipe_created(9, r"\k9f3").of(r"C:\Windows\notepad.exe", 90),
        ];
        let found = check(analytic, &events, Some((Severity::High, Confidence::Medium)));
        found.iter().map(|finding| finding.reasons).collect()
    }

    #[test]
    fn an_administrator_s_anomaly_escalates_and_an_ordinary_user_s_does_not_for_that() {
        assert_eq!(
            reasons(Integrity::High, "CORP", "eve"),
            [Reasons::ADMINISTRATIVE_PRIVILEGES.and(Reasons::UNKNOWN_BINARY)]
        );
        assert_eq!(reasons(Integrity::Medium, "CORP", "eve"), [Reasons::UNKNOWN_BINARY]);
    }

    #[test]
    fn a_record_id_that_comes_back_is_another_finding() {
        let first = |second: f64| Observation {
            time: at(second),
            provider: "Microsoft-Windows-Security-Auditing".into(),
            record: "100".into(),
            event_id: 5145,
            ..Observation::default()
        };
        let id = |second| id("IPC-PIPE-001", "ws07", &[], Some(&first(second)));
        assert_eq!(id(5.0), id(5.25), "formats keep different fractions of a second");
        assert_ne!(id(5.0), id(6.0));
    }

    #[test]
    fn who_counts_as_an_administrator_is_a_person_with_rights() {
        let host = crate::Host::new("ws01".into(), at(0.0));
        let tuning = crate::Tunables::default();
        let asks = |event: &Event| {
            let context = Context::new(&host, &tuning, None, event);
            let evidence = Evidence::new(Severity::Medium, Confidence::Medium, "").client(context.subject());
            is_administrators(&context, &evidence)
        };
        let windows =
            |user, integrity| pipe_opened(0, r"\p").of(r"C:\a.exe", 7).user("CORP", user).integrity(integrity);
        assert!(asks(&windows("eve", Integrity::High)) && !asks(&windows("eve", Integrity::Medium)));
        assert!(!asks(&windows("eve", Integrity::High).of(r"C:\Windows\explorer.exe", 7)), "a hub");
        let service =
            pipe_opened(0, r"\p").of(r"C:\a.exe", 7).user("NT AUTHORITY", "SYSTEM").integrity(Integrity::System);
        assert!(!asks(&service), "a service acts with its rights all day");
        let root = |login| unix_connected(0.0, "/run/x", "0", 0o600).of("/usr/bin/nc", 7).uids("0", "0", login);
        assert!(asks(&root("1000")) && !asks(&root("")) && !asks(&root("4294967295")));
    }
}
