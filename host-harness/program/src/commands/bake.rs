//! `backchannel bake`: writes a module with the site's settings and baseline baked in.

use backchannel_bake::{Settings, Site};
use backchannel_host::component::{Detector, Limits, Module};
use backchannel_host::settings_file::SettingsFile;

use super::settings::{failed, show_mistakes};
use super::{baseline, complain, engine, load};
use crate::cli::{Bake, Target};
use crate::exit::Exit;

pub(crate) fn run(arguments: &Bake) -> Exit {
    match bake(arguments) {
        Ok(()) => Exit::Clean,
        Err(text) => {
            if !text.is_empty() {
                complain(&text);
            }
            Exit::Untrusted
        }
    }
}

/// The error text; empty if the error was already printed.
fn bake(arguments: &Bake) -> Result<(), String> {
    let settings = arguments.config.as_deref().map(SettingsFile::read_with_bytes).transpose().map_err(|mistake| {
        show_mistakes(None, &[mistake]);
        String::new()
    })?;
    let module = load(&engine()?, None)?;
    let baseline = arguments.baseline.as_deref().map(|file| baseline(&module, file)).transpose()?;
    check(&module, settings.as_ref().map(|(file, _)| file))?;
    let site = Site {
        settings: settings.as_ref().map(|(settings, file)| Settings { json: settings.json(), file }),
        baseline: baseline.as_deref(),
    };
    let baked = match arguments.target {
        Target::Component => backchannel_bake::component(backchannel_embedded::core(), &site),
        Target::FluentBit => backchannel_bake::filter(backchannel_embedded::fluent_bit(), &site),
    };
    let baked = baked.map_err(|error| error.to_string())?;
    std::fs::write(&arguments.output, &baked).map_err(|error| format!("{}: {error}", arguments.output.display()))?;
    complain(&format!("{}: {} bytes", arguments.output.display(), baked.len()));
    Ok(())
}

/// Reports errors in the settings as a replay does.
fn check(module: &Module, settings: Option<&SettingsFile>) -> Result<(), String> {
    let opened = Detector::open(module, Limits::default(), settings.map(|file| file.json().to_owned()), None);
    opened.map(drop).map_err(|error| failed(&error, settings))
}
