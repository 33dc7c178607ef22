//! The proof at the level of processes: the real binary dies at every named point, is killed at random, meets failing
//! disks and damaged files, and runs beside itself, against a gateway that keeps its own books. After each case an audit
//! holds the gateway's ledger, what was acknowledged, and the store against each other.
//!
//! `RENEWD_KILLS`, `RENEWD_FLIPS`, `RENEWD_KILL_SEED` make the runs longer or repeat one; `tests/reliability.sh` runs
//! the long forms.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "this whole program is tests: a panic is how one fails"
)]

mod crew;
mod damage;
mod disk;
mod fates;
mod full;
mod gateway;
mod kills;
mod known;
mod known_later;
mod points;
mod scenarios;
mod together;

use renewd_tests::bank::Bank;
use renewd_tests::bank::shop::NOW_SECONDS;
use renewd_tests::preload::Shim;
use renewd_tests::skipping::skip_or_fail;
use std::path::Path;
use std::sync::OnceLock;

/// The command with its failpoints compiled in.
pub(crate) const FAILING: &str = env!("CARGO_BIN_EXE_renewd-failpoints");

/// The one gateway of this program; each case has a till of its own.
pub(crate) fn bank() -> &'static Bank {
    static BANK: OnceLock<(Bank, tempfile::TempDir)> = OnceLock::new();
    let made = || {
        let folder = renewd_tests::bank::shop::scratch();
        (Bank::start(env!("CARGO_BIN_EXE_renewd-bank"), folder.path(), &["--created", NOW_SECONDS]), folder)
    };
    &BANK.get_or_init(made).0
}

/// The command with its failpoints compiled in.
pub(crate) fn failing() -> &'static Path {
    Path::new(FAILING)
}

/// The library that makes file calls fail; says so where it cannot be had, and fails where that must not be.
pub(crate) fn shim() -> Option<Shim> {
    match Shim::compile(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("preload")) {
        Ok(shim) => Some(shim),
        Err(why) => {
            skip_or_fail(&format!("file calls are not made to fail: {why}"));
            None
        }
    }
}
