//! Many seeds, over several threads, and what came of them.

use crate::simulation::{Outcome, simulate};
use crate::workshop::Workshop;
use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

/// Failures that are kept with their traces; the rest are counted.
const FAILURES_KEPT: usize = 20;

/// Which seeds to live through, and how.
#[derive(Debug, Clone)]
pub struct Campaign {
    /// The seeds.
    pub seeds: Range<u64>,
    /// Threads.
    pub threads: usize,
    /// Lives through every so-manieth seed twice and compares; never where 0.
    pub doublecheck: u64,
    /// Stops at the first failure.
    pub fail_fast: bool,
}

/// A seed that found something.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// What is wrong; the first word names the invariant.
    pub violation: String,
    /// Everything that happened.
    pub trace: Vec<String>,
}

/// What came of a campaign.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Seeds that were lived through.
    pub seeds: u64,
    /// Seeds that were lived through twice.
    pub doublechecked: u64,
    /// Orders that were paid.
    pub renewals: u64,
    /// Seeds in which each fault struck.
    pub fired: BTreeMap<&'static str, u64>,
    /// Seeds in which there were records of each kind.
    pub events: BTreeMap<&'static str, u64>,
    /// Seeds that found something.
    pub failed: u64,
    /// What they found, by the name of the invariant.
    pub findings: BTreeMap<String, u64>,
    /// The first of them.
    pub failures: Vec<Failure>,
}

/// Lives through one seed; a panic is a finding like any other.
pub(crate) fn live(seed: u64, workshop: &mut Workshop) -> io::Result<Outcome> {
    let caught = catch_unwind(AssertUnwindSafe(|| simulate(seed, false, workshop)));
    caught.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default();
        Ok(Outcome {
            seed,
            journal: String::new(),
            bank: String::new(),
            events: BTreeMap::new(),
            violation: Some(format!("panic: {text}")),
            fired: BTreeMap::new(),
            renewals: 0,
            trace: Vec::new(),
        })
    })
}

/// Lives through the seeds of a campaign.
///
/// # Errors
/// The machine that simulates fails, not the simulated one.
pub fn run(campaign: &Campaign) -> io::Result<Report> {
    let next = AtomicU64::new(campaign.seeds.start);
    // Seeds before the first failure are lived through all the same, so that it is the same one however many threads.
    let end = AtomicU64::new(campaign.seeds.end);
    let report = Mutex::new(Report::default());
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..campaign.threads.max(1))
            .map(|_| {
                scope.spawn(|| -> io::Result<()> {
                    let (mut workshop, mut other) = (Workshop::new()?, Workshop::new()?);
                    loop {
                        let seed = next.fetch_add(1, Ordering::SeqCst);
                        if end.load(Ordering::SeqCst) <= seed {
                            return Ok(());
                        }
                        let mut outcome = live(seed, &mut workshop)?;
                        let again = campaign.doublecheck != 0 && seed.is_multiple_of(campaign.doublecheck);
                        if again {
                            // In tools of its own: nothing that a world leaves in them may matter to the next.
                            let second = live(seed, &mut other)?;
                            let differs = (&second.journal, &second.bank, &second.violation)
                                != (&outcome.journal, &outcome.bank, &outcome.violation);
                            if differs {
                                outcome.violation = Some(format!(
                                    "not-deterministic: journals {} and {}, banks {} and {}, found {:?} and {:?}",
                                    outcome.journal,
                                    second.journal,
                                    outcome.bank,
                                    second.bank,
                                    outcome.violation,
                                    second.violation
                                ));
                                outcome.trace.push("-- the second time --".to_owned());
                                outcome.trace.extend(second.trace);
                            }
                        }
                        let failed = outcome.violation.is_some();
                        add(&mut report.lock().unwrap_or_else(PoisonError::into_inner), outcome, again);
                        if failed && campaign.fail_fast {
                            end.fetch_min(seed, Ordering::SeqCst);
                        }
                    }
                })
            })
            .collect();
        workers.into_iter().try_for_each(|worker| {
            worker.join().unwrap_or_else(|_| Err(io::Error::other("a thread of the simulator panicked")))
        })
    })?;
    let mut report = report.into_inner().unwrap_or_else(PoisonError::into_inner);
    report.failures.sort_by_key(|failure| failure.seed);
    Ok(report)
}

fn add(report: &mut Report, outcome: Outcome, again: bool) {
    report.seeds += 1;
    report.doublechecked += u64::from(again);
    report.renewals += outcome.renewals;
    for fault in outcome.fired.keys() {
        *report.fired.entry(fault).or_default() += 1;
    }
    for event in outcome.events.keys() {
        *report.events.entry(event).or_default() += 1;
    }
    let Some(violation) = outcome.violation else { return };
    report.failed += 1;
    let finding = crate::findings::name_of(&violation).to_owned();
    *report.findings.entry(finding).or_default() += 1;
    if report.failures.len() < FAILURES_KEPT {
        report.failures.push(Failure { seed: outcome.seed, violation, trace: outcome.trace });
    }
}
