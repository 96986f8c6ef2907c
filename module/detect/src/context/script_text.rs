//! Scripts and command lines as their interpreter would read them, so that quotes, carets, ticks and blanks do not
//! hide what is called; and who they call COM on.

use crate::vocabulary::scripts;

/// Longest script looked at, in bytes; what is beyond it is not read.
pub const LONGEST: usize = 256 * 1024;
/// So many escape characters may hide a word.
const MANY_ESCAPES: usize = 4;

/// Whether so many escape characters stand in a text that they may hide a word.
pub fn escapes(text: &str) -> bool {
    memchr::memchr2_iter(b'`', b'^', text.as_bytes()).take(MANY_ESCAPES).count() >= MANY_ESCAPES
}

/// The PowerShell command that a text carries encoded, if it does.
pub fn decoded(text: &str) -> Option<String> {
    scripts::encoded_argument(text).map(decode_utf16)
}

/// A text in lower case without quotes, escapes, square brackets and blanks.
pub fn squeeze(text: &str) -> String {
    let dropped = |c: &char| matches!(c, '"' | '\'' | '`' | '^' | '[' | ']') || c.is_whitespace() || c.is_control();
    let mut out = String::with_capacity(text.len());
    out.extend(text.chars().filter(|c| !dropped(c)).map(|c| c.to_ascii_lowercase()));
    out
}

/// Base64 of UTF-16, little endian, as PowerShell takes it; stops at the first byte that is no base64.
fn decode_utf16(base64: &str) -> String {
    let (mut bits, mut count, mut bytes) = (0_u32, 0_u32, Vec::with_capacity(base64.len()));
    for byte in base64.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => break,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    let units = bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair));
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// A COM class that a script activates on another machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteActivation<'t> {
    /// The class as written: a program id, a class id, or an expression.
    pub class: &'t str,
    /// The machine as written: a name, an address, or a variable.
    pub machine: &'t str,
}

impl<'t> RemoteActivation<'t> {
    /// The machine where its name or address stands in the text; empty for a variable or an expression.
    pub fn peer(&self) -> &'t str {
        let literal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':');
        if self.machine.bytes().all(literal) { self.machine } else { "" }
    }
}

/// The first call in squeezed text that activates a class on a machine it names.
pub fn remote_activation(squeezed: &str) -> Option<RemoteActivation<'_>> {
    const CALLS: [&str; 4] = ["gettypefromprogid(", "gettypefromclsid(", "createobject(", "activexobject("];
    CALLS.iter().find_map(|call| {
        squeezed.match_indices(call).find_map(|(at, _)| {
            let before = squeezed.get(..at).unwrap_or("");
            // WScript.CreateObject's second argument is a prefix for events; a definition is no call.
            if before.ends_with("wscript.") || before.ends_with("function") || before.ends_with("sub") {
                return None;
            }
            let (class, machine) = two_arguments(squeezed.get(at + call.len()..)?)?;
            (!class.is_empty() && is_machine(machine)).then_some(RemoteActivation { class, machine })
        })
    })
}

/// The first two arguments of a call whose opening bracket is already read; `None` if there is only one.
fn two_arguments(rest: &str) -> Option<(&str, &str)> {
    let (mut depth, mut first) = (0_u32, None);
    for (at, byte) in rest.bytes().enumerate().take(512) {
        match byte {
            b'(' => depth += 1,
            b',' if depth == 0 => match first {
                None => first = Some(at),
                Some(comma) => return Some((rest.get(..comma)?, rest.get(comma + 1..at)?)),
            },
            b')' if depth == 0 => return first.and_then(|comma| Some((rest.get(..comma)?, rest.get(comma + 1..at)?))),
            b')' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Whether an argument names another machine: not empty, not a switch of another overload, not this machine.
fn is_machine(argument: &str) -> bool {
    const OTHER: [&str; 12] = [
        "$true",
        "$false",
        "true",
        "false",
        "$null",
        "null",
        "nothing",
        "$env:computername",
        "stringserver",
        "stringservername",
        "boolthrowonerror",
        "0",
    ];
    !argument.is_empty() && !OTHER.contains(&argument) && !is_this_machine(argument)
}

/// Whether a name in a script or command line means the machine it runs on.
pub fn is_this_machine(name: &str) -> bool {
    matches!(name, "." | "localhost" | "127.0.0.1" | "::1" | "%computername%" | "$env:computername")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::wording::Wording;
    use crate::testing::{script, start};

    fn squeezed_of(event: &backchannel_events::ProcessEvent<'_>, hints: &[&str]) -> Option<String> {
        Wording::of(event).and_then(|wording| wording.squeezed(hints).map(|text| text.into_owned()))
    }

    fn squeezed(text: &'static str) -> String {
        squeezed_of(&script(0, text), &["GetTypeFrom", "CreateObject", "ActiveXObject"]).unwrap_or_default()
    }

    fn found(text: &'static str) -> Option<(String, String)> {
        let text = squeezed(text);
        remote_activation(&text).map(|found| (found.class.to_owned(), found.machine.to_owned()))
    }

    #[test]
    fn the_machine_of_a_two_argument_activation_is_found_in_every_spelling() {
        let mmc = Some(("mmc20.application".to_owned(), "ws02".to_owned()));
        assert_eq!(found(r#"[type]::GetTypeFromProgID("MMC20.Application", "ws02")"#), mmc);
        assert_eq!(found(r#"[Type]::("Get`Type`From`Prog`ID")( 'MMC20.Application' , 'ws02' )"#), None);
        assert_eq!(found(r#"[Type]::Get`Type`From`Prog`ID( 'MMC20.Application' , 'ws02' )"#), mmc);
        assert_eq!(found(r#"Set o = CreateObject("MMC20.Application","ws02")"#), mmc);
        let by_id = found(r#"[Type]::GetTypeFromCLSID([Guid]::new("9BA05972-F6A8-11CF-A442-00A0C90A8F39"), $h)"#);
        assert_eq!(by_id, Some(("guid::new(9ba05972-f6a8-11cf-a442-00a0c90a8f39)".to_owned(), "$h".to_owned())));
    }

    #[test]
    fn local_activations_other_overloads_and_event_prefixes_name_no_machine() {
        for text in [
            r#"[type]::GetTypeFromProgID("MMC20.Application")"#,
            r#"[type]::GetTypeFromProgID("MMC20.Application", $true)"#,
            r#"[type]::GetTypeFromProgID("MMC20.Application", "localhost")"#,
            r#"WScript.CreateObject("Word.Application", "word_")"#,
            r#"Function CreateObject(a, b)"#,
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn an_encoded_command_is_read() {
        // [type]::GetTypeFromProgID("a","b") in UTF-16.
        let line = "powershell -enc WwB0AHkAcABlAF0AOgA6AEcAZQB0AFQAeQBwAGUARgByAG8AbQBQAHIAbwBnAEkARAAoACIAYQAiACwAIgBiACIAKQA=";
        let text = squeezed_of(&start(0, "powershell.exe", line), &["GetTypeFrom"]).unwrap();
        assert_eq!(remote_activation(&text), Some(RemoteActivation { class: "a", machine: "b" }));
    }

    #[test]
    fn text_without_a_hint_costs_nothing() {
        assert_eq!(squeezed_of(&script(0, "Get-Process | Sort-Object"), &["GetTypeFrom"]), None);
    }
}
