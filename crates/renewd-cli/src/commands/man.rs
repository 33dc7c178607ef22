//! Hidden: the manual page.

use crate::error::CliError;
use crate::ui::stream;
use renewd_engine::Exit;

/// Print the manual page
pub(crate) fn man() -> Result<Exit, CliError> {
    let mut page = Vec::new();
    clap_mangen::Man::new(crate::cli::command()).render(&mut page)?;
    stream::stdout_bytes(|out| out.write_all(&page).map_err(CliError::from))?;
    Ok(Exit::Done)
}
