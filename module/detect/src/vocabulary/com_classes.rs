//! COM classes of Windows itself: which exist on every machine, and which program serves them. With what a host's
//! records add (see `context/com_registry.rs`) this is the catalogue of COM classes: a per-user registration of one
//! of them replaces its server.
//!
//! Sources: Windows' own registrations; ATT&CK T1546.015 and the families described there (JHUHUGIT, BBSRAT,
//! Mosquito, ComRAT); the public Sigma rules on hijacked built-in classes, for ids only.

use crate::text::{base_name, ends_with, is_any};

/// Class id, base name of its server (empty where releases differ).
type Class = (&'static str, &'static str);

/// Classes that give an attacker execution or evasion when replaced: security, automation, classes activated at every
/// logon.
const PROTECTED: &[Class] = &[
    ("{FDB00E52-A214-4AA1-8FBA-4357BB0072EC}", "amsi.dll"),
    ("{C90250F3-4D7D-4991-9B69-A5C5BC1C2AE6}", "actxprxy.dll"),
    ("{52A2AAAE-085D-4187-97EA-8C30DB990436}", "hhctrl.ocx"),
    ("{BCDE0395-E52F-467C-8E3D-C4579291692E}", "mmdevapi.dll"),
    ("{0F87369F-A4E5-4CFC-BD3E-73E6154572DD}", "taskschd.dll"),
    ("{4590F811-1D3A-11D0-891F-00AA004B2E24}", "wbemprox.dll"),
    ("{F3130CDB-AA52-4C3A-AB32-85FFC23AF9C1}", "wbemess.dll"),
    ("{42AEDC87-2188-41FD-B9A3-0C966FEABEC1}", ""),
    ("{D9144DCD-E998-4ECA-AB6A-DCD83CCBA16D}", ""),
    ("{0358B920-0AC7-461F-98F4-58E32CD89148}", "wininet.dll"),
    ("{89565275-A714-4A43-912E-978B935EDCCC}", ""),
    ("{7849596A-48EA-486E-8937-A2A3009F31A9}", ""),
    ("{0B91A74B-AD7C-4A9D-B563-29EEF9167172}", ""),
    ("{603D3801-BD81-11D0-A3A5-00C04FD706EC}", ""),
    ("{30D49246-D217-465F-B00B-AC9DDD652EB7}", ""),
    ("{A7A63E5C-3877-4840-8727-C1EA9D7A4D50}", ""),
    ("{2227A280-3AEA-1069-A2DE-08002B30309D}", ""),
    ("{2DEA658F-54C1-4227-AF9B-260AB5FC3543}", ""),
    ("{AA509086-5CA9-4C25-8F95-589D3C07B48A}", ""),
    ("{1F486A52-3CB1-48FD-8F50-B8DC300D9F9D}", ""),
    ("{2155FEE3-2419-4373-B102-6843707EB41F}", ""),
    ("{4DE225BF-CF59-4CFC-85F7-68B90F185355}", ""),
    ("{DDC05A5A-351A-4E06-8EAF-54EC1BC2DCEA}", ""),
    ("{F56F6FDD-AA9D-4618-A949-C1B91AF43B1A}", ""),
    ("{F82B4EF1-93A9-4DDE-8015-F7950A1A6E31}", ""),
];

