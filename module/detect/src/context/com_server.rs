//! What a registry value says about a COM server: of which class, where the server lies, whether there is reason to
//! doubt it. Used by the memory and by the analytics on registrations, so that both mean the same.

use backchannel_events::{RegistryChange, RegistryOperation, SignatureStatus};

use super::Context;
use crate::text::{self, base_name, contains, contains_any, ends_with, is_any, starts_with};
use crate::vocabulary::{com_classes, programs};
use crate::{Actor, predicates};

/// A value below a class's registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value<'t> {
    /// Class id with braces, as logged.
    pub clsid: &'t str,
    /// The key below the class: `InprocServer32`, `TreatAs` ...
    pub key: &'static str,
    /// The value's name; empty for the default value.
    pub name: &'t str,
    /// Whether the key belongs to one user rather than to the machine.
    pub per_user: bool,
}

impl<'t> Value<'t> {
    /// From a registry path; `None` if it is not below a class's server keys.
    pub fn at(path: &'t str) -> Option<Self> {
        let (clsid, key) = predicates::com_registration(path)?;
        let name = base_name(path);
        let is_default = is_default(name) || name.eq_ignore_ascii_case(key);
        Some(Self { clsid, key, name: if is_default { "" } else { name }, per_user: is_per_user(path) })
    }

    /// Whether it names the program that serves the class.
    pub fn is_server(&self) -> bool {
        let servers = ["InprocServer32", "InprocHandler32", "LocalServer32", "LocalServer", "InprocServer"];
        servers.contains(&self.key) && (self.name.is_empty() || self.name.eq_ignore_ascii_case("CodeBase"))
    }
}

/// Whether a value's name is one of the spellings of the default value.
pub fn is_default(name: &str) -> bool {
    name.is_empty() || is_any(name, &["(Default)", "{Default}", "@"])
}

/// Whether a registry path lies in one user's part.
pub fn is_per_user(path: &str) -> bool {
    ["HKU\\", "HKCU\\", "HKEY_CURRENT_USER\\", "HKEY_USERS\\", r"\REGISTRY\USER\"]
        .iter()
        .any(|hive| starts_with(path, hive))
}

/// The path of a server from what was written: lower case, without quotes and arguments, `file:` and the variables
/// of Windows' own folders resolved.
pub fn path_of(data: &str) -> String {
    let data = text::clip(data.trim(), 1_024);
    let mut path = match data.strip_prefix('"') {
        Some(rest) => rest.split('"').next().unwrap_or(rest).to_ascii_lowercase(),
        None => {
            let lower = data.to_ascii_lowercase();
            let ends = [".exe ", ".dll ", ".ocx ", ".com ", ".cpl ", ".exe,", ".dll,"];
            match ends.iter().filter_map(|end| lower.find(end)).min() {
                Some(at) => lower.get(..at + 4).unwrap_or(&lower).to_owned(),
                None => lower,
            }
        }
    };
    if let Some(rest) = path.strip_prefix("file:") {
        path = rest.trim_start_matches('/').replace('/', "\\");
    }
    for (variable, folder) in [
        ("%systemroot%", r"c:\windows"),
        ("%windir%", r"c:\windows"),
        ("%programfiles%", r"c:\program files"),
        ("%commonprogramfiles%", r"c:\program files\common files"),
        ("%programdata%", r"c:\programdata"),
        ("%public%", r"c:\users\public"),
    ] {
        if let Some(rest) = path.strip_prefix(variable) {
            path = format!("{folder}{rest}");
        }
    }
    path
}

/// What is odd about the place a server lies in, as the end of "it lies ...".
pub fn odd_place(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return None;
    }
    if starts_with(path, "http:") || starts_with(path, "https:") || starts_with(path, "ftp:") {
        return Some("on a web server");
    }
    if starts_with(path, "script:") || contains(path, "!script:") {
        return Some("in a script");
    }
    if starts_with(path, r"\\") && !starts_with(path, r"\\?\") && !starts_with(path, r"\\.\") {
        return Some("on another machine");
    }
    if path.contains(['\\', '/']) && path.get(2..).is_some_and(|rest| base_name(rest).contains(':')) {
        return Some("in an alternate data stream");
    }
    if predicates::is_user_writable(path)
        || contains_any(path, &["%temp%", "%tmp%", "%appdata%", "%localappdata%", "%userprofile%"])
    {
        return Some("in a place that users can write to");
    }
    const NO_PROGRAMS: [&str; 11] =
        [".tlb", ".dat", ".txt", ".tmp", ".png", ".jpg", ".gif", ".log", ".ini", ".bin", ".db"];
    // Type libraries and data do not serve classes.
    if NO_PROGRAMS.iter().any(|ending| ends_with(path, ending)) && !predicates::is_windows_program_path(path) {
        return Some("in a file that does not look like a program");
    }
    None
}

