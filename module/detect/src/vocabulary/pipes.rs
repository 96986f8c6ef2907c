//! Names of pipes: which part is fixed, which part is a process id, a host or random.
//!
//! The lists of names are in the files of this folder, one subject each: [`tools`], [`imitations`], [`owners`], [`sensitive`],
//! [`sacrificial`], [`remote`]; [`random`] recognises randomly generated names. Sources: Windows' own names as MS-RPCE
//! and Sysmon show them, Chromium (`mojo`), Crashpad, PowerShell (`PSHost`), Winsock, .NET diagnostics, PsExec.

pub mod imitations;
pub mod owners;
pub mod random;
pub mod remote;
pub mod sacrificial;
pub mod sensitive;
pub mod tools;

use crate::text::{self, starts_with};

/// The name without the prefixes that some sources add: `\\.\pipe\`, `\Device\NamedPipe\`, `\pipe\`, a backslash.
/// Case is kept.
pub fn bare(name: &str) -> &str {
    let name = name.trim_start_matches('\\');
    for prefix in [r".\pipe\", r"?\pipe\", r"??\pipe\", r"Device\NamedPipe\", r"pipe\"] {
        if let Some(rest) = strip_prefix(name, prefix) {
            return rest.trim_start_matches('\\');
        }
    }
    name
}

/// The class of a pipe name (N-PIPE): lower case, without prefix, variable parts as `{guid}`, `{sid}`, `{hex}` (runs of
/// 8 or more hexadecimal digits) and `{n}` (runs of 3 or more decimal digits). Families whose names contain their
/// creator become typed classes (`mojo.{pid}.{tid}.{random}`).
pub fn class(name: &str) -> String {
    class_on(name, "", "")
}

/// As [`class`], with the names of the host and of an account replaced by `{host}` and `{user}` (either may be empty).
pub fn class_on(name: &str, host: &str, user: &str) -> String {
    let host = text::label(host);
    let name = bare(name);
    let (local, name) = match strip_prefix(name, r"LOCAL\") {
        Some(rest) => (r"local\", rest),
        None => ("", name),
    };
    if stream(name).is_some_and(|stream| stream.pid.is_some()) {
        return format!("{local}{{service}}-{{host}}-{{pid}}-{{stream}}");
    }
    match claim(name) {
        Some(claim) => format!("{local}{}", claim.family.class()),
        None => generic(local, name, host, user),
    }
}

fn generic(local: &str, name: &str, host: &str, user: &str) -> String {
    let mut out = String::with_capacity(local.len() + name.len());
    out.push_str(local);
    let mut rest = name;
    let mut boundary = true;
    while let Some(first) = rest.chars().next() {
        let (length, placeholder) = variable(rest, host, user, boundary);
        if length > 0 {
            out.push_str(placeholder);
            boundary = false;
            rest = rest.get(length..).unwrap_or("");
            continue;
        }
        let run = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
        if run > 0 {
            word(rest.get(..run).unwrap_or(""), &mut out);
        } else {
            out.push(first);
        }
        boundary = run == 0;
        rest = rest.get(run.max(if run > 0 { 0 } else { first.len_utf8() })..).unwrap_or("");
    }
    out
}

/// The length of a variable part at the start of `rest`, and its placeholder; 0 if there is none.
fn variable(rest: &str, host: &str, user: &str, boundary: bool) -> (usize, &'static str) {
    if !boundary {
        return (0, "");
    }
    if let Some(length) = guid_length(rest) {
        return (length, "{guid}");
    }
    if starts_with(rest, "S-1-") {
        let length = rest.bytes().skip(4).take_while(|b| b.is_ascii_digit() || *b == b'-').count();
        if length >= 3 {
            return (4 + length, "{sid}");
        }
    }
    for (word, placeholder) in [(host, "{host}"), (user, "{user}")] {
        let ends = rest.as_bytes().get(word.len()).is_none_or(|b| !b.is_ascii_alphanumeric());
        if word.len() >= 3 && ends && starts_with(rest, word) {
            return (word.len(), placeholder);
        }
    }
    (0, "")
}

/// The length of the GUID at the start of `text`: 36, or 32 for one whose last group was cut to 8 digits.
fn guid_length(text: &str) -> Option<usize> {
    let group = |bytes: &[u8]| bytes.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    let bytes = text.as_bytes();
    let mut at = 0;
    for wanted in [8, 4, 4, 4] {
        if group(bytes.get(at..)?) != wanted || bytes.get(at + wanted) != Some(&b'-') {
            return None;
        }
        at += wanted + 1;
    }
    match group(bytes.get(at..)?) {
        12 => Some(36),
        8 => Some(32),
        _ => None,
    }
}

/// Whether the whole name, apart from braces, is a GUID or a truncated one.
pub fn is_guid(name: &str) -> bool {
    let name = name.trim_matches(['{', '}']);
    guid_length(name) == Some(name.len())
}

fn word(word: &str, out: &mut String) {
    if word.len() >= 8 && word.bytes().all(|b| b.is_ascii_hexdigit()) && word.bytes().any(|b| b.is_ascii_digit()) {
        return out.push_str("{hex}");
    }
    let mut rest = word;
    while let Some(first) = rest.chars().next() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits >= 3 {
            out.push_str("{n}");
        } else if digits > 0 {
            out.push_str(rest.get(..digits).unwrap_or(""));
        } else {
            out.push(first.to_ascii_lowercase());
        }
        rest = rest.get(digits.max(1)..).unwrap_or("");
    }
}

