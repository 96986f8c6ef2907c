//! Pipes of known tools: command and control, credential theft, remote execution, published exploits.
//!
//! Source: vendors' public reports on the families named, the tools' own published source, ATT&CK T1559 and T1071;
//! names compiled by hand. A name flagged `shared` also occurs in legitimate software and is not evidence alone.

use crate::text::matches;

/// A name that a tool uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tool {
    /// Name; `*` matches anything.
    pub name: &'static str,
    /// Family it belongs to.
    pub family: &'static str,
    /// Whether legitimate software may use the same name.
    pub shared: bool,
}

const fn own(name: &'static str, family: &'static str) -> Tool {
    Tool { name, family, shared: false }
}

const fn shared(name: &'static str, family: &'static str) -> Tool {
    Tool { name, family, shared: true }
}

const C2: &[Tool] = &[
    own("46a676ab7f179e511e30dd2dc41bd388", "a Project Sauron remote shell"),
    own("9f81f59bc58452127884ce513865ed20", "a Project Sauron remote shell"),
    own("e710f28d59aa529d6792ca6ff0ca1b34", "a Project Sauron remote shell"),
    own("rpchlp_3", "a Project Sauron remote shell"),
    own("583da945-62af-10e8-4902-a8f205c72b2e", "the SolarWinds backdoor"),
    own("6e7645c4-32c5-4fe3-aabf-e94c2f4370e7", "LiquidSnake"),
    own("isapi_http", "Snake/Turla"),
    own("isapi_dg", "Snake/Turla"),
    own("isapi_dg2", "Snake/Turla"),
    own("sdlrpc", "Snake/Turla"),
    own("atctl", "Turla"),
    own("userpipe", "Turla"),
    own("iehelper", "Turla"),
    own("comnap", "Turla"),
    own("adschemerpc", "HyperStack"),
    own("winsession", "a known intrusion set"),
    own("pcheap_reuse", "a known intrusion set"),
    own("NamePipe_MoreWindows", "a known intrusion set"),
    own("bc31a7", "a known intrusion set"),
    own("bc367", "a known intrusion set"),
    own("AnonymousPipe", "a known intrusion set"),
    own("bizkaz", "a known intrusion set"),
    own("dce_3d", "a known intrusion set"),
    shared("testPipe", "Hyperbro"),
    own("gruntsvc", "Covenant"),
    own("demon_pipe", "Havoc"),
    own("brutepipe", "Brute Ratel"),
    shared("merlin", "Merlin"),
    shared("MerlinPipe", "Merlin"),
    own("tuoni", "Tuoni"),
    own("EngineerPipe", "HardHat"),
    own("RevShell", "a reverse shell"),
    own("youcantpatchthis", "a privilege escalation tool"),
    shared("Posh*", "PoshC2"),
    own("jaccdpqnvbrrxlaf", "PoshC2"),
    shared("TestSVC", "Empire"),
    own("*lacesomepipe", "TrickBot"),
    own("demoagent_11", "Cobalt Strike"),
    own("demoagent_22", "Cobalt Strike"),
    own("334485", "Cobalt Strike"),
    own("461092", "Cobalt Strike"),
    own("fvxens", "Cobalt Strike"),
    own("bypassuac", "Cobalt Strike"),
    own("5e120a", "Cobalt Strike"),
    own("66bee3", "Cobalt Strike"),
    own("8e8988b257e9dd2ea44ff03d44d26467b7c9ec16", "Cobalt Strike"),
    shared("keylogger", "Cobalt Strike"),
    shared("netview", "Cobalt Strike"),
    shared("portscan", "Cobalt Strike"),
    shared("screenshot", "Cobalt Strike"),
    shared("sshagent", "Cobalt Strike"),
    own("msf-pipe*", "Metasploit"),
    own("meterpreter*", "Metasploit"),
    shared("_test_pipe-*", "EternalHush"),
    shared("typeperf_output_*", "EternalHush"),
    shared("ncat-*", "ncat"),
];

const CREDENTIAL: &[Tool] = &[
    own("cachedump*", "a dumper of cached credentials"),
    own("lsadump*", "a dumper of LSA secrets"),
    own("wceservicepipe", "Windows Credentials Editor"),
    own("kekeo_tsssp_endpoint", "Kekeo"),
    own("imposecost", "Koh"),
    own("imposingcost", "Koh"),
    own("hashdump", "a hash dumper"),
    own("lsassw", "a credential stealer"),
    own("mimikatz*", "Mimikatz"),
];

const EXECUTORS: &[Tool] = &[
    own("PSEXESVC*", "PsExec"),
    own("PAExec*", "PAExec"),
    own("csexecsvc*", "CSExec"),
    own("RemCom_*", "RemCom"),
    own("RemComSvc*", "RemCom"),
    own("winexesvc*", "winexe"),
    own("ahexec*", "winexe"),
    own("BTOBTO", "smbexec"),
    own("__output", "smbexec"),
    own("smbexec*", "smbexec"),
    own("PDQDeployRunner*", "PDQ Deploy"),
    own("xCmd*", "xCmd"),
    own("RemoteExec*", "a remote executor"),
];

const EXPLOITS: &[Tool] = &[
    own("thisispipe", "the DiagTrack elevation of privilege"),
    own("REDSUN", "RedSun"),
    own(r"coerced\*", "CoercedPotato"),
    own("coerced", "CoercedPotato"),
];

fn find(list: &'static [Tool], name: &str) -> Option<&'static Tool> {
    list.iter().find(|tool| matches(tool.name, name))
}

/// The command-and-control family that uses this name (LIST-PIPE-C2).
pub fn c2(name: &str) -> Option<&'static Tool> {
    find(C2, name)
}

/// The credential tool that uses this name.
pub fn credential(name: &str) -> Option<&'static Tool> {
    find(CREDENTIAL, name)
}

/// The remote executor that uses this name (LIST-PIPE-EXEC).
pub fn executor(name: &str) -> Option<&'static Tool> {
    find(EXECUTORS, name)
}

/// The published exploit that uses this name (LIST-PIPE-EXPLOIT).
pub fn exploit(name: &str) -> Option<&'static Tool> {
    find(EXPLOITS, name)
}

/// The remote executor whose service has this name or binary: base name without extension.
pub fn executor_service(name: &str) -> Option<&'static Tool> {
    const SERVICES: &[Tool] = &[
        own("PSEXESVC", "PsExec"),
        own("PAExec*", "PAExec"),
        own("csexecsvc", "CSExec"),
        own("RemComSvc", "RemCom"),
        own("winexesvc*", "winexe"),
        own("ahexec*", "winexe"),
        own("BTOBTO", "smbexec"),
        own("PDQDeployRunner*", "PDQ Deploy"),
        own("xCmdSvc", "xCmd"),
    ];
    find(SERVICES, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anonymous_pipe_is_not_the_tool_of_that_name() {
        assert!(c2("AnonymousPipe").is_some() && c2("<Anonymous Pipe>").is_none());
    }

    #[test]
    fn both_spellings_of_remcom_are_listed() {
        assert!(executor("RemCom_communicaton").is_some() && executor("remcom_comunication").is_some());
        assert!(executor("build-stdin").is_none());
    }

    #[test]
    fn no_name_is_in_two_lists() {
        for tool in C2 {
            assert!(credential(tool.name).is_none() && executor(tool.name).is_none() && exploit(tool.name).is_none());
        }
    }
}
