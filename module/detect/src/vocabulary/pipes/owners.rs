//! Well-known pipes and the programs that may create them (LIST-PIPE-OWNERS).
//!
//! Source: MS-RPCE, MS-SCMR, MS-SAMR, MS-RPRN and related specifications for the names; Sysmon 17 of Windows 7 to 11 and Server
//! 2012 to 2022 for the owners. `PSEXESVC` is covered by the executor analytics instead.

use crate::text::{base_name, contains_any, ends_with, is_any, matches};
use crate::vocabulary::folders;

/// A well-known pipe.
#[derive(Clone, Copy, Debug)]
pub struct Owner {
    /// Name; `*` matches anything.
    pub name: &'static str,
    /// Programs that may create it, base names.
    programs: &'static [&'static str],
    /// Whether they are Windows' own, so that only `System32` is accepted.
    system: bool,
}

const fn windows(name: &'static str, programs: &'static [&'static str]) -> Owner {
    Owner { name, programs, system: true }
}

const fn product(name: &'static str, programs: &'static [&'static str]) -> Owner {
    Owner { name, programs, system: false }
}

const LSASS: &[&str] = &["lsass.exe", "lsaiso.exe"];
const SERVICES: &[&str] = &["services.exe", "svchost.exe"];
const SVCHOST: &[&str] = &["svchost.exe", "services.exe", "lsass.exe", "wininit.exe"];
const SQL: &[&str] = &["sqlservr.exe"];
const DOCKER: &[&str] = &[
    "dockerd.exe",
    "com.docker.backend.exe",
    "com.docker.proxy.exe",
    "com.docker.service",
    "com.docker.service.exe",
    "com.docker.windows.exe",
    "docker desktop.exe",
    "rancher desktop.exe",
    "wsl-helper.exe",
    "rdctl.exe",
    "podman.exe",
    "win-sshproxy.exe",
    "gvproxy.exe",
];
const SSH_AGENTS: &[&str] = &[
    "ssh-agent.exe",
    "1password.exe",
    "bitwarden.exe",
    "keepass.exe",
    "keepassxc.exe",
    "gpg-agent.exe",
    "pageant.exe",
    "agent-gui.exe",
    "ssh-pageant.exe",
];

const OWNERS: &[Owner] = &[
    windows("lsass", LSASS),
    windows("lsarpc", LSASS),
    windows("samr", LSASS),
    windows("netlogon", LSASS),
    windows("protected_storage", LSASS),
    windows("efsrpc", &["lsass.exe", "svchost.exe"]),
    windows("svcctl", SERVICES),
    windows("ntsvcs", SERVICES),
    windows("scerpc", SERVICES),
    windows("plugplay", SERVICES),
    windows("srvsvc", SVCHOST),
    windows("wkssvc", SVCHOST),
    windows("browser", SVCHOST),
    windows("atsvc", SVCHOST),
    windows("winreg", SVCHOST),
    windows("eventlog", SVCHOST),
    windows("epmapper", SVCHOST),
    windows("trkwks", SVCHOST),
    windows("tapsrv", SVCHOST),
    windows("ROUTER", SVCHOST),
    windows("W32TIME", SVCHOST),
    windows("W32TIME_ALT", SVCHOST),
    windows("LSM_API_service", &["svchost.exe", "lsm.exe"]),
    windows("InitShutdown", &["wininit.exe", "svchost.exe", "winlogon.exe"]),
    windows("TermSrv_API_service", SVCHOST),
    windows("Ctx_WinStation_API_service", SVCHOST),
    windows("SessEnvPublicRpc", SVCHOST),
    windows("keysvc", SVCHOST),
    windows("HydraLsPipe", &["svchost.exe", "lserver.exe"]),
    windows("TSVCPIPE-*", SVCHOST),
    windows("FssagentRpc", SVCHOST),
    windows("spoolss", &["spoolsv.exe"]),
    windows("netdfs", &["dfssvc.exe", "svchost.exe"]),
    windows("DNSSERVER", &["dns.exe"]),
    windows("dhcpserver", SVCHOST),
    windows("WinsPipe", &["wins.exe"]),
    windows("cert", &["certsrv.exe"]),
    windows("MsFteWds", &["searchindexer.exe"]),
    product(r"MICROSOFT##WID\tsql\query", SQL),
    product(r"sql\query", SQL),
    product(r"MSSQL$*\sql\query", SQL),
    product("openssh-ssh-agent", SSH_AGENTS),
    product("docker_engine", DOCKER),
];

/// The well-known pipe of that name (without prefix).
pub fn of(name: &str) -> Option<&'static Owner> {
    OWNERS.iter().find(|owner| matches(owner.name, name))
}

impl Owner {
    /// Whether `image`, a full path, may create it. A name without a path is accepted.
    pub fn may_be(&self, image: &str) -> bool {
        if !image.contains('\\') {
            return true;
        }
        let known = is_any(base_name(image), self.programs);
        if self.system {
            let directory = contains_any(image, &[r"\System32\", r"\SysWOW64\"]);
            return known && directory && folders::is_system_path(image);
        }
        // Products may be installed in any folder on any drive, but not in a temp folder.
        known
            && !contains_any(image, &[r"\Temp\", r"\Downloads\", r"\Users\Public\"])
            && (!ends_with(image, "sqlservr.exe") || !contains_any(image, &[r"\Users\"]))
    }
}

/// Whether a name begins with that of a well-known pipe that `image` may create: `wkssvc` and a number, created by its
/// owner, is not an imitation.
pub fn is_of_the_family(name: &str, image: &str) -> bool {
    image.contains('\\') && OWNERS.iter().any(|owner| crate::text::starts_with(name, owner.name) && owner.may_be(image))
}

/// Pipes that many programs open: their use is not significant (LIST-UNIVERSAL-CHANNELS).
pub fn is_universal(name: &str) -> bool {
    is_any(name, &["srvsvc", "wkssvc", "lsass", "samr", "lsarpc", "netlogon", "MsFteWds", "InitShutdown"])
        || matches("TSVCPIPE-*", name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_genuine_program_in_its_folder_owns_a_pipe() {
        let spooler = of("SPOOLSS").unwrap();
        assert!(spooler.may_be(r"C:\Windows\System32\spoolsv.exe") && spooler.may_be("System"));
        assert!(!spooler.may_be(r"C:\Users\a\Windows\System32\spoolsv.exe"));
        assert!(!spooler.may_be(r"C:\Windows\spoolsv.exe") && !spooler.may_be(r"C:\Windows\System32\cmd.exe"));
    }

    #[test]
    fn a_database_may_be_on_any_drive() {
        let sql = of(r"MSSQL$PAY\sql\query").unwrap();
        assert!(sql.may_be(r"E:\db\Binn\sqlservr.exe") && !sql.may_be(r"C:\Users\a\Temp\sqlservr.exe"));
    }
}
