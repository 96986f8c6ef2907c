//! A case, built from a section of a file and the files that it refers to.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::fact::{Fault, shifted};
use crate::markdown::{Block, Role, Section, sections};
use crate::{CaseError, ENDING, Expectations};

/// A file with cases.
#[derive(Clone, Debug)]
pub struct Suite {
    /// The file.
    pub path: PathBuf,
    /// Its `# Title`.
    pub title: String,
    /// Its cases, in file order: at least one.
    pub cases: Vec<Case>,
}

/// A case.
#[derive(Clone, Debug, Default)]
pub struct Case {
    /// The file that contains it.
    pub path: PathBuf,
    /// Its heading.
    pub name: String,
    /// Line of the heading.
    pub line: usize,
    /// The logs to evaluate together, as a folder would be: at least one.
    pub logs: Vec<Log>,
    /// The logs from which a baseline is learned; empty: there is no baseline.
    pub past: Vec<Log>,
    /// The site's settings as the JSON document for the module.
    pub settings: Option<String>,
    /// The events expected from normalising the logs, if the case lists them.
    pub events: Option<Events>,
    /// The expected findings and incidents, and those that must not occur.
    pub expect: Expectations,
    /// The origin of the logs, if the case states it.
    pub provenance: Option<Provenance>,
    /// Hosts of the module that cannot produce the same findings as the others, and why.
    pub differs: BTreeMap<String, String>,
}

/// A log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Its name in evidence: the file's name, or `input`.
    pub name: String,
    /// Its format if the case names it; otherwise it is detected from the content.
    pub format: Option<String>,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// Expected events: one JSON object per line, without unset fields.
#[derive(Clone, Debug, Default)]
pub struct Events {
    /// The objects.
    pub events: Vec<serde_json::Value>,
    /// Byte range of the lines in the file: replaced when expectations are updated.
    pub span: Range<usize>,
}

/// Origin of logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// Written or generated for the case.
    Written {
        /// Licence, if it differs from that of the repository.
        licence: Option<String>,
    },
    /// Recorded on a machine.
    Captured {
        /// Where they were published, or who recorded them on which system.
        origin: String,
        /// Licence.
        licence: String,
    },
}

impl Suite {
    /// Reads a file and the files that it refers to.
    ///
    /// # Errors
    /// The first error, with its line.
    pub fn read(path: &Path) -> Result<Self, CaseError> {
        let text = fs::read_to_string(path).map_err(|error| CaseError {
            path: path.to_owned(),
            line: 0,
            message: error.to_string(),
        })?;
        Self::parse(path, &text)
    }

    /// Parses a file's text; paths in it are relative to the folder of `path`.
    ///
    /// # Errors
    /// The first error, with its line.
    pub fn parse(path: &Path, text: &str) -> Result<Self, CaseError> {
        let failed = |line, message| CaseError { path: path.to_owned(), line, message };
        let mut sections = sections(text).map_err(|(line, message)| failed(line, message))?;
        let mut above = sections.remove(0);
        let title = above.title.clone();
        let mut shared = Case { path: path.to_owned(), ..Case::default() };
        if sections.is_empty() {
            sections.push(above);
        } else {
            if let Some(block) = above.blocks.iter().find(|block| !matches!(block.role, Role::Case | Role::Settings)) {
                let role = block.role.name();
                return Err(failed(
                    block.line,
                    format!("`{role}` belongs below a `## Case`; above them only case and settings"),
                ));
            }
            let blocks = std::mem::take(&mut above.blocks);
            shared.take(text, &blocks).map_err(|(span, message)| failed(line_of(text, span.start), message))?;
        }
        let mut suite = Self { path: path.to_owned(), title, cases: Vec::new() };
        for section in sections {
            let case =
                shared.below(text, &section).map_err(|(span, message)| failed(line_of(text, span.start), message))?;
            if suite.cases.iter().any(|other| other.slug() == case.slug()) {
                return Err(failed(case.line, "another case of this file has this name".to_owned()));
            }
            suite.cases.push(case);
        }
        Ok(suite)
    }

