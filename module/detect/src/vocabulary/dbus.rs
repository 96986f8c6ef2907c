//! Methods of bus services that act with administrator's rights, and the tools that call them from a command line.
//! Sources: the services' published interfaces (freedesktop.org, systemd's org.freedesktop.systemd1(5) and siblings).

use crate::Actor;
use crate::text::{contains, is_any};

/// A method that changes the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method {
    /// End of the interface's name.
    pub interface: &'static str,
    /// Member.
    pub member: &'static str,
    /// Whether a call gives control of the machine: accounts, units, authorisation, the names of privileged services.
    pub gives_root: bool,
}

const fn root(interface: &'static str, member: &'static str) -> Method {
    Method { interface, member, gives_root: true }
}

const fn other(interface: &'static str, member: &'static str) -> Method {
    Method { interface, member, gives_root: false }
}

const METHODS: &[Method] = &[
    root("Accounts", "CreateUser"),
    root("Accounts", "DeleteUser"),
    root("Accounts", "CacheUser"),
    root("Accounts.User", "SetPassword"),
    root("Accounts.User", "SetAccountType"),
    root("Accounts.User", "SetPasswordMode"),
    root("Accounts.User", "SetShell"),
    root("Accounts.User", "SetHomeDirectory"),
    root("Accounts.User", "SetUserName"),
    root("Accounts.User", "SetAutomaticLogin"),
    root("Accounts", "SetPassword"),
    root("Accounts", "SetAccountType"),
    root("systemd1.Manager", "StartUnit"),
    root("systemd1.Manager", "StartTransientUnit"),
    root("systemd1.Manager", "LinkUnitFiles"),
    root("systemd1.Manager", "EnableUnitFiles"),
    root("systemd1.Manager", "SetEnvironment"),
    root("systemd1.Manager", "SwitchRoot"),
    root("systemd1.Manager", "KExec"),
    root("systemd1.Manager", "RestartUnit"),
    root("systemd1.Manager", "StopUnit"),
    root("systemd1.Manager", "BindMountUnit"),
    root("systemd1.Manager", "Reexecute"),
    root("PolicyKit1.Authority", "RegisterAuthenticationAgent"),
    root("PolicyKit1.Authority", "RegisterAuthenticationAgentWithOptions"),
    root("PolicyKit1.Authority", "AuthenticationAgentResponse2"),
    root("machine1.Manager", "OpenMachineShell"),
    root("machine1.Manager", "OpenMachineRootShell"),
    root("machine1.Machine", "OpenShell"),
    root("PackageKit.Transaction", "InstallPackages"),
    root("PackageKit.Transaction", "InstallFiles"),
    other("systemd1.Manager", "Reload"),
    other("login1.Manager", "SetUserLinger"),
    other("login1.Manager", "TerminateSession"),
    other("login1.Manager", "KillSession"),
    other("login1.Manager", "ActivateSession"),
    other("login1.Manager", "UnlockSession"),
    other("login1.Manager", "Reboot"),
    other("login1.Manager", "PowerOff"),
    other("hostname1", "SetHostname"),
    other("hostname1", "SetStaticHostname"),
    other("timedate1", "SetTime"),
    other("timedate1", "SetNTP"),
    other("locale1", "SetLocale"),
    other("UDisks2.Manager", "LoopSetup"),
    other("UDisks2.Filesystem", "Mount"),
    other("UDisks2.Filesystem", "TakeOwnership"),
    other("NetworkManager.Settings", "AddConnection"),
    other("NetworkManager", "AddAndActivateConnection"),
    other("fwupd", "Install"),
];

/// Privileged services whose bus name an attacker may take over.
const PRIVILEGED_NAMES: &[&str] = &[
    "org.freedesktop.Accounts",
    "org.freedesktop.systemd1",
    "org.freedesktop.PolicyKit1",
    "org.freedesktop.login1",
    "org.freedesktop.machine1",
    "org.freedesktop.PackageKit",
    "org.freedesktop.UDisks2",
    "org.freedesktop.NetworkManager",
    "org.freedesktop.hostname1",
    "org.freedesktop.resolve1",
    "org.freedesktop.fwupd",
];

