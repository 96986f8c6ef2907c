//! Modules whose presence in a process indicates what it does.

use crate::text::{base_name, ends_with, is_any};

/// Script engines, the .NET runtime, VBA, Excel add-ins, proxies of COM automation: the modules stored for a process.
/// Source: ATT&CK T1559.001, T1137.006 and the public Sigma rules on image loads.
pub fn is_notable(path: &str) -> bool {
    ends_with(path, ".xll")
        || is_any(
            base_name(path),
            &[
                "clr.dll",
                "mscoree.dll",
                "mscorwks.dll",
                "vbe7.dll",
                "jscript.dll",
                "jscript9.dll",
                "vbscript.dll",
                "scrobj.dll",
                "wshom.ocx",
                "system.management.automation.dll",
                "system.management.automation.ni.dll",
                "iertutil.dll",
                "msxml3.dll",
                "msxml6.dll",
                "fastprox.dll",
                "wbemcomn.dll",
                "ieproxy.dll",
                "taskschd.dll",
            ],
        )
}
