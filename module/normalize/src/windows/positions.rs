//! The names of values by position, for carriers that have values without names.
//!
//! A table row lists the layouts that versions of one event have had. Versions added fields at known places, so the
//! number of values identifies the layout: the layout of that length is used, else the longest that the values fill.
//! The version number is not needed; carriers often omit it. (Sources: the manifests of Sysmon 6 to 15 and of Windows 7
//! to 11, verified with records of those versions.)

/// The names of the values by position; empty if the event is not known.
pub fn names(provider: Provider, event_id: u32, values: &[&str]) -> &'static [&'static str] {
    let layouts: &[Layout] = match provider {
        Provider::Sysmon => sysmon(event_id),
        Provider::Security => security(event_id),
        Provider::EventLog => match event_id {
            1102 => &[&["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId"]],
            104 => &[&["SubjectUserName", "SubjectDomainName", "Channel", "BackupPath"]],
            _ => &[],
        },
        Provider::ServiceControlManager => match event_id {
            7045 => &[&["ServiceName", "ImagePath", "ServiceType", "StartType", "AccountName"]],
            _ => &[],
        },
        Provider::PowerShell => match event_id {
            4103 => &[&["ContextInfo", "UserData", "Payload"]],
            4104 => &[&["MessageNumber", "MessageTotal", "ScriptBlockText", "ScriptBlockId", "Path"]],
            _ => &[],
        },
        Provider::WmiActivity => wmi(event_id),
        Provider::Rpc => match event_id {
            5 | 6 => &[&[
                "InterfaceUuid",
                "ProcNum",
                "Protocol",
                "NetworkAddress",
                "Endpoint",
                "Options",
                "AuthenticationLevel",
                "AuthenticationService",
                "ImpersonationLevel",
            ]],
            _ => &[],
        },
        // These have no names of their own: `param1`, `param2`, ..
        Provider::DistributedCom | Provider::MsiInstaller | Provider::ClassicPowerShell => &[],
    };
    choose(layouts, values)
}

type Layout = &'static [&'static str];

use super::Provider;

fn choose(layouts: &[Layout], values: &[&str]) -> Layout {
    // If two layouts have the same length, the position of the time decides.
    let fits = |layout: &&Layout| match layout.iter().position(|name| *name == "UtcTime") {
        Some(at) => values.get(at).is_some_and(|value| super::text::time(value).is_some()),
        None => true,
    };
    let exact = layouts.iter().filter(|layout| layout.len() == values.len()).find(fits);
    let shorter = || layouts.iter().filter(|layout| layout.len() < values.len()).filter(fits).max_by_key(|l| l.len());
    let longer = || layouts.iter().filter(fits).min_by_key(|layout| layout.len());
    exact.or_else(shorter).or_else(longer).or_else(|| layouts.first()).copied().unwrap_or(&[])
}