/// Whether the server is one that runs what other values name: scripts (`scrobj.dll`) or .NET code (`mscoree.dll`).
pub fn runs_something_else(path: &str) -> bool {
    is_any(base_name(path), &["scrobj.dll", "mscoree.dll"])
}

/// Whether a program registers a part of its own product: the server lies in the vendor's folder that the writer
/// lies in. Interpreters, registry editors and brokers write for others, whoever signed them.
pub fn is_own_product(writer: Actor<'_>, server: &str) -> bool {
    if matches!(writer.signature, SignatureStatus::Unsigned | SignatureStatus::Untrusted) || writes_for_others(writer) {
        return false;
    }
    let Some(folder) = product_folder(writer.image) else { return false };
    // A vendor's products share the beginning of their folders' names (`Meeting`, `MeetingAddin`).
    starts_with(server, folder.trim_end_matches('\\'))
}

/// Whether the event's process registers a part of its own product. regsvr32 acts for who started it; the installer
/// service acts for a package, which keeps its parts in a vendor's folder.
pub fn registers_own_product(context: &Context<'_>, server: &str) -> bool {
    let writer = context.subject();
    if writer.is(&["regsvr32.exe"]) {
        return is_own_product(context.parent(), server);
    }
    if writer.is(&["msiexec.exe"]) && predicates::is_windows_program_path(writer.image) {
        return product_folder(server).is_some();
    }
    is_own_product(writer, server)
}

/// Whether the program writes what others tell it to: its own name and signature say nothing about the content.
pub fn writes_for_others(writer: Actor<'_>) -> bool {
    let name = writer.name();
    programs::is_script_host(name)
        || programs::is_lolbin(name)
        || predicates::is_script_host(writer)
        || is_any(
            name,
            &["reg.exe", "regedit.exe", "regini.exe", "wmiprvse.exe", "svchost.exe", "explorer.exe", "dllhost.exe"],
        )
}

