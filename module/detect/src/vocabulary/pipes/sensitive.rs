//! Pipes that give access to secrets or control, and their intended clients (LIST-PIPE-SENSITIVE).
//!
//! Source: products' own documentation: SQL Server and the Windows Internal Database (AD FS), OpenSSH, Docker,
//! containerd, Podman, GnuPG, 1Password, KeePassXC, Bitwarden, VMware.

use crate::text::{is_any, matches};

/// What a pipe gives its clients access to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// A database; the internal one contains the keys of AD FS.
    Database,
    /// Keys or passwords.
    Secrets,
    /// Containers or virtual machines, and through them the host.
    Control,
}

/// A sensitive pipe.
#[derive(Clone, Copy, Debug)]
pub struct Sensitive {
    name: &'static str,
    /// What it gives access to.
    pub holds: Holds,
    clients: &'static [&'static str],
}

const DATABASE: &[&str] = &[
    "sqlservr.exe",
    "sqlwriter.exe",
    "sqlagent.exe",
    "sqlcmd.exe",
    "ssms.exe",
    "sqlbrowser.exe",
    "reportingservicesservice.exe",
    "mmc.exe",
    "svchost.exe",
    "wsmprovhost.exe",
    "azureadconnect.exe",
    "miiserver.exe",
    "microsoft.identityserver.servicehost.exe",
    "microsoft.identityserver.adapter.exe",
    "microsoft.tri.sensor.exe",
    "tssdis.exe",
    "wsusservice.exe",
    "w3wp.exe",
    "wsusutil.exe",
];
const SSH: &[&str] = &[
    "ssh.exe",
    "ssh-add.exe",
    "ssh-agent.exe",
    "git.exe",
    "scp.exe",
    "sftp.exe",
    "code.exe",
    "1password.exe",
    "bitwarden.exe",
    "keepassxc.exe",
    "gitkraken.exe",
    "winscp.exe",
    "ssh-keygen.exe",
];
const DOCKER: &[&str] = &[
    "docker.exe",
    "docker-compose.exe",
    "dockerd.exe",
    "docker desktop.exe",
    "com.docker.backend.exe",
    "com.docker.cli.exe",
    "com.docker.build.exe",
    "com.docker.dev-envs.exe",
    "com.docker.extensions.exe",
    "com.docker.service",
    "com.docker.diagnose.exe",
    "com.docker.proxy.exe",
    "code.exe",
    "devenv.exe",
    "rider64.exe",
    "idea64.exe",
    "pycharm64.exe",
    "podman.exe",
    "containerd.exe",
    "ctr.exe",
    "nerdctl.exe",
    "crictl.exe",
    "kubelet.exe",
    "containerd-shim-runhcs-v1.exe",
    "rancher desktop.exe",
    "wsl-helper.exe",
    "win-sshproxy.exe",
    "gvproxy.exe",
    "minikube.exe",
    "kind.exe",
];
const GPG: &[&str] = &[
    "gpg.exe",
    "gpg-agent.exe",
    "gpgsm.exe",
    "scdaemon.exe",
    "gpgconf.exe",
    "gpg-connect-agent.exe",
    "kleopatra.exe",
    "git.exe",
];
const VAULT: &[&str] = &[
    "1password.exe",
    "1password-browsersupport.exe",
    "op.exe",
    "keepassxc.exe",
    "keepassxc-proxy.exe",
    "bitwarden.exe",
    "desktop_proxy.exe",
    "bitwarden desktop proxy.exe",
    "chrome.exe",
    "firefox.exe",
    "msedge.exe",
    "brave.exe",
];
const VIRTUAL: &[&str] = &[
    "vmware.exe",
    "vmware-vmx.exe",
    "vmware-authd.exe",
    "vmware-tray.exe",
    "vmtoolsd.exe",
    "vmplayer.exe",
    "vmrun.exe",
    "vmware-hostd.exe",
    "vmware-unity-helper.exe",
    "vmnat.exe",
    "vgauthservice.exe",
];

const SENSITIVE: &[Sensitive] = &[
    Sensitive { name: r"*\tsql\query", holds: Holds::Database, clients: DATABASE },
    Sensitive { name: r"sql\query", holds: Holds::Database, clients: DATABASE },
    Sensitive { name: r"MSSQL$*\sql\query", holds: Holds::Database, clients: DATABASE },
    Sensitive { name: "openssh-ssh-agent", holds: Holds::Secrets, clients: SSH },
    Sensitive { name: "S.gpg-agent*", holds: Holds::Secrets, clients: GPG },
    Sensitive { name: "1Password*", holds: Holds::Secrets, clients: VAULT },
    Sensitive { name: "*keepassxc*", holds: Holds::Secrets, clients: VAULT },
    Sensitive { name: "*bitwarden*", holds: Holds::Secrets, clients: VAULT },
    Sensitive { name: "docker_engine*", holds: Holds::Control, clients: DOCKER },
    Sensitive { name: "dockerBackend*", holds: Holds::Control, clients: DOCKER },
    Sensitive { name: "containerd-containerd", holds: Holds::Control, clients: DOCKER },
    Sensitive { name: "podman-*", holds: Holds::Control, clients: DOCKER },
    Sensitive { name: r"ProtectedPrefix\Administrators\Docker*", holds: Holds::Control, clients: DOCKER },
    Sensitive { name: "vmware-*", holds: Holds::Control, clients: VIRTUAL },
    Sensitive {
        name: "*kdbg*",
        holds: Holds::Control,
        clients: &["windbg.exe", "kd.exe", "vmware-vmx.exe", "vmwp.exe"],
    },
];

/// The sensitive pipe of that name (without prefix).
pub fn of(name: &str) -> Option<&'static Sensitive> {
    SENSITIVE.iter().find(|pipe| matches(pipe.name, name))
}

impl Sensitive {
    /// Whether a program of that base name is an intended client.
    pub fn is_for(&self, program: &str) -> bool {
        is_any(program, self.clients)
    }
}
