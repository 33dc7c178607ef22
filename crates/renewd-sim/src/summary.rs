//! What a campaign tried, in the shape in which every suite of the reliability proof leaves it for the page:
//! `{ suite, tried, lost, doubled, silent, seeds, note }`; `struck`, the number of seeds in which each fault struck; and
//! `counted`, what else there was. The page adds up what several campaigns left.

use crate::campaign::Report;
use crate::findings::{Meaning, meaning};
use serde_json::{Map, Value, json};
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

impl Report {
    /// The counts for the page. What is neither lost nor doubled is silent: nothing but the auditor has told of it.
    pub fn fragment(&self, seeds: &Range<u64>) -> Value {
        let [mut lost, mut doubled, mut silent] = [0_u64; 3];
        for (finding, count) in &self.findings {
            match meaning(finding) {
                Meaning::Lost => lost += count,
                Meaning::Doubled => doubled += count,
                Meaning::Silent => silent += count,
            }
        }
        let struck: Map<String, Value> =
            self.fired.iter().map(|(fault, seeds)| ((*fault).to_owned(), (*seeds).into())).collect();
        json!({
            "suite": "simulator",
            "tried": self.seeds,
            "lost": lost,
            "doubled": doubled,
            "silent": silent,
            "seeds": [format!("{}..{}", seeds.start, seeds.end)],
            "note": "simulated worlds, each with faults of its own",
            "counted": { "paid orders": self.renewals, "worlds lived through twice, to the same journal": self.doublechecked },
            "struck": struck,
        })
    }
}

/// Where the page looks for a suite's counts.
pub fn file_of(suite: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/reliability").join(suite).with_extension("json")
}

/// Writes counts over those of an earlier run.
///
/// # Errors
/// The file cannot be written.
pub fn write(summary: &Value, file: &Path) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, format!("{summary:#}\n"))
}
