//! One run of the binary, and what it answered.

use crate::binary;
use serde_json::Value;
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The moment at which tests and tour take place.
pub const NOW: &str = "2026-11-23T09:00:00Z";

/// What a run answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The command line, for messages.
    pub line: String,
    /// The exit code; none where the process was killed.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Answer {
    fn new(line: String, output: &Output) -> Self {
        Self {
            line,
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Asserts the exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "`{}` answered\n{}\n{}", self.line, self.stdout, self.stderr);
        self
    }

    /// The JSON document on standard output.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!("`{}` wrote no JSON ({error}):\n{}\n{}", self.line, self.stdout, self.stderr)
        })
    }

    /// The JSON error on standard error.
    #[track_caller]
    pub fn error(&self) -> Value {
        serde_json::from_str(&self.stderr).unwrap_or_else(|error| {
            panic!("`{}` wrote no JSON error ({error}):\n{}\n{}", self.line, self.stdout, self.stderr)
        })
    }

    /// Asserts that a text is somewhere in the output or the errors.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        let said = self.stdout.contains(text) || self.stderr.contains(text);
        assert!(said, "`{}` does not say `{text}`:\n{}\n{}", self.line, self.stdout, self.stderr);
        self
    }
}

/// The binary with a bare environment: no terminal, no colour, a fixed clock, its home inside the folder.
pub fn command<S: AsRef<OsStr>>(folder: &Path, now: Option<&str>, args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(binary::renewd());
    command.args(args);
    bare(&mut command, folder, now);
    command
}

/// Takes everything out of a command's environment that could change an answer.
pub fn bare(command: &mut Command, folder: &Path, now: Option<&str>) {
    command.current_dir(folder).stdin(Stdio::null()).env_clear();
    for name in ["PATH", "LD_LIBRARY_PATH", "TMPDIR"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.env("HOME", folder).env("USER", "ana").env("LOGNAME", "ana").env("LANG", "C.UTF-8").env("COLUMNS", "120");
    if let Some(now) = now {
        command.env("RENEWD_NOW", now);
    }
}

/// Runs a command to its end.
#[must_use = "look at the exit code at least"]
pub fn answer(command: &mut Command) -> Answer {
    let line = line_of(command);
    let output = command.output().unwrap_or_else(|error| panic!("`{line}`: {error}"));
    Answer::new(line, &output)
}

fn line_of(command: &Command) -> String {
    let args = command.get_args().map(|arg| arg.to_string_lossy().into_owned());
    std::iter::once("renewd".to_owned()).chain(args).collect::<Vec<_>>().join(" ")
}
