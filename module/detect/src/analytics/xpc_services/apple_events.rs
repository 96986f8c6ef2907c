//! # IPC-MAC-006: Apple Events used to control another application
//!
//! ## What it detects
//! `osascript` that requests administrative rights, shows a password dialog, or makes another application type, run
//! commands or return data; any other use of it is noted at info.
//!
//! ## Why it matters
//! Apple Events let a script act as the application that it controls, with that application's privacy permissions and
//! sessions and the user's rights.
//!
//! ## Telemetry
//! Endpoint Security exec with arguments (eslogger). The text of a compiled script is not visible.
//!
//! ## False positives
//! Automation tools (Keyboard Maestro, Alfred, management agents): allow them by the parent's path.
//!
//! ## References
//! Playbook KI-1, KI-3, E1, E3; ATT&CK T1559.003, T1059.002, T1548.004; DET0493 (AN1359).

use backchannel_events::{ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source};

use crate::text::{clip, contains, contains_any, is_any};
use crate::vocabulary::macos;
use crate::{Analytic, Context, Evidence, Family, Status};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-MAC-006",
    title: "Apple Events used to control another application",
    family: Family::XpcServices,
    techniques: &["T1559.003", "T1059.002", "T1548.004"],
    attack_analytics: &["AN1359"],
    severity: Severity::High,
    status: Status::Experimental,
    on: &[ActivityKind::ProcessStart],
    telemetry: &[Source::EndpointSecurity],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let script = context.subject();
    if event.provenance.source != Source::EndpointSecurity || !is_any(script.name(), &["osascript", "osacompile"]) {
        return None;
    }
    let command = crate::text::fold::fold(script.command_line);
    let admin = contains(&command, "with administrator privileges");
    let password = contains(&command, "display dialog")
        && contains_any(&command, &["hidden answer", "password", "passphrase", "credentials"]);
    let drives = contains(&command, "tell app")
        && contains_any(
            &command,
            &[
                "do script",
                "keystroke",
                "key code",
                "do javascript",
                "execute javascript",
                "click button",
                "run script",
            ],
        );
    let asks_mail = contains(&command, "tell app")
        && contains_any(&command, &["Messages", "Mail", "Safari", "Chrome", "Notes"])
        && contains_any(&command, &["send ", "content of", "get URL", "URL of", "body of", "make new"]);
    let sender = context.parent();
    let (severity, what) = match () {
        () if password => (Severity::High, "shows a dialog that asks for a password"),
        () if admin => (Severity::High, "asks for administrative rights to run a command"),
        () if drives || asks_mail => (Severity::Medium, "drives another application"),
        () => (Severity::Info, "runs a script that may send Apple Events"),
    };
    let unsigned = macos::is_badly_signed(sender) || macos::is_odd_place(sender.image);
    let severity = if unsigned && severity >= Severity::Medium { severity.raised() } else { severity };
    let text = format!("{} {what}: {}.", script.name(), clip(script.command_line, 200));
    let noteworthy = severity >= Severity::Medium;
    let evidence = Evidence::new(severity, Confidence::Medium, text)
        .reasons(
            Reasons::NONE
                .and_if(noteworthy && admin, Reasons::ADMINISTRATIVE_PRIVILEGES)
                .and_if(noteworthy && unsigned, Reasons::UNKNOWN_BINARY),
        )
        .indicators(if noteworthy {
            Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW)
        } else {
            Indicators::NONE
        })
        .client(sender)
        .server(script)
        .channel(Mechanism::AppleEvent, "");
    Some(evidence)
}

#[cfg(test)]
mod tests {
    use backchannel_events::SignatureStatus;

    use super::*;
    use crate::testing::*;

    fn script(command: &'static str) -> Event {
        start(1, "/usr/bin/osascript", command).pid(800).parent_pid(700).uids("501", "501", "501").on_mac()
    }

    fn sender(image: &'static str, status: SignatureStatus) -> Event {
        start(0, image, image).pid(700).uids("501", "501", "501").signed(status, "").on_mac()
    }

    #[test]
    fn a_dialog_for_the_password_fires() {
        let command =
            "osascript -e 'display dialog \"Update needs your password\" default answer \"\" with hidden answer'";
        check_on(&ANALYTIC, &[script(command)], Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn administrative_rights_for_an_unsigned_sender_are_critical() {
        let events = [
            sender("/Users/kim/Downloads/App.app/Contents/MacOS/App", SignatureStatus::Unsigned),
            script("osascript -e 'do shell script \"/tmp/x\" with administrator privileges'"),
        ];
        let found = check_on(&ANALYTIC, &events, Some((Severity::Critical, Confidence::Medium)));
        assert!(
            found
                .iter()
                .all(|finding| finding.reasons == Reasons::ADMINISTRATIVE_PRIVILEGES.and(Reasons::UNKNOWN_BINARY))
        );
    }

    #[test]
    fn controlling_the_terminal_fires() {
        let command = "osascript -e 'tell application \"Terminal\" to do script \"curl example.org\"'";
        check_on(&ANALYTIC, &[script(command)], Some((Severity::Medium, Confidence::Medium)));
    }

    #[test]
    fn a_notification_is_only_noted() {
        let command = "osascript -e 'display notification \"Build done\"'";
        check_on(&ANALYTIC, &[script(command)], Some((Severity::Info, Confidence::Medium)));
    }

    #[test]
    fn a_dialog_without_a_password_is_only_noted() {
        let command = "osascript -e 'display dialog \"Done\" buttons {\"OK\"}'";
        check_on(&ANALYTIC, &[script(command)], Some((Severity::Info, Confidence::Medium)));
    }

    #[test]
    fn another_program_with_the_same_arguments_is_quiet() {
        let other = start(1, "/usr/bin/grep", "grep 'with administrator privileges' a.scpt").pid(800).on_mac();
        check_on(&ANALYTIC, &[other], None);
    }
}
