//! The cases of this repository: those of the analytics in `cases/`, those of the log formats in `formats/`. They are
//! described in `docs/cases.md` and parsed by `backchannel-cases`.

use std::ops::Deref;
use std::path::{Path, PathBuf};

use backchannel_decode::{Detected, Format, detect};

use crate::root;

/// A case and its name.
#[derive(Clone, Debug)]
pub struct Case {
    /// Folder, file and heading: `component_object_model/remote_activation/mmc-is-activated-under-a-network-logon`.
    pub name: String,
    /// Its content.
    pub case: backchannel_cases::Case,
}

impl Deref for Case {
    type Target = backchannel_cases::Case;

    fn deref(&self) -> &Self::Target {
        &self.case
    }
}

/// The logs of a case as files in a temporary folder, removed on drop.
#[derive(Debug)]
pub struct Files {
    folder: tempfile::TempDir,
    /// The files, in the order of the logs.
    pub paths: Vec<PathBuf>,
}

impl Files {
    /// Writes `logs`, under their names.
    pub fn of(logs: &[backchannel_cases::Log]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |log: &backchannel_cases::Log| {
            let path = folder.path().join(&log.name);
            assert!(!path.exists(), "two logs of one case are called {}", log.name);
            std::fs::write(&path, &log.bytes).expect("the log is written");
            path
        };
        let paths = logs.iter().map(write).collect();
        Self { folder, paths }
    }

    /// The document with the names of the logs in evidence, in place of the temporary files.
    pub fn unnamed(&self, document: &str) -> String {
        let folder = serde_json::to_string(&format!("{}/", self.folder.path().display())).expect("JSON");
        document.replace(&format!("\"source\":{}", &folder[..folder.len() - 1]), "\"source\":\"")
    }
}

impl Case {
    /// The log, if the case has exactly one and it is text.
    pub fn text(&self) -> Option<&str> {
        let [log] = self.logs.as_slice() else { return None };
        std::str::from_utf8(&log.bytes).ok()
    }

    /// The format of its text; detected from the content if the case names none.
    pub fn format(&self) -> Option<Format> {
        let named = self.logs.first().and_then(|log| log.format.as_deref());
        match named {
            Some(name) => Some(Format::from_name(name).unwrap_or_else(|| panic!("{}: no format {name}", self.name))),
            None => match detect(self.text()?.as_bytes()) {
                Detected::Text(found) => Some(found.format),
                _ => None,
            },
        }
    }

    /// Whether it has neither settings nor a baseline.
    pub fn is_plain(&self) -> bool {
        self.settings.is_none() && self.past.is_empty()
    }

    /// Whether it expects a finding.
    pub fn fires(&self) -> bool {
        !self.expect.firing().is_empty()
    }
}

/// The cases of the analytics, by file, in file order.
pub fn all() -> Vec<Case> {
    try_all().unwrap_or_else(|errors| panic!("{errors}"))
}

/// The cases of the formats: logs and the events they become.
pub fn formats() -> Vec<Case> {
    try_formats().unwrap_or_else(|errors| panic!("{errors}"))
}

/// The cases of the analytics, or all errors in their files.
pub fn try_all() -> Result<Vec<Case>, String> {
    read(&root().join("tests/cases"), "")
}

/// The cases of the formats, or all errors in their files.
pub fn try_formats() -> Result<Vec<Case>, String> {
    read(&root().join("tests/formats"), "formats/")
}

fn read(folder: &Path, before: &str) -> Result<Vec<Case>, String> {
    let suites = backchannel_cases::read_folder(folder)
        .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    let mut cases = Vec::new();
    for suite in suites {
        let inside = suite.path.parent().and_then(|parent| parent.strip_prefix(folder).ok()).expect("below the folder");
        let stem = suite.stem();
        for case in suite.cases {
            let name = format!("{before}{}/{stem}/{}", inside.display(), case.slug());
            cases.push(Case { name, case });
        }
    }
    Ok(cases)
}
