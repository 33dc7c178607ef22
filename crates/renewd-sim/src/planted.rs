//! Planted faults: one at a time is planted in the product, and the simulator must notice.

use crate::campaign::{Campaign, live, run};
use crate::simulation::Outcome;
use crate::workshop::Workshop;
use renewd_core::planted::{ALL, plant};
use std::io;
use std::ops::Range;

/// What came of one planted fault.
#[derive(Debug, Clone)]
pub struct Tried {
    /// Its name.
    pub name: &'static str,
    /// What it takes away.
    pub what: &'static str,
    /// The first seed that noticed, and what it noticed; none where all is taken for well.
    pub caught: Option<(u64, String)>,
    /// Seeds that were lived through.
    pub seeds: u64,
}

/// A seed that has noticed a fault before, a line each: it is lived through first.
const SEEDS: &str = include_str!("../planted-seeds.txt");

/// The seeds that are lived through first, by fault.
pub fn first_seeds() -> impl Iterator<Item = (&'static str, u64)> {
    SEEDS.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let (name, seed) = line.split_once(' ')?;
        Some((name, seed.trim().parse().ok()?))
    })
}

/// Plants every fault whose name contains `only`, one after the other, and lives through the
/// seeds until one notices: first the one that noticed it before. Of several it is the lowest.
///
/// # Errors
/// The machine that simulates fails.
pub fn try_all(seeds: &Range<u64>, threads: usize, only: &str, told: impl Fn(&Tried)) -> io::Result<Vec<Tried>> {
    let mut workshop = Workshop::new()?;
    let mut tried = Vec::new();
    for (name, what) in ALL.iter().filter(|(name, _)| name.contains(only)) {
        let known = first_seeds().find(|(known, _)| known == name).map(|(_, seed)| seed);
        plant(name);
        let caught = catch(known, seeds, threads, &mut workshop);
        plant("");
        let (caught, seeds) = caught?;
        let one = Tried { name, what, caught, seeds };
        told(&one);
        tried.push(one);
    }
    Ok(tried)
}

/// The seed that notices what is planted, with what it noticed, and how many were lived through.
fn catch(
    known: Option<u64>,
    seeds: &Range<u64>,
    threads: usize,
    workshop: &mut Workshop,
) -> io::Result<(Option<(u64, String)>, u64)> {
    let first = known.map(|seed| live(seed, workshop)).transpose()?;
    if let Some(Outcome { seed, violation: Some(found), .. }) = first {
        return Ok((Some((seed, found)), 1));
    }
    let report = run(&Campaign { seeds: seeds.clone(), threads, doublecheck: 0, fail_fast: true })?;
    let caught = report.failures.first().map(|failure| (failure.seed, failure.violation.clone()));
    Ok((caught, report.seeds))
}

/// The result as JSON: how many were tried, how many were caught, the names of those that were missed, and the list.
pub fn summary(tried: &[Tried]) -> serde_json::Value {
    let missed: Vec<&str> = tried.iter().filter(|it| it.caught.is_none()).map(|it| it.name).collect();
    let faults: Vec<serde_json::Value> = tried
        .iter()
        .map(|it| {
            let (seed, found) = it.caught.clone().map_or((None, None), |(seed, found)| (Some(seed), Some(found)));
            let finding = found.map(|found| crate::findings::name_of(&found).to_owned());
            serde_json::json!({ "name": it.name, "takesAway": it.what, "seed": seed, "finding": finding, "seeds": it.seeds })
        })
        .collect();
    serde_json::json!({
        "suite": "planted-faults",
        "tried": tried.len(),
        "caught": tried.len() - missed.len(),
        "missed": missed,
        "faults": faults,
    })
}
