//! `backchannel settings`: checks a settings file and shows each error with its place.

use std::path::Path;

use backchannel_host::component::{HostError, Learner, Limits};
use backchannel_host::settings_file::{PlacedMistake, SettingsFile};
use miette::{Diagnostic, LabeledSpan, NamedSource, Report, SourceCode};

use super::{complain, engine, load};
use crate::exit::Exit;
use crate::output::{plain, steers};

pub(crate) fn check(file: &Path) -> Exit {
    let settings = match SettingsFile::read(file) {
        Ok(settings) => settings,
        Err(mistake) => {
            show_mistakes(None, &[mistake]);
            return Exit::Untrusted;
        }
    };
    match taken(&settings) {
        Ok(()) => {
            use std::io::Write;
            // A closed standard output is not an error in the settings.
            let _ = writeln!(std::io::stdout(), "{}: no errors", plain(&file.display().to_string()));
            Exit::Clean
        }
        Err(text) => {
            if !text.is_empty() {
                complain(&text);
            }
            Exit::Untrusted
        }
    }
}

/// Checks the settings with the module, which has the catalogue: ids of analytics, thresholds and windows.
fn taken(settings: &SettingsFile) -> Result<(), String> {
    let module = load(&engine()?, None)?;
    match Learner::open(&module, &Limits::default(), Some(settings.json())) {
        Ok(_) => Ok(()),
        Err(error) => Err(failed(&error, Some(settings))),
    }
}

/// Reads the settings file if one was given; prints errors.
pub(crate) fn read(file: Option<&Path>) -> Result<Option<SettingsFile>, String> {
    file.map(SettingsFile::read).transpose().map_err(|mistake| {
        show_mistakes(None, &[mistake]);
        String::new()
    })
}

/// The settings with `show_secrets` set. Anything but an object is left unchanged: the module reports the error.
pub(crate) fn with_secrets(settings: Option<&SettingsFile>) -> String {
    let text = settings.map_or("{}", SettingsFile::json);
    match serde_json::from_str(text) {
        Ok(serde_json::Value::Object(mut object)) => {
            object.insert("show_secrets".to_owned(), true.into());
            serde_json::Value::Object(object).to_string()
        }
        _ => text.to_owned(),
    }
}

/// The text of a module's error. Errors in the settings are printed here with their places; the text is then empty.
pub(crate) fn failed(error: &HostError, settings: Option<&SettingsFile>) -> String {
    let HostError::Settings(mistakes) = error else { return error.to_string() };
    if let Some(file) = settings {
        let placed: Vec<_> = mistakes.iter().map(|mistake| file.place(mistake)).collect();
        show_mistakes(Some(file), &placed);
    }
    String::new()
}

/// Prints errors on standard error, each with its place in the file.
pub(crate) fn show_mistakes(file: Option<&SettingsFile>, mistakes: &[PlacedMistake]) {
    for mistake in mistakes {
        // If the file could not be parsed, its text is read from disk again.
        let text = match file {
            Some(file) => file.text().to_owned(),
            None if mistake.line > 0 => std::fs::read_to_string(&mistake.path).unwrap_or_default(),
            None => String::new(),
        };
        if text.is_empty() {
            complain(&mistake.to_string());
            continue;
        }
        let shown = Shown {
            mistake: mistake.clone(),
            source: NamedSource::new(mistake.path.display().to_string(), plain_lines(&text)),
        };
        use std::io::Write;
        let _ = writeln!(std::io::stderr(), "{:?}", Report::new(shown));
    }
}

/// The text with terminal control characters replaced byte for byte, so that offsets stay valid.
fn plain_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if steers(c) && !matches!(c, '\n' | '\t' | '\r') {
            out.extend(std::iter::repeat_n('?', c.len_utf8()));
        } else {
            out.push(c);
        }
    }
    out
}

#[derive(Debug)]
struct Shown {
    mistake: PlacedMistake,
    source: NamedSource<String>,
}

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&plain(&self.mistake.to_string()))
    }
}

impl std::error::Error for Shown {}

impl Diagnostic for Shown {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.mistake.span.clone();
        let label = LabeledSpan::new(Some("here".into()), span.start, span.len());
        Some(Box::new(std::iter::once(label)))
    }
}
