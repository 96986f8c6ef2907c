//! Programs by purpose. Source: the LOLBAS project, ATT&CK T1059 and T1218, compiled by hand.

use crate::text::{is_any, starts_with};

/// Interpreters of scripts and commands, on any system.
pub fn is_script_host(name: &str) -> bool {
    const WINDOWS: [&str; 11] = [
        "cmd.exe",
        "powershell.exe",
        "pwsh.exe",
        "powershell_ise.exe",
        "wscript.exe",
        "cscript.exe",
        "mshta.exe",
        "hh.exe",
        "node.exe",
        "bash.exe",
        "wsl.exe",
    ];
    const UNIX: [&str; 15] = [
        "bash",
        "sh",
        "dash",
        "zsh",
        "ksh",
        "fish",
        "ash",
        "busybox",
        "perl",
        "ruby",
        "php",
        "lua",
        "node",
        "osascript",
        "pwsh",
    ];
    is_any(name, &WINDOWS)
        || is_any(name, &UNIX)
        || is_any(name, &["perl.exe", "ruby.exe", "php.exe", "lua.exe", "python.exe", "pythonw.exe", "py.exe"])
        || starts_with(name, "python")
}

/// Programs of Windows that attackers use to run other code (LOLBins).
pub fn is_lolbin(name: &str) -> bool {
    const NAMES: [&str; 31] = [
        "rundll32.exe",
        "regsvr32.exe",
        "msbuild.exe",
        "installutil.exe",
        "regasm.exe",
        "regsvcs.exe",
        "certutil.exe",
        "bitsadmin.exe",
        "msiexec.exe",
        "wmic.exe",
        "schtasks.exe",
        "at.exe",
        "sc.exe",
        "forfiles.exe",
        "pcalua.exe",
        "cmstp.exe",
        "odbcconf.exe",
        "ieexec.exe",
        "xwizard.exe",
        "control.exe",
        "infdefaultinstall.exe",
        "msdt.exe",
        "presentationhost.exe",
        "curl.exe",
        "reg.exe",
        "net.exe",
        "net1.exe",
        "scriptrunner.exe",
        "wsmprovhost.exe",
        "desktopimgdownldr.exe",
        "ftp.exe",
    ];
    is_any(name, &NAMES)
}

/// Microsoft Office applications.
pub fn is_office(name: &str) -> bool {
    const NAMES: [&str; 12] = [
        "winword.exe",
        "excel.exe",
        "powerpnt.exe",
        "outlook.exe",
        "onenote.exe",
        "onenotem.exe",
        "visio.exe",
        "msaccess.exe",
        "mspub.exe",
        "winproj.exe",
        "eqnedt32.exe",
        "winword",
    ];
    is_any(name, &NAMES)
}
