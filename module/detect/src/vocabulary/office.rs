//! Office programs in their own folders, and their ordinary child processes. Source: Microsoft's
//! installation folders, ATT&CK T1559.002 and T1204.002.

use super::{folders, programs};
use crate::Actor;
use crate::text::{contains, contains_any, ends_with, is_any};

/// Installation folders of Office.
const FOLDERS: [&str; 7] = [
    r"\Microsoft Office",
    r"\Office14\",
    r"\Office15\",
    r"\Office16\",
    r"\WindowsApps\Microsoft.Office",
    r"\LibreOffice",
    r"\OpenOffice",
];

/// Whether the process is an Office program in Office's own folder. An Office name in another
/// folder is masquerading or side-loading, which other analytics cover.
pub fn is_installed(actor: Actor<'_>) -> bool {
    (programs::is_office(actor.name())
        || programs::is_office(actor.original_name)
        || is_any(actor.name(), &["soffice.bin", "soffice.exe"]))
        && contains_any(actor.image, &FOLDERS)
        && !folders::is_user_writable(actor.image)
}

/// The document on an Office program's command line: its last argument that is a path.
pub fn document(command_line: &str) -> Option<&str> {
    let line = command_line.trim_end();
    let word =
        if let Some(inner) = line.strip_suffix('"') { inner.rsplit('"').next()? } else { line.rsplit(' ').next()? };
    let is_path = word.contains(['\\', '/']) && !ends_with(word, ".exe") && contains(word, ".");
    is_path.then_some(word)
}

/// Whether a command line downloads, accesses another machine, or is obfuscated: a URL, a share, an encoded command.
pub fn has_payload(command_line: &str) -> bool {
    contains_any(
        command_line,
        &[
            "http:",
            "https:",
            "ftp:",
            " \\\\",
            "\"\\\\",
            " -e ",
            " -en",
            " -ec ",
            "/enc",
            "frombase64",
            "download",
            "javascript:",
            "vbscript:",
            "iex ",
            "iex(",
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_the_last_path() {
        let line = r#""C:\Program Files\Microsoft Office\Office16\WINWORD.EXE" /n "C:\Users\a b\invoice.docx""#;
        assert_eq!(document(line), Some(r"C:\Users\a b\invoice.docx"));
        assert_eq!(document(r"EXCEL.EXE C:\x\list.csv"), Some(r"C:\x\list.csv"));
        assert_eq!(document(r#""C:\Program Files\Microsoft Office\Office16\EXCEL.EXE" /automation -Embedding"#), None);
        assert_eq!(document(r#""C:\Program Files\Microsoft Office\Office16\EXCEL.EXE""#), None);
    }
}
