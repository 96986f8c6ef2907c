//! # IPC-PIPE-031: Script that creates or impersonates pipes
//!
//! ## What it detects
//! A script that contains `NamedPipeServerStream`, `NamedPipeClientStream` or `CreateNamedPipe` and impersonates its
//! client (`ImpersonateNamedPipeClient`, `RunAsClient`): high; or gives everyone or anonymous callers access to the
//! pipe (`PipeAccessRule`), or contains `Invoke-PipeShell` or `-CustomPipeName`: medium. Carets, backticks and quotes
//! are removed before matching.
//!
//! ## Why it matters
//! A pipe in a script can be a backdoor without a program on disk; with impersonation it escalates to SYSTEM.
//!
//! ## Telemetry
//! PowerShell 4104, 4103, 800.
//!
//! ## False positives
//! Vendor modules whose pipes are open to everyone: allow by path.
//!
//! ## References
//! ATT&CK T1134.001, T1059.001, T1559; DET0493 (AN1357).

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::text::fold::{self, fold};
use crate::text::{contains, contains_any};
use crate::{Analytic, Context, Evidence, Family};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-PIPE-031",
    title: "Script that creates or impersonates pipes",
    family: Family::NamedPipes,
    techniques: &["T1134.001", "T1059.001", "T1559"],
    attack_analytics: &["AN1357"],
    severity: Severity::Medium,
    on: &[ActivityKind::Script],
    telemetry: &[Source::PowerShell],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let Activity::Script(script) = &event.activity else { return None };
    // Everything below needs this word; normalising every script would cost too much.
    if !fold::holds(script.text, "NamedPipe") {
        return None;
    }
    if !contains(script.text, "pipe") && !script.text.contains(['`', '^']) {
        return None;
    }
    let text = fold(script.text);
    if !contains_any(&text, &["NamedPipeServerStream", "NamedPipeClientStream", "CreateNamedPipe"]) {
        return None;
    }
    let impersonates = contains_any(&text, &["ImpersonateNamedPipeClient", ".RunAsClient("]);
    let everyone = contains(&text, "PipeAccessRule")
        && contains_any(&text, &["Everyone", "ANONYMOUS", "WorldSid", "AnonymousSid", "S-1-1-0", "S-1-5-7"]);
    let shell = contains_any(&text, &["Invoke-PipeShell", "-CustomPipeName"]);
    let (severity, does) = match (impersonates, everyone, shell) {
        (true, ..) => (Severity::High, "impersonates the client that opens it"),
        (_, true, _) => (Severity::Medium, "opens it to everyone"),
        (.., true) => (Severity::Medium, "runs a shell through it"),
        _ => return None,
    };
    let from = if script.path.is_empty() { String::new() } else { format!(" ({})", script.path) };
    let sentence = format!("A script{from} builds a named pipe and {does}.");
    Some(
        Evidence::new(severity, Confidence::Medium, sentence)
            .reasons(Reasons::NONE.and_if(impersonates, Reasons::ADMINISTRATIVE_PRIVILEGES))
            .indicators(Indicators::UNEXPECTED_USE)
            .client(context.subject())
            .channel(Mechanism::NamedPipe, ""),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn a_pipe_open_to_everyone_is_medium_and_backticks_do_not_hide_it() {
        let text = "$r = New-Object System.IO.Pipes.PipeAc`cessRule('Everyone','FullControl','Allow');\
                    $p = New-Object System.IO.Pipes.Named`PipeServer`Stream('x')";
        check(&ANALYTIC, &[script(0, text)], Some((Severity::Medium, Confidence::Medium)));
    }

    #[test]
    fn impersonation_is_high() {
        let text = "[W]::CreateNamedPipe($n,3,0,1,0,0,0,0); [W]::ImpersonateNamedPipeClient($h)";
        let found = check(&ANALYTIC, &[script(0, text)], Some((Severity::High, Confidence::Medium)));
        assert!(found[0].reasons.contains(backchannel_events::Reason::AdministrativePrivileges));
    }

    #[test]
    fn a_pipe_for_its_own_use_is_quiet() {
        let text = "$p = New-Object System.IO.Pipes.NamedPipeClientStream('.', 'agent'); $p.Connect()";
        check(&ANALYTIC, &[script(0, text)], None);
    }

    #[test]
    fn the_second_half_alone_is_quiet() {
        let events =
            [script(0, "Enter-PSHostProcess -CustomPipeName x"), script(1, "Get-ChildItem | Where-Object Name")];
        check(&ANALYTIC, &events, None);
    }
}
