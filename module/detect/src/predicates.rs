//! Questions that many analytics ask in the same words: is this account a service, this path writable by users,
//! this program a script host? The sets are the catalogue's.

use backchannel_events::{Activity, ServiceOperation, SignatureStatus, User};

use crate::Actor;
use crate::text::{self, contains, ends_with, is_any, starts_with};
pub use crate::vocabulary::folders::{is_system_path, is_user_writable, is_windows_program_path};
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

/// Whether a path class (see `baseline::class`) is one of the operating system's.
pub fn is_system_class(class: &str) -> bool {
    [r"\windows\", "/usr/", "/sbin/", "/lib/"].iter().any(|prefix| class.starts_with(prefix))
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
    fn a_server_registration_names_its_class_and_key() {
        let path = r"HKU\S-1-5-21-1_Classes\CLSID\{B5F8350B-0548-48B1-A6EE-88BD00B4A5E7}\InProcServer32\(Default)";
        assert_eq!(com_registration(path), Some(("{B5F8350B-0548-48B1-A6EE-88BD00B4A5E7}", "InprocServer32")));
        assert_eq!(
            com_registration(r"HKLM\SOFTWARE\Classes\CLSID\{B5F8350B-0548-48B1-A6EE-88BD00B4A5E7}\(Default)"),
            None
        );
    }
}
