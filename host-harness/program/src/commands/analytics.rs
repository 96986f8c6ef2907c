//! `backchannel analytics` and `backchannel explain`: the catalogue of analytics.

use std::io::{self, Write};

use backchannel_host::component::{AnalyticEntry, Limits};

use super::{complain, engine, load};
use crate::cli::{Analytics, CatalogueFormat, Explain};
use crate::exit::Exit;
use crate::output::{Paint, jsonl, table};

/// The page generated from the headers of the analytics.
const PAGE: &str = include_str!("../../../../docs/analytics.md");

pub(crate) fn run(arguments: &Analytics) -> Exit {
    let list = engine()
        .and_then(|engine| load(&engine, arguments.module.as_deref()))
        .and_then(|module| module.analytics(&Limits::default()).map_err(|error| error.to_string()));
    let list = match list {
        Ok(list) => list,
        Err(text) => {
            complain(&text);
            return Exit::Untrusted;
        }
    };
    match print(arguments, &list) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain(&format!("standard output: {error}"));
            Exit::Untrusted
        }
        Ok(()) | Err(_) => Exit::Clean,
    }
}

fn print(arguments: &Analytics, list: &[AnalyticEntry]) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match arguments.format {
        CatalogueFormat::Table => table::analytics(&mut out, list, &Paint::choose(arguments.color))?,
        CatalogueFormat::Jsonl => {
            for analytic in list {
                let document = serde_json::json!({
                    "type": "analytic",
                    "id": analytic.id,
                    "title": analytic.title,
                    "techniques": analytic.techniques,
                    "attack_analytics": analytic.attack_analytics,
                    "severity": analytic.severity.as_str(),
                    "telemetry": analytic.telemetry,
                    "experimental": analytic.experimental,
                    "baseline": analytic.baseline,
                });
                jsonl::line(&mut out, &document.to_string())?;
            }
        }
        CatalogueFormat::Navigator => jsonl::line(&mut out, &layer(list).to_string())?,
    }
    out.flush()
}

/// A layer for the ATT&CK Navigator: each technique with the analytics that detect it.
fn layer(list: &[AnalyticEntry]) -> serde_json::Value {
    let mut found: std::collections::BTreeMap<&str, Vec<&str>> = std::collections::BTreeMap::new();
    for analytic in list {
        for technique in &analytic.techniques {
            found.entry(technique).or_default().push(&analytic.id);
        }
    }
    let techniques: Vec<serde_json::Value> = found
        .iter()
        .map(|(technique, ids)| {
            serde_json::json!({ "techniqueID": technique, "score": ids.len(), "comment": ids.join(", ") })
        })
        .collect();
    serde_json::json!({
        "name": "Backchannel",
        "versions": { "layer": "4.5" },
        "domain": "enterprise-attack",
        "description": "Techniques that Backchannel's analytics detect",
        "techniques": techniques,
        "gradient": { "colors": ["#ffffff", "#66b1ff"], "minValue": 0, "maxValue": 10 },
    })
}

/// Prints the documentation of an analytic.
pub(crate) fn explain(arguments: &Explain) -> Exit {
    let wanted = arguments.id.to_ascii_uppercase();
    let Some(at) = PAGE.find(&format!("\n### {wanted}\n")) else {
        complain(&format!("no analytic is called {wanted}; `backchannel analytics` lists them"));
        return Exit::Untrusted;
    };
    let rest = &PAGE[at + 1..];
    let end = rest[4..].find("\n### ").or_else(|| rest[4..].find("\n## ")).map_or(rest.len(), |end| end + 4);
    let end = rest[..end].find("\n## Family").unwrap_or(end);
    let text = rest[..end].replace("#### ", "").replace("### ", "").replace("**", "");
    match writeln!(io::stdout().lock(), "{}", text.trim_end()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain(&format!("standard output: {error}"));
            Exit::Untrusted
        }
        Ok(()) | Err(_) => Exit::Clean,
    }
}