#[rustfmt::skip]
fn sysmon(event_id: u32) -> &'static [Layout] {
    match event_id {
        1 => &[
            &["RuleName", "UtcTime", "ProcessGuid", "ProcessId", "Image", "FileVersion", "Description", "Product", "Company", "OriginalFileName", "CommandLine", "CurrentDirectory", "User", "LogonGuid", "LogonId", "TerminalSessionId", "IntegrityLevel", "Hashes", "ParentProcessGuid", "ParentProcessId", "ParentImage", "ParentCommandLine", "ParentUser"],
            &["RuleName", "UtcTime", "ProcessGuid", "ProcessId", "Image", "FileVersion", "Description", "Product", "Company", "OriginalFileName", "CommandLine", "CurrentDirectory", "User", "LogonGuid", "LogonId", "TerminalSessionId", "IntegrityLevel", "Hashes", "ParentProcessGuid", "ParentProcessId", "ParentImage", "ParentCommandLine"],
            &["RuleName", "UtcTime", "ProcessGuid", "ProcessId", "Image", "FileVersion", "Description", "Product", "Company", "CommandLine", "CurrentDirectory", "User", "LogonGuid", "LogonId", "TerminalSessionId", "IntegrityLevel", "Hashes", "ParentProcessGuid", "ParentProcessId", "ParentImage", "ParentCommandLine"],
            &["UtcTime", "ProcessGuid", "ProcessId", "Image", "FileVersion", "Description", "Product", "Company", "CommandLine", "CurrentDirectory", "User", "LogonGuid", "LogonId", "TerminalSessionId", "IntegrityLevel", "Hashes", "ParentProcessGuid", "ParentProcessId", "ParentImage", "ParentCommandLine"],
            &["UtcTime", "ProcessGuid", "ProcessId", "Image", "CommandLine", "CurrentDirectory", "User", "LogonGuid", "LogonId", "TerminalSessionId", "IntegrityLevel", "Hashes", "ParentProcessGuid", "ParentProcessId", "ParentImage", "ParentCommandLine"],
        ],
        3 => &[
            &["RuleName", "UtcTime", "ProcessGuid", "ProcessId", "Image", "User", "Protocol", "Initiated", "SourceIsIpv6", "SourceIp", "SourceHostname", "SourcePort", "SourcePortName", "DestinationIsIpv6", "DestinationIp", "DestinationHostname", "DestinationPort", "DestinationPortName"],
            &["UtcTime", "ProcessGuid", "ProcessId", "Image", "User", "Protocol", "Initiated", "SourceIsIpv6", "SourceIp", "SourceHostname", "SourcePort", "SourcePortName", "DestinationIsIpv6", "DestinationIp", "DestinationHostname", "DestinationPort", "DestinationPortName"],
        ],
        4 => &[&["UtcTime", "State", "Version", "SchemaVersion"], &["State", "Version", "SchemaVersion"]],
        5 => &[
            &["RuleName", "UtcTime", "ProcessGuid", "ProcessId", "Image", "User"],
            &["RuleName", "UtcTime", "ProcessGuid", "ProcessId", "Image"],
            &["UtcTime", "ProcessGuid", "ProcessId", "Image"],
        ],
        7 => &[
            &["RuleName", "UtcTime", "ProcessGuid", "ProcessId", "Image", "ImageLoaded", "FileVersion", "Description", "Product", "Company", "OriginalFileName", "Hashes", "Signed", "Signature", "SignatureStatus", "User"],
            &["RuleName", "UtcTime", "ProcessGuid", "ProcessId", "Image", "ImageLoaded", "FileVersion", "Description", "Product", "Company", "OriginalFileName", "Hashes", "Signed", "Signature", "SignatureStatus"],
            &["RuleName", "UtcTime", "ProcessGuid", "ProcessId", "Image", "ImageLoaded", "FileVersion", "Description", "Product", "Company", "Hashes", "Signed", "Signature", "SignatureStatus"],
            &["UtcTime", "ProcessGuid", "ProcessId", "Image", "ImageLoaded", "FileVersion", "Description", "Product", "Company", "Hashes", "Signed", "Signature", "SignatureStatus"],
            &["UtcTime", "ProcessGuid", "ProcessId", "Image", "ImageLoaded", "Hashes", "Signed", "Signature", "SignatureStatus"],
            &["UtcTime", "ProcessGuid", "ProcessId", "Image", "ImageLoaded", "Hashes", "Signed", "Signature"],
        ],
        8 => &[
            &["RuleName", "UtcTime", "SourceProcessGuid", "SourceProcessId", "SourceImage", "TargetProcessGuid", "TargetProcessId", "TargetImage", "NewThreadId", "StartAddress", "StartModule", "StartFunction", "SourceUser", "TargetUser"],
            &["RuleName", "UtcTime", "SourceProcessGuid", "SourceProcessId", "SourceImage", "TargetProcessGuid", "TargetProcessId", "TargetImage", "NewThreadId", "StartAddress", "StartModule", "StartFunction"],
            &["UtcTime", "SourceProcessGuid", "SourceProcessId", "SourceImage", "TargetProcessGuid", "TargetProcessId", "TargetImage", "NewThreadId", "StartAddress", "StartModule", "StartFunction"],
        ],
        10 => &[
            &["RuleName", "UtcTime", "SourceProcessGUID", "SourceProcessId", "SourceThreadId", "SourceImage", "TargetProcessGUID", "TargetProcessId", "TargetImage", "GrantedAccess", "CallTrace", "SourceUser", "TargetUser"],
            &["RuleName", "UtcTime", "SourceProcessGUID", "SourceProcessId", "SourceThreadId", "SourceImage", "TargetProcessGUID", "TargetProcessId", "TargetImage", "GrantedAccess", "CallTrace"],
            &["UtcTime", "SourceProcessGUID", "SourceProcessId", "SourceThreadId", "SourceImage", "TargetProcessGUID", "TargetProcessId", "TargetImage", "GrantedAccess", "CallTrace"],
        ],
        11 => &[
            &["RuleName", "UtcTime", "ProcessGuid", "ProcessId", "Image", "TargetFilename", "CreationUtcTime", "User"],
            &["RuleName", "UtcTime", "ProcessGuid", "ProcessId", "Image", "TargetFilename", "CreationUtcTime"],
            &["UtcTime", "ProcessGuid", "ProcessId", "Image", "TargetFilename", "CreationUtcTime"],
        ],
        12 => &[
            &["RuleName", "EventType", "UtcTime", "ProcessGuid", "ProcessId", "Image", "TargetObject", "User"],
            &["RuleName", "EventType", "UtcTime", "ProcessGuid", "ProcessId", "Image", "TargetObject"],
            &["EventType", "UtcTime", "ProcessGuid", "ProcessId", "Image", "TargetObject"],
        ],
        13 => &[
            &["RuleName", "EventType", "UtcTime", "ProcessGuid", "ProcessId", "Image", "TargetObject", "Details", "User"],
            &["RuleName", "EventType", "UtcTime", "ProcessGuid", "ProcessId", "Image", "TargetObject", "Details"],
            &["EventType", "UtcTime", "ProcessGuid", "ProcessId", "Image", "TargetObject", "Details"],
        ],
        14 => &[
            &["RuleName", "EventType", "UtcTime", "ProcessGuid", "ProcessId", "Image", "TargetObject", "NewName", "User"],
            &["RuleName", "EventType", "UtcTime", "ProcessGuid", "ProcessId", "Image", "TargetObject", "NewName"],
            &["EventType", "UtcTime", "ProcessGuid", "ProcessId", "Image", "TargetObject", "NewName"],
        ],
        15 => &[
            &["RuleName", "UtcTime", "ProcessGuid", "ProcessId", "Image", "TargetFilename", "CreationUtcTime", "Hash", "Contents", "User"],
            &["RuleName", "UtcTime", "ProcessGuid", "ProcessId", "Image", "TargetFilename", "CreationUtcTime", "Hash", "Contents"],
            &["RuleName", "UtcTime", "ProcessGuid", "ProcessId", "Image", "TargetFilename", "CreationUtcTime", "Hash"],
            &["UtcTime", "ProcessGuid", "ProcessId", "Image", "TargetFilename", "CreationUtcTime", "Hash"],
        ],
        16 => &[&["UtcTime", "Configuration", "ConfigurationFileHash"], &["Configuration", "ConfigurationFileHash"]],
        17 | 18 => &[
            &["RuleName", "EventType", "UtcTime", "ProcessGuid", "ProcessId", "PipeName", "Image", "User"],
            &["RuleName", "EventType", "UtcTime", "ProcessGuid", "ProcessId", "PipeName", "Image"],
            &["RuleName", "UtcTime", "ProcessGuid", "ProcessId", "PipeName", "Image"],
            &["UtcTime", "ProcessGuid", "ProcessId", "PipeName", "Image"],
        ],
        22 => &[
            &["RuleName", "UtcTime", "ProcessGuid", "ProcessId", "QueryName", "QueryStatus", "QueryResults", "Image", "User"],
            &["RuleName", "UtcTime", "ProcessGuid", "ProcessId", "QueryName", "QueryStatus", "QueryResults", "Image"],
            &["UtcTime", "ProcessGuid", "ProcessId", "QueryName", "QueryStatus", "QueryResults", "Image"],
        ],
        25 => &[
            &["RuleName", "UtcTime", "ProcessGuid", "ProcessId", "Image", "Type", "User"],
            &["RuleName", "UtcTime", "ProcessGuid", "ProcessId", "Image", "Type"],
        ],
        _ => &[],
    }
}

