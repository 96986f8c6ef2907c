//! `backchannel`: replays logs through the detection module. One file a command.

mod cli;
mod commands;
mod exit;
mod output;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match cli::Cli::parse().command {
        cli::Command::Replay(arguments) => commands::replay::run(&arguments),
        cli::Command::Report(arguments) => commands::report::run(&arguments),
        cli::Command::Learn(arguments) => commands::learn::learn(&arguments),
        cli::Command::Baseline(command) => commands::learn::baseline(&command),
        cli::Command::Explain(arguments) => commands::analytics::explain(&arguments),
        cli::Command::Analytics(arguments) => commands::analytics::run(&arguments),
        cli::Command::Simulate(arguments) => commands::simulate::run(&arguments),
        cli::Command::Settings(cli::SettingsCommand::Check { file }) => commands::settings::check(&file),
        cli::Command::Bake(arguments) => commands::bake::run(&arguments),
        cli::Command::Module(cli::ModuleCommand::Inspect { file, json }) => commands::module::inspect(&file, json),
        cli::Command::Module(cli::ModuleCommand::Export { target, output }) => {
            commands::module::export(target, &output)
        }
    }
    .into()
}
