//! What was not used, on standard error.

use std::io::{self, Write};

use backchannel_host::source::{SkipDetail, Skips};

use super::{cut, plain};

/// Says how many records were skipped and why, and lists the first of them.
pub(crate) fn print(skips: &Skips, notes: &Skips, verbose: bool) {
    let mut out = io::stderr().lock();
    // Where standard error is closed, nobody is left to be told.
    let _ = write(&mut out, "skipped", skips, verbose).and_then(|()| write(&mut out, "noted", notes, verbose));
}

fn write(out: &mut dyn Write, what: &str, skips: &Skips, verbose: bool) -> io::Result<()> {
    let total = skips.total();
    if total == 0 {
        return Ok(());
    }
    let reasons: Vec<String> = skips.counts().iter().map(|(reason, count)| format!("{reason} {count}")).collect();
    writeln!(out, "{what} {total}: {}", plain(&reasons.join(", ")))?;
    for detail in skips.details() {
        writeln!(out, "  {}", entry(detail))?;
    }
    let more = total.saturating_sub(skips.details().len() as u64);
    if more > 0 && !verbose {
        writeln!(out, "  and {more} more (--verbose lists them)")?;
    }
    Ok(())
}

fn entry(detail: &SkipDetail) -> String {
    let mut place = detail.input.clone();
    if detail.line > 0 {
        place.push_str(&format!(":{}", detail.line));
    } else if !detail.record.is_empty() {
        place.push_str(&format!(", record {}", detail.record));
    }
    let mut reason = cut(&detail.reason, 300);
    if detail.code == "unknown-format" {
        reason.push_str(" (--input-format says what it is)");
    }
    plain(&if place.is_empty() { reason } else { format!("{place}: {reason}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_entry_says_where_and_why() {
        let mut skips = Skips::new(1);
        for line in 1..=3 {
            skips.add(SkipDetail {
                input: "a.log".into(),
                line,
                record: String::new(),
                code: "not-json".into(),
                reason: "expected an object\u{1b}".into(),
            });
        }
        let mut out = Vec::new();
        write(&mut out, "skipped", &skips, false).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "skipped 3: not-json 3\n  a.log:1: expected an object\\u{1b}\n  and 2 more (--verbose lists them)\n"
        );
    }
}
