//! What a run and the board say before it is too late: warnings, contending policies, plugins that fail, runs that do
//! not come.

use super::due::{DUE, EXPIRY, NOT_YET, auto, charged, from_balance, is_done, top_up, verdict, world};
use renewd_tests::world::{Machine, World, inventory, machines, verdicts};
use serde_json::Value;

fn warning<'a>(run: &'a Value, resource: &str) -> Option<&'a str> {
    let all = run["warnings"].as_array().unwrap();
    all.iter().find(|warning| warning["resource"] == resource).map(|warning| warning["message"].as_str().unwrap())
}

/// The message of the notices of a kind, by subject.
fn notices(world: &World, kind: &str) -> Vec<(String, String)> {
    let board = world.json(0, []);
    let all = board["notices"].as_array().unwrap().iter().filter(|notice| notice["kind"] == kind);
    let text = |notice: &Value, field: &str| notice[field].as_str().unwrap().to_owned();
    all.map(|notice| (text(notice, "subject"), text(notice, "message"))).collect()
}

/// Renewals that a balance could each pay alone, and not together.
#[test]
fn a_run_warns_of_renewals_that_a_balance_cannot_pay_together() {
    let mut world = from_balance(&auto(""), &machines(3, "2026-12-10"));
    top_up(&world, "20 USD", "wire-1");
    world.set_clock("2026-12-01T00:00:00Z");
    let run = world.json(0, ["run"]);
    assert_eq!((warning(&run, "vm-001"), warning(&run, "vm-002")), (None, None), "{run}");
    let third = warning(&run, "vm-003").unwrap();
    assert!(third.contains("is 20.00 USD, of which renewals before it take 20.00 USD"), "{third}");
    let shown = notices(&world, "cannot-renew");
    assert_eq!(shown.len(), 1, "the board says the same: {shown:?}");
    assert!(shown[0].0 == "vm-003" && shown[0].1.contains("of which renewals before it take"), "{shown:?}");
    world.set_clock("2026-11-24T00:00:00Z");
    assert_eq!(world.json(0, ["run"])["warnings"], serde_json::json!([]), "not earlier than a week before");
    world.set_clock(DUE);
    let run = world.json(7, ["run"]);
    let verdicts = ["vm-001", "vm-002", "vm-003"].map(|machine| verdict(&run, machine).0);
    assert_eq!(verdicts, ["renewed", "renewed", "declined"], "as it was warned of: {run}");
}

#[test]
fn a_run_warns_of_limits_and_of_what_an_inventory_forbids() {
    let fleet = [Machine::new("vm-001", "2026-12-10"), Machine::new("vm-002", "2026-12-10")];
    let mut world = world(&auto("  limits: { perOrder: 5 USD }\n"), &fleet);
    let rows = inventory(&fleet);
    let (head, last) = rows.trim_end().rsplit_once('\n').unwrap();
    world.write("fleet.csv", &format!("{head}\n{},false\n", last.rsplit_once(',').unwrap().0));
    world.run(["import", "fleet.csv"]).exits(0);
    world.set_clock("2026-12-01T00:00:00Z");
    let run = world.json(0, ["run"]);
    let (held, kept) = (warning(&run, "vm-001").unwrap(), warning(&run, "vm-002").unwrap());
    assert!(held.contains("it will be held: 10.00 USD is more than the 5.00 USD per order"), "{run}");
    assert!(kept.contains("its inventory says that it cannot be renewed"), "{run}");
    assert_eq!(notices(&world, "cannot-renew").len(), 2);
}

/// An import brought about that two policies contend for a machine: nothing renewed it, and nobody said so.
#[test]
fn contending_policies_hold_their_resource_and_are_named() {
    let other = auto("").replace("name: machines", "name: others").replace("kinds: [vm]", "labels: { team: ops }");
    let world = World::new();
    world.write("policies/policy.yaml", &auto(""));
    world.write("policies/others.yaml", &other);
    let fleet = inventory(&machines(2, "2026-12-10"));
    world.write("fleet.csv", &fleet);
    world.run(["apply", "policies", "--resources", "fleet.csv"]).exits(0);
    let mut fields: Vec<Vec<&str>> = fleet.lines().map(|line| line.split(',').collect()).collect();
    fields[2][7] = "team=ops";
    let rows: Vec<String> = fields.into_iter().map(|line| line.join(",")).collect();
    world.write("fleet.csv", &(rows.join("\n") + "\n"));
    world.run(["import", "fleet.csv"]).exits(0);
    let mut world = world;
    let shown = notices(&world, "policy-conflict");
    assert_eq!(shown.len(), 1, "at once: {shown:?}");
    assert!(shown[0].0 == "vm-002" && shown[0].1.contains("machines, others"), "{shown:?}");
    world.set_clock(NOT_YET);
    let early = world.json(0, ["run"]);
    assert_eq!(early["items"], serde_json::json!([]), "{early}");
    assert!(warning(&early, "vm-002").unwrap().contains("machines, others"), "{early}");
    world.set_clock(DUE);
    let run = world.json(4, ["run"]);
    assert_eq!(verdict(&run, "vm-002"), ("held".to_owned(), "policy-conflict".to_owned()), "{run}");
    assert_eq!((verdict(&run, "vm-001").0.as_str(), charged(&run)), ("renewed", "10.00"), "the rest goes on");
    assert_eq!((notices(&world, "policy-conflict").len(), notices(&world, "cannot-renew").len()), (1, 0));
    assert_eq!(world.expiry("vm-002"), EXPIRY);
}

/// `hold` tries again at the next run, `deny` counts it as the attempt of the day.
#[test]
fn a_price_that_fails_is_held_back_or_counts_as_an_attempt() {
    for (more, again) in [("  onPluginFailure: hold\n", "10.00"), ("  onPluginFailure: deny\n", "0")] {
        let mut world = world(&auto(more), &machines(1, "2026-12-10"));
        let prices = std::fs::read_to_string(world.path().join("policies/prices.yaml")).unwrap();
        world.write("policies/prices.yaml", &prices.replace("vm.small", "vm.other"));
        world.run(["apply", "policies"]).exits(0);
        world.set_clock(DUE);
        let run = world.json(1, ["run"]);
        assert_eq!(verdict(&run, "vm-001"), ("refused".to_owned(), "pricing-failed".to_owned()), "{more}: {run}");
        world.write("policies/prices.yaml", &prices);
        world.run(["apply", "policies"]).exits(0);
        assert_eq!(charged(&world.json(0, ["run"])), again, "{more}");
        world.set_clock("2026-12-03T19:00:00Z");
        _ = world.json(0, ["run"]);
        assert_eq!(world.expiry("vm-001"), super::due::RENEWED, "{more}");
        is_done(&world);
    }
}

/// Nobody ran `run`, and the board said that nothing needs anybody.
#[test]
fn the_board_says_what_is_due_and_that_no_run_did_it() {
    let mut world = world(&auto(""), &machines(3, "2026-12-10"));
    world.set_clock("2026-12-02T19:59:59Z");
    assert_eq!(notices(&world, "due"), [], "a timer may start a run every hour");
    for now in ["2026-12-02T20:00:00Z", "2026-12-12T00:00:00Z"] {
        world.set_clock(now);
        let shown = notices(&world, "due");
        assert_eq!(shown.len(), 1, "{shown:?}");
        assert!(shown[0].0 == "acme" && shown[0].1.starts_with("3 automatic renewals are due"), "{shown:?}");
    }
    world.run([]).says("renewd run");
    assert_eq!(verdicts(&world.json(0, ["run"]))["renewed"], 3);
    assert_eq!(notices(&world, "due"), []);
}