#[rustfmt::skip]
fn security(event_id: u32) -> &'static [Layout] {
    match event_id {
        4624 => &[
            &["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId", "TargetUserSid", "TargetUserName", "TargetDomainName", "TargetLogonId", "LogonType", "LogonProcessName", "AuthenticationPackageName", "WorkstationName", "LogonGuid", "TransmittedServices", "LmPackageName", "KeyLength", "ProcessId", "ProcessName", "IpAddress", "IpPort", "ImpersonationLevel", "RestrictedAdminMode", "RemoteCredentialGuard", "TargetOutboundUserName", "TargetOutboundDomainName", "VirtualAccount", "TargetLinkedLogonId", "ElevatedToken"],
            &["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId", "TargetUserSid", "TargetUserName", "TargetDomainName", "TargetLogonId", "LogonType", "LogonProcessName", "AuthenticationPackageName", "WorkstationName", "LogonGuid", "TransmittedServices", "LmPackageName", "KeyLength", "ProcessId", "ProcessName", "IpAddress", "IpPort", "ImpersonationLevel", "RestrictedAdminMode", "TargetOutboundUserName", "TargetOutboundDomainName", "VirtualAccount", "TargetLinkedLogonId", "ElevatedToken"],
            &["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId", "TargetUserSid", "TargetUserName", "TargetDomainName", "TargetLogonId", "LogonType", "LogonProcessName", "AuthenticationPackageName", "WorkstationName", "LogonGuid", "TransmittedServices", "LmPackageName", "KeyLength", "ProcessId", "ProcessName", "IpAddress", "IpPort", "ImpersonationLevel"],
            &["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId", "TargetUserSid", "TargetUserName", "TargetDomainName", "TargetLogonId", "LogonType", "LogonProcessName", "AuthenticationPackageName", "WorkstationName", "LogonGuid", "TransmittedServices", "LmPackageName", "KeyLength", "ProcessId", "ProcessName", "IpAddress", "IpPort"],
        ],
        4625 => &[&["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId", "TargetUserSid", "TargetUserName", "TargetDomainName", "Status", "FailureReason", "SubStatus", "LogonType", "LogonProcessName", "AuthenticationPackageName", "WorkstationName", "TransmittedServices", "LmPackageName", "KeyLength", "ProcessId", "ProcessName", "IpAddress", "IpPort"]],
        4634 => &[&["TargetUserSid", "TargetUserName", "TargetDomainName", "TargetLogonId", "LogonType"]],
        4647 => &[&["TargetUserSid", "TargetUserName", "TargetDomainName", "TargetLogonId"]],
        4648 => &[&["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId", "LogonGuid", "TargetUserName", "TargetDomainName", "TargetLogonGuid", "TargetServerName", "TargetInfo", "ProcessId", "ProcessName", "IpAddress", "IpPort"]],
        4656 => &[
            &["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId", "ObjectServer", "ObjectType", "ObjectName", "HandleId", "TransactionId", "AccessList", "AccessReason", "AccessMask", "PrivilegeList", "RestrictedSidCount", "ProcessId", "ProcessName", "ResourceAttributes"],
            &["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId", "ObjectServer", "ObjectType", "ObjectName", "HandleId", "TransactionId", "AccessList", "AccessReason", "AccessMask", "PrivilegeList", "RestrictedSidCount", "ProcessId", "ProcessName"],
            &["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId", "ObjectServer", "ObjectType", "ObjectName", "HandleId", "TransactionId", "AccessList", "AccessMask", "PrivilegeList", "RestrictedSidCount", "ProcessId", "ProcessName"],
        ],
        4657 => &[&["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId", "ObjectName", "ObjectValueName", "HandleId", "OperationType", "OldValueType", "OldValue", "NewValueType", "NewValue", "ProcessId", "ProcessName"]],
        4663 => &[
            &["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId", "ObjectServer", "ObjectType", "ObjectName", "HandleId", "AccessList", "AccessMask", "ProcessId", "ProcessName", "ResourceAttributes"],
            &["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId", "ObjectServer", "ObjectType", "ObjectName", "HandleId", "AccessList", "AccessMask", "ProcessId", "ProcessName"],
        ],
        4670 => &[&["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId", "ObjectServer", "ObjectType", "ObjectName", "HandleId", "OldSd", "NewSd", "ProcessId", "ProcessName"]],
        4672 => &[&["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId", "PrivilegeList"]],
        4688 => &[
            &["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId", "NewProcessId", "NewProcessName", "TokenElevationType", "ProcessId", "CommandLine", "TargetUserSid", "TargetUserName", "TargetDomainName", "TargetLogonId", "ParentProcessName", "MandatoryLabel"],
            &["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId", "NewProcessId", "NewProcessName", "TokenElevationType", "ProcessId", "CommandLine"],
            &["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId", "NewProcessId", "NewProcessName", "TokenElevationType", "ProcessId"],
        ],
        4689 => &[&["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId", "Status", "ProcessId", "ProcessName"]],
        4697 => &[
            &["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId", "ServiceName", "ServiceFileName", "ServiceType", "ServiceStartType", "ServiceAccount", "ClientProcessStartKey", "ClientProcessId", "ParentProcessId"],
            &["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId", "ServiceName", "ServiceFileName", "ServiceType", "ServiceStartType", "ServiceAccount"],
        ],
        4698 => &[
            &["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId", "TaskName", "TaskContent", "ClientProcessStartKey", "ClientProcessId", "ParentProcessId", "RpcCallClientLocality", "FQDN"],
            &["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId", "TaskName", "TaskContent"],
        ],
        4703 => &[&["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId", "TargetUserSid", "TargetUserName", "TargetDomainName", "TargetLogonId", "ProcessName", "ProcessId", "EnabledPrivilegeList", "DisabledPrivilegeList"]],
        4704 => &[&["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId", "TargetSid", "PrivilegeList"]],
        4720 => &[&["TargetUserName", "TargetDomainName", "TargetSid", "SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId", "PrivilegeList"]],
        4728 | 4732 => &[&["MemberName", "MemberSid", "TargetUserName", "TargetDomainName", "TargetSid", "SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId", "PrivilegeList"]],
        5140 => &[
            &["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId", "ObjectType", "IpAddress", "IpPort", "ShareName", "ShareLocalPath", "AccessMask", "AccessList"],
            &["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId", "IpAddress", "IpPort", "ShareName"],
        ],
        5145 => &[&["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId", "ObjectType", "IpAddress", "IpPort", "ShareName", "ShareLocalPath", "RelativeTargetName", "AccessMask", "AccessList", "AccessReason"]],
        5156 => &[&["ProcessID", "Application", "Direction", "SourceAddress", "SourcePort", "DestAddress", "DestPort", "Protocol"]],
        5158 => &[&["ProcessId", "Application", "SourceAddress", "SourcePort", "Protocol"]],
        _ => &[],
    }
}

