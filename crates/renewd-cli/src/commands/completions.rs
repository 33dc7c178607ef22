//! Hidden: completions for a shell.

use crate::error::CliError;
use crate::ui::stream;
use clap::Args;
use renewd_engine::Exit;

/// Print completions for a shell
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: clap_complete::Shell,
}

pub(crate) fn completions(args: &CompletionsArgs) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::cli::command(), "renewd", &mut script);
    stream::stdout_bytes(|out| out.write_all(&script).map_err(CliError::from))?;
    Ok(Exit::Done)
}
