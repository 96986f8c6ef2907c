//! What a reader sees. Text from logs is hostile: nothing of it reaches a terminal before it went through [`plain`].

pub(crate) mod detail;
pub(crate) mod html;
pub(crate) mod incident;
pub(crate) mod jsonl;
pub(crate) mod layout;
pub(crate) mod movements;
pub(crate) mod screen;
pub(crate) mod skipped;
pub(crate) mod table;

use std::io::IsTerminal;

use backchannel_host::Severity;
use comfy_table::{Attribute, Cell, Color};

use crate::cli::Colour;

/// The text without what could steer a terminal or hide what it says: control characters and changes of the writing
/// direction are shown as escapes, line ends as spaces.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => out.push(' '),
            c if steers(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// Whether a character does something else than to be seen.
pub(crate) fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// The first `most` characters, with a mark where there were more.
pub(crate) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Whether there is colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paint {
    colour: bool,
}

impl Paint {
    /// Colour on a terminal, unless the user says otherwise (`--color`, or `NO_COLOR`, see no-color.org).
    pub(crate) fn choose(wish: Colour) -> Self {
        let colour = match wish {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => {
                std::io::stdout().is_terminal()
                    && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
                    && std::env::var_os("TERM").is_none_or(|value| value != "dumb")
            }
        };
        Self { colour }
    }

    pub(crate) fn has_colour(self) -> bool {
        self.colour
    }

    /// A cell that shows a severity.
    pub(crate) fn severity(self, severity: Severity, text: &str) -> Cell {
        let cell = Cell::new(text);
        if !self.colour {
            return cell;
        }
        match severity {
            Severity::Critical => cell.fg(Color::Red).add_attribute(Attribute::Bold),
            Severity::High => cell.fg(Color::Red),
            Severity::Medium => cell.fg(Color::Yellow),
            Severity::Low => cell.fg(Color::Cyan),
            Severity::Info => cell.add_attribute(Attribute::Dim),
        }
    }

    /// A severity in running text.
    pub(crate) fn word(self, severity: Severity) -> String {
        self.painted(severity, severity.as_str())
    }

    /// A severity in a heading.
    pub(crate) fn upper(self, severity: Severity) -> String {
        self.painted(severity, &severity.as_str().to_uppercase())
    }

    fn painted(self, severity: Severity, word: &str) -> String {
        if !self.colour {
            return word.to_owned();
        }
        let code = match severity {
            Severity::Critical => "1;31",
            Severity::High => "31",
            Severity::Medium => "33",
            Severity::Low => "36",
            Severity::Info => "2",
        };
        format!("\u{1b}[{code}m{word}\u{1b}[0m")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_shown_and_not_done() {
        assert_eq!(plain("a\u{1b}[31mb\nc\u{9b}d\u{202e}e"), "a\\u{1b}[31mb c\\u{9b}d\\u{202e}e");
        assert_eq!(plain("Ünïcode 中文"), "Ünïcode 中文");
    }

    #[test]
    fn a_cut_falls_between_characters() {
        assert_eq!(cut("äöü", 2), "äö…");
        assert_eq!(cut("äöü", 3), "äöü");
    }
}