/// Other classes that every Windows machine has.
const BUILT_IN: &[&str] = &[
    // Automation and scripting.
    "{72C24DD5-D70A-438B-8A42-98424B88AFB8}",
    "{F935DC22-1CF0-11D0-ADB9-00C04FD58A0B}",
    "{0D43FE01-F093-11CF-8940-00A0C9054228}",
    "{EE09B103-97E0-11CF-978F-00A02463E06F}",
    "{13709620-C279-11CE-A49E-444553540000}",
    "{F414C260-6AC0-11CF-B6D1-00AA00BBBB58}",
    "{F414C262-6AC0-11CF-B6D1-00AA00BBBB58}",
    "{16D51579-A30B-4C8B-A276-0FF4DC41E755}",
    "{B54F3741-5B07-11CF-A4B0-00AA004A55E8}",
    "{06290BD0-48AA-11D2-8432-006008C3FBFC}",
    "{06290BD1-48AA-11D2-8432-006008C3FBFC}",
    "{06290BD2-48AA-11D2-8432-006008C3FBFC}",
    "{06290BD3-48AA-11D2-8432-006008C3FBFC}",
    "{06290BD4-48AA-11D2-8432-006008C3FBFC}",
    "{06290BD5-48AA-11D2-8432-006008C3FBFC}",
    "{76A64158-CB41-11D1-8B02-00600806D9B6}",
    "{172BDDF8-CEEA-11D1-8B05-00600806D9B6}",
    "{F5078F35-C551-11D3-89B9-0000F81FE221}",
    "{F6D90F16-9C73-11D3-B32E-00C04F990BB4}",
    "{88D96A0A-F192-11D4-A65F-0040963251E5}",
    "{2087C2F4-2CEF-4953-A8AB-66779B670495}",
    "{25336920-03F9-11CF-8FD0-00AA00686F13}",
    "{3050F4D8-98B5-11CF-BB82-00AA00BDCE0B}",
    "{0002DF01-0000-0000-C000-000000000046}",
    "{49B2791A-B1AE-4C90-9B8E-E860BA07F889}",
    "{000C101C-0000-0000-C000-000000000046}",
    "{000C1090-0000-0000-C000-000000000046}",
    "{4991D34B-80A1-4291-83B6-3328366B9097}",
    "{8BC3F05E-D86B-11D0-A075-00C04FB68820}",
    "{CF4CC405-E2C5-4DDD-B3CE-5E7582D8C9FA}",
    "{7C857801-7381-11CF-884D-00AA004B2E24}",
    "{D68AF00A-29CB-43FA-8504-CE99A996D9EA}",
    "{1B1CAD8C-2DAB-11D2-B604-00104B703EFD}",
    "{0A29FF9E-7F9C-4437-8B11-F424491E3931}",
    // The shell.
    "{00021401-0000-0000-C000-000000000046}",
    "{9BA05972-F6A8-11CF-A442-00A0C90A8F39}",
    "{C08AFD90-F2A1-11D1-8455-00A0C91F3880}",
    "{20D04FE0-3AEA-1069-A2D8-08002B30309D}",
    "{450D8FBA-AD25-11D0-98A8-0800361B1103}",
    "{208D2C60-3AEA-1069-A2D7-08002B30309D}",
    "{21EC2020-3AEA-1069-A2DD-08002B30309D}",
    "{645FF040-5081-101B-9F08-00AA002F954E}",
    "{871C5380-42A0-1069-A2EA-08002B30309D}",
    "{AB8902B4-09CA-4BB6-B78D-A8F59079A8D5}",
    "{35786D3C-B075-49B9-88DD-029876E11C01}",
    "{FBEB8A05-BEEE-4442-804E-409D6C4515E9}",
    "{7007ACC7-3202-11D1-AAD2-00805FC1270E}",
    "{3AD05575-8857-4850-9277-11B85BDB8E09}",
    "{56FDF344-FD6D-11D0-958A-006097C9A090}",
    "{77F10CF0-3DB5-4966-B520-B7C54FD35ED6}",
    "{B5F8350B-0548-48B1-A6EE-88BD00B4A5E7}",
    "{58FB76B9-AC85-4E55-AC04-427593B1D060}",
    "{DCB00C01-570F-4A9B-8D69-199FDBA5723B}",
    "{A47979D2-C419-11D9-A5B4-001185AD2B89}",
    "{529A9E6B-6587-4F23-AB9E-9C7D683E3C50}",
    "{33C53A50-F456-4884-B049-85FD643ECFED}",
    // COM infrastructure, and elevated classes.
    "{00020420-0000-0000-C000-000000000046}",
    "{00020424-0000-0000-C000-000000000046}",
    "{00000320-0000-0000-C000-000000000046}",
    "{0000032A-0000-0000-C000-000000000046}",
    "{3E5FC7F9-9A51-4367-9063-A120244FBEC7}",
    "{D2E7041B-2927-42FB-8E9F-7CE93B6DC937}",
    "{3E000D72-A845-4CD9-BD83-80C07C3B881F}",
    "{BD54C901-076B-434E-B6C7-17C531F4AB41}",
    "{12C21EA7-2EB8-4B55-9249-AC243DA8C666}",
];

/// Whether the class is part of Windows.
pub fn is_built_in(clsid: &str) -> bool {
    protected(clsid).is_some() || is_any(clsid, BUILT_IN)
}

/// The server that a protected class must have: its base name, empty if only its folder is known (System32). `None`
/// if the class is not protected.
pub fn protected(clsid: &str) -> Option<&'static str> {
    PROTECTED.iter().find(|(id, _)| id.eq_ignore_ascii_case(clsid)).map(|(_, server)| *server)
}

