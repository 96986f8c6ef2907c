//! `backchannel module`: inspects a module without running detection, and exports the embedded one for other hosts.

use std::io::{self, Write};
use std::path::Path;

use backchannel_host::component::{BakedPart, CONTRACT, Inspection, Limits, inspect as look};
use serde_json::json;

use super::{complain, engine};
use crate::cli::Target;
use crate::exit::Exit;
use crate::output::{jsonl, plain};

/// Prints the properties of a module.
pub(crate) fn inspect(file: &Path, as_json: bool) -> Exit {
    let looked = std::fs::read(file)
        .map_err(|error| error.to_string())
        .and_then(|bytes| look(&engine()?, &bytes, &Limits::default()).map_err(|error| error.to_string()));
    let inspection = match looked {
        Ok(looked) => looked,
        Err(text) => {
            complain(&format!("{}: {text}", file.display()));
            return Exit::Untrusted;
        }
    };
    let mut out = io::stdout().lock();
    let printed = if as_json {
        jsonl::line(&mut out, &document(file, &inspection).to_string())
    } else {
        print(&mut out, file, &inspection)
    };
    match printed {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain(&format!("standard output: {error}"));
            Exit::Untrusted
        }
        Ok(()) | Err(_) if inspection.about.is_ok() => Exit::Clean,
        Ok(()) | Err(_) => Exit::Untrusted,
    }
}

/// Writes the embedded module to a file.
pub(crate) fn export(target: Target, output: &Path) -> Exit {
    let module = match target {
        Target::Component => backchannel_embedded::component(),
        Target::FluentBit => backchannel_embedded::fluent_bit(),
    };
    match std::fs::write(output, module) {
        Ok(()) => Exit::Clean,
        Err(error) => {
            complain(&format!("{}: {error}", output.display()));
            Exit::Untrusted
        }
    }
}

/// What is baked in, as text: each part with the hash of its file, if the module contains it.
fn baked(inspection: &Inspection) -> Vec<String> {
    let Ok(about) = &inspection.about else { return Vec::new() };
    let section = inspection.sections.baked.as_ref();
    let part = |what: &str, part: Option<&BakedPart>| match part {
        Some(part) => format!("{what}, {} bytes, sha256 {}", part.bytes, plain(&part.sha256)),
        None => format!("{what}; the file is not recorded"),
    };
    let mut lines = Vec::new();
    if about.baked_settings {
        lines.push(part("settings", section.and_then(|baked| baked.settings.as_ref())));
    }
    if about.baked_baseline {
        lines.push(part("baseline", section.and_then(|baked| baked.baseline.as_ref())));
    }
    if let Some(baked) = section
        && !lines.is_empty()
    {
        lines.push(format!("by Backchannel {}", plain(&baked.tool)));
    }
    lines
}

fn signed(inspection: &Inspection) -> String {
    match inspection.sections.signatures {
        0 => "no".into(),
        1 => "1 signature, not verified here".into(),
        many => format!("{many} signatures, not verified here"),
    }
}

fn print(out: &mut dyn Write, file: &Path, inspection: &Inspection) -> io::Result<()> {
    let list = |names: &[String]| if names.is_empty() { "nothing".into() } else { plain(&names.join(", ")) };
    writeln!(out, "{}", plain(&file.display().to_string()))?;
    writeln!(out, "size      {} bytes", inspection.size)?;
    writeln!(out, "imports   {}", list(&inspection.surface.imports))?;
    writeln!(out, "exports   {}", list(&inspection.surface.exports))?;
    writeln!(out, "signed    {}", signed(inspection))?;
    match &inspection.about {
        Ok(about) => {
            writeln!(out, "version   {}", plain(&about.version))?;
            match inspection.analytics {
                Some(_) => writeln!(out, "contract  {} (this program supports {CONTRACT})", plain(&about.contract))?,
                None => writeln!(out, "contract  {}", plain(&about.contract))?,
            }
            match baked(inspection).as_slice() {
                [] => writeln!(out, "baked     nothing")?,
                lines => {
                    for (at, line) in lines.iter().enumerate() {
                        writeln!(out, "{:<9} {line}", if at == 0 { "baked" } else { "" })?;
                    }
                }
            }
            match inspection.analytics {
                Some(analytics) => writeln!(out, "analytics {analytics}"),
                None => Ok(()),
            }
        }
        Err(reason) => writeln!(out, "refused   {}", plain(reason)),
    }
}

fn document(file: &Path, inspection: &Inspection) -> serde_json::Value {
    let section = inspection.sections.baked.as_ref();
    let about = inspection.about.as_ref();
    let part = |is: bool, part: Option<&BakedPart>| match (is, part) {
        (false, _) => json!(null),
        (true, Some(part)) => json!({ "sha256": part.sha256, "bytes": part.bytes }),
        (true, None) => json!({}),
    };
    let settings = part(about.is_ok_and(|about| about.baked_settings), section.and_then(|it| it.settings.as_ref()));
    let baseline = part(about.is_ok_and(|about| about.baked_baseline), section.and_then(|it| it.baseline.as_ref()));
    json!({
        "type": "module",
        "file": file.display().to_string(),
        "size": inspection.size,
        "imports": inspection.surface.imports,
        "exports": inspection.surface.exports,
        "version": about.map(|about| about.version.as_str()).ok(),
        "contract": about.map(|about| about.contract.as_str()).ok(),
        "baked": { "tool": section.map(|it| it.tool.as_str()), "settings": settings, "baseline": baseline },
        "signatures": inspection.sections.signatures,
        "analytics": inspection.analytics,
        "refused": about.err(),
    })
}
