//! Names of programs that belong to the operating system, and are therefore expected in its folders. Sources: a stock Windows 10
//! and 11 System32, a stock Debian; only names that attackers are known to use for masquerading (ATT&CK T1036.005).

use crate::text::{directory, is_any, starts_with};

const WINDOWS: &[&str] = &[
    "svchost.exe",
    "lsass.exe",
    "services.exe",
    "csrss.exe",
    "smss.exe",
    "wininit.exe",
    "winlogon.exe",
    "spoolsv.exe",
    "taskhostw.exe",
    "taskhost.exe",
    "dllhost.exe",
    "rundll32.exe",
    "regsvr32.exe",
    "conhost.exe",
    "wmiprvse.exe",
    "lsm.exe",
    "dwm.exe",
    "sihost.exe",
    "runtimebroker.exe",
    "searchindexer.exe",
    "dashost.exe",
    "fontdrvhost.exe",
    "logonui.exe",
    "userinit.exe",
    "wermgr.exe",
    "werfault.exe",
    "mmc.exe",
    "msdtc.exe",
    "vssvc.exe",
    "wuauclt.exe",
    "usoclient.exe",
    "smartscreen.exe",
    "ctfmon.exe",
    "audiodg.exe",
    "backgroundtaskhost.exe",
    "ntoskrnl.exe",
];

const WINDOWS_FOLDERS: &[&str] = &[
    r"\windows\system32",
    r"\windows\syswow64",
    r"\windows\winsxs",
    r"\windows\sysnative",
    r"\windows\servicing",
    r"\windows\softwaredistribution",
    r"\windows\uus",
    r"\program files\windowsapps",
];

/// Whether a program has the name of a Windows program but is in another folder. A name without a folder is not
/// evidence.
pub fn is_out_of_place(image: &str) -> bool {
    let name = crate::text::base_name(image);
    let folder = directory(image);
    if folder.is_empty() || !is_any(name, WINDOWS) || !folder.contains('\\') {
        return false;
    }
    if starts_with(folder, r"\SystemRoot\") || starts_with(folder, "%SystemRoot%") || starts_with(folder, "%windir%") {
        return false;
    }
    let at = match folder.as_bytes() {
        [_, b':', ..] => folder.get(2..).unwrap_or(""),
        _ => match crate::text::find(folder, r"\windows") {
            Some(at) => folder.get(at..).unwrap_or(folder),
            None => folder,
        },
    };
    !WINDOWS_FOLDERS.iter().any(|known| starts_with(at, known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_name_outside_system_folders_is_out_of_place() {
        assert!(is_out_of_place(r"C:\Users\Public\svchost.exe"));
        assert!(is_out_of_place(r"C:\Windows\svchost.exe"));
        for image in [
            r"C:\Windows\System32\svchost.exe",
            r"C:\Windows\System32\wbem\WmiPrvSE.exe",
            r"\Device\HarddiskVolume2\Windows\System32\lsass.exe",
            r"\SystemRoot\System32\smss.exe",
            "svchost.exe",
            r"C:\Windows\WinSxS\amd64_x\dllhost.exe",
        ] {
            assert!(!is_out_of_place(image), "{image}");
        }
    }
}