/// One of the three pipes that carry a remote command's standard streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream<'n> {
    /// The name without the stream's part: common to all three.
    pub stem: &'n str,
    /// The separator before the stream's part: `-` or `_`.
    pub separator: char,
    /// Which: `stdin`, `stdout`, `stderr` as logged.
    pub which: &'n str,
    /// The service the client installed.
    pub service: &'n str,
    /// The client's machine; empty in the form that does not contain it.
    pub host: &'n str,
    /// The client's process id on that machine.
    pub pid: Option<u32>,
}

/// Reads `<service>-<client host>-<client pid>-stdin` (PsExec and similar tools) and the shorter `<service>_stdin`.
pub fn stream(name: &str) -> Option<Stream<'_>> {
    let at = name.rfind(['-', '_'])?;
    let which = name.get(at + 1..)?;
    if !text::is_any(which, &["stdin", "stdout", "stderr"]) {
        return None;
    }
    let stem = name.get(..at)?;
    let separator = if name.as_bytes().get(at) == Some(&b'_') { '_' } else { '-' };
    let full = (separator == '-').then(|| executor(stem)).flatten();
    let (service, host, pid) = match full {
        Some((service, host, pid)) => (service, host, Some(pid)),
        None => (stem, "", None),
    };
    // Without a host and a pid, "-stdin" alone is common; only these tools use the underscore form.
    (separator == '_' || pid.is_some()).then_some(Stream { stem, separator, which, service, host, pid })
}

fn executor(stem: &str) -> Option<(&str, &str, u32)> {
    let (front, pid) = stem.rsplit_once('-')?;
    let (service, host) = front.split_once('-')?;
    let pid = pid.parse().ok()?;
    (!service.is_empty() && !host.is_empty()).then_some((service, host, pid))
}

/// A name that contains the process that created it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim<'n> {
    /// Which family of names.
    pub family: Described,
    /// The process id in the name.
    pub pid: u32,
    /// The process's name in it; empty where the family has none.
    pub process: &'n str,
}

/// Families of names that contain their creator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Described {
    /// `PSHost.<ticks>.<pid>.<app domain>.<process>`: the PowerShell engine.
    PowerShell,
    /// `Winsock2\CatalogChangeListener-<hex pid>-<n>`: any process that loaded Winsock.
    Winsock,
    /// `mojo.<pid>.<tid>.<random>`: Chromium and everything built on it.
    Mojo,
    /// `chrome.sync.<pid>...`: the same.
    ChromeSync,
    /// `crashpad_<pid>_<random>`: its crash reporter.
    Crashpad,
    /// `dotnet-diagnostic-<pid>`: .NET runtime.
    DotnetDiagnostic,
    /// `clr-debug-pipe-<pid>-...`: .NET debugger transport.
    ClrDebug,
    /// `TSVCPIPE-<guid>`: terminal services. It contains no process; its pid is 0.
    TerminalServices,
}

impl Described {
    /// The typed class of the family.
    pub const fn class(self) -> &'static str {
        match self {
            Self::PowerShell => "pshost.{ticks}.{pid}.{domain}.{process}",
            Self::Winsock => r"winsock2\catalogchangelistener-{pid}-{n}",
            Self::Mojo => "mojo.{pid}.{tid}.{random}",
            Self::ChromeSync => "chrome.sync.{pid}.{random}",
            Self::Crashpad => "crashpad_{pid}_{random}",
            Self::DotnetDiagnostic => "dotnet-diagnostic-{pid}",
            Self::ClrDebug => "clr-debug-pipe-{pid}-{n}",
            Self::TerminalServices => "tsvcpipe-{guid}",
        }
    }
}

