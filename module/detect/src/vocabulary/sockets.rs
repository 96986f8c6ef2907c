//! UNIX sockets and the programs that connect to them or to the network. Sources: the daemons' own documentation; FHS for
//! /run; compiled by hand.

use crate::Actor;
use crate::text::{contains, contains_any, is_any};
use crate::vocabulary::programs;

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

/// Whether the socket's server performs administrative operations for its clients.
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

/// Whether a command line names what it connects to, or the port it waits on: an address, not a path.
pub fn names_network_end(command: &str) -> bool {
    // `/dev/tcp/host/port`, a TLS client, a script's own socket.
    if contains_any(command, &["/dev/tcp/", "/dev/udp/", "s_client", "s_server"])
        || (contains(command, "socket") && contains(command, "connect"))
    {
        return true;
    }
    let words = command.split(|c: char| c.is_ascii_whitespace() || matches!(c, '|' | ';' | '&' | '<' | '>'));
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    // socat's `TCP:host:port`.
    let wire =
        |word: &&str| word.split_once(':').is_some_and(|(kind, _)| contains_any(kind, &["tcp", "udp", "openssl"]));
    if words.iter().any(wire) {
        return true;
    }
    const TOOLS: [&str; 6] = ["nc", "ncat", "netcat", "nc.openbsd", "nc.traditional", "telnet"];
    words.iter().enumerate().any(|(nth, word)| {
        let name = crate::text::base_name(word).trim_matches(['"', '\'']);
        let arguments = words.get(nth + 1..).unwrap_or(&[]).iter().take(8);
        // `-U` is a socket with a path.
        let path = arguments.clone().any(|word| word.starts_with('-') && !word.starts_with("--") && word.contains('U'));
        let port = |word: &&str| word.trim_matches(['"', '\'']).parse::<u16>().is_ok();
        is_any(name, &TOOLS) && !path && (is_any(name, &["telnet"]) || arguments.clone().any(port))
    })
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

/// Whether the path is in a world-writable folder.
pub fn is_shared_folder(path: &str) -> bool {
    ["/tmp/", "/var/tmp/", "/dev/shm/", "/run/lock/"].iter().any(|folder| path.starts_with(folder))
}

/// Programs expected on a container engine's socket: engines, their clients, and container monitoring agents.
pub fn is_container_program(actor: Actor<'_>) -> bool {
    const NAMES: &[&str] = &[
        "docker",
        "dockerd",
        "docker-proxy",
        "docker-compose",
        "docker-buildx",
        "docker-init",
        "com.docker.cli",
        "com.docker.backend",
        "containerd",
        "containerd-shim",
        "containerd-shim-runc-v2",
        "containerd-stress",
        "runc",
        "crun",
        "ctr",
        "nerdctl",
        "crictl",
        "podman",
        "conmon",
        "buildah",
        "skopeo",
        "buildctl",
        "buildkitd",
        "kubelet",
        "kubeadm",
        "k3s",
        "k3s-server",
        "k3s-agent",
        "rke2",
        "cri-dockerd",
        "crio",
        "cadvisor",
        "lazydocker",
        "dive",
        "ctop",
        "portainer",
        "traefik",
        "watchtower",
        "gitlab-runner",
        "act_runner",
        "telegraf",
        "otelcol",
        "otelcol-contrib",
        "node_exporter",
        "filebeat",
        "metricbeat",
        "fluent-bit",
        "vector",
        "promtail",
        "alloy",
        "grafana-agent",
        "datadog-agent",
        "agent",
        "netdata",
        "falco",
        "systemd",
        "cockpit-bridge",
    ];
    actor.is(NAMES)
}

/// A daemon's socket whose clients can become root, with its usual clients.
#[derive(Clone, Copy, Debug)]
pub struct PowerfulDaemon {
    /// End of the socket's path or abstract name; with a trailing `*`, its beginning.
    path: &'static str,
    /// The daemon that listens.
    pub what: &'static str,
    /// Programs that are its clients.
    clients: &'static [&'static str],
}

/// Sources: CVE-2019-7304 (snapd), CVE-2020-15257 (containerd-shim), CVE-2022-41974 (multipathd); the daemons' own
/// warnings that a socket's users are root (LXD, libvirt, udev).
const POWERFUL: &[PowerfulDaemon] = &[
    PowerfulDaemon {
        path: "/snapd.socket",
        what: "snapd",
        clients: &[
            "snap",
            "snapd",
            "snap-store",
            "gnome-software",
            "snapd-desktop-integration",
            "plasma-discover",
            "ubuntu-software",
        ],
    },
    PowerfulDaemon { path: "/snapd-snap.socket", what: "snapd", clients: &["snap", "snapd", "snapctl", "snap-exec"] },
    PowerfulDaemon {
        path: "/storage/multipathd",
        what: "multipathd",
        clients: &["multipathd", "multipath", "mpathpersist", "udisksd", "systemd-udevd"],
    },
    PowerfulDaemon {
        path: "/lxd/unix.socket",
        what: "LXD",
        clients: &["lxc", "lxd", "lxd-user", "lxd-agent", "juju", "jujud", "terraform-provider-lxd"],
    },
    PowerfulDaemon {
        path: "/incus/unix.socket",
        what: "Incus",
        clients: &["incus", "incusd", "incus-user", "incus-agent"],
    },
    PowerfulDaemon {
        path: "/libvirt/libvirt-sock",
        what: "libvirt",
        clients: &[
            "virsh",
            "libvirtd",
            "virtqemud",
            "virt-manager",
            "virt-install",
            "virt-viewer",
            "virt-who",
            "cockpit-bridge",
            "nova-compute",
            "vagrant",
        ],
    },
    PowerfulDaemon {
        path: "@/containerd-shim/*",
        what: "a container's shim",
        clients: &["containerd", "containerd-shim", "containerd-shim-runc-v2", "dockerd", "k3s", "runc"],
    },
    PowerfulDaemon {
        path: "/udev/control",
        what: "udev",
        clients: &["udevadm", "systemd-udevd", "systemd", "cryptsetup"],
    },
    PowerfulDaemon {
        path: "/salt/master/workers.ipc",
        what: "the Salt master",
        clients: &["salt", "salt-master", "salt-call", "salt-key", "salt-run"],
    },
    PowerfulDaemon {
        path: "/acpid.socket",
        what: "acpid",
        clients: &["acpid", "acpi_listen", "Xorg", "Xwayland", "systemd-logind", "laptop-mode"],
    },
];

