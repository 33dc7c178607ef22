//! The one module that writes. A closed pipe ends the writing without a word.

use std::io::{self, BufWriter, Write as _};

/// Writes text with its tones to standard output.
pub(crate) fn stdout_text(text: &str) -> io::Result<()> {
    let mut out = anstream::AutoStream::auto(io::stdout());
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Lets a function write bytes to standard output.
pub(crate) fn stdout_bytes<E: From<io::Error>>(
    write: impl FnOnce(&mut dyn io::Write) -> Result<(), E>,
) -> Result<(), E> {
    let mut out = BufWriter::new(io::stdout().lock());
    write(&mut out)?;
    out.flush()?;
    Ok(())
}

/// Writes text with its tones to standard error; nothing can be done where even that fails.
pub(crate) fn stderr_text(text: &str) {
    let mut out = anstream::AutoStream::auto(io::stderr());
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Writes a help page to standard output.
pub(crate) fn help(page: &clap::builder::StyledStr) {
    let _ = stdout_text(&page.ansi().to_string());
}

/// Writes what is wrong with the command line to standard error.
pub(crate) fn usage(page: &clap::builder::StyledStr) {
    stderr_text(&page.ansi().to_string());
}
