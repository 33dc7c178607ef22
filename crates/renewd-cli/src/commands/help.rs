//! Hidden: `renewd help orders pay`, for those who expect it; it is not one more command to learn.

use crate::error::CliError;
use crate::ui::stream;
use crate::values::quoted;
use clap::Args;
use renewd_engine::Exit;

/// Print the help of a command
#[derive(Debug, Args)]
pub(crate) struct HelpArgs {
    /// The command
    command: Vec<String>,
}

pub(crate) fn help(args: &HelpArgs) -> Result<Exit, CliError> {
    let mut root = crate::cli::command();
    root.build();
    let mut command = &mut root;
    for word in &args.command {
        command = command.find_subcommand_mut(word).ok_or_else(|| {
            CliError::usage(format!("there is no command {}", quoted(word)), "`renewd --help` lists the commands")
        })?;
    }
    stream::help(&command.render_long_help());
    Ok(Exit::Done)
}
