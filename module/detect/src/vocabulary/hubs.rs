//! Processes that start most others, and channels that every process uses: two findings that share one of them are not
//! related by it.

use crate::text::{is_any, starts_with};

/// Programs that start most other processes: sharing one of them does not relate two findings.
const HUBS: &[&str] = &[
    "system",
    "smss.exe",
    "csrss.exe",
    "wininit.exe",
    "winlogon.exe",
    "services.exe",
    "svchost.exe",
    "lsass.exe",
    "explorer.exe",
    "userinit.exe",
    "taskhostw.exe",
    "taskeng.exe",
    "sihost.exe",
    "wmiprvse.exe",
    "runtimebroker.exe",
    "systemd",
    "init",
    "sshd",
    "login",
    "cron",
    "crond",
    "launchd",
    "xpcproxy",
    "dockerd",
    "containerd",
    "containerd-shim",
    "containerd-shim-runc-v2",
    "gnome-shell",
    "dbus-daemon",
    "dbus-broker",
    "supervisord",
    "tmux",
    "tmux: server",
    "screen",
    "java",
    "kthreadd",
];

/// Pipes that every process uses, without their leading backslash.
const SHARED_PIPES: &[&str] = &[
    "srvsvc",
    "wkssvc",
    "lsass",
    "lsarpc",
    "samr",
    "netlogon",
    "svcctl",
    "ntsvcs",
    "atsvc",
    "winreg",
    "eventlog",
    "epmapper",
    "spoolss",
    "browser",
    "trkwks",
    "initshutdown",
    "msftewds",
    "protected_storage",
    "w32time_alt",
    "<anonymous pipe>",
];

/// Whether so many processes use the channel that sharing it does not relate two findings.
pub fn is_shared(name: &str) -> bool {
    let name = name.trim_start_matches('\\');
    let name = if starts_with(name, "pipe\\") { name.get(5..).unwrap_or(name) } else { name };
    is_any(name, SHARED_PIPES)
        || ["/run/systemd/", "/run/dbus/", "/var/run/nscd/", "/run/nscd/", "/dev/log", "/var/run/dbus/"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

/// Whether sharing this process does not relate two findings.
pub fn is_hub(name: &str, original_name: &str) -> bool {
    is_any(name, HUBS) || (!original_name.is_empty() && is_any(original_name, HUBS))
}
