//! Obfuscated and encoded scripts on command lines. Source: PowerShell's own parameter rules (any prefix of
//! `-EncodedCommand`), ATT&CK T1027.010 and T1059.001.

use crate::text::{contains_any, starts_with};

/// Whether a command line obfuscates or downloads what it runs: an encoded PowerShell command, base64 decoding, download
/// cradles, caret-split words.
pub fn is_obfuscated(command_line: &str) -> bool {
    contains_any(
        command_line,
        &[
            "FromBase64String",
            "DownloadString",
            "DownloadFile",
            "DownloadData",
            "Invoke-Expression",
            "IEX ",
            "IEX(",
            "Net.WebClient",
            "javascript:",
            "vbscript:",
            "-windowstyle hidden",
            "-w hidden",
        ],
    ) || encoded_argument(command_line).is_some()
        || command_line.bytes().filter(|byte| *byte == b'^').count() >= 4
}

/// The argument of PowerShell's `-EncodedCommand`, in any of its short forms.
pub fn encoded_argument(command_line: &str) -> Option<&str> {
    let bytes = command_line.as_bytes();
    // An argument that begins with a dash or a slash and an e; checking every argument would be too slow.
    let begins = |at: &usize| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        before.is_none_or(u8::is_ascii_whitespace) && matches!(bytes.get(at + 1), Some(b'e' | b'E'))
    };
    for at in memchr::memchr2_iter(b'-', b'/', bytes).filter(begins) {
        let mut words = command_line.get(at..)?.split_ascii_whitespace();
        let name = words.next()?.get(1..)?;
        // -ExecutionPolicy shares the first two letters; -e and -ec are accepted for -EncodedCommand.
        if starts_with("encodedcommand", name) || name.eq_ignore_ascii_case("ec") {
            let argument = words.next()?.trim_matches(['"', '\'']);
            let base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
            // Some sources truncate long arguments and end them with dots.
            let argument = argument.trim_end_matches('.');
            return (argument.len() >= 16 && argument.bytes().all(base64)).then_some(argument);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_short_form_of_an_encoded_command_is_known() {
        for form in ["-e", "-enc", "-EncodedCommand", "/ENC", "-ec"] {
            let line = format!("powershell.exe -nop {form} SQBFAFgAIAAoAE4AZQB3AA==");
            assert_eq!(encoded_argument(&line), Some("SQBFAFgAIAAoAE4AZQB3AA=="), "{form}");
        }
        assert_eq!(encoded_argument("powershell.exe -ep bypass -File x.ps1"), None);
        assert_eq!(encoded_argument("powershell.exe -e"), None);
    }

    #[test]
    fn an_ordinary_command_line_is_not_obfuscated() {
        assert!(!is_obfuscated(r#""C:\Program Files\Editor\editor.exe" "C:\a^b.txt" --encoding utf8"#));
        assert!(is_obfuscated("cmd /c p^o^w^e^r^shell"));
    }
}
