//! The inputs: event logs and JSON lines, as two folders of uncompressed files.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use backchannel_tests::{case, files};

/// Minimum size of the inputs of each kind, in bytes; smaller inputs are repeated.
const ENOUGH: u64 = 64 * 1024 * 1024;

/// Two temporary folders of logs, removed on drop.
pub struct Inputs {
    folder: tempfile::TempDir,
}

impl Inputs {
    /// From the captures in `corpus`, otherwise from the inputs of the project's own cases.
    pub fn collect(corpus: Option<&Path>) -> io::Result<Self> {
        let inputs = Self { folder: tempfile::tempdir()? };
        fs::create_dir(inputs.evtx())?;
        fs::create_dir(inputs.json())?;
        let Some(from) = corpus else {
            for (number, case) in case::all().iter().enumerate() {
                if let (Some(text), true) = (case.text(), case.format().is_some_and(|format| format.is_json())) {
                    fs::write(inputs.json().join(format!("{number:03}.json")), text)?;
                }
            }
            repeat(&inputs.json())?;
            return Ok(inputs);
        };
        for (number, path) in files(from, ".evtx").iter().enumerate() {
            fs::copy(path, inputs.evtx().join(format!("{number:03}.evtx")))?;
        }
        for path in files(from, ".zip") {
            let mut archive = zip::ZipArchive::new(File::open(path)?)?;
            for index in 0..archive.len() {
                let mut member = archive.by_index(index)?;
                let name = member.name()?;
                // Archives created on macOS contain a second file with attributes for every file.
                if name.ends_with(".json") && !name.contains("/._") {
                    let number = fs::read_dir(inputs.json())?.count();
                    io::copy(&mut member, &mut File::create(inputs.json().join(format!("{number:03}.json")))?)?;
                }
            }
        }
        repeat(&inputs.evtx())?;
        repeat(&inputs.json())?;
        Ok(inputs)
    }

    /// The folder of event logs.
    pub fn evtx(&self) -> PathBuf {
        self.folder.path().join("evtx")
    }

    /// The folder of JSON lines.
    pub fn json(&self) -> PathBuf {
        self.folder.path().join("json")
    }
}

/// The files of a folder and their total size in bytes.
pub fn all(folder: &Path) -> io::Result<(Vec<PathBuf>, u64)> {
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    let sizes = paths.iter().map(|path| Ok(path.metadata()?.len())).collect::<io::Result<Vec<_>>>()?;
    Ok((paths, sizes.iter().sum()))
}

/// Links files repeatedly until there is enough data, so that the cost of opening does not dominate.
fn repeat(folder: &Path) -> io::Result<()> {
    let (paths, size) = all(folder)?;
    let copies = ENOUGH.checked_div(size).unwrap_or(0);
    for copy in 1..=copies {
        for path in &paths {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            fs::hard_link(path, folder.join(format!("{copy:03}-{name}")))?;
        }
    }
    Ok(())
}
