//! Expands paths to a list of inputs; folders are walked in order.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Maximum depth of folders.
const DEPTH: usize = 64;

/// A file to be read, or why it cannot be.
#[derive(Debug)]
pub(super) enum Found {
    /// A regular file.
    File(PathBuf),
    /// A pipe, a socket, a device: it can be read once, from start to end.
    Stream(PathBuf),
    /// Standard input.
    Stdin,
    /// It cannot be read; the text says why.
    Problem(PathBuf, String),
}

/// The inputs that `paths` name: files as given, `-` for standard input, folders with all files in them, sorted by
/// name. Hidden files and folders inside a folder, pipes and devices are ignored; a file that is reached twice, by a
/// link or by two arguments, is read once.
pub(super) fn walk(paths: &[PathBuf]) -> Vec<Found> {
    let mut walk = Walk::default();
    for path in paths {
        if path.as_os_str() == "-" {
            if !walk.stdin {
                walk.stdin = true;
                walk.found.push(Found::Stdin);
            }
            continue;
        }
        match fs::metadata(path) {
            Ok(of) if of.is_dir() => walk.folder(path, 0),
            Ok(of) if of.is_file() => walk.file(path),
            Ok(_) => walk.found.push(Found::Stream(path.clone())),
            Err(error) => walk.problem(path, &error),
        }
    }
    walk.found
}

#[derive(Default)]
struct Walk {
    found: Vec<Found>,
    seen: BTreeSet<PathBuf>,
    stdin: bool,
}

impl Walk {
    fn folder(&mut self, folder: &Path, depth: usize) {
        if depth > DEPTH {
            self.found.push(Found::Problem(folder.to_owned(), format!("folders nest deeper than {DEPTH}")));
            return;
        }
        match self.first_time(folder) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => return self.problem(folder, &error),
        }
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.problem(folder, &error),
        };
        let mut names = Vec::new();
        for entry in entries {
            match entry {
                Ok(entry) => names.push(entry.file_name()),
                Err(error) => self.problem(folder, &error),
            }
        }
        names.sort();
        for name in names {
            if name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let path = folder.join(name);
            match fs::metadata(&path) {
                Ok(of) if of.is_dir() => self.folder(&path, depth + 1),
                Ok(of) if of.is_file() => self.file(&path),
                Ok(_) => {}
                Err(error) => self.problem(&path, &error),
            }
        }
    }

    fn file(&mut self, path: &Path) {
        match self.first_time(path) {
            Ok(true) => self.found.push(Found::File(path.to_owned())),
            Ok(false) => {}
            Err(error) => self.problem(path, &error),
        }
    }

    fn first_time(&mut self, path: &Path) -> std::io::Result<bool> {
        Ok(self.seen.insert(fs::canonicalize(path)?))
    }

    fn problem(&mut self, path: &Path, error: &std::io::Error) {
        self.found.push(Found::Problem(path.to_owned(), error.to_string()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(found: &[Found], root: &Path) -> Vec<String> {
        let name = |path: &Path| path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/");
        found
            .iter()
            .map(|found| match found {
                Found::File(path) => name(path),
                Found::Stream(path) => format!("stream {}", name(path)),
                Found::Stdin => "-".into(),
                Found::Problem(path, _) => format!("problem {}", name(path)),
            })
            .collect()
    }

    #[test]
    fn a_folder_is_walked_in_the_order_of_names_without_what_is_hidden() {
        let root = tempfile::tempdir().unwrap();
        let at = root.path();
        fs::create_dir_all(at.join("b/deep")).unwrap();
        fs::create_dir_all(at.join(".git")).unwrap();
        for name in ["z.log", "a.log", "b/deep/y.log", "b/x.log", ".hidden", ".git/config"] {
            fs::write(at.join(name), "x").unwrap();
        }
        let found = walk(&[at.to_owned(), PathBuf::from("-"), at.join("z.log"), at.join("missing")]);
        assert_eq!(names(&found, at), ["a.log", "b/deep/y.log", "b/x.log", "z.log", "-", "problem missing"]);
    }

    #[cfg(unix)]
    #[test]
    fn link_cycles_end_and_a_linked_file_is_read_once() {
        let root = tempfile::tempdir().unwrap();
        let at = root.path();
        fs::create_dir(at.join("d")).unwrap();
        fs::write(at.join("d/a.log"), "x").unwrap();
        std::os::unix::fs::symlink(at, at.join("d/loop")).unwrap();
        std::os::unix::fs::symlink(at.join("d/a.log"), at.join("current.log")).unwrap();
        std::os::unix::fs::symlink(at.join("nowhere"), at.join("dangling")).unwrap();
        assert_eq!(names(&walk(&[at.to_owned()]), at), ["current.log", "problem dangling"]);
    }
}
