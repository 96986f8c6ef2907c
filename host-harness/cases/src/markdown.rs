//! The subset of Markdown used by cases: headings, and fenced blocks with a role.

use std::ops::Range;

/// The role of a fenced block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Case,
    Settings,
    Past,
    Log,
    Events,
    Expect,
}

impl Role {
    const ALL: [(&str, Self); 6] = [
        ("case", Self::Case),
        ("settings", Self::Settings),
        ("past", Self::Past),
        ("log", Self::Log),
        ("events", Self::Events),
        ("expect", Self::Expect),
    ];

    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, role)| *role == self).map_or("", |(name, _)| name)
    }
}

/// A fenced block.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub role: Role,
    /// `name=` and `format=` of its first line.
    pub name: Option<String>,
    pub format: Option<String>,
    /// Line of the opening fence, from 1.
    pub line: usize,
    /// Byte range of its content in the file.
    pub content: Range<usize>,
}

/// A heading and the blocks below it.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    pub title: String,
    pub line: usize,
    pub blocks: Vec<Block>,
}

/// Splits a file into sections.
///
/// # Errors
/// Line and reason.
pub(crate) fn sections(text: &str) -> Result<Vec<Section>, (usize, String)> {
    let mut sections: Vec<Section> = Vec::new();
    let mut open: Option<(usize, Block)> = None;
    let mut at = 0;
    for (line, number) in text.split_inclusive('\n').zip(1..) {
        let (start, bare) = (at, line.trim_end());
        at += line.len();
        let ticks = bare.len() - bare.trim_start_matches('`').len();
        if let Some((fence, block)) = &mut open {
            if ticks >= *fence && ticks == bare.len() {
                block.content.end = start;
                if let (Some((_, block)), Some(section)) = (open.take(), sections.last_mut()) {
                    section.blocks.push(block);
                }
            }
            continue;
        }
        if ticks >= 3 {
            let block = block(&bare[ticks..], number, at).map_err(|reason| (number, reason))?;
            if sections.is_empty() {
                return Err((number, "a file begins with a heading: `# Title`".to_owned()));
            }
            open = Some((ticks, block));
        } else if bare.trim_start().starts_with("```") || bare.trim_start().starts_with("~~~") {
            return Err((number, "a block begins with ``` at the start of its line".to_owned()));
        } else if let Some((level, title)) = heading(bare) {
            if title.is_empty() {
                return Err((number, "a heading needs a text: it is the name of the case".to_owned()));
            }
            if (level == 1) != sections.is_empty() {
                return Err((number, "a file has one `# Title`, before its `## Cases`".to_owned()));
            }
            sections.push(Section { title: title.to_owned(), line: number, blocks: Vec::new() });
        }
    }
    match open {
        Some((fence, block)) => Err((block.line, format!("nothing closes this block: {}", "`".repeat(fence)))),
        None if sections.is_empty() => Err((1, "a file begins with a heading: `# Title`".to_owned())),
        None => Ok(sections),
    }
}

/// `# Title` and `## Case`; deeper headings are prose.
fn heading(line: &str) -> Option<(usize, &str)> {
    let level = line.len() - line.trim_start_matches('#').len();
    let title = line[level..].strip_prefix([' ', '\t']).or((line.len() == level).then_some(""))?;
    matches!(level, 1 | 2).then(|| (level, title.trim()))
}

/// Parses the first line of a block: language, role, and `key=value`.
fn block(words: &str, line: usize, start: usize) -> Result<Block, String> {
    let roles = Role::ALL.map(|(name, _)| name).join(", ");
    let mut words = words.split_whitespace();
    let (Some(language), Some(word)) = (words.next(), words.next()) else {
        return Err(format!("a block needs a language and a role, as in ```json log: {roles}"));
    };
    let role = Role::ALL.iter().find(|(name, _)| *name == word).map(|(_, role)| *role);
    let role = role.ok_or_else(|| format!("`{word}` is not a role of a block: {roles}"))?;
    let toml = matches!(role, Role::Case | Role::Settings | Role::Expect);
    if toml != (language == "toml") {
        let fault = if toml { "is written in TOML: ```toml " } else { "is not TOML: ```json or ```text " };
        return Err(format!("`{word}` {fault}{word}"));
    }
    let (mut name, mut format) = (None, None);
    for word in words {
        match word.split_once('=') {
            Some(("name", value)) if matches!(role, Role::Log | Role::Past) => name = Some(value.to_owned()),
            Some(("format", value)) if matches!(role, Role::Log | Role::Past) => format = Some(value.to_owned()),
            _ => return Err(format!("`{word}` is not known here: a log or past may have name=... and format=...")),
        }
    }
    Ok(Block { role, name, format, line, content: start..start })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_and_blocks_are_found_with_their_places() {
        let text = "# T\n\nWords.\n\n## A case\n\n```json log name=a.log format=auditd\nx\n# y\n```\n### more words\n````toml expect\n```\n````\n";
        let found = sections(text).unwrap();
        assert_eq!((found.len(), found[1].title.as_str(), found[1].line), (2, "A case", 5));
        let [log, expect] = found[1].blocks.as_slice() else { panic!("{found:?}") };
        assert_eq!((log.role, log.name.as_deref(), log.format.as_deref()), (Role::Log, Some("a.log"), Some("auditd")));
        assert_eq!((&text[log.content.clone()], log.line), ("x\n# y\n", 7));
        assert_eq!(&text[expect.content.clone()], "```\n");
    }

    #[test]
    fn syntax_errors_are_reported_with_their_line() {
        for (text, line, part) in [
            ("", 1, "# Title"),
            ("```json log\n```\n", 1, "# Title"),
            ("# T\n```json log\nx\n", 2, "closes"),
            ("# T\n```json\n```\n", 2, "log"),
            ("# T\n```json lgo\n```\n", 2, "lgo"),
            ("# T\n```json expect\n```\n", 2, "TOML"),
            ("# T\n```toml log\n```\n", 2, "not TOML"),
            ("# T\n```json log nmae=x\n```\n", 2, "nmae=x"),
            ("# T\n  ```json log\n```\n", 2, "start"),
            ("# T\n~~~json log\n", 2, "start"),
            ("# T\n# U\n", 2, "one"),
            ("## T\n", 1, "one"),
            ("# T\n##\n", 2, "text"),
        ] {
            let (at, reason) = sections(text).unwrap_err();
            assert!(at == line && reason.contains(part), "{text:?}: line {at}: {reason}");
        }
    }
}
