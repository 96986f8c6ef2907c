//! UNIX sockets and the programs that reach them or the network. Sources: the daemons' own documentation; FHS for
//! /run; compiled by hand.

use crate::text::{contains, contains_any, is_any};

/// Sockets whose client gets the rights of a privileged server: container engines, virtualisation, package and service
/// managers. Compared with the end of the path.
const PRIVILEGED: &[&str] = &[
    "/docker.sock",
    "/containerd.sock",
    "/crio.sock",
    "/podman.sock",
    "/dockershim.sock",
    "/buildkitd.sock",
    "/kubelet.sock",
    "/lxd/unix.socket",
    "/incus/unix.socket",
    "/libvirt-sock",
    "/snapd.socket",
    "/systemd/private",
    "/udev/control",
    "/system_bus_socket",
    "/acpid.socket",
    "/pcscd.comm",
    "/gssproxy.sock",
    "/multipathd",
];

/// Whether the socket's server does what only an administrator may do.
pub fn is_privileged(path: &str) -> bool {
    PRIVILEGED.iter().any(|end| path.ends_with(end))
}

/// Whether the socket is a container engine's.
pub fn is_container_engine(path: &str) -> bool {
    PRIVILEGED.iter().take(6).any(|end| path.ends_with(end))
}

/// Programs that connect a terminal or a file to the network.
pub fn is_network_tool(name: &str) -> bool {
    is_any(
        name,
        &[
            "nc",
            "ncat",
            "netcat",
            "nc.openbsd",
            "nc.traditional",
            "socat",
            "telnet",
            "openssl",
            "curl",
            "wget",
            "busybox",
        ],
    )
}

/// Shells.
pub fn is_shell(name: &str) -> bool {
    is_any(name, &["sh", "bash", "dash", "zsh", "ksh", "ash", "fish", "busybox", "rbash"])
}

/// Whether a command line connects a network tool or a socket of an interpreter.
pub fn reaches_network(command: &str) -> bool {
    const TOOLS: &[&str] = &["nc ", "ncat ", "netcat ", "telnet ", "socat ", "s_client", "/dev/tcp/", "/dev/udp/"];
    TOOLS.iter().any(|tool| word(command, tool)) || (contains(command, "socket") && contains(command, "connect"))
}

/// Whether a command line names a shell to be run.
pub fn names_shell(command: &str) -> bool {
    contains_any(
        command,
        &["/sh", "/bash", "/dash", "/zsh", "/ksh", "|sh", "| sh", "|bash", "| bash", "sh -i", "bash -i"],
    )
}

/// Whether `tool` stands in `command` as a word of its own.
fn word(command: &str, tool: &str) -> bool {
    crate::text::find(command, tool).is_some_and(|at| {
        at == 0
            || command.as_bytes().get(at - 1).is_some_and(|before| !before.is_ascii_alphanumeric() && *before != b'-')
    })
}

/// Whether everybody may create files in the folder of that path.
pub fn is_shared_folder(path: &str) -> bool {
    ["/tmp/", "/var/tmp/", "/dev/shm/", "/run/lock/"].iter().any(|folder| path.starts_with(folder))
}
