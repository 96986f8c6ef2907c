//! `backchannel analytics`: what the module can find.

use std::io::{self, Write};

use backchannel_host::component::{AnalyticEntry, Limits};

use super::{complain, engine, load};
use crate::cli::{Analytics, OutputFormat};
use crate::exit::Exit;
use crate::output::{Paint, jsonl, table};

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
        OutputFormat::Table => table::analytics(&mut out, list, &Paint::choose(arguments.color))?,
        OutputFormat::Jsonl => {
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
                });
                jsonl::line(&mut out, &document.to_string())?;
            }
        }
    }
    out.flush()
}
