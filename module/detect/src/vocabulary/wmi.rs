//! Processes and subscriptions that belong to WMI. Source: Windows' own provider host, Microsoft's documentation of its helpers.

use super::folders;
use crate::Actor;
use crate::text::{contains, contains_any};

/// Whether the provider host starts such a child by itself: crash reports, the MOF compiler, the C# compiler of
/// managed providers, power settings, installations by management software that keep the machine running.
pub fn is_provider_helper(child: Actor<'_>) -> bool {
    if !folders::is_system_path(child.image) {
        return false;
    }
    child.is(&["wmiprvse.exe", "werfault.exe", "wermgr.exe", "conhost.exe", "mofcomp.exe", "powercfg.exe", "csc.exe"])
        || (child.is(&["msiexec.exe"]) && contains(child.command_line, "REBOOT=ReallySuppress"))
}

/// Whether a subscription has a name that Windows or a vendor uses: the event log of the service manager,
/// the kernel's capture test, Dell's power and brightness, Configuration Manager.
pub fn is_usual_consumer(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "SCM Event Log",
        "BVTConsumer",
        "BVTFilter",
        "DSM Event Log",
        "DellCommandPowerManager",
        "BrightnessEvent",
        "CCM_",
    ];
    contains_any(name, NAMES)
}
