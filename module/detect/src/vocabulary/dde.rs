//! What Dynamic Data Exchange looks like in text and settings. Sources: Microsoft's advisory 4053440 and the Office
//! policy reference (the settings), ECMA-376 field codes (`DDE`, `DDEAUTO`, `QUOTE`), public write-ups on formula
//! injection in CSV files.

use crate::text::{contains, ends_with, find};

/// Maximum length of the text searched for instructions, in bytes.
const SEARCHED: usize = 64 * 1024;

/// The name of the DDE instruction found in a text.
pub fn instruction(text: &str) -> Option<&'static str> {
    if !hints(text) {
        return None;
    }
    let text = crate::text::clip(text, SEARCHED);
    if contains(text, "68 68 69 65 85 84 79") || (contains(text, "quote") && contains(text, "68 68 69 ")) {
        return Some("a field whose letters are written as numbers spells DDE");
    }
    let squeezed = squeeze(text);
    if contains(&squeezed, "ddeauto") {
        return Some("a DDEAUTO field");
    }
    if contains(&squeezed, "ddeinitiate(") {
        return Some("a call of DDEInitiate");
    }
    if let Some(at) = find(&squeezed, "dde\\").or_else(|| find(&squeezed, "ddec:\\"))
        && squeezed.get(at..).is_some_and(names_program)
    {
        return Some("a DDE field that names a program");
    }
    formula(&squeezed).then_some("a spreadsheet formula that starts a program through DDE")
}

/// Pre-filter for the search, which copies the text: `dde` not in the middle of a word (`hidden`, `added`), split by
/// quotes, or a formula's topic.
fn hints(text: &str) -> bool {
    let bytes = text.as_bytes();
    let letters = |at: usize, letters: &[u8]| {
        bytes.get(at..at + letters.len()).is_some_and(|there| there.eq_ignore_ascii_case(letters))
    };
    let dde = memchr::memchr2_iter(b'd', b'D', bytes).any(|at| {
        letters(at + 1, b"de")
            && match bytes.get(at + 3) {
                Some(b'a' | b'A' | b'i' | b'I') => true,
                Some(byte) => !byte.is_ascii_alphabetic(),
                None => true,
            }
    });
    let topic = || {
        memchr::memchr_iter(b'|', bytes)
            .any(|at| [&b"'"[..], b" '", b"`'", b"\\'"].iter().any(|quote| letters(at + 1, quote)))
    };
    let split = || {
        memchr::memchr_iter(b'"', bytes).any(|at| {
            let from = |back: usize, word: &[u8]| at.checked_sub(back).is_some_and(|start| letters(start, word));
            from(1, b"e\"auto") || from(1, b"d\"de") || from(2, b"dd\"e")
        })
    };
    dde || topic() || split() || contains(text, "68 68 69")
}

/// `=cmd|/c calc!A0` and similar formulas, in text without quotes and spaces.
fn formula(squeezed: &str) -> bool {
    const SERVERS: [&str; 9] =
        ["cmd|", "powershell|", "mshta|", "rundll32|", "msiexec|", "regsvr32|", "certutil|", "msexcel|", "wscript|"];
    SERVERS.iter().any(|server| {
        squeezed.match_indices(server).any(|(at, _)| {
            let before = squeezed.get(..at).and_then(|head| head.chars().next_back());
            let after = squeezed.get(at + server.len()..).unwrap_or("");
            let topic = after.split(['\n', ',', ';']).next().unwrap_or("");
            let item = topic.rfind('!').and_then(|at| topic.as_bytes().get(at + 1));
            let opens = matches!(before, Some('=' | '+' | '-' | '@' | '\\' | '!'));
            opens && topic.len() < 2_048 && item.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        })
    })
}

fn names_program(text: &str) -> bool {
    let head = crate::text::clip(text, 256);
    contains(head, "..\\") || crate::text::contains_any(head, &["cmd", "powershell", "mshta", "rundll32", "regsvr32"])
}

/// The text in lower case without quotes, spaces and the escape characters that shells remove.
fn squeeze(text: &str) -> String {
    text.chars()
        .filter(|c| !matches!(c, '"' | '\'' | '`' | '^' | ' ' | '\t' | '\u{201c}' | '\u{201d}' | '{' | '}'))
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// An Office setting that lets documents start programs or follow links without confirmation.
pub struct Exposure {
    /// End of the registry path: application, key, value.
    path: &'static str,
    /// Values that enable the exposure.
    values: &'static [u32],
    /// What it means.
    pub meaning: &'static str,
}

const EXPOSURES: &[Exposure] = &[
    Exposure { path: r"\Word\Security\AllowDDE", values: &[1, 2], meaning: "Word documents may start programs by DDE" },
    Exposure { path: r"\Excel\Security\DisableDDEServerLaunch", values: &[0], meaning: "Excel may start DDE servers" },
    Exposure {
        path: r"\Excel\Security\DisableDDEServerLookup",
        values: &[0],
        meaning: "Excel may look for DDE servers",
    },
    Exposure {
        path: r"\Excel\Security\WorkbookLinkWarnings",
        values: &[1],
        meaning: "Excel updates links without asking",
    },
    Exposure { path: r"\Excel\Options\DDEAllowed", values: &[1], meaning: "Excel allows DDE" },
    Exposure {
        path: r"\Word\Options\DontUpdateLinks",
        values: &[0],
        meaning: "Word updates links when it opens a document",
    },
    Exposure {
        path: r"\Word\Options\WordMail\DontUpdateLinks",
        values: &[0],
        meaning: "Outlook updates links in mail when it opens it",
    },
    Exposure {
        path: r"\Outlook\Options\DontUpdateLinks",
        values: &[0],
        meaning: "Outlook updates links when it opens a mail",
    },
    Exposure {
        path: r"\Outlook\Security\EnableUnsafeClientMailRules",
        values: &[1],
        meaning: "mail rules may start programs",
    },
];

/// The exposure caused by setting a registry path to that data.
pub fn exposure(path: &str, data: &str) -> Option<&'static Exposure> {
    if !contains(path, r"\Office\") {
        return None;
    }
    let found = EXPOSURES.iter().find(|exposure| ends_with(path, exposure.path))?;
    found.values.contains(&number(data)?).then_some(found)
}

