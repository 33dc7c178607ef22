//! Runs the built binary in an environment that says nothing.

use std::process::{Command, Output};

/// What a run gave back.
#[must_use = "compare the output or the exit code"]
pub(crate) struct Ran {
    /// The exit code.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

/// Runs `renewd` with these arguments and no terminal.
pub(crate) fn renewd(args: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_renewd"));
    command.args(args).env_clear().stdin(std::process::Stdio::null()).current_dir(std::env::temp_dir());
    let Output { status, stdout, stderr } = command.output().expect("the binary runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the output is UTF-8");
    Ran { code: status.code().expect("no signal"), stdout: text(stdout), stderr: text(stderr) }
}

/// The rows of a vector file of the repository, by column.
pub(crate) fn vectors(name: &str) -> Vec<std::collections::HashMap<String, String>> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors").join(name);
    let mut reader = csv::Reader::from_path(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let rows: Vec<_> = reader.deserialize().map(|row| row.expect("a row")).collect();
    assert!(!rows.is_empty(), "{name} has rows");
    rows
}
