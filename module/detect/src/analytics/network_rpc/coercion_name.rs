//! # IPC-RPC-019: DNS name that contains a marshalled target
//!
//! ## What it detects
//! A queried name, or an argument of a command, that contains the marker of a marshalled CREDENTIAL_TARGET_INFORMATION:
//! a word with `UWhRC`, then `AAAAA` and `BAAAA`. High; critical if the machine was called with a coercion operation
//! within ten minutes.
//!
//! ## Why it matters
//! Windows removes the marker when it builds the service principal name, but not when it resolves the address: a
//! Kerberos ticket for one machine is sent to another, which relays it.
//!
//! ## Telemetry
//! Sysmon 22; command lines of Sysmon 1 and Security 4688; calls in Zeek dce_rpc or RPC Firewall make it critical.
//!
//! ## False positives
//! None known.
//!
//! ## References
//! ATT&CK T1559, T1187, T1557.001; DET0493 (AN1357). CVE-2025-33073.

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::text::{clip, contains, find};
use crate::vocabulary::rpc;
use crate::{Analytic, Context, Evidence, Family};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-RPC-019",
    title: "DNS name that contains a marshalled target",
    family: Family::NetworkRpc,
    techniques: &["T1559", "T1187", "T1557.001"],
    attack_analytics: &["AN1357"],
    severity: Severity::High,
    on: &[ActivityKind::Dns, ActivityKind::ProcessStart],
    telemetry: &[Source::Sysmon, Source::Security],
    // Maximum time between preparation and coercion.
    window: Some(Duration::from_secs(600)),
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let (text, what) = match &event.activity {
        Activity::Dns(dns) => (dns.query, "asked for"),
        Activity::ProcessStart => (context.subject().command_line, "was given"),
        _ => return None,
    };
    let name = marked(text)?;
    let coerced = context
        .host
        .rpc_calls
        .any_near(event.time, context.window())
        .find(|known| rpc::coerces(known.interface, &known.operation).is_some());
    let severity = if coerced.is_some() { Severity::Critical } else { Severity::High };
    let subject = context.subject();
    let who = if subject.name().is_empty() { "a process" } else { subject.name() };
    let text = format!(
        "{who} {what} the name {}, which carries a marshalled target: a Kerberos ticket is to be sent to another \
         machine than it is for.",
        clip(name, 120),
    );
    let evidence = Evidence::new(severity, Confidence::High, text)
        .reasons(Reasons::DCOM_EXPLOITATION)
        .indicators(Indicators::UNEXPECTED_USE)
        .client(subject)
        .channel(Mechanism::Unknown, clip(name, 120));
    Some(match coerced {
        Some(known) => evidence.because(&known.note, format!("{} called {}", known.peer, known.operation)),
        None => evidence,
    })
}

/// The word that contains the marker.
fn marked(text: &str) -> Option<&str> {
    // The first letter depends on the alignment: the rest is the fixed head and tail of the structure in base 64.
    let head = find(text, "UWhRC")?;
    let rest = text.get(head..)?;
    let word = rest.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';')).next()?;
    contains(word, "AAAAA").then_some(())?;
    contains(word, "BAAAA").then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use backchannel_events::DnsQuery;

    const NAME: &str = "srv11UWhRCAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAwbEAYBAAAA.corp.example";

    #[test]
    fn a_query_for_such_a_name_is_high() {
        let query = event(0.0, Activity::Dns(DnsQuery { query: NAME, ..DnsQuery::default() }));
        check(&ANALYTIC, &[query], Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn a_coercion_call_near_it_makes_it_critical() {
        let coerce = rpc_from(0.0, "10.0.0.9", "efsrpc", "EfsRpcOpenFileRaw").on("ws01");
        let command =
            start(60.0, r"C:\Tools\dnstool.exe", "dnstool -a add -r srv11UWhRCAAAAAAAAAAAAAAAAAAAAAAAwbEAYBAAAA");
        check(&ANALYTIC, &[coerce, command], Some((Severity::Critical, Confidence::High)));
    }

    #[test]
    fn ordinary_names_are_quiet() {
        for query in ["srv1.corp.example", "uwhrc.example", "aaaaaaaabaaaa.example"] {
            let query = event(0.0, Activity::Dns(DnsQuery { query, ..DnsQuery::default() }));
            check(&ANALYTIC, &[query], None);
        }
    }
}
