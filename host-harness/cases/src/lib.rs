//! Test cases as Markdown files: logs, settings, and facts about the expected findings and incidents.
//!
//! The format is defined in `docs/cases.md`. This crate parses it and compares JSON documents with it; it runs no
//! detection and depends on no log format. To run a [`Case`], evaluate its [`Log`]s with a detector, collect the
//! resulting JSON documents, and pass them to [`Expectations::check`].

mod case;
mod expect;
mod fact;
mod markdown;
mod schema;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

pub use case::{Case, Events, Log, Provenance, Suite};
pub use expect::{Edit, Expectations, Failure, rewrite};
pub use schema::undocumented;

/// The ending of the names of case files.
pub const ENDING: &str = ".case.md";

/// An error in a case file: file, line and reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseError {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1; 0 for the file as a whole.
    pub line: usize,
    /// What is wrong, and what is allowed.
    pub message: String,
}

impl fmt::Display for CaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match self.line {
            0 => write!(f, "{path}: {}", self.message),
            line => write!(f, "{path}:{line}: {}", self.message),
        }
    }
}

impl std::error::Error for CaseError {}

/// Reads every file below `folder` whose name ends with [`ENDING`], sorted by path.
///
/// # Errors
/// All errors of all files; also if there is no file, because an empty run must not pass.
pub fn read_folder(folder: &Path) -> Result<Vec<Suite>, Vec<CaseError>> {
    let failed = |path: &Path, message: String| CaseError { path: path.to_owned(), line: 0, message };
    let mut paths = Vec::new();
    find(folder, &mut paths).map_err(|error| vec![failed(folder, error.to_string())])?;
    paths.sort();
    if paths.is_empty() {
        return Err(vec![failed(folder, format!("no file below it ends with {ENDING}"))]);
    }
    let (mut suites, mut errors) = (Vec::new(), Vec::new());
    for path in paths {
        match Suite::read(&path) {
            Ok(suite) => suites.push(suite),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(suites) } else { Err(errors) }
}

fn find(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        let name = name.to_string_lossy();
        if path.is_dir() && !name.starts_with('.') {
            find(&path, found)?;
        } else if name.ends_with(ENDING) {
            found.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_documentation_are_cases() {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cases.md");
        let page = fs::read_to_string(page).unwrap();
        let examples: Vec<&str> =
            page.split("\n````markdown\n").skip(1).filter_map(|rest| rest.split("\n````\n").next()).collect();
        assert_eq!(examples.len(), 2);
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        fs::write(folder.join("excel-start.evtx"), "ElfFile").unwrap();
        fs::write(folder.join("b.case.md"), examples[0]).unwrap();
        fs::write(folder.join("a.case.md"), examples[1]).unwrap();
        fs::write(folder.join("README.md"), "no case").unwrap();
        let names: Vec<usize> = read_folder(folder).unwrap().iter().map(|suite| suite.cases.len()).collect();
        assert_eq!(names, [1, 2]);
    }

    #[test]
    fn a_folder_without_cases_is_an_error_and_all_errors_are_listed() {
        let [error] = read_folder(Path::new("src")).unwrap_err().try_into().unwrap();
        assert_eq!(error.to_string(), "src: no file below it ends with .case.md");
        assert_eq!(read_folder(Path::new("nowhere")).unwrap_err().len(), 1);
    }
}
