//! The command line of renewd: arguments in, engine calls, answers out.
//!
//! The only crate that prints, asks and exits. It must never decide about money, dates or documents: whatever it
//! shows comes from the engine or the core, and whatever it asks for goes to them.

mod cli;
mod commands;
mod context;
mod error;
mod exit;
mod render;
mod selector;
mod ui;
mod values;

use clap::Parser as _;
use clap::error::ErrorKind;
use error::CliError;
use renewd_engine::Exit;
use std::ffi::OsString;
use std::process::ExitCode;

pub use cli::command;

/// Runs the command line and says how it ended. A panic is a bug like any other: exit 70, with its message and
/// place on standard error.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    std::panic::catch_unwind(|| run_args(&args)).unwrap_or_else(|_| ExitCode::from(Exit::Bug.code()))
}

fn run_args(args: &[OsString]) -> ExitCode {
    let parsed = match cli::Cli::try_parse_from(args) {
        Ok(parsed) => parsed,
        Err(error) => return ExitCode::from(not_parsed(&error, args).code()),
    };
    let ui = ui::Ui::new(&parsed.global);
    let exit = match cli::dispatch(parsed, &ui, args) {
        Ok(exit) => exit,
        Err(error) => {
            ui::failure::show(&ui, &error);
            error.exit()
        }
    };
    ExitCode::from(exit.code())
}

/// Help and versions are answers; everything else that clap says is a usage error, and its own exit code 2 is never
/// used because `plan --detailed-exitcode` means something else by it.
fn not_parsed(error: &clap::Error, args: &[OsString]) -> Exit {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            ui::stream::help(&error.render());
            Exit::Done
        }
        _ => {
            if cli::wants_json(args) {
                let text = error.render().to_string();
                // Clap's first paragraph is the sentence; a list of what is missing stands on lines of its own.
                let paragraph: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
                let message = paragraph.join(" ").trim_start_matches("error: ").to_owned();
                ui::failure::show_json(&CliError::usage(message, "see `renewd --help`"));
            } else {
                ui::stream::usage(&error.render());
            }
            Exit::Usage
        }
    }
}
