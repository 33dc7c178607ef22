//! Reads files within bounds, and only regular files: opening a pipe would wait for ever.

use crate::finding::{Code, Problem};
use crate::limits::{FILE_BYTES_MAX, TOTAL_BYTES_MAX};
use std::io::Read as _;
use std::path::Path;

/// Reads a YAML file.
///
/// # Errors
/// The file is unreadable, not a regular file, or too large; or all files together are.
pub(super) fn yaml_file(path: &Path, total_bytes: &mut u64) -> Result<Vec<u8>, Problem> {
    let bytes = bounded(path, FILE_BYTES_MAX)?;
    *total_bytes = total_bytes.saturating_add(bytes.len() as u64);
    if *total_bytes > TOTAL_BYTES_MAX {
        let message = format!("all files together are larger than {}", size(TOTAL_BYTES_MAX));
        return Err(Problem::new(Code::TooLarge, message).hint("give a smaller tree"));
    }
    Ok(bytes)
}

/// Reads a regular file of at most `max` bytes.
///
/// # Errors
/// The file is unreadable, not a regular file, or too large.
pub(crate) fn bounded(path: &Path, max: u64) -> Result<Vec<u8>, Problem> {
    let metadata = std::fs::metadata(path).map_err(|failure| unreadable(&failure))?;
    if !metadata.is_file() {
        let what = if metadata.is_dir() { "this is a directory, not a file" } else { "this is not a regular file" };
        return Err(Problem::new(Code::UnreadableFile, what).hint("give a regular file"));
    }
    let too_large = |bytes: u64| {
        let message = format!("the file is larger than {}: {}", size(max), size(bytes));
        Problem::new(Code::TooLarge, message).hint("split it")
    };
    if metadata.len() > max {
        return Err(too_large(metadata.len()));
    }
    let file = std::fs::File::open(path).map_err(|failure| unreadable(&failure))?;
    let mut bytes = Vec::new();
    // The file may grow while it is read.
    let read = file.take(max.saturating_add(1)).read_to_end(&mut bytes).map_err(|failure| unreadable(&failure))?;
    let read = read as u64;
    if read > max { Err(too_large(read)) } else { Ok(bytes) }
}

/// The problem of a file that the operating system does not give.
pub(crate) fn unreadable(failure: &std::io::Error) -> Problem {
    let (message, hint) = match failure.kind() {
        std::io::ErrorKind::NotFound => ("there is no such file".to_owned(), "check the path"),
        std::io::ErrorKind::PermissionDenied => ("the file may not be read".to_owned(), "check its permissions"),
        _ => (format!("the file cannot be read: {failure}"), "check the file"),
    };
    Problem::new(Code::UnreadableFile, message).hint(hint)
}

/// Bytes in the largest whole unit that people read.
fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KiB", bytes / 1024),
        1_048_576.. => format!("{} MiB", bytes / 1_048_576),
    }
}
