//! Converts results to the contract's records.

use backchannel_engine as engine;
use backchannel_events::{Confidence, Severity, Source};

use crate::bindings::exports::backchannel::detection::{catalog, types};

pub(crate) fn evaluation(output: engine::Output) -> types::Evaluation {
    let engine::Output { findings, signals, activity, skipped, skipped_count, evaluated, unused } = output;
    types::Evaluation {
        findings: findings.into_iter().map(finding).collect(),
        signals,
        activity,
        skipped: skipped
            .into_iter()
            .map(|skipped| types::Skipped { input: skipped.input, line: skipped.line, reason: skipped.reason })
            .collect(),
        skipped_count,
        evaluated,
        unused,
    }
}

fn finding(finding: engine::FindingEnvelope) -> types::Finding {
    let engine::FindingEnvelope { id, analytic, severity: s, confidence: c, time, host, suppressed, document } =
        finding;
    types::Finding {
        id,
        analytic,
        severity: severity(s),
        confidence: confidence(c),
        time: time.0,
        host,
        suppressed,
        document,
    }
}

pub(crate) fn incident(incident: engine::IncidentEnvelope) -> types::Incident {
    let engine::IncidentEnvelope { id, revision, severity: s, tier, document } = incident;
    types::Incident { id, revision, severity: severity(s), tier, document }
}

pub(crate) fn analytic(analytic: &engine::Analytic) -> catalog::Analytic {
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    catalog::Analytic {
        id: analytic.id.to_owned(),
        title: analytic.title.to_owned(),
        techniques: texts(analytic.techniques),
        attack_analytics: texts(analytic.attack_analytics),
        severity: severity(analytic.severity),
        telemetry: analytic.telemetry.iter().map(|source| source.as_str().to_owned()).collect(),
        experimental: analytic.status == engine::Status::Experimental,
        baseline: analytic.needs_baseline,
    }
}

pub(crate) fn statistics(stats: &engine::Stats, sources: &[Source], upkeep: engine::Upkeep) -> types::Statistics {
    let engine::Stats { events, findings, repeats, suppressed, late, hosts, evicted } = stats;
    let engine::Evicted { hosts: idle, processes, logons, channels, other } = evicted;
    let tables =
        [("hosts", idle), ("processes", processes), ("logons", logons), ("channels", channels), ("other", other)];
    types::Statistics {
        events: *events,
        findings: *findings,
        repeats: *repeats,
        suppressed: *suppressed,
        late: *late,
        hosts: *hosts,
        evicted: tables.into_iter().map(|(table, count)| (table.to_owned(), *count)).collect(),
        sources: sources.iter().map(|source| source.as_str().to_owned()).collect(),
        expired: upkeep.expired,
        unmatched: upkeep.unmatched,
    }
}

pub(crate) fn setting_error(error: engine::SettingError) -> types::SettingError {
    let engine::SettingError { pointer, line, column, value, allowed, .. } = error;
    types::SettingError { pointer, line, column, value, allowed }
}

pub(crate) fn batch_error(error: engine::PackedError) -> types::BatchError {
    types::BatchError { offset: error.offset as u64, reason: format!("expected {}", error.reason) }
}

pub(crate) fn snapshot_error(error: engine::SnapshotError) -> types::SnapshotError {
    match error {
        engine::SnapshotError::OtherLayout(layout) => types::SnapshotError::OtherLayout(layout),
        engine::SnapshotError::Damaged(expected) => types::SnapshotError::Damaged(format!("expected {expected}")),
    }
}

pub(crate) fn baseline_error(error: engine::BaselineError) -> types::BaselineError {
    match error {
        engine::BaselineError::OtherLayout(layout) => types::BaselineError::OtherLayout(layout),
        engine::BaselineError::Damaged(expected) => types::BaselineError::Damaged(format!("expected {expected}")),
    }
}

fn severity(severity: Severity) -> types::Severity {
    match severity {
        Severity::Info => types::Severity::Info,
        Severity::Low => types::Severity::Low,
        Severity::Medium => types::Severity::Medium,
        Severity::High => types::Severity::High,
        Severity::Critical => types::Severity::Critical,
    }
}

fn confidence(confidence: Confidence) -> types::Confidence {
    match confidence {
        Confidence::Low => types::Confidence::Low,
        Confidence::Medium => types::Confidence::Medium,
        Confidence::High => types::Confidence::High,
        Confidence::Certain => types::Confidence::Certain,
    }
}