fn wmi(event_id: u32) -> &'static [Layout] {
    match event_id {
        5857 => &[&["ProviderName", "Code", "HostProcess", "ProcessID", "ProviderPath"]],
        5858 => &[&[
            "Id",
            "ClientMachine",
            "User",
            "ClientProcessId",
            "Component",
            "Operation",
            "ResultCode",
            "PossibleCause",
        ]],
        5859 => &[&["NamespaceName", "Query", "User", "processid", "providerName", "queryid", "PossibleCause"]],
        5860 => &[&["NamespaceName", "Query", "User", "Processid", "ClientMachine", "PossibleCause"]],
        5861 => &[&["Namespace", "ESS", "CONSUMER", "PossibleCause"]],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_values_chooses_the_version() {
        let mut values = vec!["x"; 15];
        assert_eq!(names(Provider::Security, 4688, &values).len(), 15);
        values.truncate(9);
        assert_eq!(names(Provider::Security, 4688, &values).last(), Some(&"CommandLine"));
        assert_eq!(names(Provider::Security, 4688, &[]).len(), 8, "the oldest, if nothing fits");
    }

    #[test]
    fn the_place_of_the_time_chooses_between_layouts() {
        let time = "2024-05-06 07:08:09.123";
        let new = ["-", "CreatePipe", time, "{g}", "4", r"\p", "System", "NT AUTHORITY\\SYSTEM", "more"];
        assert_eq!(names(Provider::Sysmon, 17, &new).len(), 8);
        let old = [time, "{g}", "4", r"\p", "System", "unknown addition"];
        assert_eq!(names(Provider::Sysmon, 17, &old)[3], "PipeName");
    }
}