/// Windows' own classes that `scrobj.dll` serves.
pub fn is_scriptlet_runtime(clsid: &str) -> bool {
    clsid.len() == 38
        && clsid.get(..8).is_some_and(|head| head.eq_ignore_ascii_case("{06290BD"))
        && matches!(clsid.as_bytes().get(8), Some(b'0'..=b'5'))
        && ends_with(clsid, "-48AA-11D2-8432-006008C3FBFC}")
}

/// Program ids of classes that scripts and Office use on every machine.
const PROG_IDS: &[&str] = &[
    "WScript.Shell",
    "WScript.Network",
    "Shell.Application",
    "Scripting.FileSystemObject",
    "Scripting.Dictionary",
    "Schedule.Service",
    "WbemScripting.SWbemLocator",
    "InternetExplorer.Application",
    "MMC20.Application",
    "Excel.Application",
    "Word.Application",
    "Outlook.Application",
    "PowerPoint.Application",
    "htmlfile",
    "htafile",
    "scriptletfile",
    "JScript",
    "VBScript",
    "MSXML2.XMLHTTP",
    "Microsoft.XMLHTTP",
    "ADODB.Stream",
    "ADODB.Connection",
    "WindowsInstaller.Installer",
    "lnkfile",
    "exefile",
    "txtfile",
    "Folder",
    "Directory",
];

/// Whether the name is that of a class of Windows or Office, with or without its version (`Excel.Application.16`).
pub fn is_built_in_prog_id(name: &str) -> bool {
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    is_any(name, PROG_IDS) || is_any(bare, PROG_IDS)
}

/// Classes that script download cradles instantiate by their id. Source: the ids of the classes that the public
/// rules and ATT&CK T1559.001 name.
const CRADLE: &[&str] = &[
    "0002DF01-0000-0000-C000-000000000046",
    "F6D90F16-9C73-11D3-B32E-00C04F990BB4",
    "F5078F35-C551-11D3-89B9-0000F81FE221",
    "88D96A0A-F192-11D4-A65F-0040963251E5",
    "88D96A0B-F192-11D4-A65F-0040963251E5",
    "AFBA6B42-5692-48EA-8141-DC517DCF0EF1",
    "AFB40FFD-B609-40A3-9828-F88BBE11E4E3",
    "2087C2F4-2CEF-4953-A8AB-66779B670495",
    "000209FF-0000-0000-C000-000000000046",
    "00024500-0000-0000-C000-000000000046",
    "72C24DD5-D70A-438B-8A42-98424B88AFB8",
    "13709620-C279-11CE-A49E-444553540000",
    "9BA05972-F6A8-11CF-A442-00A0C90A8F39",
    "C08AFD90-F2A1-11D1-8455-00A0C91F3880",
    "49B2791A-B1AE-4C90-9B8E-E860BA07F889",
];

/// Whether the text names one of the classes that cradles instantiate by id, with or without braces.
pub fn names_cradle_class(text: &str) -> bool {
    crate::text::contains_any(text, CRADLE)
}

/// Whether a server (a path without variables) is the one a class must have: `expected` is its base name, or empty if any
/// file in System32 is accepted.
pub fn is_expected(server: &str, expected: &str) -> bool {
    let bare = !server.contains(['\\', '/']);
    (bare || super::folders::is_windows_program_path(server))
        && (expected.is_empty() || base_name(server).eq_ignore_ascii_case(expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_is_a_class_id_in_upper_case() {
        let ids = PROTECTED.iter().map(|(id, _)| *id).chain(BUILT_IN.iter().copied());
        for id in ids {
            assert_eq!(crate::text::guid(id), Some(id));
            assert_eq!(id.to_ascii_uppercase(), id);
        }
    }

    #[test]
    fn a_versioned_name_is_the_same_class() {
        assert!(is_built_in_prog_id("excel.application.16"));
        assert!(is_built_in_prog_id("MSXML2.XMLHTTP.6.0"));
        assert!(!is_built_in_prog_id("Contoso.Widget.1"));
    }

    #[test]
    fn an_expected_server_is_in_its_folder() {
        assert!(is_expected(r"c:\windows\system32\amsi.dll", "amsi.dll"));
        assert!(is_expected("amsi.dll", "amsi.dll"));
        assert!(!is_expected(r"C:\Users\a\amsi.dll", "amsi.dll"));
        assert!(!is_expected(r"C:\Windows\System32\other.dll", "amsi.dll"));
    }
}