    /// The name of the file without [`ENDING`].
    pub fn stem(&self) -> String {
        let name = self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        name.strip_suffix(ENDING).unwrap_or(&name).to_owned()
    }
}

impl Case {
    /// Its name in lower case, with hyphens for all characters but letters and digits, for use on a command line.
    pub fn slug(&self) -> String {
        let words = self.name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        words.collect::<Vec<_>>().join("-").to_ascii_lowercase()
    }

    /// Builds the case of a section, starting from the shared part.
    fn below(&self, text: &str, section: &Section) -> Result<Self, Fault> {
        let mut case = Self { name: section.title.clone(), line: section.line, ..self.clone() };
        case.take(text, &section.blocks)?;
        let here = line_start(text, section.line);
        let missing = |what: &str| Err((here..here, format!("the case \"{}\" has no {what}", section.title)));
        if case.logs.is_empty() {
            return missing("log: a block `log`, or logs = [\"file\"] in its block `case`");
        }
        if case.events.is_none() && case.expect.is_empty() {
            return missing("expectation: a block `expect` or `events`");
        }
        Ok(case)
    }

    fn take(&mut self, text: &str, blocks: &[Block]) -> Result<(), Fault> {
        let mut seen = Vec::new();
        for block in blocks {
            let (content, from) = (&text[block.content.clone()], block.content.start);
            if !matches!(block.role, Role::Log | Role::Past) && seen.contains(&block.role) {
                return Err((block.content.clone(), format!("a second block `{}` of one case", block.role.name())));
            }
            seen.push(block.role);
            match block.role {
                Role::Log => self.logs.push(Log::inline(block, content)),
                Role::Past => self.past.push(Log::inline(block, content)),
                Role::Events => self.events = Some(Events::parse(content, block.content.clone())?),
                Role::Settings => {
                    let table: toml::Table = toml::from_str(content).map_err(|error| toml_fault(&error, from))?;
                    self.settings = serde_json::to_string(&table).ok();
                }
                Role::Expect => self.expect = Expectations::parse(&self.path, text, block.content.clone())?,
                Role::Case => self.about(&table(content, from)?, from)?,
            }
        }
        Ok(())
    }

    /// The block `case`.
    fn about(&mut self, table: &DeTable<'_>, from: usize) -> Result<(), Fault> {
        let (mut kind, mut origin, mut licence) = (None, None, None);
        for (name, value) in table.iter() {
            let name: &str = name.get_ref();
            match name {
                "provenance" => kind = Some((shifted(value, from), string(value, from)?)),
                "origin" => origin = Some((shifted(value, from), string(value, from)?)),
                "licence" => licence = Some((shifted(value, from), string(value, from)?)),
                "logs" => self.logs.extend(self.files(value, from)?),
                "past" => self.past.extend(self.files(value, from)?),
                "settings" => {
                    let path = self.beside(value, &string(value, from)?, from)?;
                    let text = fs::read_to_string(&path).map_err(|error| (shifted(value, from), error.to_string()))?;
                    let table: toml::Table = toml::from_str(&text)
                        .map_err(|error| (shifted(value, from), format!("{}: {error}", path.display())))?;
                    self.settings = serde_json::to_string(&table).ok();
                }
                "differs" => {
                    let wrong = || (shifted(value, from), "expected a table: host = \"why\"".to_owned());
                    for (host, why) in value.get_ref().as_table().ok_or_else(wrong)?.iter() {
                        self.differs.insert(host.get_ref().to_string(), string(why, from)?);
                    }
                }
                _ => {
                    let names = "provenance, origin, licence, logs, past, settings, differs";
                    return Err((shifted(value, from), format!("`{name}` is not known: {names}")));
                }
            }
        }
        match (kind, origin, licence) {
            (None, None, None) => {}
            (Some((_, kind)), None, licence) if kind == "written" => {
                self.provenance = Some(Provenance::Written { licence: licence.map(|(_, licence)| licence) });
            }
            (Some((_, kind)), Some((_, origin)), Some((_, licence))) if kind == "captured" => {
                self.provenance = Some(Provenance::Captured { origin, licence });
            }
            (Some((span, kind)), _, _) if kind == "captured" => {
                return Err((span, "captured logs need origin = \"...\" and licence = \"...\"".to_owned()));
            }
            (Some((span, _)), _, _) | (None, Some((span, _)), _) | (None, _, Some((span, _))) => {
                let both =
                    "provenance is \"written\" (with or without a licence) or \"captured\" (with origin and licence)";
                return Err((span, both.to_owned()));
            }
        }
        Ok(())
    }

