//! A case: a folder with a log, what is expected of it, and what came of it when it was last looked at.
//!
//! `case.toml` says what the case is about; `input.*` is the log; `events.jsonl` is what normalising made of it and
//! `findings.jsonl` what detection made of that: two goldens, so that a difference says which half broke.

use std::path::{Path, PathBuf};

use backchannel_decode::Format;
use serde::Deserialize;

use crate::{files, read, root};

/// A case.
#[derive(Debug)]
pub struct Case {
    /// Its folder.
    pub folder: PathBuf,
    /// The catalogue id it is about: the name of the folder above.
    pub analytic: String,
    /// Its log.
    pub input: PathBuf,
    /// A log to learn a baseline from, if there is one.
    pub past: Option<PathBuf>,
    /// What it says of itself.
    pub says: Says,
}

/// `case.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Says {
    /// What the case shows, in words.
    pub about: String,
    /// Format of the log.
    pub format: String,
    /// The worst finding of the analytic; none for a quiet case.
    pub expects: Option<Expects>,
    /// The site's settings, as they would stand in its file.
    pub settings: Option<toml::Table>,
    /// Where a host cannot know what another knows: which driver, and why. Shown, and not compared.
    #[serde(default)]
    pub differs: std::collections::BTreeMap<String, String>,
}

/// What the worst finding must be.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Expects {
    /// Its severity.
    pub severity: String,
    /// Its confidence.
    pub confidence: String,
}

impl Case {
    /// The format of its log.
    pub fn format(&self) -> Format {
        Format::from_name(&self.says.format)
            .unwrap_or_else(|| panic!("{}: no format is called {}", self.folder.display(), self.says.format))
    }

    /// The settings as the JSON document that the module takes.
    pub fn settings(&self) -> Option<String> {
        self.says.settings.as_ref().map(|table| serde_json::to_string(table).expect("a table is JSON"))
    }

    /// Its name: `ipc-dcom-006/fires-...`.
    pub fn name(&self) -> String {
        let folder = self.folder.strip_prefix(root().join("tests/cases")).expect("below tests/cases");
        folder.display().to_string()
    }
}

/// All cases, by name.
pub fn all() -> Vec<Case> {
    files(&root().join("tests/cases"), "case.toml").iter().map(|path| load(path)).collect()
}

fn load(path: &Path) -> Case {
    let folder = path.parent().expect("a folder").to_owned();
    let says: Says = toml::from_str(&read(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let above = folder.parent().and_then(Path::file_name).expect("a folder above").to_string_lossy();
    let inputs: Vec<PathBuf> = files(&folder, "").into_iter().filter(|path| stem(path) == "input").collect();
    let [input] = inputs.as_slice() else { panic!("{}: exactly one input.* is needed", folder.display()) };
    let past = files(&folder, "").into_iter().find(|path| stem(path) == "past");
    Case { analytic: above.to_ascii_uppercase(), input: input.clone(), past, folder, says }
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}
