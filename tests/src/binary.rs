//! The built `renewd`: found beside the running test, and built first where it is missing or older than its sources.

use crate::repository::root;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

/// The path of the built binary, or of the one that `RENEWD_TEST_BINARY` names.
pub fn renewd() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(chosen) = std::env::var_os("RENEWD_TEST_BINARY") {
            return chosen.into();
        }
        let folder = target_folder();
        let binary = folder.join(format!("renewd{}", std::env::consts::EXE_SUFFIX));
        if !is_fresh(&binary) {
            build(&folder);
        }
        assert!(binary.is_file(), "cargo built no {}", binary.display());
        binary
    })
}

/// `target/debug` or `target/release`: two above the running test.
fn target_folder() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().unwrap();
    if folder.ends_with("deps") { folder.parent().unwrap().to_path_buf() } else { folder.to_path_buf() }
}

/// Crates that are not part of the binary.
const OTHERS: [&str; 2] = ["renewd-sim", "renewd-plugin-sdk"];

/// Whether the binary is younger than every file that it is made of. Asking cargo itself would be simpler, but it may
/// choose other features than `cargo test --workspace` did and build half the tree again.
fn is_fresh(binary: &Path) -> bool {
    let Some(built) = modified(binary) else { return false };
    let crates = fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap());
    crates
        .filter(|one| !OTHERS.iter().any(|other| one.file_name() == *other))
        .all(|one| newest(&one.path().join("src")) <= built)
}

/// When the youngest file below a folder was changed.
fn newest(folder: &Path) -> SystemTime {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let changed = entries.map(|path| if path.is_dir() { newest(&path) } else { modified(&path).unwrap() });
    changed.max().unwrap_or(SystemTime::UNIX_EPOCH)
}

fn modified(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|meta| meta.modified()).ok()
}

fn build(folder: &Path) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root()).args(["build", "--quiet", "-p", "renewd-cli", "--bin", "renewd"]);
    if folder.ends_with("release") {
        command.arg("--release");
    }
    assert!(command.status().expect("cargo starts").success(), "`cargo build -p renewd-cli` failed");
}
