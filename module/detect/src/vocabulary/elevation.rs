//! Auto-elevating programs and classes of Windows: they gain administrative rights without a prompt. Sources: Windows' own
//! `Elevation\Enabled` registrations and `autoElevate` manifests, ATT&CK T1548.002, the UACMe project's descriptions.

use crate::text::{is_any, starts_with};

/// An elevated class: id, name, whether any child process of its surrogate is abuse (otherwise only one with
/// administrative rights).
pub type Elevated = (&'static str, &'static str, bool);

/// Classes that elevate without a prompt.
const CLASSES: &[Elevated] = &[
    ("{3E5FC7F9-9A51-4367-9063-A120244FBEC7}", "CMSTPLUA", true),
    ("{D2E7041B-2927-42FB-8E9F-7CE93B6DC937}", "ColorDataProxy", true),
    ("{3E000D72-A845-4CD9-BD83-80C07C3B881F}", "CMLUAUTIL", false),
    ("{BD54C901-076B-434E-B6C7-17C531F4AB41}", "EditionUpgradeManager", false),
    ("{E9495B87-D950-4AB5-87A5-FF6D70BF3E90}", "WSCAdmin", false),
    ("{3AD05575-8857-4850-9277-11B85BDB8E09}", "FileOperation", false),
    ("{12C21EA7-2EB8-4B55-9249-AC243DA8C666}", "DiagnosticProfile", false),
    ("{4D111E08-CBF7-4F12-A926-2C7920AF52FC}", "CreateNewLink", false),
];

/// The elevated class with that id.
pub fn class(clsid: &str) -> Option<&'static Elevated> {
    CLASSES.iter().find(|(id, ..)| id.eq_ignore_ascii_case(clsid))
}

/// Whether the program auto-elevates without a prompt, according to its manifest.
pub fn is_auto_elevated(name: &str) -> bool {
    const NAMES: [&str; 36] = [
        "fodhelper.exe",
        "computerdefaults.exe",
        "sdclt.exe",
        "eventvwr.exe",
        "slui.exe",
        "changepk.exe",
        "wsreset.exe",
        "cleanmgr.exe",
        "compmgmtlauncher.exe",
        "mmc.exe",
        "sysprep.exe",
        "cliconfg.exe",
        "migwiz.exe",
        "mcx2prov.exe",
        "setupsqm.exe",
        "winsat.exe",
        "osk.exe",
        "oobe.exe",
        "inetmgr.exe",
        "wusa.exe",
        "pkgmgr.exe",
        "dism.exe",
        "dismhost.exe",
        "dccw.exe",
        "msconfig.exe",
        "taskmgr.exe",
        "iscsicpl.exe",
        "perfmon.exe",
        "systemreset.exe",
        "systemsettingsadminflows.exe",
        "systempropertiesadvanced.exe",
        "tpminit.exe",
        "bthudtask.exe",
        "netplwiz.exe",
        "optionalfeatures.exe",
        "consent.exe",
    ];
    is_any(name, &NAMES)
}

/// Whether the name is that of a library or program that an elevated program of Windows loads when it is planted.
pub fn is_planted_name(name: &str) -> bool {
    const NAMES: [&str; 20] = [
        "wow64log.dll",
        "comctl32.dll",
        "dismcore.dll",
        "osksupport.dll",
        "duser.dll",
        "osk.exe",
        "cryptbase.dll",
        "cryptsp.dll",
        "ntwdblib.dll",
        "elsext.dll",
        "shcore.dll",
        "unbcl.dll",
        "actionqueue.dll",
        "wdscore.dll",
        "linkinfo.dll",
        "dwmapi.dll",
        "version.dll",
        "winmm.dll",
        "gdiplus.dll",
        "iscsiexe.dll",
    ];
    is_any(name, &NAMES)
}

/// Whether an auto-elevating program of Windows normally starts this child process.
pub fn is_normal_child(parent: &str, child: &str) -> bool {
    is_any(child, &["werfault.exe", "conhost.exe", "systemsettings.exe", "splwow64.exe"])
        || (is_any(parent, &["eventvwr.exe", "compmgmtlauncher.exe"]) && child.eq_ignore_ascii_case("mmc.exe"))
        || (parent.eq_ignore_ascii_case("cleanmgr.exe") && child.eq_ignore_ascii_case("dismhost.exe"))
        || (parent.eq_ignore_ascii_case("sdclt.exe") && is_any(child, &["sdclt.exe", "control.exe"]))
        || (parent.eq_ignore_ascii_case("slui.exe") && is_any(child, &["changepk.exe", "slui.exe"]))
}

/// File and protocol handlers that elevated programs of Windows look up in the user's part of the registry: the
/// class's name, and whether nothing legitimate writes there.
pub fn steered_handler(class: &str) -> Option<bool> {
    if is_any(class, &["ms-settings", "mscfile", "ms-windows-store", "Launcher.SystemSettings"]) {
        Some(true)
    } else if is_any(class, &["exefile", "Folder"]) || starts_with(class, "AppX") {
        Some(false)
    } else {
        None
    }
}
