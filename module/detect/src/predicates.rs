//! Questions that many analytics ask in the same words: is this account a service, this path writable by users,
//! this program a script host? The sets are the catalogue's.

use backchannel_events::{Activity, ServiceOperation, SignatureStatus, User};

use crate::Actor;
use crate::text::{self, contains, ends_with, is_any, starts_with};
use crate::vocabulary::programs;

/// Whether the account is the operating system's or a service's, not a person's.
pub fn is_service_principal(user: User<'_>) -> bool {
    let id = user.id;
    if !id.is_empty() {
        return matches!(id, "S-1-5-18" | "S-1-5-19" | "S-1-5-20")
            || ["S-1-5-80-", "S-1-5-82-", "S-1-5-83-", "S-1-5-90-", "S-1-5-96-"].iter().any(|p| id.starts_with(p))
            || (user.name.ends_with('$') && id.starts_with("S-1-5-21-"))
            || id.parse::<u32>().is_ok_and(|uid| uid < 1_000);
    }
    user.name.ends_with('$')
        || is_any(user.name, &["SYSTEM", "LOCAL SERVICE", "NETWORK SERVICE", "LOCALSYSTEM"])
        || is_any(user.domain, &["NT SERVICE", "IIS APPPOOL", "Window Manager", "Font Driver Host"])
        // The localised names of the built-in service accounts all live in the one authority.
        || (starts_with(user.domain, "NT ") || starts_with(user.domain, "AUTORITE NT") || starts_with(user.domain, "NT-"))
}

/// Whether a Unix process runs under a service's account with no login behind it. Root is not meant.
pub fn is_daemon_account(actor: Actor<'_>) -> bool {
    actor.user.audit_id.is_empty() && actor.user.acting_id().parse::<u32>().is_ok_and(|uid| (1..1_000).contains(&uid))
}

/// Whether a Unix process has a terminal.
pub fn has_terminal(actor: Actor<'_>) -> bool {
    !matches!(actor.tty, "" | "(none)" | "?")
}

/// Whether the process runs as SYSTEM: decided by SID or logon id, never by integrity.
pub fn is_local_system(actor: Actor<'_>) -> bool {
    actor.user.id == "S-1-5-18" || actor.logon_id == Some(0x3e7) || is_any(actor.user.name, &["SYSTEM", "LOCALSYSTEM"])
}

/// Whether the process has administrative rights: high or system integrity, an elevated token, SYSTEM, or root; or the
/// site counts it so.
pub fn is_privileged(actor: Actor<'_>) -> bool {
    use backchannel_events::Integrity;
    actor.integrity >= Integrity::High
        || actor.elevated == Some(true)
        || is_local_system(actor)
        || actor.counts_as_privileged
        || actor.user.effective_id == "0"
        || (actor.user.effective_id.is_empty() && actor.user.id == "0")
}

/// Whether ordinary users can write to the place a file lies in.
pub fn is_user_writable(path: &str) -> bool {
    if path.starts_with('/') {
        return ["/tmp/", "/var/tmp/", "/dev/shm/", "/run/user/", "/home/", "/Users/", "/private/tmp/"]
            .iter()
            .any(|p| path.starts_with(p))
            || path.contains("/.")
            || path.starts_with("/memfd:")
            || path.ends_with(" (deleted)");
    }
    if starts_with(path, r"\\") && !starts_with(path, r"\\?\") {
        return true;
    }
    const PLACES: [&str; 15] = [
        r"\Users\",
        r"\Windows\Temp\",
        r"\Windows\Tasks\",
        r"\Windows\tracing\",
        r"\Windows\debug\",
        r"\Windows\Fonts\",
        r"\Windows\System32\spool\drivers\color\",
        r"\Windows\servicing\Packages\",
        r"\Windows\servicing\Sessions\",
        r"\PerfLogs\",
        r"\$Recycle.Bin\",
        r"\AppData\",
        r"\Documents and Settings\",
        r"%temp%",
        r"%appdata%",
    ];
    // All of them begin with one of two signs: one pass over the path looks for all.
    let mut starts = memchr::memchr2_iter(b'\\', b'%', path.as_bytes()).filter_map(|at| path.get(at..));
    if starts.any(|rest| PLACES.iter().any(|place| starts_with(rest, place))) {
        return true;
    }
    let rest = after_drive(path);
    if let Some(inside) = strip_prefix(rest, r"\ProgramData\") {
        // Vendors keep programs in folders of their own here; files at its root are anybody's.
        return !inside.contains('\\');
    }
    if rest.starts_with('\\') {
        // The last two hold the agents of virtual machines in Azure.
        let system = [
            r"\Windows\",
            r"\Program Files\",
            r"\Program Files (x86)\",
            r"\ProgramData\",
            r"\WindowsAzure\",
            r"\Packages\Plugins\",
        ];
        return !system.iter().any(|prefix| starts_with(rest, prefix));
    }
    false
}

