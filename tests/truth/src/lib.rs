//! What the program says of captures, natively, and how far that is true.
//!
//! - [`documents`]: captures, samples and cases to typed documents.
//! - [`truth`]: the hand-made truth files, read.
//! - [`said`]: what an incident says, in the terms of those files.
//! - [`compare`]: both compared, statement by statement.
//! - [`known`]: lists of known faults, each with its reason.
//! - [`sentences`]: rules that every sentence keeps.

pub mod compare;
pub mod documents;
pub mod known;
pub mod said;
pub mod sentences;
pub mod truth;

use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The root of the tree.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("this crate lies two folders deep").to_owned()
}

/// The folder of captures that `BACKCHANNEL_CORPUS` names; says so where there is none.
pub fn corpus() -> Option<PathBuf> {
    let folder = std::env::var_os("BACKCHANNEL_CORPUS").map(PathBuf::from);
    if let Some(folder) = folder.filter(|folder| folder.is_dir()) {
        return Some(folder);
    }
    // Straight to the terminal: what a test prints is not shown when it passes.
    let _ = writeln!(std::io::stderr(), "\nSKIPPED: BACKCHANNEL_CORPUS names no folder of captures\n");
    None
}
