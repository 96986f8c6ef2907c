//! Text on a screen of a given width.

use std::io::{self, IsTerminal, Write};

use backchannel_host::Timestamp;

use super::cut;

/// Width where it is not known: output that goes to a file or a pipe.
const WIDTH: usize = 110;
/// No screen is taken to be narrower or wider than this: below, nothing is readable; above, no line is.
const BOUNDS: (usize, usize) = (40, 200);

/// How many columns there are: those of the terminal, else those that `COLUMNS` says.
pub(crate) fn width() -> usize {
    let terminal = || {
        let width = comfy_table::Table::new().width().map(usize::from);
        width.filter(|_| io::stdout().is_terminal())
    };
    let said = || std::env::var("COLUMNS").ok()?.parse().ok();
    // A terminal that does not know its size says 0.
    terminal().filter(|width| *width > 0).or_else(said).filter(|width| *width > 0).map_or(WIDTH, bounded)
}

fn bounded(width: usize) -> usize {
    width.clamp(BOUNDS.0, BOUNDS.1)
}

/// Writes text broken at blanks. `lead` stands before the first line; later lines are indented as far.
pub(crate) fn paragraph(out: &mut dyn Write, lead: &str, text: &str, width: usize) -> io::Result<()> {
    let indent = " ".repeat(lead.chars().count());
    let room = width.saturating_sub(indent.len()).max(20);
    let mut line = String::new();
    let mut lead = lead;
    for word in text.split(' ') {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
            writeln!(out, "{lead}{}", line.trim_end())?;
            lead = &indent;
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    writeln!(out, "{lead}{}", line.trim_end())
}

/// A moment to the millisecond: `2024-05-01 12:00:00.123`. `--from` and `--until` take it as it is.
pub(crate) fn moment(time: Timestamp) -> String {
    let text = time.to_string();
    let text = text.trim_end_matches('Z').replace('T', " ");
    cut(&text, 23).trim_end_matches('…').to_owned()
}

/// A moment to the second: `2024-05-01 12:00:00`.
pub(crate) fn second(time: Timestamp) -> String {
    moment(time).split('.').next().unwrap_or_default().to_owned()
}

/// From when to when, the day said once.
pub(crate) fn span(first: Timestamp, last: Timestamp) -> String {
    let (first, last) = (second(first), second(last));
    match (first.split_once(' '), last.split_once(' ')) {
        _ if first == last => first,
        (Some((day, _)), Some((same, time))) if day == same => format!("{first} to {time}"),
        _ => format!("{first} to {last}"),
    }
}

/// The first `most` of `entries`, and how many more there are.
pub(crate) fn some(entries: &[String], most: usize) -> String {
    let more = entries.len().saturating_sub(most);
    // "and 1 more" takes the place of what it leaves out.
    if more <= 1 {
        return entries.join(", ");
    }
    format!("{} and {more} more", entries[..most].join(", "))
}

/// `1 incident`, `3 incidents`.
pub(crate) fn count(number: usize, what: &str) -> String {
    format!("{} {what}{}", thousands(number as u64), if number == 1 { "" } else { "s" })
}

/// A number with its thousands set apart: `12,345`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_is_broken_at_blanks_and_keeps_its_indent() {
        let mut out = Vec::new();
        paragraph(&mut out, "  E1  ", "one two three four five six seven eight", 26).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "  E1  one two three four\n      five six seven eight\n");
    }

    #[test]
    fn a_span_says_the_day_once() {
        let at = |text| Timestamp::from_rfc_3339(text).unwrap();
        let (a, b) = (at("2026-03-03T10:21:27.352Z"), at("2026-03-03T10:21:36.870Z"));
        assert_eq!(span(a, b), "2026-03-03 10:21:27 to 10:21:36");
        assert_eq!(span(a, a), "2026-03-03 10:21:27");
        assert_eq!(span(a, at("2026-03-04T00:00:00Z")), "2026-03-03 10:21:27 to 2026-03-04 00:00:00");
    }

    #[test]
    fn numbers_and_lists_are_counted_right() {
        assert_eq!((count(1, "finding"), count(12_345, "finding")), ("1 finding".into(), "12,345 findings".into()));
        let entries: Vec<String> = ["a", "b", "c", "d"].map(str::to_owned).into();
        assert_eq!((some(&entries, 3), some(&entries, 2)), ("a, b, c, d".into(), "a, b and 2 more".into()));
    }
}
