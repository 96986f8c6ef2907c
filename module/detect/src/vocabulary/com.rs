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
];

/// Programs that remote callers make run code.
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

/// The name of a class usable for remote execution.
pub fn lateral_class(clsid: &str) -> Option<&'static str> {
    LATERAL.iter().find(|(id, ..)| id.eq_ignore_ascii_case(clsid)).map(|(_, name, _)| *name)
}

/// Whether the program is one that remote callers make run code.
pub fn is_lateral_server(actor: Actor<'_>) -> bool {
    actor.is(LATERAL_SERVERS)
}

/// What a COM server serves, as a name for the channel: the class on its command line, else the class its program is
/// known for, else the program.
pub fn class_of(server: Actor<'_>) -> String {
    if let Some(clsid) = text::guid(server.command_line) {
        return clsid.to_ascii_uppercase();
    }
    let known = LATERAL.iter().find(|(_, _, program)| server.is(&[program]) && *program != "svchost.exe");
    known.map_or_else(|| server.name().to_owned(), |(_, name, _)| (*name).to_owned())
}