impl PowerfulDaemon {
    /// The daemon behind a socket.
    pub fn at(path: &str) -> Option<&'static Self> {
        POWERFUL.iter().find(|daemon| match daemon.path.strip_suffix('*') {
            Some(start) => path.starts_with(start),
            None => path.ends_with(daemon.path),
        })
    }

    /// Whether the program is one of its usual clients.
    pub fn is_client(&self, actor: Actor<'_>) -> bool {
        actor.is(self.clients)
    }
}

/// Sockets that all programs use for names, logs and accounts.
pub fn is_universal(path: &str) -> bool {
    let path = path.strip_prefix("/var").unwrap_or(path);
    path == "/dev/log"
        || ["/run/nscd/", "/run/systemd/", "/lib/sss/pipes/", "/run/avahi-daemon/", "/run/dbus/"]
            .iter()
            .any(|folder| path.starts_with(folder) && path != "/run/systemd/private")
}

/// Abstract names and sockets of desktops that every graphical program connects to.
pub fn is_desktop(name: &str) -> bool {
    ["/tmp/.X11-unix/", "/tmp/.ICE-unix/", "/tmp/dbus-", "/tmp/ibus", "/ibus/", "/tmp/.XIM-unix/"]
        .iter()
        .any(|part| contains(name, part))
}

/// Whether a socket's path is one that SSH agents use.
pub fn is_agent_path(path: &str) -> bool {
    (path.starts_with("/tmp/ssh-") && contains(path, "/agent."))
        || [
            "/openssh_agent",
            "/ssh-agent.socket",
            "/ssh-agent.sock",
            "/S.gpg-agent.ssh",
            "/keyring/ssh",
            "/gcr/ssh",
            "/.ssh/agent",
        ]
        .iter()
        .any(|end| path.ends_with(end))
        || contains(path, "/.ssh/agent/")
        || (contains(path, "com.apple.launchd.") && path.ends_with("/Listeners"))
}

/// Whether the program holds SSH keys for others.
pub fn is_agent(name: &str) -> bool {
    is_any(
        name,
        &["ssh-agent", "gnome-keyring-daemon", "gcr-ssh-agent", "gpg-agent", "keepassxc", "1password", "ssh-agent-mux"],
    )
}

/// Whether a socket's path is one that terminal multiplexers use.
pub fn is_multiplexer_path(path: &str) -> bool {
    path.starts_with("/tmp/tmux-")
        || path.starts_with("/run/tmux/")
        || contains(path, "/screen/S-")
        || contains(path, "/screens/S-")
        || contains(path, "/.screen/")
}

/// Whether the program multiplexes terminals.
pub fn is_multiplexer(name: &str) -> bool {
    is_any(name, &["tmux", "screen", "dtach", "abduco", "byobu", "zellij"])
}

/// Whether the program is a general-purpose tool: shells, interpreters, tools that connect or change the system.
pub fn is_general_tool(actor: Actor<'_>) -> bool {
    is_network_tool(actor.name())
        || is_shell(actor.name())
        || programs::is_script_host(actor.name())
        || is_any(
            actor.name(),
            &["chmod", "chown", "chgrp", "setfacl", "install", "dd", "gawk", "mawk", "awk", "tclsh"],
        )
}

/// The part of a command line that serves a shell on a UNIX socket, if it does.
pub fn serves_shell(name: &str, command: &str) -> bool {
    let listens = contains_any(command, &["UNIX-LISTEN:", "ABSTRACT-LISTEN:", "UNIX-L:"]);
    if contains(name, "socat") {
        return listens
            && contains_any(command, &["EXEC:", "SYSTEM:", "SHELL:"])
            && names_shell(&format!("{command} "));
    }
    let options = |letter: char| {
        command
            .split_whitespace()
            .skip(1)
            .any(|word| word.starts_with('-') && !word.starts_with("--") && word.len() <= 6 && word.contains(letter))
    };
    is_any(name, &["nc", "ncat", "netcat", "nc.traditional", "busybox"])
        && (options('U') || contains(command, "--unixsock"))
        && (options('l') || contains(command, "--listen"))
        && (options('e') || options('c') || contains(command, "-exec"))
        && names_shell(&format!("{command} "))
}

/// Kinds of socket that libraries and desktops regularly create in world-writable folders.
pub fn is_usual_class(path: &str) -> bool {
    contains_any(
        path,
        &[
            "/pymp-",
            "/tmp/dbus-",
            "/.X11-unix/",
            "/.ICE-unix/",
            "/tmp/tmux-",
            "/ssh-",
            "/.s.PGSQL.",
            "/vscode-",
            "/SingletonSocket",
        ],
    )
}