/// Taking the name of a privileged service.
pub const REQUEST_NAME: Method = root("DBus", "RequestName");

/// The privileged method that a call names.
pub fn method(interface: &str, member: &str) -> Option<Method> {
    METHODS.iter().copied().find(|method| {
        method.member == member
            && interface.strip_suffix(method.interface).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

/// Whether the program sends the bus calls given on its command line.
pub fn is_client_tool(actor: Actor<'_>) -> bool {
    is_any(actor.name(), &["dbus-send", "gdbus", "busctl", "qdbus", "qdbus6", "qdbus-qt5"])
        || actor.is(&["dbus-send", "gdbus", "busctl"])
}

/// Whether a command line of a bus tool uses the system bus. It is the default of busctl, and an option of the others.
pub fn is_system_bus(actor: Actor<'_>) -> bool {
    let command = actor.command_line;
    if actor.is(&["busctl"]) {
        return !contains(command, "--user");
    }
    contains(command, "--system") || contains(command, "system_bus_socket") || contains(command, " -y ")
}

/// The privileged method that a command line calls: `interface.member` in one word, or in two words one after the
/// other (busctl).
pub fn called(command: &str) -> Option<Method> {
    let mut before = "";
    for word in command.split([' ', '\'', '"', '(', ')', ',']).filter(|word| !word.is_empty()) {
        if let Some((interface, member)) = word.rsplit_once('.')
            && word.contains("org.")
        {
            if let Some(method) = method(interface, member) {
                return Some(method);
            }
            if member == "RequestName" && names_privileged_service(command) {
                return Some(REQUEST_NAME);
            }
        }
        if before.contains('.') && !before.starts_with('/') {
            if let Some(method) = method(before, word) {
                return Some(method);
            }
            if word == "RequestName" && names_privileged_service(command) {
                return Some(REQUEST_NAME);
            }
        }
        before = word;
    }
    None
}

fn names_privileged_service(command: &str) -> bool {
    command.split([' ', ':', '\'', '"', '=']).any(|word| PRIVILEGED_NAMES.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(command: &str) -> Option<&'static str> {
        called(command).map(|method| method.member)
    }

    #[test]
    fn one_word_and_two_words_name_a_method() {
        let dbus_send = "dbus-send --system --dest=org.freedesktop.systemd1 /org/freedesktop/systemd1 \
                         org.freedesktop.systemd1.Manager.StartUnit string:a.service string:replace";
        assert_eq!(member(dbus_send), Some("StartUnit"));
        let busctl = "busctl call -- org.freedesktop.systemd1 /org/freedesktop/systemd1 \
                      org.freedesktop.systemd1.Manager StartTransientUnit ssa(sv)a(sa(sv)) x.service fail 0";
        assert_eq!(member(busctl), Some("StartTransientUnit"));
        let gdbus = "gdbus call --system --dest org.freedesktop.Accounts --object-path /org/freedesktop/Accounts \
                     --method org.freedesktop.Accounts.CreateUser a b 1";
        assert_eq!(member(gdbus), Some("CreateUser"));
    }

    #[test]
    fn reading_is_no_privileged_method_and_names_matter() {
        let reads = "gdbus call --system --dest org.freedesktop.hostname1 --object-path /org/freedesktop/hostname1 \
                     --method org.freedesktop.DBus.Properties.Get org.freedesktop.hostname1 Hostname";
        assert_eq!(member(reads), None);
        assert_eq!(member("dbus-send --system org.freedesktop.systemd1.Manager.GetUnit string:x"), None);
        assert_eq!(member("dbus-send org.freedesktop.DBus.RequestName string:com.example.Mine uint32:4"), None);
        let takes = "dbus-send org.freedesktop.DBus.RequestName string:org.freedesktop.Accounts uint32:4";
        assert_eq!(member(takes), Some("RequestName"));
        assert_eq!(method("com.example.Accounts.Old", "CreateUser"), None);
    }
}
