//! Security-relevant interfaces of Windows' remote procedure calls, by UUID and by the names that network monitors use, and their operations by name and number. Sources: MS-DCOM, MS-OAUT, MS-WMI, MS-SCMR, MS-TSCH, MS-RRP,
//! MS-EFSR, MS-RPRN, MS-DFSNM, MS-FSRVP, MS-EVEN, MS-SAMR, MS-SRVS, MS-WKST, MS-DRSR.

pub use crate::memory::rpc_calls::Interface;
use crate::text::{contains, is_any, starts_with};

const KNOWN: &[(Interface, &[&str])] = &[
    (
        Interface::Activation,
        &[
            "IRemoteSCMActivator",
            "ISystemActivator",
            "IRemoteActivation",
            "IActivation",
            "000001a0-0000-0000-c000-000000000046",
            "4d9f4ab8-7d1c-11cf-861e-0020af6e7c57",
        ],
    ),
    (Interface::ObjectExporter, &["IObjectExporter", "IOXIDResolver", "99fcfec4-5260-101b-bbcb-00aa0021347a"]),
    (Interface::Dispatch, &["IDispatch", "00020400-0000-0000-c000-000000000046"]),
    (Interface::WmiLogin, &["IWbemLevel1Login", "f309ad18-d86a-11d0-a075-00c04fb68820"]),
    (Interface::WmiServices, &["IWbemServices", "9556dc99-828c-11cf-a37e-00aa003240c7"]),
    (Interface::Services, &["svcctl", "367abb81-9844-35f1-ad32-98f038001003"]),
    (Interface::Tasks, &["ITaskSchedulerService", "86d35949-83c9-4044-b424-db363231fd0c"]),
    (Interface::AtTasks, &["atsvc", "1ff70682-0a51-30e8-076d-740be8cee98b"]),
    (Interface::TaskAccounts, &["sasec", "378e52b0-c0a9-11cf-822d-00aa0051e40f"]),
    (Interface::Registry, &["winreg", "338cd001-2244-31f1-aaaa-900038001003"]),
    (
        Interface::Efs,
        &["efsrpc", "efs", "c681d488-d850-11d0-8c52-00c04fd90f7e", "df1941c5-fe89-4e79-bf10-463657acf44d"],
    ),
    (Interface::Printing, &["spoolss", "winspool", "12345678-1234-abcd-ef00-0123456789ab"]),
    (Interface::Dfs, &["netdfs", "4fc742e0-4a10-11cf-8273-00aa004ae673"]),
    (Interface::ShadowCopy, &["fsrvp", "FileServerVssAgent", "a8e0653c-2744-4389-a61d-7373df8b2292"]),
    (Interface::EventLog, &["eventlog", "82273fdc-e32a-18c3-3f78-827929dc23ea"]),
    (Interface::EventLog6, &["IEventService", "f6beaff7-1e19-4fbb-9f8f-b89e2018337c"]),
    (Interface::Sam, &["samr", "12345778-1234-abcd-ef00-0123456789ac"]),
    (Interface::Server, &["srvsvc", "4b324fc8-1670-01d3-1278-5a47bf6ee188"]),
    (Interface::Workstation, &["wkssvc", "6bffd098-a112-3610-9833-46c3f87e345a"]),
    (Interface::Replication, &["drsuapi", "e3514235-4b06-11d1-ab04-00c04fc2dcd2"]),
];

/// The interface of that name or UUID. Calls of EFS are also recognised by the operation, because monitors log its first
/// UUID under the name of the interface with which it shares a pipe.
pub fn interface(name: &str, operation: &str) -> Option<Interface> {
    if starts_with(operation, "EfsRpc") || starts_with(operation, "Efsr") {
        return Some(Interface::Efs);
    }
    KNOWN.iter().find(|(_, names)| is_any(name, names)).map(|(interface, _)| *interface)
}

impl Interface {
    /// Its description in findings.
    pub const fn what(self) -> &'static str {
        match self {
            Self::Activation => "activation of COM objects",
            Self::ObjectExporter => "resolution of COM objects",
            Self::Dispatch => "automation of COM objects",
            Self::WmiLogin | Self::WmiServices => "WMI",
            Self::Services => "the service control manager",
            Self::Tasks | Self::AtTasks | Self::TaskAccounts => "the task scheduler",
            Self::Registry => "the remote registry",
            Self::Efs => "the encrypting file system service",
            Self::Printing => "the print spooler",
            Self::Dfs => "the DFS namespace service",
            Self::ShadowCopy => "the shadow copy agent",
            Self::EventLog | Self::EventLog6 => "the event log service",
            Self::Sam => "the account database",
            Self::Server => "the server service",
            Self::Workstation => "the workstation service",
            Self::Replication => "directory replication",
        }
    }
}

/// Whether an operation, by name or number, is one of `names` or `numbers`.
pub fn is_operation(operation: &str, names: &[&str], numbers: &[u16]) -> bool {
    if let Ok(number) = operation.parse::<u16>() {
        return numbers.contains(&number);
    }
    // The specifications prefix names with R or Netr, which some sources omit.
    let bare = operation.strip_prefix('R').filter(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()));
    is_any(operation, names) || bare.is_some_and(|bare| is_any(bare, names))
}

/// Whether the call activates a COM class.
pub fn activates(interface: Interface, operation: &str) -> bool {
    interface == Interface::Activation
        && is_operation(
            operation,
            &["RemoteCreateInstance", "RemoteGetClassObject", "RemoteActivation"],
            // RemoteActivation is number 0 and the only operation of the old interface; the new one starts at 3.
            &[0, 3, 4],
        )
}

/// Whether the call makes the called machine authenticate to another one: `Some(true)` if the operation has no other
/// remote use.
pub fn coerces(interface: Interface, operation: &str) -> Option<bool> {
    match interface {
        Interface::Efs => Some(true),
        Interface::ShadowCopy
            if is_operation(operation, &["IsPathSupported", "IsPathShadowCopied", "GetSupportedVersion"], &[8, 9]) =>
        {
            Some(true)
        }
        Interface::Dfs if is_operation(operation, &["NetrDfsAddStdRoot", "NetrDfsRemoveStdRoot"], &[12, 13]) => {
            Some(false)
        }
        Interface::Printing
            if contains(operation, "RemoteFindFirstPrinterChange") || is_operation(operation, &[], &[62, 65]) =>
        {
            Some(false)
        }
        Interface::EventLog if is_operation(operation, &["ElfrOpenBELW", "ElfrOpenBELA"], &[9, 16]) => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_is_found_by_name_and_uuid() {
        assert_eq!(interface("IRemoteSCMActivator", "x"), Some(Interface::Activation));
        assert_eq!(interface("367abb81-9844-35f1-ad32-98f038001003", "12"), Some(Interface::Services));
        assert_eq!(interface("lsarpc", "EfsRpcOpenFileRaw"), Some(Interface::Efs));
        assert_eq!(interface("epmapper", "ept_map"), None);
    }

    #[test]
    fn operations_match_with_and_without_their_prefix() {
        assert!(is_operation("RCreateServiceW", &["CreateServiceW"], &[12]));
        assert!(is_operation("CreateServiceW", &["CreateServiceW"], &[12]));
        assert!(is_operation("12", &["CreateServiceW"], &[12]));
        assert!(!is_operation("15", &["CreateServiceW"], &[12]));
        assert!(!is_operation("Replace", &["eplace"], &[]));
    }
}
