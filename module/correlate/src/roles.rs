//! What programs are for, as far as containment has to know: which ones must go on running, and which end by themselves.

/// Programs of the system that others depend on: they are not stopped.
#[rustfmt::skip]
const SYSTEM: &[&str] = &[
    "system", "registry", "smss.exe", "csrss.exe", "wininit.exe", "winlogon.exe", "services.exe", "svchost.exe",
    "lsass.exe", "lsaiso.exe", "explorer.exe", "userinit.exe", "dwm.exe", "fontdrvhost.exe", "taskhostw.exe",
    "taskeng.exe", "sihost.exe", "wmiprvse.exe", "wsmprovhost.exe", "winrshost.exe", "runtimebroker.exe",
    "consent.exe", "msmpeng.exe", "vmtoolsd.exe", "systemd", "systemd-logind", "systemd-journald", "systemd-udevd",
    "systemd-machined", "init", "launchd", "xpcproxy", "login", "cron", "crond", "atd", "auditd", "rsyslogd",
    "dbus-daemon", "dbus-broker", "polkitd", "accounts-daemon", "networkmanager", "firewalld", "snapd",
    "containerd-shim", "containerd-shim-runc-v2", "gnome-shell", "kthreadd", "java", "supervisord",
];

/// Servers that people and other machines use: they are repaired, not stopped.
#[rustfmt::skip]
const SERVERS: &[&str] = &[
    "spoolsv.exe", "sqlservr.exe", "w3wp.exe", "dns.exe", "sshd", "dockerd", "containerd", "crio", "libvirtd",
    "nginx", "apache2", "httpd", "php-fpm", "postgres", "mysqld", "mariadbd", "redis-server", "mongod", "memcached",
    "haproxy", "gunicorn", "uwsgi",
];

/// Programs that run what they are given.
#[rustfmt::skip]
const INTERPRETERS: &[&str] = &[
    "cmd", "powershell", "pwsh", "powershell_ise", "wscript", "cscript", "mshta", "rundll32", "regsvr32", "msbuild",
    "installutil", "mmc", "sh", "bash", "dash", "zsh", "ksh", "busybox", "python", "python2", "python3", "perl",
    "ruby", "php", "node", "lua", "nc", "ncat", "nc.openbsd", "nc.traditional", "socat", "telnet",
];

/// Programs that do one thing and end: by the time somebody reads this they are gone.
#[rustfmt::skip]
const HELPERS: &[&str] = &[
    "whoami", "id", "hostname", "ipconfig", "systeminfo", "tasklist", "net", "net1", "nltest", "quser", "query",
    "netstat", "arp", "ping", "nslookup", "sc", "reg", "schtasks", "wevtutil", "vssadmin", "icacls", "attrib",
    "timeout", "find", "findstr", "cat", "ls", "ps", "chmod", "chown", "cp", "mv", "rm", "mkdir", "touch", "grep",
    "sed", "awk", "head", "tail", "wc", "uname", "env", "date", "echo", "mkfifo", "mknod", "ln", "stat", "getent",
    "dbus-send", "gdbus", "busctl", "systemctl", "loginctl", "pkexec", "usermod", "useradd", "sudo", "su", "curl",
    "wget", "psql", "mysql", "redis-cli", "docker", "kubectl", "wmic", "csc", "cvtres", "conhost", "tee",
];

/// Ports of the services that every machine of a domain uses.
const INFRASTRUCTURE: &[u16] = &[53, 67, 88, 123, 135, 137, 138, 139, 389, 445, 464, 636, 3268, 3269, 5985, 5986, 9389];

/// Whether others depend on the program.
pub fn is_protected(name: &str) -> bool {
    is_server(name) || SYSTEM.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Whether the program serves people and other machines.
pub fn is_server(name: &str) -> bool {
    SERVERS.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Whether the program runs what it is given.
pub fn is_interpreter(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let plain = lower.strip_suffix(".exe").unwrap_or(&lower);
    // Interpreters carry their version: python3.11.
    let unversioned = plain.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    INTERPRETERS.contains(&plain) || INTERPRETERS.contains(&unversioned)
}

/// Whether the program ends by itself.
pub fn is_helper(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    HELPERS.contains(&lower.strip_suffix(".exe").unwrap_or(&lower))
}

/// Whether machines of a domain reach each other on that port all day.
pub fn is_infrastructure_port(port: u16) -> bool {
    INFRASTRUCTURE.contains(&port)
}

/// Whether the file belongs to the operating system by its place.
pub fn is_of_the_system(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let places = [r"\windows\system32\", r"\windows\syswow64\", r"\windows\microsoft.net\", r"\program files"];
    let unix = ["/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/", "/usr/lib/", "/usr/libexec/"];
    places.iter().any(|place| lower.contains(place)) || unix.iter().any(|place| path.starts_with(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_known_by_their_names_whatever_their_case_and_version() {
        assert!(is_protected("SVCHOST.EXE") && is_server("nginx") && !is_server("svchost.exe"));
        assert!(is_interpreter("Python3.11") && is_interpreter("PowerShell.exe") && !is_interpreter("relay.exe"));
        assert!(is_helper("WHOAMI.exe") && !is_helper("nc"));
    }

    #[test]
    fn the_folders_of_the_system_are_not_those_of_users() {
        assert!(
            is_of_the_system(r"\device\harddiskvolume2\windows\system32\cmd.exe") && is_of_the_system("/usr/bin/nc")
        );
        assert!(!is_of_the_system(r"C:\Windows\tool.exe") && !is_of_the_system("/tmp/usr/bin/nc"));
    }
}
