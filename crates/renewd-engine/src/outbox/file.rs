//! Files: a line for each event, durable before it counts as told.
//!
//! INVARIANT (whole-lines): the file holds whole lines. What a crash left of a last line is cut before anything is
//! appended; a file whose first or torn last line renewd cannot have begun is somebody else's, and nothing is done to it.

use super::cloud_event::LINE_START;
use super::limits::{FILE_LOCK_WAIT, LINE_BYTES_MAX};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often a file that another process holds is tried again.
const LOCK_RETRY: Duration = Duration::from_millis(20);

/// Appends lines, makes the file where it is missing, and returns when they are durable.
///
/// # Errors
/// One sentence. Nobody knows how many of the lines are in the file, so they are appended again.
pub(super) fn append(path: &Path, lines: &[impl AsRef<str>]) -> Result<(), String> {
    let shown = path.display();
    let failed = |what: &str, error: &io::Error| format!("{what} `{shown}` failed: {error}");
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(format!("`{shown}` is not a plain file"));
    }
    let mut file = open(path).map_err(|error| failed("opening", &error))?;
    lock(&file).map_err(|error| failed("locking", &error))?;
    let first = first_bytes(&mut file).map_err(|error| failed("reading", &error))?;
    if !is_ours(&first) {
        return Err(format!("`{shown}` does not begin with a line of renewd's: it is a file of something else"));
    }
    let torn = torn(&mut file).map_err(|error| failed("reading", &error))?;
    if let Some(torn) = torn {
        if !is_ours(&torn.text) {
            return Err(format!("`{shown}` does not end with a line end, and its last line is not one of renewd's"));
        }
        file.set_len(torn.from).map_err(|error| failed("cutting a torn line off", &error))?;
    }
    let mut text = String::new();
    for line in lines.iter().map(AsRef::as_ref) {
        text.push_str(line);
        text.push('\n');
    }
    let write = |mut file: File| {
        file.seek(SeekFrom::End(0))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write(file).map_err(|error| failed("writing", &error))
}

/// Opens the file; a new one can be read by its owner only, and its name is durable.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    match options.clone().create_new(true).open(path) {
        Ok(file) => {
            let folder = path.parent().unwrap_or(Path::new("/"));
            File::open(folder)?.sync_all()?;
            Ok(file)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => options.open(path),
        Err(error) => Err(error),
    }
}

/// Keeps two processes from writing into each other's lines.
fn lock(file: &File) -> io::Result<()> {
    let started = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if started.elapsed() >= FILE_LOCK_WAIT => {
                return Err(io::Error::new(ErrorKind::WouldBlock, "another process holds it"));
            }
            Err(TryLockError::WouldBlock) => sleep(LOCK_RETRY),
        }
    }
}

/// The beginning of the file, as much as every line has in common.
fn first_bytes(file: &mut File) -> io::Result<Vec<u8>> {
    let mut first = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    Read::by_ref(file).take(LINE_START.len() as u64).read_to_end(&mut first)?;
    Ok(first)
}

/// A last line without its end.
struct Torn {
    from: u64,
    text: Vec<u8>,
}

fn torn(file: &mut File) -> io::Result<Option<Torn>> {
    let length = file.metadata()?.len();
    let looked = length.min(LINE_BYTES_MAX);
    let start = length.saturating_sub(looked);
    file.seek(SeekFrom::Start(start))?;
    let mut end = Vec::new();
    Read::by_ref(file).take(looked).read_to_end(&mut end)?;
    if end.last().is_none_or(|last| *last == b'\n') {
        return Ok(None);
    }
    let line = end.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at.saturating_add(1));
    let text = end.split_off(line);
    Ok(Some(Torn { from: start.saturating_add(line as u64), text }))
}

/// Whether renewd may have begun this line: it starts as every line does, as far as it goes.
fn is_ours(line: &[u8]) -> bool {
    let length = line.len().min(LINE_START.len());
    line.get(..length) == LINE_START.as_bytes().get(..length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn lines(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| format!("{LINE_START}{text}\"}}")).collect()
    }

    #[test]
    fn a_new_file_is_its_owners_only_and_lines_are_added() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.ndjson");
        append(&path, &lines(&["1", "2"])).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        append(&path, &lines(&["3"])).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), lines(&["1", "2", "3"]).join("\n") + "\n");
    }

    /// Whatever a crash left of the last line, it is whole or gone.
    #[test]
    fn a_line_torn_at_any_byte_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.ndjson");
        let (first, second) = (lines(&["1"]).join("") + "\n", lines(&["2"]).join(""));
        for cut in 0..=second.len() {
            std::fs::write(&path, format!("{first}{}", &second[..cut])).unwrap();
            append(&path, &lines(&["3"])).unwrap();
            let expected = format!("{first}{}\n", lines(&["3"]).join(""));
            assert_eq!(std::fs::read_to_string(&path).unwrap(), expected, "cut at {cut}");
        }
    }

    #[test]
    fn what_is_somebody_elses_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        let (begun, whole) = (lines(&["1"]).join(""), lines(&["2"]).join("") + "\n");
        for (text, expected) in [
            ("shopping\nmilk".to_owned(), "does not begin with"),
            ("{\n  \"format\": 1\n}\n".to_owned(), "does not begin with"),
            (format!("\n{whole}"), "does not begin with"),
            (format!("{whole}milk"), "not one of renewd's"),
            (format!("{begun}\nmilk"), "not one of renewd's"),
        ] {
            std::fs::write(&path, &text).unwrap();
            let why = append(&path, &lines(&["1"])).unwrap_err();
            assert!(why.contains(expected), "{why}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        let why = append(folder.path(), &lines(&["1"])).unwrap_err();
        assert!(why.contains("is not a plain file"), "{why}");
        let why = append(&folder.path().join("no/such/folder.ndjson"), &lines(&["1"])).unwrap_err();
        assert!(why.contains("opening") && why.contains("folder.ndjson"), "{why}");
    }
}