    /// Reads the logs of a list such as `["a.evtx", { file = "b.log", format = "auditd" }]`.
    fn files(&self, value: &Spanned<DeValue<'_>>, from: usize) -> Result<Vec<Log>, Fault> {
        let wrong = |value| (shifted(value, from), "expected a list of file names".to_owned());
        let mut logs = Vec::new();
        for item in value.get_ref().as_array().ok_or_else(|| wrong(value))?.iter() {
            let (mut file, mut format) = (None, None);
            match item.get_ref() {
                DeValue::String(text) => file = Some(text.to_string()),
                DeValue::Table(table) => {
                    for (name, value) in table.iter() {
                        match &**name.get_ref() {
                            "file" => file = Some(string(value, from)?),
                            "format" => format = Some(string(value, from)?),
                            other => {
                                return Err((shifted(value, from), format!("`{other}` is not known: file, format")));
                            }
                        }
                    }
                }
                _ => {}
            }
            let file = file.ok_or_else(|| wrong(item))?;
            let path = self.beside(item, &file, from)?;
            let bytes =
                fs::read(&path).map_err(|error| (shifted(item, from), format!("{}: {error}", path.display())))?;
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            logs.push(Log { name, format, bytes });
        }
        Ok(logs)
    }

    /// The path of a file, relative to the file that contains the case.
    fn beside(&self, value: &Spanned<DeValue<'_>>, file: &str, from: usize) -> Result<PathBuf, Fault> {
        let path = self.path.parent().unwrap_or(Path::new("")).join(file);
        if path.is_file() {
            Ok(path)
        } else {
            Err((shifted(value, from), format!("there is no file {}", path.display())))
        }
    }
}

impl Log {
    fn inline(block: &Block, content: &str) -> Self {
        let name = block.name.clone().unwrap_or_else(|| "input".to_owned());
        Self { name, format: block.format.clone(), bytes: content.as_bytes().to_vec() }
    }
}

impl Events {
    fn parse(content: &str, span: Range<usize>) -> Result<Self, Fault> {
        let (mut events, mut at) = (Vec::new(), span.start);
        for line in content.split_inclusive('\n') {
            if !line.trim().is_empty() {
                let event: serde_json::Value =
                    serde_json::from_str(line).map_err(|error| (at..at, error.to_string()))?;
                events.push(event);
            }
            at += line.len();
        }
        Ok(Self { events, span })
    }
}

/// TOML with the span of every value.
pub(crate) fn table(content: &str, from: usize) -> Result<DeTable<'_>, Fault> {
    DeTable::parse(content).map(Spanned::into_inner).map_err(|error| toml_fault(&error, from))
}

fn toml_fault(error: &toml::de::Error, from: usize) -> Fault {
    let span = error.span().unwrap_or(0..0);
    (span.start + from..span.end + from, error.message().to_owned())
}

pub(crate) fn string(value: &Spanned<DeValue<'_>>, from: usize) -> Result<String, Fault> {
    let text = value.get_ref().as_str().map(str::to_owned);
    text.ok_or_else(|| (shifted(value, from), "expected a text in quotes".to_owned()))
}

