//! `backchannel module`: what a module is, before it is trusted.

use std::io::{self, Write};
use std::path::Path;

use backchannel_host::component::{CONTRACT, Inspection, Limits, inspect as look};

use super::{complain, engine};
use crate::cli::Target;
use crate::exit::Exit;
use crate::output::plain;

pub(crate) fn inspect(file: &Path) -> Exit {
    let looked = std::fs::read(file).map_err(|error| error.to_string()).and_then(|bytes| {
        let inspection = look(&engine()?, &bytes, &Limits::default()).map_err(|error| error.to_string())?;
        Ok((bytes.len(), inspection))
    });
    let (size, inspection) = match looked {
        Ok(looked) => looked,
        Err(text) => {
            complain(&format!("{}: {text}", file.display()));
            return Exit::Untrusted;
        }
    };
    match print(file, size, &inspection) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain(&format!("standard output: {error}"));
            Exit::Untrusted
        }
        Ok(()) | Err(_) if inspection.about.is_ok() => Exit::Clean,
        Ok(()) | Err(_) => Exit::Untrusted,
    }
}

pub(crate) fn export(target: Target, file: &Path) -> Exit {
    let module = match target {
        Target::Component => backchannel_embedded::COMPONENT,
        Target::FluentBit => backchannel_embedded::FLUENT_BIT,
    };
    match std::fs::write(file, module) {
        Ok(()) => Exit::Clean,
        Err(error) => {
            complain(&format!("{}: {error}", file.display()));
            Exit::Untrusted
        }
    }
}

fn print(file: &Path, size: usize, inspection: &Inspection) -> io::Result<()> {
    let list = |names: &[String]| if names.is_empty() { "nothing".into() } else { plain(&names.join(", ")) };
    let mut out = io::stdout().lock();
    writeln!(out, "{}", plain(&file.display().to_string()))?;
    writeln!(out, "size      {size} bytes")?;
    writeln!(out, "imports   {}", list(&inspection.surface.imports))?;
    writeln!(out, "exports   {}", list(&inspection.surface.exports))?;
    match &inspection.about {
        Ok(about) => {
            writeln!(out, "version   {}", plain(&about.version))?;
            writeln!(out, "contract  {} (this program speaks {CONTRACT})", plain(&about.contract))?;
            writeln!(out, "baked     {}", if about.baked { "with settings or a baseline" } else { "no" })?;
            writeln!(out, "analytics {}", inspection.analytics)
        }
        Err(reason) => writeln!(out, "refused   {}", plain(reason)),
    }
}
