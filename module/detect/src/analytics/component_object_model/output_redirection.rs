//! # IPC-DCOM-030: Command output sent back through an administrative share
//!
//! ## What it detects
//! A command line that redirects its output to a file named `__` and a timestamp (or `__output`) on an administrative
//! share of its own machine, or, under the task scheduler, to `Temp\` and eight letters; also the file itself.
//!
//! ## Why it matters
//! Tools that run commands through DCOM, WMI, services and tasks use it to read a command's output: a semi-interactive
//! shell controlled from another machine.
//!
//! ## Telemetry
//! Sysmon 1 or Security 4688 with command line; Sysmon 11; Security 5145.
//!
//! ## False positives
//! None known.
//!
//! ## References
//! ATT&CK T1559.001, T1021.003, T1047, T1021.002; DET0224 (AN0628), DET0285 (AN0791).

use backchannel_events::{
    Activity, ActivityKind, Confidence, FileOperation, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::text::{base_name, contains, directory, ends_with, find, is_any};
use crate::vocabulary::com;
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-DCOM-030",
    title: "Command output sent back through an administrative share",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1021.003", "T1047", "T1021.002"],
    attack_analytics: &["AN0628", "AN0791"],
    severity: Severity::Critical,
    on: &[ActivityKind::ProcessStart, ActivityKind::File],
    telemetry: &[Source::Sysmon, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    match &event.activity {
        Activity::ProcessStart => command(context),
        Activity::File(file) if file.operation != FileOperation::Delete => {
            is_output_name(base_name(file.path)).then_some(())?;
            let folder = directory(file.path);
            let fitting = ends_with(folder, r"\Windows") || ends_with(folder, "$") || is_any(folder, &["C:"]);
            if !fitting {
                return None;
            }
            let text = format!(
                "{} was written: the output file of a tool that runs commands here from another machine.",
                file.path
            );
            let evidence = Evidence::new(Severity::Critical, Confidence::High, text)
                .reasons(Reasons::DCOM_EXPLOITATION.and(Reasons::LATERAL_MOVEMENT))
                .indicators(Indicators::UNEXPECTED_USE)
                .server(context.subject())
                .channel(Mechanism::Dcom, "");
            Some(evidence.from_machine(file.peer))
        }
        _ => None,
    }
}

fn command(context: &Context<'_>) -> Option<Evidence> {
    let (shell, parent) = (context.subject(), context.parent());
    let line = shell.command_line;
    let target = shared_output(line).or_else(|| scheduled_output(line, parent))?;
    let (mechanism, name) = way(parent);
    let text = format!(
        "{} ran a command for {} and sent its output to {target}: this machine is controlled from another one.",
        if parent.name().is_empty() { "A program" } else { parent.name() },
        shell.account(),
    );
    let evidence = Evidence::new(Severity::Critical, Confidence::Certain, text)
        .reasons(
            Reasons::DCOM_EXPLOITATION
                .and(Reasons::LATERAL_MOVEMENT)
                .and_if(predicates::is_privileged(shell), Reasons::ADMINISTRATIVE_PRIVILEGES),
        )
        .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
        .made_run(parent, shell)
        .channel(mechanism, name)
        .from_machine(context.logon_of(shell).map_or("", |logon| &*logon.address));
    Some(evidence)
}

/// The remote execution method, derived from the parent process.
fn way(parent: Actor<'_>) -> (Mechanism, String) {
    if parent.is(&["wmiprvse.exe"]) {
        (Mechanism::Wmi, "Win32_Process".to_owned())
    } else if parent.is(&["services.exe"]) {
        (Mechanism::RpcNamedPipe, "svcctl".to_owned())
    } else if parent.is(&["taskeng.exe", "svchost.exe"]) {
        (Mechanism::RpcNamedPipe, "atsvc".to_owned())
    } else {
        (Mechanism::Dcom, com::class_of(parent))
    }
}

/// The output file on an administrative share that a command line redirects to; carets in between are ignored.
fn shared_output(line: &str) -> Option<&str> {
    let at = find(line, r"$\__")?;
    let before = line.get(..at)?;
    let start = before.rfind(r"\\")?;
    let redirected = before.get(..start)?.trim_end().ends_with('>');
    let rest = line.get(start..)?;
    let target = rest.get(..rest.find([' ', '"', '^', '&']).unwrap_or(rest.len()))?;
    (redirected && is_output_name(base_name(target))).then_some(target)
}

/// The output file of a command that the task scheduler ran.
fn scheduled_output<'l>(line: &'l str, parent: Actor<'_>) -> Option<&'l str> {
    let scheduler =
        parent.is(&["taskeng.exe"]) || parent.is(&["svchost.exe"]) && contains(parent.command_line, "Schedule");
    if !scheduler {
        return None;
    }
    let before = line.get(..find(line, "2>&1")?)?;
    let target = before.get(before.rfind('>')? + 1..)?.trim().trim_matches('"');
    (contains(directory(target), "temp") && is_eight_letters(base_name(target))).then_some(target)
}

/// `__1556656511.61`, `__17000`, `__output`.
fn is_output_name(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("__") else { return false };
    let number = rest.len() >= 4 && rest.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    number && rest.bytes().next().is_some_and(|b| b.is_ascii_digit()) || rest == "output"
}

/// `aBcDeFgH.tmp`.
fn is_eight_letters(name: &str) -> bool {
    let Some((stem, "tmp")) = name.split_once('.') else { return false };
    stem.len() == 8 && stem.bytes().all(|b| b.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const CMD: &str = r"C:\Windows\System32\cmd.exe";
    const FIRES: Option<(Severity, Confidence)> = Some((Severity::Critical, Confidence::Certain));

    #[test]
    fn output_into_an_administrative_share_fires() {
        let by_mmc =
            start(0, CMD, r#""C:\Windows\System32\cmd.exe" /Q /c cd \ 1> \\127.0.0.1\ADMIN$\__1700000001.61 2>&1"#)
                .by(r"C:\Windows\System32\mmc.exe", "mmc.exe -Embedding");
        check(&ANALYTIC, &[by_mmc], FIRES);
        let by_service = start(0, CMD, r"cmd.exe /Q /c echo whoami ^> \\WS01\C$\__output 2^>^&1 > C:\Windows\x.bat")
            .by(r"C:\Windows\System32\services.exe", "services.exe");
        check(&ANALYTIC, &[by_service], FIRES);
        let by_wmi = start(0, CMD, r"cmd.exe /Q /c whoami 1> \\localhost\C$\__17000 2>&1")
            .by(r"C:\Windows\System32\wbem\WmiPrvSE.exe", "");
        check(&ANALYTIC, &[by_wmi], FIRES);
    }

    #[test]
    fn a_task_s_output_in_temp_fires() {
        let by_task = start(0, CMD, r"cmd.exe /C whoami > %windir%\Temp\aBcDeFgH.tmp 2>&1")
            .by(r"C:\Windows\System32\svchost.exe", "svchost.exe -k netsvcs -p -s Schedule");
        check(&ANALYTIC, &[by_task], FIRES);
    }

    #[test]
    fn the_output_file_fires() {
        check(
            &ANALYTIC,
            &[file_created(0, r"C:\Windows\__1700000001.61").of(CMD, 5)],
            Some((Severity::Critical, Confidence::High)),
        );
        check(&ANALYTIC, &[file_created(0, r"C:\Windows\Temp\__init__.py").of(CMD, 5)], None);
    }

    #[test]
    fn ordinary_redirections_are_quiet() {
        let lines = [
            r"cmd.exe /c dir > \\srv\logs$\out.txt 2>&1",
            r"cmd.exe /c backup.cmd > C:\logs\__1700000001.log 2>&1",
            r"cmd.exe /c tool > %TEMP%\result.tmp 2>&1",
        ];
        for line in lines {
            check(&ANALYTIC, &[start(0, CMD, line).by(r"C:\Windows\explorer.exe", "")], None);
        }
    }
}
