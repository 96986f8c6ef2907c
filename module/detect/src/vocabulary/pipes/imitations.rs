//! Formats of pipe names that configurable implants use to imitate Windows or a product.
//!
//! Source: public Cobalt Strike profiles and reports; ATT&CK T1036. The strict formats are anchored at both ends,
//! so that products whose names have the same beginning (`f53f` and 28 digits of Visual Studio, `DserNamePipeR1`) do not
//! match.

use super::strip_prefix;

/// What is allowed between prefix and suffix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Middle {
    /// Hexadecimal digits: minimum and maximum number.
    Hex(usize, usize),
    /// At least one decimal digit.
    Decimal,
}

/// One format: prefix, middle, suffix, in lower case.
type Shape = (&'static str, Middle, &'static str);

const STRICT: &[Shape] = &[
    ("MSSE-", Middle::Decimal, "-server"),
    ("msagent_", Middle::Hex(1, 4), ""),
    ("postex_ssh_", Middle::Hex(4, 4), ""),
    ("postex_", Middle::Hex(4, 4), ""),
    ("status_", Middle::Hex(1, 4), ""),
    ("samr_", Middle::Hex(1, 5), ""),
    ("lsarpc_", Middle::Hex(1, 5), ""),
    ("netlogon_", Middle::Hex(1, 5), ""),
    ("srvsvc_", Middle::Hex(1, 5), ""),
    ("wkssvc_", Middle::Hex(1, 5), ""),
    ("ntsvcs_", Middle::Hex(1, 5), ""),
    ("scerpc_", Middle::Hex(1, 5), ""),
    ("spoolss_", Middle::Hex(1, 5), ""),
    ("rpc_", Middle::Hex(1, 5), ""),
    ("msrpc_", Middle::Hex(1, 5), ""),
    ("win_svc_", Middle::Hex(1, 5), ""),
    ("interprocess_", Middle::Hex(1, 5), ""),
    ("fullduplex_", Middle::Hex(1, 5), ""),
    ("UIA_PIPE_", Middle::Hex(1, 5), ""),
    ("ntsvcs", Middle::Hex(1, 5), ""),
    ("scerpc", Middle::Hex(1, 5), ""),
    ("wkssvc", Middle::Hex(1, 5), ""),
    ("DserNamePipe", Middle::Hex(1, 5), ""),
    ("SearchTextHarvester", Middle::Hex(1, 5), ""),
    ("PGMessagePipe", Middle::Hex(1, 5), ""),
    ("MsFteWds", Middle::Hex(1, 5), ""),
    (r"win\msrpc_", Middle::Hex(1, 4), ""),
    ("f4c3", Middle::Hex(2, 2), ""),
    ("f53f", Middle::Hex(2, 2), ""),
    ("mypipe-f", Middle::Hex(2, 2), ""),
    ("mypipe-h", Middle::Hex(2, 2), ""),
    ("windows.update.manager", Middle::Hex(2, 3), ""),
    (r"Winsock2\CatalogChangeListener-", Middle::Hex(3, 3), "-0,"),
];

/// Prefixes of the loose formats. `UIA_PIPE_<pid>_<id>` is excluded, because every window of Windows has one. Families
/// that contain their creator (`mojo.`, `Winsock2\`, ...) are excluded, because they are compared with it.
const LOOSE: &[&str] = &[
    "MSSE-",
    "msagent_",
    "postex_",
    "status_",
    "mypipe-",
    "windows.update.manager",
    "mojo_",
    "winsock",
    "WkSvcPipeMgr_",
    "PIPEAAAA",
    "f4c3",
    "f53f",
    "demoagent_",
    "ntsvcs_",
    "scerpc_",
    "wkssvc_",
    "spoolss_",
    "samr_",
    "lsarpc_",
    "netlogon_",
    "srvsvc_",
    "msrpc_",
    "DserNamePipe",
    "SearchTextHarvester",
    "PGMessagePipe",
];

/// Whether a name (without prefix) has exactly the format of an imitation.
pub fn is_strict(name: &str) -> bool {
    STRICT.iter().any(|(prefix, middle, suffix)| {
        strip_prefix(name, prefix).and_then(|rest| rest.strip_suffix(suffix)).is_some_and(|rest| match middle {
            Middle::Hex(least, most) => {
                (*least..=*most).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_hexdigit())
            }
            Middle::Decimal => !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()),
        })
    })
}

/// Whether a name (without prefix) has the beginning of an imitation. `Winsock2\` itself is not an imitation.
pub fn is_loose(name: &str) -> bool {
    LOOSE.iter().any(|prefix| strip_prefix(name, prefix).is_some_and(|rest| !rest.is_empty()))
        && strip_prefix(name, r"Winsock2\").is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_anchored_at_both_ends() {
        for name in ["MSSE-1234-server", "msagent_8f", "postex_ssh_ab12", "spoolss_1f2", "f53f0a", "wkssvc12"] {
            assert!(is_strict(name), "{name}");
        }
        for name in ["f53f0123456789abcdef0123456789ab", "wkssvc", "DserNamePipeR1", "status_ready", "MSSE--server"] {
            assert!(!is_strict(name), "{name}");
        }
    }

    #[test]
    fn a_genuine_winsock_name_is_not_an_imitation() {
        assert!(!is_loose(r"Winsock2\CatalogChangeListener-37c-0") && is_loose("WkSvcPipeMgr_x"));
    }
}
