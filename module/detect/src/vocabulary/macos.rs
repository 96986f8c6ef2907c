//! macOS: commonly used services, privileged services, folders, and programs that execute commands.
//! Sources: launchd.plist(5), launchd's own service list on a stock macOS 14, osascript(1); compiled by hand.

use backchannel_events::SignatureStatus;

use crate::Actor;
use crate::text::{base_name, is_any, starts_with};

/// Services that nearly every process connects to. A trailing `*` matches anything.
const PUBLIC: &[&str] = &[
    "com.apple.logd*",
    "com.apple.cfprefsd.*",
    "com.apple.trustd*",
    "com.apple.lsd.*",
    "com.apple.opendirectoryd.libinfo",
    "com.apple.opendirectoryd.membership",
    "com.apple.tccd",
    "com.apple.tccd.system",
    "com.apple.coreservices.*",
    "com.apple.SystemConfiguration.*",
    "com.apple.distributed_notifications*",
    "com.apple.system.*",
    "com.apple.fonts*",
    "com.apple.windowserver*",
    "com.apple.pasteboard.1",
    "com.apple.hiservices-xpcservice",
    "com.apple.spindump*",
    "com.apple.analyticsd*",
    "com.apple.diagnosticd",
    "com.apple.dnssd.service",
    "com.apple.networkd*",
    "com.apple.nsurlsessiond*",
    "com.apple.runningboard",
    "com.apple.usymptomsd",
    "com.apple.PowerManagement.*",
    "com.apple.audio.*",
    "com.apple.bsd.dirhelper",
    "com.apple.containermanagerd*",
    "com.apple.mobileassetd*",
    "com.apple.metadata.*",
    "com.apple.mdworker*",
    "com.apple.CoreDisplay*",
    "com.apple.cvmsServ",
    "com.apple.cmfsyncagent*",
    "com.apple.securityd.xpc",
    "com.apple.syspolicyd*",
    "com.apple.timed.xpc",
];

/// Services through which clients control permissions, accounts, installations or surveillance.
const SENSITIVE: &[&str] = &[
    "com.apple.authd",
    "com.apple.security.authhost",
    "com.apple.opendirectoryd.api",
    "com.apple.opendirectoryd",
    "com.apple.smd*",
    "com.apple.xpc.smd*",
    "com.apple.installd*",
    "com.apple.system_installd*",
    "com.apple.ManagedClient*",
    "com.apple.mdmclient*",
    "com.apple.backupd*",
    "com.apple.securityd",
    "com.apple.endpointsecurity*",
    "com.apple.systemadministration.*",
    "com.apple.private.admin.*",
];

fn one_of(list: &[&str], name: &str) -> bool {
    list.iter().any(|entry| match entry.strip_suffix('*') {
        Some(prefix) => starts_with(name, prefix),
        None => name.eq_ignore_ascii_case(entry),
    })
}

/// Whether nearly every process connects to the service.
pub fn is_public(service: &str) -> bool {
    one_of(PUBLIC, service)
}

/// Whether clients control permissions, accounts, installations or surveillance through the service.
pub fn is_sensitive(service: &str) -> bool {
    one_of(SENSITIVE, service)
}

/// Whether a service is Apple's own, by its name.
pub fn is_apple(service: &str) -> bool {
    starts_with(service, "com.apple.")
}

/// Whether a path is that of a privileged helper that an application installed, or of a service inside a bundle.
pub fn is_helper(path: &str) -> bool {
    path.starts_with("/Library/PrivilegedHelperTools/") || path.contains(".xpc/Contents/MacOS/")
}

/// Whether a path is in a folder that only Apple can write to.
pub fn is_of_the_system(path: &str) -> bool {
    ["/System/", "/usr/bin/", "/usr/sbin/", "/usr/libexec/", "/bin/", "/sbin/", "/Library/Apple/"]
        .iter()
        .any(|folder| path.starts_with(folder))
}

/// Whether a path is in a world-writable or hidden folder.
pub fn is_odd_place(path: &str) -> bool {
    const ANYBODYS: [&str; 6] =
        ["/tmp/", "/private/tmp/", "/var/tmp/", "/private/var/tmp/", "/Users/Shared/", "/private/var/folders/"];
    // Developer tools keep programs in hidden folders of the home directory.
    let hidden = path.contains("/.") && crate::vocabulary::unix_paths::odd_place(path).is_some();
    ANYBODYS.iter().any(|folder| path.starts_with(folder)) || hidden
}

/// Whether the program has an Apple name but is not in a folder of Apple's programs.
pub fn is_false_apple(path: &str) -> bool {
    starts_with(base_name(path), "com.apple.") && !is_of_the_system(path)
}

/// Whether a signature is missing, ad hoc, or invalid.
pub fn is_badly_signed(actor: Actor<'_>) -> bool {
    matches!(actor.signature, SignatureStatus::Unsigned | SignatureStatus::Untrusted)
}

/// Whether a program executes what its arguments say: shells, interpreters, downloaders, and the tools that change
/// permissions and services.
pub fn carries_out_commands(actor: Actor<'_>) -> bool {
    const NAMES: [&str; 24] = [
        "sh",
        "bash",
        "zsh",
        "dash",
        "ksh",
        "csh",
        "tcsh",
        "osascript",
        "python",
        "python3",
        "perl",
        "ruby",
        "node",
        "php",
        "curl",
        "nscurl",
        "nc",
        "chmod",
        "chown",
        "launchctl",
        "dscl",
        "security",
        "sudo",
        "openssl",
    ];
    is_any(actor.name(), &NAMES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailing_star_matches_anything() {
        assert!(is_public("com.apple.lsd.mapdb") && is_public("com.apple.tccd") && !is_public("com.apple.tccd.other"));
        assert!(is_sensitive("com.apple.smd.xpc") && !is_sensitive("com.example.smd"));
    }

    #[test]
    fn developer_tools_are_not_hidden() {
        assert!(is_odd_place("/Users/a/.cache/x") && is_odd_place("/Users/Shared/x"));
        assert!(!is_odd_place("/Users/a/.cargo/bin/x") && !is_odd_place("/Applications/A.app/Contents/MacOS/A"));
    }
}
