//! Commands that disable or clear the logs that this software reads. Sources: the documentation of wevtutil, Sysmon, auditctl,
//! systemctl and of the shippers; ATT&CK T1562.001, T1562.006, T1070.001.

use crate::text::{base_name, contains, contains_any, is_any};

/// Services and drivers that produce or ship the logs.
const AGENTS: &[&str] = &[
    "sysmon",
    "eventlog",
    "auditd",
    "rsyslog",
    "journald",
    "syslog-ng",
    "winlogbeat",
    "auditbeat",
    "filebeat",
    "nxlog",
    "fluent-bit",
    "fluentd",
    "wazuh",
    "ossec",
    "splunkforwarder",
    "osqueryd",
    "laurel",
    "falco",
];

/// The effect of a command on the logs; `None` if it has none.
pub fn blinds(image: &str, command: &str) -> Option<&'static str> {
    let name = base_name(image);
    let says = |words: &[&str]| contains_any(command, words);
    if contains(name, "wevtutil") && says(&[" cl ", "clear-log", " sl ", "set-log"]) {
        return Some(if says(&[" cl ", "clear-log"]) { "cleared a log" } else { "changed a log's settings" });
    }
    if contains(name, "powershell") || contains(name, "pwsh") {
        if says(&["Clear-EventLog", "Remove-EventLog", "Limit-EventLog", ".ClearLog("]) {
            return Some("cleared a log");
        }
        if says(&["Stop-Service", "Set-Service", "Stop-Process"]) && says(AGENTS) {
            return Some("stopped what writes the logs");
        }
    }
    if contains(name, "sysmon") && says(&[" -u", " /u", " -c --", " /c --"]) {
        return Some("removed Sysmon or its rules");
    }
    let stops = match () {
        () if is_any(name, &["sc.exe", "net.exe", "net1.exe", "systemctl", "service", "initctl", "rc-service"]) => {
            says(&["stop", "disable", "mask", "delete", "config"])
        }
        () if is_any(name, &["taskkill.exe", "kill", "pkill", "killall"]) => true,
        () if is_any(name, &["fltmc.exe"]) => says(&["unload", "detach"]),
        () => false,
    };
    if stops && says(AGENTS) {
        return Some("stopped what writes the logs");
    }
    let word = |wanted: &str| command.split_whitespace().any(|word| word == wanted);
    let off = command.split_whitespace().zip(command.split_whitespace().skip(1)).any(|pair| pair == ("-e", "0"));
    if is_any(name, &["auditctl"]) && (word("-D") || word("-e0") || off) {
        return Some("took the audit rules away");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_use_of_the_same_tools_has_no_effect_on_logs() {
        for (image, command) in [
            (r"C:\Windows\System32\wevtutil.exe", "wevtutil qe Security /c:5"),
            (r"C:\Windows\System32\sc.exe", "sc stop Spooler"),
            ("/usr/sbin/auditctl", "auditctl -l"),
            ("/usr/sbin/auditctl", "auditctl -R /etc/audit/audit.rules"),
            ("/usr/bin/systemctl", "systemctl status auditd"),
        ] {
            assert_eq!(blinds(image, command), None, "{command}");
        }
        assert!(blinds("/usr/sbin/auditctl", "auditctl -e 0").is_some());
        assert!(blinds(r"C:\Windows\System32\net1.exe", "net1 stop sysmon64").is_some());
    }
}
