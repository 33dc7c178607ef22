//! File calls that fail on purpose, and a trace of all of them: a small C library, compiled by the system's compiler
//! and loaded before the C library of the program under test. On Linux only; elsewhere tests that want it say so.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

const SOURCE: &str = include_str!("shim.c");
/// Only files below a store count.
const MARK: &str = ".renewd/";
/// One compilation at a time.
static COMPILING: Mutex<()> = Mutex::new(());

/// The kinds of calls that can fail.
pub const CALLS: [&str; 8] = ["create", "write", "pwrite", "fsync", "fdatasync", "rename", "truncate", "range"];

/// The compiled library.
#[derive(Debug, Clone)]
pub struct Shim(PathBuf);

/// One call that fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// One of [`CALLS`].
    pub call: &'static str,
    /// Which of them, from 1.
    pub nth: usize,
    /// `EIO`, `ENOSPC`, `EINTR` or `SHORT`.
    pub error: &'static str,
}

/// One call that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// One of [`CALLS`], or `send`.
    pub kind: String,
    /// The file, or `stdout`; of what is sent its first word, such as `POST`.
    pub path: String,
    /// Where in the file; -1 where that says nothing.
    pub offset: i64,
    /// How many bytes were to be written.
    pub bytes: i64,
    /// What it answered; below zero the negative error number.
    pub result: i64,
}

impl Shim {
    /// Compiles the library into a folder, or says why it cannot.
    ///
    /// # Errors
    /// This is no Linux, or there is no C compiler.
    pub fn compile(folder: &Path) -> Result<Self, String> {
        if !cfg!(target_os = "linux") {
            return Err("loading a library before the C library is done on Linux only".to_owned());
        }
        let _one = COMPILING.lock().unwrap_or_else(PoisonError::into_inner);
        std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        let (source, library) = (folder.join("shim.c"), folder.join("shim.so"));
        if library.is_file() && std::fs::read_to_string(&source).is_ok_and(|text| text == SOURCE) {
            return Ok(Self(library));
        }
        std::fs::write(&source, SOURCE).map_err(|error| error.to_string())?;
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(&source).arg("-ldl");
        match compiler.output() {
            Ok(output) if output.status.success() => Ok(Self(library)),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(error) => Err(format!("`cc`: {error}")),
        }
    }

    /// Has a command run under the library: with a call that fails, if any, and every call written down.
    pub fn load(&self, command: &mut Command, fault: Option<&Fault>, log: &Path) {
        command.env("LD_PRELOAD", &self.0).env("SHIM_MARK", MARK).env("SHIM_LOG", log);
        if let Some(Fault { call, nth, error }) = fault {
            command.env("SHIM_CALL", call).env("SHIM_NTH", nth.to_string()).env("SHIM_ERROR", error);
        }
    }

    /// Has a command run on a disk that lies: every sync answers that all is well and does nothing.
    pub fn lie(&self, command: &mut Command) {
        command.env("LD_PRELOAD", &self.0).env("SHIM_LIES", "1");
    }
}

/// Reads what was written down.
///
/// # Panics
/// A line is none that the library writes.
pub fn calls(log: &Path) -> Vec<Call> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let read = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        let number = |index: usize| fields[index].parse().unwrap_or_else(|error| panic!("{line}: {error}"));
        Call {
            kind: fields[0].to_owned(),
            path: fields[1].to_owned(),
            offset: number(2),
            bytes: number(3),
            result: number(4),
        }
    };
    text.lines().map(read).collect()
}
