//! Death at every named point in every scenario that reaches it: alone, twice in a row, and (in every second case) once
//! more during the recovery. With `RENEWD_DEATHS=all` also at the second to sixth time that a point is reached, and at every point of the
//! recovery; `RENEWD_CASES` picks cases by a part of their name. Points that no scenario reaches fail the test.

use crate::scenarios::{self, Doer, Scenario};
use crate::{bank, crew, failing};
use renewd_store::{COPYING_FAILPOINTS, FAILPOINTS, PAYING_FAILPOINTS, RUNNING_FAILPOINTS};
use renewd_tests::bank::audit::{Audited, Strictness, Violation, audit};
use renewd_tests::bank::shop::{Shop, Template};
use renewd_tests::fragment::{Fragment, forget};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, OnceLock};

/// Fewest cases that count as the proof.
const CASES_MIN: u64 = 480;
/// How often a point is reached at most before it is not asked for any more.
const NTH_MAX: u32 = 6;
/// Points that opening a store after a death comes by; each is where the recovery dies, too.
const RECOVERY: [&str; 5] =
    ["index.before-write", "index.before-watermark", "journal.before-sync", "pay.after-call", "store.before-seal"];
/// Points that lie off the way of most scenarios, and the scenarios that come by. All others are tried everywhere.
const OFF_THE_WAY: [(&str, &[&str]); 13] = [
    ("blob.", &["first apply", "request"]),
    ("copy.", &["rehearsal", "backup and restore"]),
    ("store.before-identity", &["first apply", "rehearsal", "backup and restore"]),
    ("journal.before-create", &["first apply"]),
    ("journal.before-name", &["first apply"]),
    ("journal.after-name", &["first apply"]),
    ("watermark.", &["first apply", "rehearsal", "backup and restore"]),
    ("journal.before-cut", &["torn tail"]),
    ("journal.after-cut", &["torn tail"]),
    ("index.before-move-aside", &["rebuild", "index that is no index"]),
    ("index.before-replace", &["first apply", "rebuild", "backup and restore", "index that is no index"]),
    ("index.after-replace", &["first apply", "rebuild", "backup and restore", "index that is no index"]),
    ("re", &["reconcile", "refund, then renew"]),
];
/// When runs ask what became of payments: behind the gateway's window.
const LATER: [&str; 6] = [
    "2026-11-23T09:30:00Z",
    "2026-11-23T13:00:00Z",
    "2026-11-24T14:00:00Z",
    "2026-12-04T21:00:00Z",
    "2026-12-05T22:00:00Z",
    "2026-12-06T23:00:00Z",
];
/// More rounds than any scenario needs to end well.
const ROUNDS_MAX: usize = 4;

/// How the process dies.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Dying {
    Alone(u32),
    Twice,
    InRecovery(&'static str),
}

#[derive(Default)]
struct Tally {
    cases: u64,
    reached: BTreeMap<&'static str, BTreeSet<&'static str>>,
    violations: [u64; 3],
    failures: Vec<String>,
}

fn points() -> Vec<&'static str> {
    [FAILPOINTS, PAYING_FAILPOINTS, RUNNING_FAILPOINTS, COPYING_FAILPOINTS].concat()
}

#[test]
fn death_at_every_named_point_loses_doubles_and_hides_nothing() {
    forget("crash-points");
    let scenarios = scenarios::all();
    let templates: Vec<OnceLock<Template>> = scenarios.iter().map(|_| OnceLock::new()).collect();
    let work: Vec<(usize, &'static str)> =
        (0..scenarios.len()).flat_map(|index| points().into_iter().map(move |point| (index, point))).collect();
    let only = std::env::var("RENEWD_CASES").unwrap_or_default();
    let named = |(index, point): &(usize, &str)| format!("{} / {point}", scenarios[*index].name).contains(&only);
    let on_the_way = |(index, point): &(usize, &str)| {
        let off = OFF_THE_WAY.iter().find(|(head, _)| point.starts_with(head));
        all_deaths() || off.is_none_or(|(_, homes)| homes.contains(&scenarios[*index].name))
    };
    let work: Vec<_> = work.into_iter().filter(named).filter(on_the_way).collect();
    let tally = Mutex::new(Tally::default());
    crew::each(
        &work,
        || (),
        |(), (index, point)| {
            let template = templates[*index].get_or_init(scenarios[*index].template);
            every_death(&scenarios[*index], template, point, &tally);
        },
    );
    let tally = tally.into_inner().unwrap();
    let unreached: Vec<_> = points().into_iter().filter(|point| !tally.reached.contains_key(point)).collect();
    let note =
        format!("{} points, {} scenarios; alone, twice in a row, during recovery", points().len(), scenarios.len());
    let [lost, doubled, silent] = tally.violations;
    Fragment { suite: "crash-points".into(), tried: tally.cases, lost, doubled, silent, seeds: Vec::new(), note }
        .write();
    eprintln!("{} deaths; points with their scenarios: {:#?}", tally.cases, tally.reached);
    assert!(tally.failures.is_empty(), "{} failed:\n{}", tally.failures.len(), tally.failures.join("\n"));
    assert!(unreached.is_empty(), "no scenario reaches {unreached:?}");
    assert!(CASES_MIN <= tally.cases, "only {} cases", tally.cases);
}

fn all_deaths() -> bool {
    std::env::var_os("RENEWD_DEATHS").is_some_and(|which| which == "all")
}

fn every_death(scenario: &Scenario, template: &Template, point: &'static str, tally: &Mutex<Tally>) {
    let try_to_die = |dying: Dying| tried(scenario, template, point, &dying, tally);
    if !try_to_die(Dying::Alone(1)) {
        return;
    }
    try_to_die(Dying::Twice);
    if all_deaths() {
        for other in RECOVERY {
            try_to_die(Dying::InRecovery(other));
        }
        for nth in 2..=NTH_MAX {
            if !try_to_die(Dying::Alone(nth)) {
                return;
            }
        }
        return;
    }
    // In every second case also a death during the recovery, at a point that changes from case to case.
    let turn = point.len() + scenario.name.len();
    for step in if turn.is_multiple_of(2) { 0..2 } else { 0..0 } {
        if try_to_die(Dying::InRecovery(RECOVERY[(turn + step) % RECOVERY.len()])) {
            return;
        }
    }
}

/// Says whether the process died as asked.
fn tried(scenario: &Scenario, template: &Template, point: &'static str, dying: &Dying, tally: &Mutex<Tally>) -> bool {
    let case = format!("{} / {point} / {dying:?}", scenario.name);
    let outcome = catch_unwind(AssertUnwindSafe(|| die(scenario, template, point, dying, &case)));
    let mut tally = tally.lock().unwrap();
    match outcome {
        Ok(Some(violations)) => {
            tally.cases += 1;
            tally.reached.entry(point).or_default().insert(scenario.name);
            for (kind, what) in violations {
                tally.violations[kind] += 1;
                tally.failures.push(format!("{case}: {what}"));
            }
            true
        }
        Ok(None) => false,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            tally.failures.push(format!("{case}: {}", text.unwrap_or_else(|| "it failed".to_owned())));
            true
        }
    }
}