/// The creator contained in a name (without prefix), if it belongs to such a family.
pub fn claim(name: &str) -> Option<Claim<'_>> {
    let name = strip_prefix(name, r"LOCAL\").unwrap_or(name);
    let at = |family, pid: &str| pid.parse().ok().map(|pid| Claim { family, pid, process: "" });
    if let Some(rest) = strip_prefix(name, "PSHost.") {
        let mut parts = rest.splitn(4, '.');
        let ticks = parts.next()?;
        let claim = at(Described::PowerShell, parts.next()?)?;
        parts.next()?;
        return (digits(ticks) == ticks.len()).then_some(Claim { process: parts.next()?, ..claim });
    }
    if let Some(rest) = strip_prefix(name, r"Winsock2\CatalogChangeListener-") {
        let (pid, n) = rest.split_once('-')?;
        let pid = u32::from_str_radix(pid, 16).ok()?;
        return (digits(n) == n.len() && !n.is_empty()).then_some(Claim {
            family: Described::Winsock,
            pid,
            process: "",
        });
    }
    if let Some(rest) = strip_prefix(name, "mojo.") {
        let mut parts = rest.split('.');
        let pid = parts.next()?;
        let numbers = parts.clone().count() == 2 && parts.all(|part| !part.is_empty() && digits(part) == part.len());
        return if numbers { at(Described::Mojo, pid) } else { None };
    }
    if let Some(rest) = strip_prefix(name, "chrome.sync.") {
        return at(Described::ChromeSync, rest.split('.').next()?);
    }
    if let Some(rest) = strip_prefix(name, "crashpad_") {
        return at(Described::Crashpad, rest.split_once('_')?.0);
    }
    if let Some(rest) = strip_prefix(name, "dotnet-diagnostic-") {
        return at(Described::DotnetDiagnostic, rest.get(..digits(rest))?);
    }
    if let Some(rest) = strip_prefix(name, "clr-debug-pipe-") {
        return at(Described::ClrDebug, rest.get(..digits(rest))?);
    }
    let guid = strip_prefix(name, "TSVCPIPE-")?;
    is_guid(guid).then_some(Claim { family: Described::TerminalServices, pid: 0, process: "" })
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// What follows `prefix` in `text`, case ignored.
pub fn strip_prefix<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    if starts_with(text, prefix) { text.get(prefix.len()..) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn process_ids_are_not_part_of_the_class() {
        assert_eq!(class(r"\mojo.5688.8052.1894572093485"), "mojo.{pid}.{tid}.{random}");
        assert_eq!(class(r"\LOCAL\crashpad_4810_OWMZJNUX"), r"local\crashpad_{pid}_{random}");
        assert_eq!(class(r"\Winsock2\CatalogChangeListener-37c-0"), r"winsock2\catalogchangelistener-{pid}-{n}");
        assert_eq!(class(r"\PSHost.132489.77.DefaultAppDomain.powershell"), "pshost.{ticks}.{pid}.{domain}.{process}");
        assert_eq!(class(r"\TSVCPIPE-9bd6a68e-9f9b-4a8d-9bd4-1ba4e3d0a5f3"), "tsvcpipe-{guid}");
        assert_eq!(class(r"\Vendor4711-8a6b25db4a2c7"), "vendor{n}-{hex}");
        assert_eq!(class(r"\{9023de59-e026-4da5-97dd-913597cd038f}\x"), r"{{guid}}\x");
        assert_eq!(class("9023de59-e026-4da5-97dd-913597cd"), "{guid}");
        assert_eq!(class("a-S-1-5-21-1004336348-1177238915-1001"), "a-{sid}");
    }

    #[test]
    fn source_specific_prefixes_are_not_part_of_the_name() {
        for name in [r"\srvsvc", r"\PIPE\srvsvc", r"\\.\pipe\SRVSVC", r"\Device\NamedPipe\srvsvc", "srvsvc"] {
            assert_eq!(class(name), "srvsvc");
        }
    }

    #[test]
    fn the_host_and_the_account_are_replaced_as_whole_words() {
        assert_eq!(class_on(r"\trayipc-alice-WS01", "ws01", "alice"), "trayipc-{user}-{host}");
        assert_eq!(class_on(r"\malice-ws012", "ws01", "alice"), "malice-ws{n}");
    }

    #[test]
    fn an_executor_s_stream_contains_its_client() {
        let found = stream("svcx-WS-07-4242-stdin").unwrap();
        assert_eq!((found.service, found.host, found.pid, found.which), ("svcx", "WS-07", Some(4242), "stdin"));
        assert_eq!(class(r"\svcx-WS-07-4242-stdin"), "{service}-{host}-{pid}-{stream}");
        assert_eq!(stream("build-stdout"), None);
        assert_eq!(stream("csexecsvc_stdout").unwrap().stem, "csexecsvc");
    }

    #[test]
    fn a_claim_needs_the_complete_format() {
        assert_eq!(claim("Winsock2\\CatalogChangeListener-a4-0").unwrap().pid, 0xa4);
        let shell = claim("PSHost.1324.77.DscPsPluginWkr_AppDomain.wmiprvse").unwrap();
        assert_eq!((shell.pid, shell.process), (77, "wmiprvse"));
        assert_eq!(claim("mojo.external_task_manager_4711"), None);
        assert_eq!(claim("PSHost.x"), None);
    }

    #[test]
    fn unusual_names_are_classed_without_a_panic() {
        for name in
            ["", "\\", "é-ß", "\\\u{1F600}12", "S-1-", "mojo.", "mojo.9.9.9.9", "LOCAL\\", "-stdin", "PSHost..."]
        {
            let _ = (class_on(name, "é", "ß"), stream(name), claim(name), text::matches(name, name));
        }
    }
}