/// The line of a byte offset, from 1.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}

fn line_start(text: &str, line: usize) -> usize {
    text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"# Pipes

```toml case
provenance = "written"
```

## The first

```json log
{"a": 1}
```

```toml expect
quiet.analytics = ["X"]
```

## The second, with settings

```json past
{"b": 1}
```

```text log name=two.log format=auditd
type=A
```

```toml settings
admin_hosts = ["adm01"]
```

```json events
{"time":1}
```
"#;

    fn parse(text: &str) -> Result<Suite, CaseError> {
        Suite::parse(Path::new("folder/pipes.case.md"), text)
    }

    #[test]
    fn a_file_is_split_into_its_cases() {
        let suite = parse(GOOD).unwrap();
        assert_eq!((suite.title.as_str(), suite.stem().as_str()), ("Pipes", "pipes"));
        let [first, second] = suite.cases.as_slice() else { panic!("{suite:?}") };
        assert_eq!(first.logs, [Log { name: "input".into(), format: None, bytes: b"{\"a\": 1}\n".to_vec() }]);
        assert_eq!((first.slug().as_str(), first.line), ("the-first", 7));
        assert_eq!(first.provenance, Some(Provenance::Written { licence: None }));
        assert_eq!(second.slug(), "the-second-with-settings");
        assert_eq!((second.logs[0].name.as_str(), second.logs[0].format.as_deref()), ("two.log", Some("auditd")));
        assert_eq!(second.settings.as_deref(), Some(r#"{"admin_hosts":["adm01"]}"#));
        assert_eq!((second.past.len(), second.events.as_ref().unwrap().events.len()), (1, 1));
    }

    #[test]
    fn a_file_without_cases_below_is_one_case() {
        let suite = parse("# Alone\n```json log\n{}\n```\n```toml expect\nquiet.at_or_above = 'low'\n```\n").unwrap();
        assert_eq!((suite.cases.len(), suite.cases[0].name.as_str()), (1, "Alone"));
    }

    #[test]
    fn errors_are_reported_with_file_and_line() {
        let case = "# T\n\n## C\n\n```json log\n{}\n```\n\n";
        for (rest, line, part) in [
            ("", 3, "has no expectation"),
            ("```toml expect\n```\n", 10, "expects nothing"),
            ("```toml expect\n[[findnig]]\n```\n", 10, "`findnig` is not known"),
            ("```toml expect\n[[finding]]\nsevrity = 'high'\n```\n", 11, "`sevrity` is not known"),
            ("```toml expect\n[quiet]\nanalytic = []\n```\n", 11, "`analytic` is not known"),
            ("```toml expect\nx = \n```\n", 10, "expected"),
            ("```toml case\nlogs = [\"no.evtx\"]\n```\n", 10, "there is no file folder/no.evtx"),
            ("```toml case\nlincence = 'x'\n```\n", 10, "`lincence` is not known"),
            ("```toml case\nprovenance = 'captured'\n```\n", 10, "origin"),
            ("```toml case\nprovenance = 'found'\n```\n", 10, "written"),
            ("```toml settings\nx\n```\n", 10, ""),
            ("```json events\n{\n```\n", 10, "EOF"),
            ("```toml expect\nquiet.at_or_above = 'low'\n```\n## C\n", 12, "has no log"),
        ] {
            let error = parse(&format!("{case}{rest}")).unwrap_err();
            assert!(error.line == line && error.message.contains(part), "{rest}: {error}");
            assert!(error.to_string().starts_with(&format!("folder/pipes.case.md:{line}: ")));
        }
        assert!(parse("# T\n```json log\n```\n## C\n").unwrap_err().message.contains("belongs below"));
        assert!(
            parse(&GOOD.replace("The second, with settings", "The first")).unwrap_err().message.contains("this name")
        );
    }
}