/// One case; `None` where the process never came to the point.
fn die(
    scenario: &Scenario,
    template: &Template,
    point: &str,
    dying: &Dying,
    case: &str,
) -> Option<Vec<(usize, String)>> {
    let mut shop = Shop::open(template, bank(), failing());
    (scenario.prepare)(&mut shop);
    let mut found = Vec::new();
    let lives: Vec<String> = match dying {
        Dying::Alone(nth) => vec![format!("{point}:{nth}")],
        Dying::Twice => vec![point.to_owned(), point.to_owned()],
        Dying::InRecovery(other) => vec![point.to_owned(), (*other).to_owned()],
    };
    for failpoint in &lives {
        let mut doer = Doer::new(&mut shop, Some(failpoint));
        (scenario.act)(&mut doer);
        if !doer.died {
            return None;
        }
        if shop.store().join("store.json").exists() {
            found.extend(kinds(&audit(&shop, Strictness::Doubting), "after a death"));
        }
    }
    finish(scenario, &mut shop, asks_the_gateway(scenario, point));
    let audited = audit(&shop, Strictness::Certain);
    found.extend(kinds(&audited, "in the end"));
    reached_its_end(scenario, &shop, &audited, case);
    Some(found)
}

/// Whether what is in doubt is found out by runs, which ask the gateway; else a person looks into its books. The
/// gateway's clock stands still, so that weeks later it would be asked for payments of another time.
fn asks_the_gateway(scenario: &Scenario, point: &str) -> bool {
    scenario.name != "run" && (scenario.name.len() + point.len()).is_multiple_of(2)
}

/// Nothing dies any more: what is in doubt is looked up, and everything is done again until it is done.
fn finish(scenario: &Scenario, shop: &mut Shop, by_runs: bool) {
    let look = |shop: &mut Shop| match shop.store().join("store.json").exists() {
        true if by_runs => runs(shop),
        true => shop.resolve_by_ledger(),
        false => 0,
    };
    for _ in 0..ROUNDS_MAX {
        look(shop);
        (scenario.act)(&mut Doer::new(shop, None));
        if look(shop) == 0 {
            return;
        }
    }
}

/// Runs, at moments ever later, until nothing is in doubt. Answers how many orders were in doubt before.
fn runs(shop: &mut Shop) -> usize {
    let before = shop.in_doubt();
    let later: Vec<&str> = LATER.into_iter().filter(|moment| *moment > shop.now()).collect();
    for moment in later {
        if shop.in_doubt() == 0 {
            break;
        }
        shop.set_clock(moment);
        _ = shop.run(&["run", "-o", "json"]);
    }
    before
}

fn kinds(audited: &Audited, when: &str) -> Vec<(usize, String)> {
    let kind = |violation: &Violation| match violation {
        Violation::Lost(_) => 0,
        Violation::Doubled(_) => 1,
        Violation::Silent(_) => 2,
    };
    audited.violations.iter().map(|it| (kind(it), format!("{when}: {it}"))).collect()
}

fn reached_its_end(scenario: &Scenario, shop: &Shop, audited: &Audited, case: &str) {
    let month = ["2026-12", "2027-01", "2027-02", "2027-03"];
    for (resource, expiry) in &audited.expiries {
        let began = shop.began.get(resource).map_or("2026-12", |began| &began[..7]);
        let from = month.iter().position(|known| *known == began).unwrap();
        assert_eq!(&expiry[..7], month[from + scenario.months], "{case}: {resource} began in {began}");
    }
    let kept: i64 = shop.till.ledger().paid().iter().map(renewd_tests::bank::ledger::Paid::net).sum();
    assert_eq!(kept, scenario.paid, "{case}: what the gateway kept");
}
