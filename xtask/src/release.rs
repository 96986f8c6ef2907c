//! Freezes the contract: a released version is a copy with checksums, which a test verifies.

use std::fs;
use std::process::Command;

use crate::root;

/// Copies wit/*.wit to wit/released/VERSION/ with a SHA256SUMS file.
pub fn freeze(version: &str) -> Result<(), String> {
    let folder = root().join("wit/released").join(version);
    if folder.exists() {
        return Err(format!("{} exists: a released contract is never edited; choose a new version", folder.display()));
    }
    let expected = format!("package backchannel:detection@{version};");
    let mut names = Vec::new();
    for entry in fs::read_dir(root().join("wit")).map_err(|error| format!("wit/: {error}"))?.flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|ending| ending == "wit") {
            let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            if !text.contains(&expected) {
                return Err(format!("{} does not contain `{expected}`", path.display()));
            }
            names.push((entry.file_name(), text));
        }
    }
    names.sort();
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut sum = Command::new("sha256sum");
    for (name, text) in &names {
        fs::write(folder.join(name), text).map_err(|error| format!("{}: {error}", folder.display()))?;
        sum.arg(name);
    }
    let output = sum.current_dir(&folder).output().map_err(|error| format!("sha256sum: {error}"))?;
    fs::write(folder.join("SHA256SUMS"), output.stdout).map_err(|error| format!("SHA256SUMS: {error}"))
}
