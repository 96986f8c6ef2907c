//! Compares versions of the contract in `wit/` by their types. It is a separate package, because the comparison needs
//! features of `wit-component` that the program does not use.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use wit_parser::{Resolve, WorldId};

/// The world that modules implement.
const WORLD: &str = "module";

/// The folder `wit/`.
pub fn wit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")
}

/// A contract: the WIT files of one version, by name.
#[derive(Clone, Debug)]
pub struct Contract {
    files: Vec<(String, String)>,
}

impl Contract {
    /// Reads the WIT files of a folder.
    ///
    /// # Errors
    /// If the folder or a file in it cannot be read.
    pub fn read(folder: &Path) -> Result<Self> {
        let mut files = Vec::new();
        for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == "wit") {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                files.push((name, fs::read_to_string(&path).with_context(|| path.display().to_string())?));
            }
        }
        files.sort();
        ensure!(!files.is_empty(), "{}: no WIT file", folder.display());
        Ok(Self { files })
    }

    /// The same contract with `from` replaced by `to` in one file.
    ///
    /// # Errors
    /// If the file does not contain `from`.
    pub fn edited(&self, file: &str, from: &str, to: &str) -> Result<Self> {
        let mut edited = self.clone();
        let text = edited.files.iter_mut().find(|(name, _)| name == file).map(|(_, text)| text);
        let text = text.with_context(|| format!("no file {file}"))?;
        ensure!(text.contains(from), "{file} does not contain `{from}`");
        *text = text.replacen(from, to, 1);
        Ok(edited)
    }

    /// Adds it to `resolve` as the package `version`, regardless of the version in its files.
    fn world(&self, resolve: &mut Resolve, version: &str) -> Result<WorldId> {
        const PACKAGE: &str = "package backchannel:detection@";
        let folder = tempfile::tempdir()?;
        for (name, text) in &self.files {
            let (before, rest) = text.split_once(PACKAGE).with_context(|| format!("{name} names no package"))?;
            let (_, after) = rest.split_once(';').with_context(|| format!("{name} names no version"))?;
            fs::write(folder.path().join(name), format!("{before}{PACKAGE}{version};{after}"))?;
        }
        let (package, _) = resolve.push_dir(folder.path())?;
        resolve.select_world(&[package], Some(WORLD))
    }
}

/// Whether a host built for one contract can use a module built for the other, in both directions. `wit-component`
/// compares in one direction only, in which a module may export more than its host imports.
///
/// # Errors
/// The direction in which they are incompatible.
pub fn compatible(old: &Contract, new: &Contract) -> Result<()> {
    let fits = |prev: &Contract, next: &Contract| -> Result<()> {
        let mut resolve = Resolve::default();
        let (prev, next) = (prev.world(&mut resolve, "0.0.1")?, next.world(&mut resolve, "0.0.2")?);
        wit_component::semver_check(resolve, prev, next)
    };
    // A module built for the first is composed with a host built for the second.
    fits(old, new).context("a host of the new contract cannot use a module of the old one")?;
    fits(new, old).context("a host of the old contract cannot use a module of the new one")
}
