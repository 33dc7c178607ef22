//! What a suite of the reliability proof has tried, kept as `target/reliability/<suite>.json` for the page that
//! `tests/reliability.sh` writes: `{ suite, tried, lost, doubled, silent, seeds, note }`.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The counts of one suite.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fragment {
    /// Which suite.
    pub suite: String,
    /// How many cases were tried.
    pub tried: u64,
    /// Acknowledgements that were not so afterwards.
    pub lost: u64,
    /// Money taken twice, or terms given twice.
    pub doubled: u64,
    /// Money in nobody's sight, damage in nobody's words.
    pub silent: u64,
    /// What the run can be repeated with.
    pub seeds: Vec<String>,
    /// What a case is, and what else was counted.
    pub note: String,
}

/// Where the fragments are kept.
pub fn folder() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let target = test.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
    target.unwrap_or(Path::new("target")).join("reliability")
}

/// Forgets what an earlier run of a suite left: one that fails must not be taken for the one before it.
pub fn forget(suite: &str) {
    _ = std::fs::remove_file(folder().join(format!("{suite}.json")));
}

impl Fragment {
    /// Writes the fragment over that of an earlier run.
    ///
    /// # Panics
    /// It cannot be written.
    pub fn write(&self) {
        let folder = folder();
        std::fs::create_dir_all(&folder).unwrap();
        let body: Value = json!({
            "suite": self.suite, "tried": self.tried, "lost": self.lost, "doubled": self.doubled,
            "silent": self.silent, "seeds": self.seeds, "note": self.note,
        });
        let file = folder.join(format!("{}.json", self.suite));
        std::fs::write(file, serde_json::to_string_pretty(&body).unwrap() + "\n").unwrap();
    }
}
