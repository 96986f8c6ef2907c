//! # IPC-BASE-019: Programs report errors on a UNIX socket
//!
//! ## What it detects
//! Three or more log lines within ten minutes in which programs report that the same UNIX socket refused or closed
//! their connection.
//!
//! ## Why it matters
//! A server that was replaced, flooded or crashed first shows in its clients' logs. Alone this is weak evidence; it
//! supports other findings.
//!
//! ## Telemetry
//! Syslog of any program.
//!
//! ## False positives
//! Restarts and misconfigured services: low.
//!
//! ## References
//! Playbook LOG-2, KI-2, L1a; ATT&CK T1559, T1499; DET0493 (AN1358).

use std::time::Duration;

use backchannel_events::{Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Severity, Source};

use crate::memory::Tally;
use crate::text::{clip, lower};
use crate::vocabulary::faults;
use crate::{Analytic, Context, Evidence, Family, Threshold};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-BASE-019",
    title: "Programs report errors on a UNIX socket",
    family: Family::Generic,
    techniques: &["T1559", "T1499"],
    attack_analytics: &["AN1358"],
    severity: Severity::Low,
    on: &[ActivityKind::Text],
    telemetry: &[Source::Syslog],
    thresholds: &[MANY],
    evaluate,
    ..Analytic::DEFAULTS
};

/// Number of reported errors ...
const MANY: Threshold =
    Threshold { name: "faults", default: 3, least: 2, most: 64, about: "faults of one channel within ten minutes" };
/// ... within this time.
const WINDOW: Duration = Duration::from_secs(600);

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let Activity::Text(line) = &event.activity else { return None };
    let socket = faults::socket(line.message)?;
    let mut buffer = String::new();
    let key = lower(socket, &mut buffer);
    let before = context.host.tallies.records(Tally::FaultsByChannel, key, event.time, WINDOW);
    let many = context.threshold(&MANY) as usize;
    if before.len() + 1 < many {
        return None;
    }
    let count = before.len() + 1;
    let text = format!(
        "{count} times within ten minutes programs said that the socket {socket} failed them, last {}: {}",
        line.program,
        clip(line.message, 160)
    );
    let mechanism = if socket.starts_with('@') { Mechanism::UnixAbstract } else { Mechanism::UnixSocket };
    let mut evidence = Evidence::new(Severity::Low, Confidence::Low, text)
        .indicators(Indicators::UNEXPECTED_USE)
        .client(context.subject())
        .channel(mechanism, socket);
    for (program, note) in before.iter().rev().take(many) {
        evidence = evidence.because(note, format!("{program} said that {socket} failed it"));
    }
    Some(evidence)
}

#[cfg(test)]
mod tests {
    use backchannel_events::Text;

    use super::*;
    use crate::testing::*;

    fn said(seconds: f64, message: &'static str) -> Event {
        let mut event = event(seconds, Activity::Text(Text { program: "nginx", message }));
        event.0.provenance.source = Source::Syslog;
        event
    }

    const REFUSED: &str = "connect() to unix:/run/app.sock failed (111: Connection refused)";

    #[test]
    fn three_errors_on_one_socket_fire_low() {
        let other = "dial unix /var/run/app.sock: connect: permission denied";
        let events = [said(0.0, REFUSED), said(60.0, other), said(120.0, REFUSED)];
        check(&ANALYTIC, &events, Some((Severity::Low, Confidence::Low)));
    }

    #[test]
    fn two_errors_and_errors_on_several_sockets_are_quiet() {
        check(&ANALYTIC, &[said(0.0, REFUSED), said(60.0, REFUSED)], None);
        let others = ["/run/a.sock: Connection refused", "/run/b.sock: Connection refused"];
        check(&ANALYTIC, &[said(0.0, others[0]), said(1.0, others[1]), said(2.0, REFUSED)], None);
    }

    #[test]
    fn three_errors_in_an_hour_are_quiet() {
        check(&ANALYTIC, &[said(0.0, REFUSED), said(1_200.0, REFUSED), said(2_400.0, REFUSED)], None);
    }
}
