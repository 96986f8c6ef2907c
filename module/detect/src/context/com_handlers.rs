//! Which registry values bend what elevated programs of Windows open: handlers of files and protocols in the user's
//! part, and environment variables that scheduled tasks resolve.

use super::com_server::is_per_user;
use crate::text::{base_name, contains, ends_with, find, is_any};
use crate::vocabulary::elevation;

/// What explorer's own registrations of packaged applications delegate to.
const PACKAGED: [&str; 4] = [
    "{A56A841F-E974-45C1-8001-7E3F8A085917}",
    "{4ED3A719-CEA8-4BD9-910D-E252F997AFC2}",
    "{BFEC0C93-0B7D-4F2C-B09C-AFFFC4BDAE78}",
    "{4813071A-41AD-44A2-9835-886D2F63CA30}",
];

/// The type or protocol whose handler a value bends for one user, and the command.
pub fn redirected<'t>(path: &'t str, data: &'t str) -> Option<(&'t str, &'t str)> {
    if !is_per_user(path) {
        return None;
    }
    // `Volatile Environment` counts, too.
    if ends_with(path, r"Environment\windir") || ends_with(path, r"Environment\SystemRoot") {
        return Some(("environment", data));
    }
    if contains(path, r"\App Paths\control.exe") && ends_with(path, "(Default)") {
        return Some(("control.exe", data));
    }
    let class = handler_class(path)?;
    elevation::steered_handler(class)?;
    if PACKAGED.iter().any(|id| data.eq_ignore_ascii_case(id)) {
        return None;
    }
    Some((class, data))
}

/// The class of `...\Classes\<class>\shell\<verb>\command[\<value>]`, `...\<class>\CurVer`, and links to such keys.
pub fn handler_class(path: &str) -> Option<&str> {
    let begin = find(path, r"_Classes\")
        .map(|at| at + r"_Classes\".len())
        .or_else(|| find(path, r"\Classes\").map(|at| at + r"\Classes\".len()))?;
    let rest = path.get(begin..)?;
    let class = rest.split('\\').next()?;
    let verb = contains(rest, r"\shell\") && contains(rest, r"\command");
    let value = base_name(path);
    (verb || is_any(value, &["CurVer", "SymbolicLinkValue"]) || contains(rest, r"\CurVer\")).then_some(class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_handlers_that_elevated_programs_open_are_redirected() {
        let command = r"HKU\S-1-5-21-1_Classes\ms-settings\shell\open\command\(Default)";
        assert_eq!(redirected(command, "cmd.exe"), Some(("ms-settings", "cmd.exe")));
        assert_eq!(
            redirected(r"HKU\S-1-5-21-1\Software\Classes\mscfile\shell\open\command\(Default)", "x"),
            Some(("mscfile", "x"))
        );
        assert_eq!(redirected(r"HKU\S-1-5-21-1_Classes\txtfile\shell\open\command\(Default)", "notepad"), None);
        assert_eq!(redirected(r"HKU\S-1-5-21-1\Volatile Environment\SYSTEMROOT", "x"), Some(("environment", "x")));
        assert_eq!(redirected(r"HKLM\SOFTWARE\Classes\mscfile\shell\open\command\(Default)", "mmc"), None);
        let packaged =
            r"HKU\S-1-5-21-1_Classes\AppXq0fevzme2pys62n3e0fbqa7peapykr8v\shell\open\command\DelegateExecute";
        assert_eq!(redirected(packaged, "{4ED3A719-CEA8-4BD9-910D-E252F997AFC2}"), None);
    }
}