/// The exposure caused by a command line that sets such a value: `reg add ... /v AllowDDE /d 2`, `Set-ItemProperty ... 2`.
pub fn exposure_by_command(command_line: &str) -> Option<&'static Exposure> {
    if !contains(command_line, r"\Office\") {
        return None;
    }
    let writes = ["reg add", "reg.exe add", "reg.exe\" add", "ItemProperty", "RegWrite", "SetValue"];
    if !crate::text::contains_any(command_line, &writes) {
        return None;
    }
    EXPOSURES.iter().find(|exposure| {
        let name = crate::text::base_name(exposure.path);
        let Some(at) = find(command_line, name) else { return false };
        let rest = command_line.get(at + name.len()..).unwrap_or("");
        value_after(rest).is_some_and(|value| exposure.values.contains(&value))
    })
}

/// The number after `/d`, `-Value`, or the first that stands alone.
fn value_after(text: &str) -> Option<u32> {
    let after = ["/d ", "-value "].iter().find_map(|mark| find(text, mark).and_then(|at| text.get(at + mark.len()..)));
    let mut words = after.unwrap_or(text).split([' ', '"', '\'', ',', '(', ')', ';']);
    words.find_map(number)
}

/// A DWORD as written in logs: `DWORD (0x00000001)`, `0x1`, `1`.
fn number(data: &str) -> Option<u32> {
    let text = data.trim();
    let text = find(text, "(").and_then(|at| text.get(at + 1..)).map_or(text, |inner| inner.trim_end_matches(')'));
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Whether a file of that name is opened by Office and can contain links or formulas that refer to other sources.
pub fn carries_links(path: &str) -> bool {
    const ENDINGS: [&str; 13] =
        [".csv", ".slk", ".iqy", ".dqy", ".oqy", ".rqy", ".dif", ".rtf", ".eml", ".msg", ".ics", ".xlm", ".xml"];
    ENDINGS.iter().any(|ending| ends_with(path, ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_are_found_through_quotes_and_spaces() {
        for text in [
            r#"{ DDEAUTO c:\\windows\\system32\\cmd.exe "/k calc.exe" }"#,
            r#"{ D"D"E"AUTO" c:\\x "" }"#,
            r#"Add-Content x.csv "=cmd|'/c calc.exe'!A0""#,
            r#"+cmd|' /C powershell IEX(...)'!_xlbgnm.A1"#,
            "QUOTE 68 68 69 65 85 84 79 32",
            r"$excel.DDEInitiate('cmd','/c calc')",
        ] {
            assert!(instruction(text).is_some(), "{text}");
        }
    }

    #[test]
    fn pipelines_and_words_that_contain_the_letters_are_not_instructions() {
        for text in [
            "powershell -WindowStyle Hidden -File embedded.ps1",
            "echo added | cmd | more",
            "dir | findstr cmd",
            "type x|cmd|/c!",
            "VAR=cmd|sort",
        ] {
            assert_eq!(instruction(text), None, "{text}");
        }
    }

    #[test]
    fn a_setting_is_an_exposure_only_with_an_enabling_value() {
        let path = r"HKU\S-1-5-21-1\Software\Microsoft\Office\16.0\Word\Security\AllowDDE";
        assert!(exposure(path, "DWORD (0x00000002)").is_some());
        assert!(exposure(path, "DWORD (0x00000000)").is_none());
        assert!(exposure(r"HKLM\SOFTWARE\Other\Word\Security\AllowDDE", "DWORD (0x00000002)").is_none());
        let key = r"reg add HKCU\Software\Microsoft\Office\16.0\Word\Security /v AllowDDE /t REG_DWORD";
        assert!(exposure_by_command(&format!("{key} /d 2 /f")).is_some());
        assert!(exposure_by_command(&format!("{key} /d 0 /f")).is_none());
        assert!(
            exposure_by_command(r"Set-ItemProperty 'HKCU:\Software\Microsoft\Office\16.0\Word\Security' AllowDDE 1")
                .is_some()
        );
    }
}
