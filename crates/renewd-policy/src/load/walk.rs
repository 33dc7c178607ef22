//! Finds the YAML files of a tree, in sorted order.
//!
//! Follows symbolic links, but never a link back to a directory it is in. Skips hidden files and directories.

use crate::finding::{Code, Findings, Place, Problem};
use crate::limits::{DIRECTORY_DEPTH_MAX, DIRECTORY_ENTRIES_MAX, FILES_MAX};
use std::path::{Path, PathBuf};

/// How findings name a path.
pub(super) fn display(path: &Path) -> String {
    path.to_string_lossy().chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// All `*.yaml` and `*.yml` below a directory; a file is itself.
pub(super) fn files_below(path: &Path, findings: &mut Findings) -> Vec<PathBuf> {
    let mut error = |problem: Problem| findings.error(&display(path), Place::START, problem);
    match std::fs::metadata(path) {
        Err(failure) if failure.kind() == std::io::ErrorKind::NotFound => {
            let problem = Problem::new(Code::MissingPath, "there is no such file or directory");
            error(problem.hint("check the path; it is relative to the current directory"));
            return Vec::new();
        }
        Err(failure) => {
            error(super::read::unreadable(&failure));
            return Vec::new();
        }
        Ok(metadata) if !metadata.is_dir() => return vec![path.to_owned()],
        Ok(_) => {}
    }
    let mut walk = Walk { findings, files: Vec::new(), entries: 0, is_full: false };
    walk.directory(path, &mut Vec::new());
    walk.files
}

/// The problem of a tree that is no set of documents: applying it would remove everything.
pub(super) fn no_documents() -> Problem {
    Problem::new(Code::EmptyDirectory, "there are no documents (`*.yaml`, `*.yml`)")
        .hint("give the directory that holds the documents")
}

struct Walk<'a> {
    findings: &'a mut Findings,
    files: Vec<PathBuf>,
    entries: usize,
    is_full: bool,
}

impl Walk<'_> {
    fn error(&mut self, path: &Path, problem: Problem) {
        self.findings.error(&display(path), Place::START, problem);
    }

    /// `above` holds the real paths of the directories that the walk is in.
    fn directory(&mut self, path: &Path, above: &mut Vec<PathBuf>) {
        let real = match path.canonicalize() {
            Ok(real) => real,
            Err(failure) => return self.error(path, super::read::unreadable(&failure)),
        };
        if above.contains(&real) {
            let message = format!("the symbolic link leads back to `{}`, which contains it", display(&real));
            return self.error(path, Problem::new(Code::SymlinkLoop, message).hint("remove the link"));
        }
        if above.len() > DIRECTORY_DEPTH_MAX {
            let message = format!("directories are nested more than {DIRECTORY_DEPTH_MAX} levels deep");
            return self.error(path, Problem::new(Code::TooLarge, message).hint("flatten the tree"));
        }
        let entries = match self.sorted_entries(path) {
            Ok(entries) => entries,
            Err(failure) => return self.error(path, super::read::unreadable(&failure)),
        };
        above.push(real);
        for entry in entries {
            if self.is_full {
                break;
            }
            self.entry(&entry, above);
        }
        above.pop();
    }

    fn sorted_entries(&mut self, path: &Path) -> std::io::Result<Vec<PathBuf>> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(path)? {
            self.entries = self.entries.saturating_add(1);
            if self.entries > DIRECTORY_ENTRIES_MAX {
                self.full(path, format!("the tree has more than {DIRECTORY_ENTRIES_MAX} files and directories"));
                break;
            }
            let entry = entry?;
            if !entry.file_name().to_string_lossy().starts_with('.') {
                entries.push(entry.path());
            }
        }
        entries.sort();
        Ok(entries)
    }

    fn entry(&mut self, path: &Path, above: &mut Vec<PathBuf>) {
        let is_yaml =
            path.extension().is_some_and(|ext| ext.eq_ignore_ascii_case("yaml") || ext.eq_ignore_ascii_case("yml"));
        let is_link = std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => self.directory(path, above),
            Ok(_) if is_yaml && self.files.len() >= FILES_MAX => {
                self.full(path, format!("the tree has more than {FILES_MAX} YAML files"));
            }
            Ok(_) if is_yaml => self.files.push(path.to_owned()),
            Ok(_) => {}
            Err(failure) if is_link && is_link_loop(&failure) => {
                let problem = Problem::new(Code::SymlinkLoop, "the symbolic link leads back to itself");
                self.error(path, problem.hint("remove the link"));
            }
            Err(failure) if is_yaml => self.error(path, super::read::unreadable(&failure)),
            // A broken link or a vanished file of another kind is none of ours.
            Err(_) => {}
        }
    }

    fn full(&mut self, path: &Path, message: String) {
        self.is_full = true;
        self.error(path, Problem::new(Code::TooLarge, message).hint("give the directory that holds the documents"));
    }
}

/// The operating system gives up on links that lead to each other; its error kind for it has no stable name yet.
fn is_link_loop(failure: &std::io::Error) -> bool {
    const ELOOP_LINUX: i32 = 40;
    const ELOOP_BSD: i32 = 62;
    failure.raw_os_error().is_some_and(|code| [ELOOP_LINUX, ELOOP_BSD].contains(&code))
}
