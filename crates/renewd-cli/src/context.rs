//! What every command starts from: the terminal, the global flags and the engine.

use crate::cli::GlobalArgs;
use crate::error::CliError;
use crate::ui::{Ui, progress};
use crate::values;
use renewd_engine::{Clock, Engine, EngineOptions};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// Replaces the machine's clock, for tests and for documents that show real output.
const NOW_VARIABLE: &str = "RENEWD_NOW";
/// Certificates to trust beside the system's, for gateways behind a company's own authority.
const CA_VARIABLE: &str = "RENEWD_CA_FILE";

/// The surroundings of a command.
pub(crate) struct Context<'a> {
    pub(crate) ui: &'a Ui,
    global: GlobalArgs,
    command_line: String,
}

impl<'a> Context<'a> {
    pub(crate) fn new(ui: &'a Ui, global: GlobalArgs, args: &[OsString]) -> Self {
        Self { ui, global, command_line: journaled(args) }
    }

    /// Whether the command works on a rehearsal.
    pub(crate) fn rehearses(&self) -> bool {
        self.global.rehearse.is_some() || self.global.advance.is_some()
    }

    /// The engine on the chosen store, or on its rehearsal.
    pub(crate) fn engine(&self) -> Result<Engine, CliError> {
        let options = EngineOptions {
            store: self.global.store.clone(),
            wait: Duration::from_secs(self.global.wait.into()),
            command: self.command_line.clone(),
            clock: clock()?,
            progress: progress::bar(self.ui.quiet),
            notice: self.ui.notice(),
        };
        let advance = self.global.advance.as_deref().map(values::days).transpose()?;
        match (self.global.rehearse.as_deref(), advance) {
            (None, None) => Ok(Engine::new(options).with_extra_ca(extra_ca())),
            (None, Some(_)) => {
                let hint = "add `--rehearse`; the real clock cannot be moved";
                Err(CliError::usage("`--advance` moves the clock of a rehearsal", hint))
            }
            (Some(at), advance) => {
                let at = if at.is_empty() { None } else { Some(values::instant(at)?) };
                Ok(Engine::rehearse(options, at, advance)?.with_extra_ca(extra_ca()))
            }
        }
    }
}

fn clock() -> Result<Clock, CliError> {
    match std::env::var(NOW_VARIABLE) {
        Ok(text) if !text.is_empty() => Ok(Clock::Fixed(values::instant(&text)?)),
        Ok(_) | Err(_) => Ok(Clock::System),
    }
}

fn extra_ca() -> Option<PathBuf> {
    std::env::var_os(CA_VARIABLE).filter(|file| !file.is_empty()).map(PathBuf::from)
}

/// The command line for the journal. No flag of renewd takes a secret, so nothing has to be left out.
fn journaled(args: &[OsString]) -> String {
    let mut text = String::from("renewd");
    for arg in args.iter().skip(1) {
        let arg = arg.to_string_lossy();
        let plain = |c: char| c.is_alphanumeric() || "-_./=:,@+%*".contains(c);
        text.push(' ');
        if !arg.is_empty() && arg.chars().all(plain) {
            text.push_str(&arg);
        } else {
            text.push_str(&format!("'{}'", arg.replace('\'', "'\\''")));
        }
    }
    text
}
