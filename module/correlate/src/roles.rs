//! What programs are for, as far as containment has to know: which ones must go on running, and which end by themselves.

/// Programs of the system and servers that others depend on: they are repaired, not stopped.
const PROTECTED: &[&str] = &[
    "system",
    "registry",
    "smss.exe",
    "csrss.exe",
    "wininit.exe",
    "winlogon.exe",
    "services.exe",
    "svchost.exe",
    "lsass.exe",
    "lsaiso.exe",
    "explorer.exe",
    "userinit.exe",
    "dwm.exe",
    "fontdrvhost.exe",
    "taskhostw.exe",
    "taskeng.exe",
    "sihost.exe",
    "wmiprvse.exe",
    "wsmprovhost.exe",
    "winrshost.exe",
    "runtimebroker.exe",
    "spoolsv.exe",
    "consent.exe",
    "msmpeng.exe",
    "sqlservr.exe",
    "w3wp.exe",
    "dns.exe",
    "ntds.exe",
    "vmtoolsd.exe",
    "systemd",
    "systemd-logind",
    "systemd-journald",
    "systemd-udevd",
    "systemd-machined",
    "init",
    "launchd",
    "xpcproxy",
    "sshd",
    "login",
    "cron",
    "crond",
    "atd",
    "auditd",
    "rsyslogd",
    "dbus-daemon",
    "dbus-broker",
    "polkitd",
    "accounts-daemon",
    "networkmanager",
    "firewalld",
    "snapd",
    "dockerd",
    "containerd",
    "containerd-shim",
    "containerd-shim-runc-v2",
    "crio",
    "libvirtd",
    "gnome-shell",
    "kthreadd",
    "java",
    "nginx",
    "apache2",
    "httpd",
    "php-fpm",
    "postgres",
    "mysqld",
    "mariadbd",
    "redis-server",
    "mongod",
    "memcached",
    "haproxy",
    "supervisord",
    "gunicorn",
    "uwsgi",
];

/// Programs that do one thing and end: by the time somebody reads this they are gone.
const HELPERS: &[&str] = &[
    "whoami",
    "id",
    "hostname",
    "ipconfig",
    "systeminfo",
    "tasklist",
    "net",
    "net1",
    "nltest",
    "quser",
    "query",
    "netstat",
    "arp",
    "ping",
    "nslookup",
    "sc",
    "reg",
    "schtasks",
    "wevtutil",
    "vssadmin",
    "icacls",
    "attrib",
    "timeout",
    "find",
    "findstr",
    "cat",
    "ls",
    "ps",
    "chmod",
    "chown",
    "cp",
    "mv",
    "rm",
    "mkdir",
    "touch",
    "grep",
    "sed",
    "awk",
    "head",
    "tail",
    "wc",
    "uname",
    "env",
    "date",
    "echo",
    "mkfifo",
    "mknod",
    "ln",
    "stat",
    "getent",
    "dbus-send",
    "gdbus",
    "busctl",
    "systemctl",
    "loginctl",
    "pkexec",
    "usermod",
    "useradd",
    "sudo",
    "su",
];

/// Ports of the services that every machine of a domain uses.
const INFRASTRUCTURE: &[u16] = &[53, 67, 88, 123, 135, 137, 138, 139, 389, 445, 464, 636, 3268, 3269, 5985, 5986, 9389];

/// Whether others depend on the program.
pub fn is_protected(name: &str) -> bool {
    PROTECTED.iter().any(|known| name.eq_ignore_ascii_case(known))
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
    let windows_itself = lower.rsplit_once('\\').is_some_and(|(folder, _)| folder.ends_with(r":\windows"));
    let unix = ["/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/", "/usr/lib/", "/usr/libexec/"];
    windows_itself
        || places.iter().any(|place| lower.contains(place))
        || unix.iter().any(|place| path.starts_with(place))
}
