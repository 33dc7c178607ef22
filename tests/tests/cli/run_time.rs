//! What time does to resources, as `run` journals it: each change once, and none before its moment.

use super::due::{auto, charged, is_done, world};
use renewd_tests::world::{Machine, POLICY, World, machines};
use serde_json::Value;

/// What a run noted of time, as `resource word`.
fn notes(run: &Value) -> Vec<String> {
    let notes = run["time"].as_array().unwrap_or_else(|| panic!("no notes in {run}"));
    notes
        .iter()
        .map(|note| format!("{} {}", note["resource"].as_str().unwrap(), note["entered"].as_str().unwrap()))
        .collect()
}

/// The events of a resource whose sentence has a word.
fn events(world: &World, resource: &str, word: &str) -> usize {
    let shown = world.json(0, ["show", resource]);
    let history = shown["history"].as_array().unwrap();
    history.iter().filter(|event| event["what"].as_str().unwrap().contains(word)).count()
}

#[test]
fn phases_are_noted_once_and_at_their_moment() {
    let mut world = World::with_machines(&machines(1, "2026-12-10"));
    // The windows are 7, 15 and 15 days around the expiry, 2026-12-10T15:59:59Z.
    for (before, after, entered) in [
        ("2026-12-03T15:59:58Z", "2026-12-03T15:59:59Z", "expiring"),
        ("2026-12-10T15:59:58Z", "2026-12-10T15:59:59Z", "grace"),
        ("2026-12-25T15:59:58Z", "2026-12-25T15:59:59Z", "retention"),
        ("2027-01-09T15:59:58Z", "2027-01-09T15:59:59Z", "released"),
    ] {
        world.set_clock(before);
        is_done(&world);
        world.set_clock(after);
        assert_eq!(notes(&world.json(0, ["run"])), [format!("vm-001 {entered}")]);
        is_done(&world);
    }
    for words in ["expires soon", "entered grace", "entered retention", "released"] {
        assert_eq!(events(&world, "vm-001", words), 1, "{words}");
    }
    world.verify();
}

/// After downtime the state is what matters: one note of the phase that holds now.
#[test]
fn phases_that_passed_unseen_are_one_note() {
    let mut world = World::with_machines(&machines(1, "2026-12-10"));
    world.set_clock("2026-12-28T00:00:00Z");
    assert_eq!(notes(&world.json(0, ["run"])), ["vm-001 retention"]);
    is_done(&world);
}

#[test]
fn pay_per_use_begins_at_the_expiry_and_is_never_charged_again() {
    let policy = POLICY.replace("mode: manual", "mode: pay-per-use");
    let mut world = world(&policy, &machines(1, "2026-12-10"));
    world.set_clock("2026-12-10T15:59:59Z");
    assert_eq!(notes(&world.json(0, ["run"])), ["vm-001 pay-per-use"]);
    is_done(&world);
    let renewed = world.json(1, ["renew", "vm-001", "--request-id", "r", "--yes"]);
    assert_eq!(renewed["items"][0]["reason"], "converted", "{renewed}");
    world.set_clock("2027-03-01T00:00:00Z");
    is_done(&world);
    assert_eq!(events(&world, "vm-001", "pay-per-use since"), 1);
}

#[test]
fn a_canceled_renewal_ends_once() {
    let mut world = World::with_machines(&machines(1, "2026-12-10"));
    world.run(["mode", "expire", "vm-001", "--reason", "not needed"]).exits(0);
    world.set_clock("2026-12-10T15:59:59Z");
    let run = world.json(0, ["run"]);
    assert!(notes(&run).contains(&"vm-001 ended".to_owned()), "{run}");
    assert_eq!(charged(&run), "0");
    is_done(&world);
    world.set_clock("2027-01-09T15:59:59Z");
    assert_eq!(notes(&world.json(0, ["run"])), ["vm-001 released"]);
    assert_eq!(events(&world, "vm-001", "ended at its expiry"), 1);
}

/// A renewal whose new expiry is near was noted as expiring by the next run only, so that a second run at the same
/// moment journaled something.
#[test]
fn a_run_notes_the_phase_that_its_own_renewal_leads_to() {
    let policy = auto("  windows: { expiring: 40d, grace: 15d, retention: 15d }\n");
    let mut world = world(&policy, &[Machine::new("vm-001", "2026-12-10")]);
    world.set_clock("2026-12-09T00:00:00Z");
    let run = world.json(0, ["run"]);
    assert_eq!(charged(&run), "10.00", "{run}");
    is_done(&world);
}
