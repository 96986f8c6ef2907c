//! Programs that access other processes by design: debuggers, tracers, crash reporters, container runtimes and security
//! agents. Sources: ptrace(2), the products' documentation; compiled by hand.

use super::folders;
use crate::Actor;
use crate::text::{contains_any, starts_with};
use crate::vocabulary::unix_paths;

const DEBUGGERS: &[&str] = &[
    "gdb",
    "gdbserver",
    "lldb",
    "lldb-server",
    "strace",
    "ltrace",
    "perf",
    "rr",
    "dlv",
    "valgrind",
    "bpftrace",
    "eu-stack",
    "gstack",
    "pstack",
    "jhsdb",
    "py-spy",
    "rbspy",
    "memcheck",
    "gcore",
    "delve",
];

const RUNTIMES: &[&str] = &[
    "criu",
    "runc",
    "crun",
    "dockerd",
    "containerd",
    "containerd-shim",
    "runsc",
    "systemd",
    "systemd-coredump",
    "apport",
    "abrtd",
    "crashpad_handler",
    "chrome_crashpad_handler",
    "chrome_crashpad",
    "wine-preloader",
    "wine64-preloader",
    "wineserver",
    "proot",
    "fakeroot",
    "bwrap",
    "falcon-sensor",
    "auditd",
    "osqueryd",
    "wdavdaemon",
    "sentinelone-agent",
    "cbagentd",
];

/// Whether the program is a debugger or tracer, installed where users cannot write.
pub fn is_debugger(actor: Actor<'_>) -> bool {
    is_installed(actor)
        && (actor.is(DEBUGGERS) || starts_with(actor.name(), "gdb") || starts_with(actor.name(), "lldb"))
}

/// Whether the program accesses other processes as a runtime, crash reporter or security agent.
pub fn is_runtime(actor: Actor<'_>) -> bool {
    is_installed(actor) && actor.is(RUNTIMES)
}

fn is_installed(actor: Actor<'_>) -> bool {
    !actor.image.is_empty() && !folders::is_user_writable(actor.image) && unix_paths::odd_place(actor.image).is_none()
}

/// Processes that hold credentials, or start users' sessions: by executable or `comm`.
pub fn holds_credentials(target: Actor<'_>) -> bool {
    const NAMES: &[&str] = &[
        "sshd",
        "sshd-session",
        "sudo",
        "su",
        "login",
        "passwd",
        "gpg-agent",
        "ssh-agent",
        "gnome-keyring-d",
        "gnome-keyring-daemon",
        "kwalletd5",
        "kwalletd6",
        "keepassxc",
        "systemd",
        "init",
        "polkitd",
        "sssd",
        "sssd_be",
        "winbindd",
        "lightdm",
        "gdm-session-wor",
        "gdm-password",
        "firefox",
        "firefox-bin",
        "chrome",
        "chromium",
        "vault",
    ];
    target.is(NAMES)
}

/// Whether a debugger's command line makes the target execute code.
pub fn runs_code_in_target(command: &str) -> bool {
    contains_any(
        command,
        &[
            "call (",
            "call system",
            "print system",
            "(int)system",
            "(int) system",
            "compile code",
            "expr (",
            "dlopen",
            "execl(",
        ],
    )
}