/// The vendor's folder of a program that users installed for themselves or an administrator for all:
/// `...\AppData\Local\Vendor\`, `C:\Program Files\Vendor\`. Temporary folders have none.
pub fn product_folder(image: &str) -> Option<&str> {
    if contains_any(image, &[r"\Temp\", r"\Tmp\", r"\Downloads\"]) {
        return None;
    }
    const ROOTS: [&str; 6] = [
        r"\AppData\Local\Programs\",
        r"\AppData\Local\Microsoft\",
        r"\AppData\Local\",
        r"\AppData\Roaming\",
        r"\Program Files\",
        r"\Program Files (x86)\",
    ];
    let (at, root) = ROOTS.iter().find_map(|root| text::find(image, root).map(|at| (at, root)))?;
    let begin = at + root.len();
    let vendor = image.get(begin..)?.find('\\')?;
    image.get(..begin + vendor + 1)
}

/// Why a registration deserves doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// One user's registration of a class that the whole machine has.
    Shadow,
    /// One user's registration of a class nobody knows, outside the folders of installed programs.
    Unfamiliar,
    /// The server's place, as the end of "it lies ...".
    Place(&'static str),
}

/// Whether one user's registration stands before the machine's own.
pub fn shadow(context: &Context<'_>, value: &Value<'_>, server: &str) -> Option<Doubt> {
    if !value.per_user || !value.is_server() || !value.name.is_empty() || server.is_empty() {
        return None;
    }
    if predicates::is_windows_program_path(server) && !runs_something_else(server) {
        return None;
    }
    let own = registers_own_product(context, server);
    match context.host.com.machine_server(value.clsid) {
        Some(machine) if machine == server => None,
        // A program's own class, registered once for all users and once for this one.
        Some(machine) if own && product_folder(machine).is_some() => None,
        Some(_) => Some(Doubt::Shadow),
        None if com_classes::is_built_in(value.clsid) => Some(Doubt::Shadow),
        None => {
            let installed = predicates::is_system_path(server) || !server.contains(['\\', '/']);
            (!own && !installed).then_some(Doubt::Unfamiliar)
        }
    }
}

/// Whether a server lies where no server should.
pub fn misplaced(context: &Context<'_>, value: &Value<'_>, server: &str) -> Option<Doubt> {
    if !value.is_server() || registers_own_product(context, server) {
        return None;
    }
    odd_place(server).map(Doubt::Place)
}

/// Whether a change of the registry is a registration that deserves doubt, and of which server.
pub fn suspicious<'t>(context: &Context<'_>, change: &RegistryChange<'t>) -> Option<(Value<'t>, String)> {
    if change.operation != RegistryOperation::SetValue {
        return None;
    }
    let value = Value::at(change.path)?;
    let server = path_of(change.data);
    let scriptlet = value.key.eq_ignore_ascii_case("ScriptletURL");
    let doubt = shadow(context, &value, &server).or_else(|| misplaced(context, &value, &server));
    (scriptlet || doubt.is_some()).then_some((value, server))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASS: &str = "{B5F8350B-0548-48B1-A6EE-88BD00B4A5E7}";

    #[test]
    fn only_the_default_value_and_code_base_name_a_server() {
        let key = format!(r"HKU\S-1-5-21-1_Classes\CLSID\{CLASS}\InprocServer32");
        for (end, is_server) in [
            ("", true),
            (r"\(Default)", true),
            (r"\{Default}", true),
            (r"\ThreadingModel", false),
            (r"\1.0.0.0\CodeBase", true),
        ] {
            let path = format!("{key}{end}");
            let value = Value::at(&path).unwrap();
            assert_eq!((value.clsid, value.is_server(), value.per_user), (CLASS, is_server, true), "{end}");
        }
    }

    #[test]
    fn a_server_s_path_is_free_of_quotes_arguments_and_variables() {
        for (data, path) in [
            (r#""C:\Program Files\A b\c.exe" /automation"#, r"c:\program files\a b\c.exe"),
            (r"C:\Users\x\evil.exe -Embedding", r"c:\users\x\evil.exe"),
            (r"%SystemRoot%\System32\amsi.dll", r"c:\windows\system32\amsi.dll"),
            ("file:///C:/Users/x/evil.dll", r"c:\users\x\evil.dll"),
            ("ole32.dll", "ole32.dll"),
        ] {
            assert_eq!(path_of(data), path);
        }
    }

    #[test]
    fn places_that_are_odd_say_why() {
        assert_eq!(odd_place(r"c:\programdata\demo.dll"), Some("in a place that users can write to"));
        assert_eq!(odd_place(r"\\10.0.0.9\share\x.dll"), Some("on another machine"));
        assert_eq!(odd_place(r"c:\program files\a\readme.txt:evil.dll"), Some("in an alternate data stream"));
        assert_eq!(odd_place(r"c:\program files\a\b.dat"), Some("in a file that does not look like a program"));
        assert_eq!(odd_place(r"c:\program files\a\b.dll"), None);
        assert_eq!(odd_place("combase.dll"), None);
    }

    #[test]
    fn a_program_s_product_is_its_vendor_s_folder() {
        let writer = Actor { image: r"C:\Users\a\AppData\Local\Vendor\1.0\setup.exe", ..Actor::default() };
        assert!(is_own_product(writer, r"c:\users\a\appdata\local\vendor\1.1\shell.dll"));
        assert!(!is_own_product(writer, r"c:\users\a\appdata\local\other\shell.dll"));
        assert!(is_own_product(writer, r"c:\users\a\appdata\local\vendoraddin\1.1\shell.dll"));
        let writer = Actor { image: r"C:\Users\a\AppData\Local\Temp\x\setup.exe", ..Actor::default() };
        assert!(!is_own_product(writer, r"c:\users\a\appdata\local\temp\x\shell.dll"));
        let writer = Actor { image: r"C:\Users\a\AppData\Local\Python\python.exe", ..Actor::default() };
        assert!(!is_own_product(writer, r"c:\users\a\appdata\local\python\x.dll"));
    }
}
