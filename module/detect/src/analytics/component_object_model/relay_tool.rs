//! # IPC-DCOM-024: Tool that relays authentication through COM
//!
//! ## What it detects
//! A command line in the form of tools that make a privileged COM object authenticate and relay that authentication: a
//! service principal with a class id; a listening port with a program and a method to start it; a redirector with a
//! command and a port; or the file name, or original file name, of such a tool.
//!
//! ## Why it matters
//! These tools turn a service account into SYSTEM, or an ordinary user into a domain administrator.
//!
//! ## Telemetry
//! Sysmon 1 or Security 4688 with command line.
//!
//! ## False positives
//! Penetration tests. Each pattern needs several arguments together, so that ordinary programs do not match.
//!
//! ## References
//! ATT&CK T1559.001, T1134.001, T1558, T1557.001, T1068; DET0224 (AN0628). The tools' own documentation.

use backchannel_events::{ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source};

use crate::text::{contains, ends_with, guid, is_any, starts_with};
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-DCOM-024",
    title: "Tool that relays authentication through COM",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1134.001", "T1558", "T1557.001", "T1068"],
    attack_analytics: &["AN0628"],
    severity: Severity::High,
    on: &[ActivityKind::ProcessStart],
    telemetry: &[Source::Sysmon, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

/// Prefixes of the names of such tools, without their extension.
const NAMES: &[&str] = &[
    "juicypotato",
    "roguepotato",
    "remotepotato0",
    "godpotato",
    "sweetpotato",
    "rottenpotato",
    "localpotato",
    "coercedpotato",
    "printnotifypotato",
    "efspotato",
    "sharpefspotato",
    "genericpotato",
    "badpotato",
    "dcompotato",
    "sigmapotato",
    "printspoofer",
    "krbrelay",
    "remotekrbrelay",
];

fn evaluate(context: &Context<'_>, _event: &ProcessEvent<'_>) -> Option<Evidence> {
    let tool = context.subject();
    let shape = shape(tool.command_line);
    let named = is_named(tool);
    if shape.is_none() && !named {
        return None;
    }
    let how = shape.unwrap_or("it bears the name of such a tool");
    let text = format!(
        "{} was started by {} to make a privileged service authenticate and to use that: {how}.",
        tool.name(),
        tool.account(),
    );
    let reasons = Reasons::DCOM_EXPLOITATION
        .and_if(predicates::is_unknown_binary(tool), Reasons::UNKNOWN_BINARY)
        .and_if(predicates::is_privileged(tool), Reasons::ADMINISTRATIVE_PRIVILEGES);
    let evidence = Evidence::new(Severity::High, Confidence::High, text)
        .reasons(reasons)
        .indicators(Indicators::UNEXPECTED_USE)
        .client(tool)
        .channel(Mechanism::Com, guid(tool.command_line).unwrap_or(""));
    Some(evidence)
}

fn is_named(tool: Actor<'_>) -> bool {
    [tool.name(), tool.original_name].iter().any(|name| {
        let stem = name.strip_suffix(".exe").or_else(|| name.strip_suffix(".EXE")).unwrap_or(name);
        NAMES.iter().any(|known| starts_with(stem, known))
    })
}

/// The tool pattern that the command line's arguments match together.
fn shape(line: &str) -> Option<&'static str> {
    // Every pattern has at least two arguments that start with a dash.
    if memchr::memchr_iter(b'-', line.as_bytes()).take(2).count() < 2 {
        return None;
    }
    let value = |names: &[&str]| {
        let mut words = line.split_ascii_whitespace();
        words.find(|word| is_any(word, names))?;
        Some(words.next().unwrap_or("").trim_matches('"'))
    };
    let has = |name: &str| value(&[name]).is_some();
    if has("-spn") && has("-clsid") {
        return Some("a service principal is given with a class id");
    }
    if has("-clsid") && has("-target") && has("-victim") {
        return Some("a class id is given with a target and a victim");
    }
    if has("relay") && has("-Domain") && has("-ComputerName") || has("spawn") && has("-cn") && has("-cp") {
        return Some("it relays Kerberos for a computer account it made");
    }
    if has("krbscm") && (has("-sc") || has("-s")) {
        return Some("it starts a service with a relayed ticket");
    }
    let port = value(&["-l"]).is_some_and(|port| port.parse::<u16>().is_ok());
    if !port {
        return None;
    }
    let program = value(&["-p"]).is_some_and(|p| contains(p, ".exe") || p.contains('\\') || ends_with(p, ".bat"));
    if program && value(&["-t"]).is_some_and(|way| matches!(way, "*" | "t" | "u" | "T" | "U")) {
        return Some("a port to listen on is given with a program and the way to start it under a stolen token");
    }
    if program && value(&["-c"]).is_some_and(|class| guid(class).is_some()) {
        return Some("a port to listen on is given with a program and a class id");
    }
    let address = value(&["-r"]).is_some_and(|address| address.parse::<std::net::IpAddr>().is_ok());
    if address && value(&["-e"]).is_some_and(|command| !command.is_empty()) {
        return Some("a redirector's address is given with a command and a port to listen on");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const RENAMED: &str = r"C:\Users\Public\a.exe";

    #[test]
    fn a_renamed_tool_is_recognised_by_its_arguments() {
        for line in [
            r"a.exe -l 1337 -p c:\windows\system32\cmd.exe -t * -c {4991d34b-80a1-4291-83b6-3328366b9097}",
            r"a.exe -t * -p C:\temp\x.bat -l 9999",
            "a.exe -spn ldap/dc1.corp.example -clsid 90f18417-f0f1-484e-9d3c-59dceee5dbd8 -shadowcred",
            "a.exe -r 10.0.0.9 -e cmd.exe -l 9999",
            "a.exe relay -Domain corp.example -CreateNewComputerAccount -ComputerName x$ -ComputerPassword y",
        ] {
            check(&ANALYTIC, &[start(0, RENAMED, line)], Some((Severity::High, Confidence::High)));
        }
    }

    #[test]
    fn a_name_or_an_original_name_is_enough() {
        let expected = Some((Severity::High, Confidence::High));
        check(&ANALYTIC, &[start(0, r"C:\temp\GodPotato-NET4.exe", "GodPotato-NET4.exe")], expected);
        check(&ANALYTIC, &[start(0, RENAMED, "a.exe").original_name("JuicyPotatoNG.exe")], expected);
    }

    #[test]
    fn ordinary_arguments_are_quiet() {
        for line in [
            "ssh.exe -l alice -p 22 srv1",
            "nc.exe -l 9999 -p 8080",
            "setspn.exe -spn x -l",
            r"tool.exe -l 100 -p C:\data -c full",
        ] {
            check(&ANALYTIC, &[start(0, r"C:\Program Files\Tool\tool.exe", line)], None);
        }
    }

    #[test]
    fn a_class_id_alone_is_quiet() {
        let line = "dllhost.exe /Processid:{4991d34b-80a1-4291-83b6-3328366b9097}";
        check(&ANALYTIC, &[start(0, r"C:\Windows\System32\dllhost.exe", line)], None);
    }
}
