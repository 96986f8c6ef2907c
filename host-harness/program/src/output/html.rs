//! The report: the viewer with the data inside, one file.
//!
//! The viewer is built by `cargo xtask page` and lies in the tree, so that building this program needs no node. Its
//! policy lets the file run that one script, by its hash, and nothing else; the data stand in an element that is
//! never run, as JSON.

use std::io::{self, Write};

/// The file without its data.
const TEMPLATE: &str = include_str!("../../../../module/browser/page/report.html");
/// Where the data go: the first of these.
const PLACE: &str = "@DATA@";

/// Writes a report that shows `documents`, each a JSON object.
pub(crate) fn report<'d>(out: &mut dyn Write, documents: impl Iterator<Item = &'d str>) -> io::Result<()> {
    let (before, after) = TEMPLATE.split_once(PLACE).unwrap_or((TEMPLATE, ""));
    out.write_all(before.as_bytes())?;
    out.write_all(b"[\n")?;
    for (at, document) in documents.enumerate() {
        if at > 0 {
            out.write_all(b",\n")?;
        }
        // In JSON this character stands only in texts, and written like this it means the same. Without it nothing
        // in the data can end the element that it stands in.
        out.write_all(document.replace('<', "\\u003c").as_bytes())?;
    }
    out.write_all(b"\n]")?;
    out.write_all(after.as_bytes())?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_has_one_place_for_data_inside_an_element_that_is_not_run() {
        let (before, after) = TEMPLATE.split_once(PLACE).expect("a place");
        assert!(before.ends_with("<script type=\"application/json\" id=\"data\">"));
        assert!(after.starts_with("</script>") && !after.contains(PLACE));
        assert!(before.contains("default-src 'none'") && !before.contains("-eval") && !before.contains("-inline"));
    }

    #[test]
    fn what_would_end_the_element_does_not() {
        let mut out = Vec::new();
        let hostile = r#"{"text":"</script><script>alert(1)</script><!-- <img src=x onerror=alert(1)>"}"#;
        report(&mut out, [hostile, hostile].into_iter()).unwrap();
        let text = String::from_utf8(out).unwrap();
        let data = text.split_once("id=\"data\">").and_then(|(_, rest)| rest.split_once("</script>")).unwrap().0;
        assert!(!data.contains('<'));
        let value: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(value[1], serde_json::from_str::<serde_json::Value>(hostile).unwrap());
    }
}
