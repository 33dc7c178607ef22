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

/// Whether the binary is younger than every file that cargo says it was made of. Asking cargo itself would be
/// simpler, but it may choose other features than `cargo test --workspace` did and build half the tree again.
fn is_fresh(binary: &Path) -> bool {
    let Some(built) = modified(binary) else { return false };
    let Ok(made_of) = fs::read_to_string(binary.with_extension("d")) else { return false };
    let sources = made_of.split_once(": ").map_or("", |(_, sources)| sources);
    sources.split_whitespace().all(|source| modified(Path::new(source)).is_some_and(|changed| changed <= built))
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