/// Whether a file lies in a folder of the operating system or of installed programs that users cannot write.
pub fn is_system_path(path: &str) -> bool {
    if path.starts_with('/') {
        return ["/usr/", "/bin/", "/sbin/", "/lib", "/opt/", "/System/", "/Applications/"]
            .iter()
            .any(|p| path.starts_with(p));
    }
    let rest = after_drive(path);
    [r"\Windows\", r"\Program Files\", r"\Program Files (x86)\"].iter().any(|prefix| starts_with(rest, prefix))
        && !is_user_writable(path)
}

/// Whether a path class (see `baseline::class`) is one of the operating system's.
pub fn is_system_class(class: &str) -> bool {
    [r"\windows\", "/usr/", "/sbin/", "/lib/"].iter().any(|prefix| class.starts_with(prefix))
}

/// Whether a file lies in Windows' own program folders: System32 and its like, not the places below them that users
/// can write.
pub fn is_windows_program_path(path: &str) -> bool {
    let rest = after_drive(path);
    [r"\Windows\System32\", r"\Windows\SysWOW64\", r"\Windows\WinSxS\"].iter().any(|prefix| starts_with(rest, prefix))
        && !is_user_writable(path)
}

/// What follows the drive (`C:`) or device (`\Device\HarddiskVolume2`, `\SystemRoot`) of a Windows path.
fn after_drive(path: &str) -> &str {
    let path = path.strip_prefix(r"\\?\").or_else(|| path.strip_prefix(r"\??\")).unwrap_or(path);
    if path.as_bytes().get(1) == Some(&b':') {
        return path.get(2..).unwrap_or("");
    }
    if starts_with(path, r"\device\") {
        return path.match_indices('\\').nth(2).and_then(|(at, _)| path.get(at..)).unwrap_or("");
    }
    if starts_with(path, r"\SystemRoot\") || starts_with(path, "%SystemRoot%") || starts_with(path, "%windir%") {
        return r"\Windows\";
    }
    path
}

fn strip_prefix<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    if starts_with(text, prefix) { text.get(prefix.len()..) } else { None }
}

/// Whether there is reason not to trust a program: an unsigned or badly signed file, or, where the record has no
/// signature, a file in a place that users can write. "Seen for the first time" is never a reason here.
pub fn is_untrusted(actor: Actor<'_>) -> bool {
    if actor.image.is_empty() {
        return false;
    }
    match actor.signature {
        SignatureStatus::Trusted => false,
        SignatureStatus::Untrusted | SignatureStatus::Unsigned | SignatureStatus::Unknown => {
            is_user_writable(actor.image)
        }
    }
}

/// Whether the program is unsigned or badly signed by what the log says; where it does not say, whether it is
/// untrusted.
pub fn is_unsigned(actor: Actor<'_>) -> bool {
    match actor.signature {
        SignatureStatus::Trusted => false,
        SignatureStatus::Untrusted | SignatureStatus::Unsigned => true,
        SignatureStatus::Unknown => is_untrusted(actor),
    }
}

/// Whether the program is unknown in the playbook's sense (E3): untrusted, and there is a file to look at (a hash, or
/// a full path of a process that ran).
pub fn is_unknown_binary(actor: Actor<'_>) -> bool {
    is_untrusted(actor)
        && (!actor.hashes.sha256.is_empty() || !actor.hashes.md5.is_empty() || actor.image.contains(['\\', '/']))
}

/// Whether the program runs scripts or commands for whoever asks.
pub fn is_script_host(actor: Actor<'_>) -> bool {
    programs::is_script_host(actor.name()) || programs::is_script_host(actor.original_name)
}

/// Whether the program is one of the operating system's that attackers borrow.
pub fn is_lolbin(actor: Actor<'_>) -> bool {
    programs::is_lolbin(actor.name()) || programs::is_lolbin(actor.original_name)
}

/// Whether the program is an Office application.
pub fn is_office(actor: Actor<'_>) -> bool {
    programs::is_office(actor.name()) || programs::is_office(actor.original_name)
}

/// Whether svchost with the DcomLaunch service started the process: its command line says so, or, where that is
/// unknown, the child was started the way only DcomLaunch starts COM servers.
pub fn started_by_dcom_launch(started: Actor<'_>, parent: Actor<'_>) -> bool {
    // Sysmon writes "?" where it could not read the parent's command line.
    if !matches!(parent.command_line, "" | "?") {
        return contains(parent.command_line, "DcomLaunch");
    }
    parent.is(&["svchost.exe"]) && is_com_server_command(started.command_line)
}

/// Whether a command line is one that COM starts servers with.
pub fn is_com_server_command(command_line: &str) -> bool {
    const WAYS: [&str; 7] =
        ["-Embedding", "/Embedding", "/automation", "/Processid:{", "-ServerName:", "-CLSID:{", "/factory,{"];
    WAYS.iter().any(|way| contains(command_line, way))
}

/// The class id and the last key of a registry path that registers a COM server:
/// `...\CLSID\{X}\InprocServer32\(Default)` gives `{X}` and `InprocServer32`.
pub fn com_registration(path: &str) -> Option<(&str, &'static str)> {
    let at = text::find(path, r"\CLSID\{")?;
    let clsid = text::guid(path.get(at..)?)?;
    let rest = path.get(at + r"\CLSID\".len() + clsid.len()..)?.strip_prefix('\\')?;
    const KEYS: [&str; 9] = [
        "InprocServer32",
        "InprocHandler32",
        "LocalServer32",
        "LocalServer",
        "InprocServer",
        "TreatAs",
        "AutoTreatAs",
        "ScriptletURL",
        "ProgID",
    ];
    let key = rest.split('\\').next()?;
    KEYS.iter().find(|known| known.eq_ignore_ascii_case(key)).map(|known| (clsid, *known))
}

/// Whether a file of that name can be loaded or run.
pub fn is_loadable(path: &str) -> bool {
    const ENDINGS: [&str; 16] = [
        ".exe", ".dll", ".ocx", ".cpl", ".xll", ".wll", ".sys", ".scr", ".com", ".sct", ".hta", ".js", ".vbs", ".ps1",
        ".key", ".so",
    ];
    ENDINGS.iter().any(|ending| ends_with(path, ending))
}

/// The name and the command line of a service that is being installed: by the record of the installation, or by the
/// registry value that holds the command.
pub fn service_command<'e>(activity: &Activity<'e>) -> Option<(&'e str, &'e str)> {
    match activity {
        Activity::ServiceChange(service) if service.operation == ServiceOperation::Installed => {
            Some((service.name, service.command_line))
        }
        Activity::Registry(change) if ends_with(change.path, r"\ImagePath") => {
            let key = text::directory(change.path);
            let services = contains(key, r"\services\") && !change.data.is_empty();
            services.then(|| (text::base_name(key), change.data))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn program_folders_are_not_writable_and_their_exceptions_are() {
        for path in [
            r"C:\Windows\System32\cmd.exe",
            r"C:\Program Files\A\b.exe",
            r"\Device\HarddiskVolume2\Windows\x.exe",
            r"C:\ProgramData\Vendor\x.exe",
            r"C:\Windows\servicing\TrustedInstaller.exe",
            r"C:\WindowsAzure\GuestAgent_2.7\WaAppAgent.exe",
            "/usr/bin/nc",
        ] {
            assert!(!is_user_writable(path), "{path}");
        }
        for path in [
            r"C:\Users\a\x.exe",
            r"C:\Windows\Temp\x.exe",
            r"C:\Windows\servicing\Sessions\x.exe",
            r"C:\temp\x.exe",
            r"D:\x.exe",
            r"\\srv\share\x.exe",
            r"C:\ProgramData\x.exe",
            "/dev/shm/x",
            "/memfd:x (deleted)",
        ] {
            assert!(is_user_writable(path), "{path}");
        }
    }

    #[test]
    fn windows_program_folders_are_not_those_beside_or_below_them() {
        assert!(is_windows_program_path(r"C:\Windows\SysWOW64\a.dll"));
        for path in [
            r"C:\Windows \System32\a.dll",
            r"C:\Users\a\Windows\System32\a.dll",
            r"C:\Windows\System32\spool\drivers\color\a.dll",
            r"C:\Program Files\A\a.dll",
        ] {
            assert!(!is_windows_program_path(path), "{path}");
        }
    }

    #[test]
    fn a_server_registration_names_its_class_and_key() {
        let path = r"HKU\S-1-5-21-1_Classes\CLSID\{B5F8350B-0548-48B1-A6EE-88BD00B4A5E7}\InProcServer32\(Default)";
        assert_eq!(com_registration(path), Some(("{B5F8350B-0548-48B1-A6EE-88BD00B4A5E7}", "InprocServer32")));
        assert_eq!(
            com_registration(r"HKLM\SOFTWARE\Classes\CLSID\{B5F8350B-0548-48B1-A6EE-88BD00B4A5E7}\(Default)"),
            None
        );
    }
}
