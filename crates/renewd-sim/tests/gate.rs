//! The gate: so many seeds find nothing new, and those that once found something find nothing any more.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a failing test may panic")]

use renewd_sim::summary::{file_of, write};
use renewd_sim::{Campaign, Report, Workshop, run, simulate};

const SEEDS: u64 = 2_000;

/// Every this-many-th seed is lived through twice.
const DOUBLECHECK: u64 = 40;

#[track_caller]
fn nothing_new(report: &Report) {
    let told: Vec<String> = report
        .failures
        .iter()
        .map(|failure| {
            let last: Vec<&str> = failure.trace.iter().rev().take(15).rev().map(String::as_str).collect();
            format!("seed {}: {}\n  {}", failure.seed, failure.violation, last.join("\n  "))
        })
        .collect();
    assert_eq!(report.failed, 0, "{}", told.join("\n\n"));
}

#[test]
fn two_thousand_seeds_find_nothing_and_every_fault_strikes() {
    let report = run(&Campaign { seeds: 0..SEEDS, threads: 2, doublecheck: DOUBLECHECK, fail_fast: false }).unwrap();
    write(&report.fragment(&(0..SEEDS)), &file_of("simulator")).unwrap();
    nothing_new(&report);
    assert_eq!(report.seeds, SEEDS);
    assert_eq!(report.doublechecked, SEEDS / DOUBLECHECK);
    assert!(SEEDS < report.renewals, "{} renewals", report.renewals);
    assert_eq!(report.rare(), Vec::<String>::new(), "a listed fault strikes in too few seeds");
}

#[test]
fn seeds_that_once_found_something_find_nothing_any_more() {
    let mut workshop = Workshop::new().unwrap();
    for line in include_str!("../seeds.txt").lines().filter(|line| !line.starts_with('#')) {
        let seed: u64 = line.split_whitespace().next().unwrap().parse().unwrap();
        let outcome = simulate(seed, false, &mut workshop).unwrap();
        assert_eq!(outcome.violation, None, "seed {line}");
    }
}

#[test]
fn the_same_seed_gives_the_same_journal() {
    let mut workshop = Workshop::new().unwrap();
    let mut other = Workshop::new().unwrap();
    simulate(8, false, &mut other).unwrap();
    for seed in [3, 7, 11] {
        let first = simulate(seed, false, &mut workshop).unwrap().journal;
        assert_eq!(simulate(seed, true, &mut other).unwrap().journal, first, "seed {seed}");
    }
}
