//! Programs that normally use no pipes of their own, into which implants inject themselves (LIST-SACRIFICIAL).
//!
//! Source: public reports on process injection and spawn-to settings; ATT&CK T1055, T1218.

use crate::Actor;
use crate::text::{base_name, contains, is_any};

const SACRIFICIAL: &[&str] = &[
    "wermgr.exe",
    "werfault.exe",
    "calc.exe",
    "notepad.exe",
    "mobsync.exe",
    "msra.exe",
    "dxdiag.exe",
    "ping.exe",
    "xwizard.exe",
    "onedrivesetup.exe",
    "rdpclip.exe",
    "gpupdate.exe",
    "dllhost.exe",
    "regsvr32.exe",
    "searchprotocolhost.exe",
    "msbuild.exe",
    "installutil.exe",
    "regasm.exe",
    "regsvcs.exe",
    "addinprocess.exe",
    "addinprocess32.exe",
    "applaunch.exe",
    "jsc.exe",
    "csc.exe",
    "vbc.exe",
    "scrcons.exe",
    "mstsc.exe",
    "sdiagnhost.exe",
];

/// Whether a process is one of them. Rundll32 and svchost count only without their usual arguments.
pub fn is_sacrificial(actor: Actor<'_>) -> bool {
    let name = actor.name();
    if is_any(name, SACRIFICIAL) {
        return true;
    }
    if is_any(name, &["rundll32.exe"]) {
        return is_bare(actor.command_line);
    }
    is_any(name, &["svchost.exe"]) && !actor.command_line.is_empty() && !contains(actor.command_line, "-k")
}

/// Whether a command line is known and consists of the program alone.
fn is_bare(command_line: &str) -> bool {
    let line = command_line.trim();
    if line.is_empty() {
        return false;
    }
    let program = line.strip_prefix('"').map_or(line, |rest| rest.strip_suffix('"').unwrap_or(rest));
    !base_name(program).contains([' ', '"', ','])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(image: &'static str, command_line: &'static str) -> Actor<'static> {
        Actor { image, command_line, ..Actor::default() }
    }

    #[test]
    fn rundll32_counts_only_without_arguments() {
        let image = r"C:\Windows\System32\rundll32.exe";
        assert!(is_sacrificial(actor(image, r#""C:\Windows\System32\rundll32.exe""#)));
        assert!(!is_sacrificial(actor(image, "rundll32.exe shell32.dll,Control_RunDLL")));
        assert!(!is_sacrificial(actor(image, "")));
    }
}
