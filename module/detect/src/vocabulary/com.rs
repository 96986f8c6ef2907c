//! COM classes and the programs that serve them. Sources: MS-DCOM, Windows' own registrations, public research on
//! remote execution through COM (MMC20, ShellWindows, Office, Internet Explorer, BDEUILauncher).

use crate::Actor;
use crate::text;

/// Classes usable for remote execution: class id, name, base name of the server.
pub const LATERAL: &[(&str, &str, &str)] = &[
    ("{49B2791A-B1AE-4C90-9B8E-E860BA07F889}", "MMC20.Application", "mmc.exe"),
    ("{9BA05972-F6A8-11CF-A442-00A0C90A8F39}", "ShellWindows", "explorer.exe"),
    ("{C08AFD90-F2A1-11D1-8455-00A0C91F3880}", "ShellBrowserWindow", "explorer.exe"),
    ("{00024500-0000-0000-C000-000000000046}", "Excel.Application", "excel.exe"),
    ("{000209FF-0000-0000-C000-000000000046}", "Word.Application", "winword.exe"),
    ("{91493441-5A91-11CF-8700-00AA0060263B}", "PowerPoint.Application", "powerpnt.exe"),
    ("{0006F03A-0000-0000-C000-000000000046}", "Outlook.Application", "outlook.exe"),
    ("{00021A20-0000-0000-C000-000000000046}", "Visio.Application", "visio.exe"),
    ("{73A4C9C1-D68D-11D0-98BF-00A0C90DC8D9}", "Access.Application", "msaccess.exe"),
    ("{0002DF01-0000-0000-C000-000000000046}", "InternetExplorer.Application", "iexplore.exe"),
    ("{3050F4D8-98B5-11CF-BB82-00AA00BDCE0B}", "HTML Application", "mshta.exe"),
    ("{AB93B6F1-BE76-4185-A488-A9001B105B94}", "BDEUILauncher", "baaupdate.exe"),
    ("{8BC3F05E-D86B-11D0-A075-00C04FB68820}", "WMI", "wmiprvse.exe"),
    ("{0F87369F-A4E5-4CFC-BD3E-73E6154572DD}", "Schedule.Service", "svchost.exe"),
    ("{000C101C-0000-0000-C000-000000000046}", "Windows Installer", "msiexec.exe"),
    ("{4991D34B-80A1-4291-83B6-3328366B9097}", "BITS", "svchost.exe"),
    ("{38FE8DFE-B129-452B-A215-119382B89E3D}", "SpeechRuntime", "speechruntime.exe"),
    ("{655D9BF9-3876-43D0-B6E8-C83C1224154C}", "SpeechRuntime", "speechruntime.exe"),
];

/// Classes that management software regularly activates on other machines.
const MANAGEMENT: &[&str] = &["WMI", "Schedule.Service", "Windows Installer", "BITS"];

/// Child processes of COM servers in ordinary use: crash reporters, console and print helpers, add-in hosts.
const ROUTINE_CHILDREN: &[&str] = &[
    "werfault.exe",
    "werfaultsecure.exe",
    "wermgr.exe",
    "conhost.exe",
    "splwow64.exe",
    "dwwin.exe",
    "dw20.exe",
    "ai.exe",
    "sdxhelper.exe",
    "filecoauth.exe",
];

/// COM servers through which remote callers run code.
const LATERAL_SERVERS: &[&str] = &[
    "mmc.exe",
    "explorer.exe",
    "excel.exe",
    "winword.exe",
    "powerpnt.exe",
    "outlook.exe",
    "visio.exe",
    "msaccess.exe",
    "winproj.exe",
    "iexplore.exe",
    "ielowutil.exe",
    "mshta.exe",
    "dllhost.exe",
    "msiexec.exe",
    "baaupdate.exe",
    "speechruntime.exe",
    "wmiprvse.exe",
    "wscript.exe",
    "cscript.exe",
    "rundll32.exe",
];

/// The name of a class usable for remote execution, by class id or by name (DistributedCOM logs either).
pub fn lateral_class(class: &str) -> Option<&'static str> {
    let found = LATERAL.iter().find(|(id, name, _)| id.eq_ignore_ascii_case(class) || name.eq_ignore_ascii_case(class));
    found.map(|(_, name, _)| *name)
}

/// Whether a class of that name ([`lateral_class`]) is one that management software uses regularly.
pub fn is_management_class(name: &str) -> bool {
    MANAGEMENT.contains(&name)
}

/// A class as shown in findings: its name, if known, with its id.
pub fn describe(class: &str) -> String {
    match lateral_class(class) {
        Some(name) if !name.eq_ignore_ascii_case(class) => format!("{name} {class}"),
        _ if class.is_empty() => "an unnamed class".to_owned(),
        _ => class.to_owned(),
    }
}

/// Whether a COM server starts such a child in ordinary use: crash reporters, helpers, the tab processes of Internet
/// Explorer, hosts of virtualised add-ins.
pub fn is_routine_child(child: Actor<'_>) -> bool {
    (text::is_any(child.name(), ROUTINE_CHILDREN) && super::folders::is_system_path(child.image))
        || (text::is_any(child.name(), &["iexplore.exe"]) && text::contains(child.command_line, "SCODEF:"))
        || (text::starts_with(child.name(), "AppVDllSurrogate") && super::folders::is_system_path(child.image))
}

/// Whether the program is a COM server through which remote callers run code.
pub fn is_lateral_server(actor: Actor<'_>) -> bool {
    actor.is(LATERAL_SERVERS)
}

/// Whether the program is the server side of a WinRM shell: DcomLaunch starts it, but it is not DCOM.
pub fn is_remote_shell(actor: Actor<'_>) -> bool {
    actor.is(&["wsmprovhost.exe", "winrshost.exe"])
}

/// The channel name of a COM server: the class on its command line, otherwise the class its program is known to serve,
/// otherwise the program.
pub fn class_of(server: Actor<'_>) -> String {
    if let Some(clsid) = text::guid(server.command_line) {
        return clsid.to_ascii_uppercase();
    }
    let known = LATERAL.iter().find(|(_, _, program)| server.is(&[program]) && *program != "svchost.exe");
    known.map_or_else(|| server.name().to_owned(), |(_, name, _)| (*name).to_owned())
}
