//! `run`: automatic renewals are charged when they are due, once, within limits; requests are paid; orders expire.

use super::due::{
    DUE, EXPIRY, NOT_YET, RENEWED, auto, charged, from_balance, is_done, order, order_of, paid_by, top_up, verdict,
    world,
};
use renewd_tests::process::command;
use renewd_tests::world::{Machine, World, item, machines, verdicts};
use std::process::Stdio;

#[test]
fn automatic_renewals_are_charged_at_their_instant_and_once() {
    let mut world = world(&auto(""), &machines(2, "2026-12-10"));
    world.set_clock(NOT_YET);
    let early = world.json(0, ["run"]);
    assert_eq!(early["items"].as_array().unwrap().len(), 0, "{early}");
    world.set_clock(DUE);
    let run = world.json(0, ["run"]);
    assert_eq!((verdicts(&run)["renewed"], charged(&run)), (2, "20.00"), "{run}");
    assert_eq!(item(&run, "vm-001")["oldExpiry"], EXPIRY);
    assert_eq!(world.expiry("vm-001"), RENEWED);
    assert_ne!(order_of(&run, "vm-001"), order_of(&run, "vm-002"), "an order for each resource");
    is_done(&world);
    world.set_clock("2027-01-02T19:00:00Z");
    assert_eq!(charged(&world.json(0, ["run"])), "20.00", "and again a month later");
    world.verify();
}

#[test]
fn a_run_charges_what_the_plan_said() {
    let mut world = world(&auto(""), &machines(3, "2026-12-10"));
    world.set_clock(DUE);
    world.run(["plan", "policies"]).exits(0).says("next run charges 3 resources, 30.00 USD");
    world.run(["run"]).exits(0).says("charged 30.00 USD");
}

#[test]
fn a_decline_is_tried_again_the_next_day_and_not_before() {
    let mut world = from_balance(&auto(""), &machines(1, "2026-12-10"));
    world.set_clock(DUE);
    let run = world.json(1, ["run"]);
    assert_eq!(verdict(&run, "vm-001"), ("declined".to_owned(), "insufficient-balance".to_owned()), "{run}");
    let id = order_of(&run, "vm-001");
    is_done(&world);
    top_up(&world, "10 USD", "wire-1");
    world.set_clock("2026-12-03T18:59:59Z");
    let early = world.json(0, ["run"]);
    assert_eq!(early["items"], serde_json::json!([]), "{early}");
    world.set_clock("2026-12-03T19:00:00Z");
    let next = world.json(0, ["run"]);
    assert_eq!((verdict(&next, "vm-001").0.as_str(), order_of(&next, "vm-001")), ("renewed", id.clone()), "{next}");
    assert_eq!(order(&world, &id)["attempts"].as_array().unwrap().len(), 2);
    assert_eq!(world.expiry("vm-001"), RENEWED);
}

#[test]
fn after_downtime_there_is_one_attempt_and_not_one_for_each_missed_day() {
    let mut world = from_balance(&auto(""), &machines(1, "2026-12-10"));
    world.set_clock("2026-12-06T12:34:56Z");
    let run = world.json(1, ["run"]);
    assert_eq!(order(&world, &order_of(&run, "vm-001"))["attempts"].as_array().unwrap().len(), 1);
    is_done(&world);
    // Late, in grace, it can still be renewed: from its old expiry.
    top_up(&world, "30 USD", "wire-1");
    world.set_clock("2026-12-20T12:00:00Z");
    let run = world.json(0, ["run"]);
    assert_eq!((verdict(&run, "vm-001").0.as_str(), charged(&run)), ("renewed", "10.00"), "{run}");
    assert_eq!(world.expiry("vm-001"), RENEWED);
    is_done(&world);
}

#[test]
fn what_was_released_during_downtime_is_not_charged() {
    let mut world = world(&auto(""), &machines(1, "2026-12-10"));
    world.set_clock("2027-03-01T12:00:00Z");
    let run = world.json(0, ["run"]);
    assert_eq!((charged(&run), run["time"][0]["entered"].as_str()), ("0", Some("released")), "{run}");
    is_done(&world);
}

/// The run in which automatic renewal ended was the only one that told of no failure.
#[test]
fn a_renewal_that_is_not_tried_any_more_is_told_once() {
    for (until, over) in
        [("expiry", "2026-12-10T15:59:59Z"), ("grace", "2026-12-25T15:59:59Z"), ("retention", "2027-01-09T15:59:59Z")]
    {
        let policy = auto(&format!("  auto: {{ until: {until} }}\n"));
        let mut world = from_balance(&policy, &machines(1, "2026-12-10"));
        world.set_clock(DUE);
        assert_eq!(verdict(&world.json(1, ["run"]), "vm-001").0, "declined");
        world.set_clock(over);
        let run = world.json(1, ["run"]);
        assert_eq!(verdict(&run, "vm-001"), ("refused".to_owned(), "not-renewed".to_owned()), "{until}: {run}");
        is_done(&world);
    }
}

#[test]
fn what_its_inventory_forbids_to_renew_is_warned_of_while_it_would_be_charged() {
    let machine = Machine { renewable: false, ..Machine::new("vm-001", "2026-12-10") };
    let mut world = world(&auto(""), &[machine]);
    let warnings = |world: &World| world.json(0, ["run"])["warnings"].as_array().unwrap().len();
    for now in [NOT_YET, DUE, "2026-12-12T19:00:00Z"] {
        world.set_clock(now);
        assert_eq!(warnings(&world), 1, "{now}");
        world.run([]).exits(0).says("its inventory says that it cannot be renewed");
    }
    world.run(["mode", "expire", "vm-001"]).exits(0);
    assert_eq!(warnings(&world), 0);
}

#[test]
fn after_so_many_automatic_renewals_a_resource_is_manual() {
    let mut world = world(&auto("  auto: { times: 2 }\n"), &machines(1, "2026-12-10"));
    for (now, mode) in [(DUE, "auto"), ("2027-01-02T19:00:00Z", "manual")] {
        world.set_clock(now);
        assert_eq!(charged(&world.json(0, ["run"])), "10.00", "{now}");
        let listed = world.json(0, ["list", "vm-001"]);
        assert_eq!(listed["resources"][0]["mode"], mode, "{listed}");
    }
    world.set_clock("2027-02-09T12:00:00Z");
    assert_eq!(charged(&world.json(0, ["run"])), "0");
    assert_eq!(world.expiry("vm-001"), "2027-02-10T23:59:59+08:00");
}

#[test]
fn a_manual_renewal_moves_the_next_charge() {
    let mut world = world(&auto(""), &machines(1, "2026-12-10"));
    world.set_clock(NOT_YET);
    world.run(["renew", "vm-001", "--request-id", "by-hand", "--yes"]).exits(0);
    world.set_clock(DUE);
    assert_eq!(charged(&world.json(0, ["run"])), "0");
    assert_eq!(world.expiry("vm-001"), RENEWED);
}

const REQUEST: &str = "\
apiVersion: renewd/v1
kind: RenewalRequest
metadata: { name: december }
spec: { match: { kinds: [vm] }, term: P1M }
";

#[test]
fn the_order_of_a_request_is_paid_by_the_next_run() {
    let world = World::with_machines(&machines(2, "2026-12-10"));
    world.write("policies/request.yaml", REQUEST);
    world.run(["apply", "policies"]).exits(0);
    assert_eq!(world.expiry("vm-001"), EXPIRY, "apply moves no money");
    let run = world.json(0, ["run"]);
    assert_eq!((verdicts(&run)["renewed"], charged(&run)), (2, "20.00"), "{run}");
    assert_eq!(world.expiry("vm-002"), RENEWED);
    is_done(&world);
}

/// The order of a request expired, no run ordered it again, and none said so.
#[test]
fn a_declared_request_whose_order_expires_is_told() {
    let mut world = World::with_machines(&machines(2, "2026-12-10"));
    world.write("policies/request.yaml", REQUEST);
    world.run(["apply", "policies"]).exits(0);
    world.set_clock("2026-11-30T09:00:00Z");
    let run = world.json(1, ["run"]);
    assert_eq!(verdict(&run, "vm-002"), ("refused".to_owned(), "order-state".to_owned()), "{run}");
    is_done(&world);
    world.run(["apply", "policies"]).exits(0);
    assert_eq!(charged(&world.json(0, ["run"])), "20.00", "ordered anew, as the hint says");
}

/// An order that nobody pays within 72 hours must neither be charged later nor keep its resources from a new one.
#[test]
fn an_unpaid_order_expires_and_is_ordered_anew() {
    let mut world = from_balance(&auto(""), &machines(1, "2026-12-10"));
    world.set_clock(DUE);
    let first = order_of(&world.json(1, ["run"]), "vm-001");
    world.set_clock("2026-12-05T19:00:00Z");
    let run = world.json(1, ["run"]);
    assert_eq!(run["expired"], serde_json::json!([first]), "{run}");
    let second = order_of(&run, "vm-001");
    assert_ne!(first, second);
    top_up(&world, "10 USD", "wire-1");
    world.set_clock("2026-12-06T19:00:00Z");
    assert_eq!(order_of(&world.json(0, ["run"]), "vm-001"), second);
    assert_eq!(order(&world, &first)["status"], "expired");
    assert_eq!(world.expiry("vm-001"), RENEWED);
}

#[test]
fn a_limit_holds_what_expires_last() {
    let fleet =
        [Machine::new("late", "2026-12-10"), Machine::new("first", "2026-12-08"), Machine::new("mid", "2026-12-09")];
    let mut world = world(&auto("  limits: { perMonth: 20 USD }\n"), &fleet);
    world.set_clock(DUE);
    let run = world.json(4, ["run"]);
    assert_eq!(verdict(&run, "first").0, "renewed", "{run}");
    assert_eq!(verdict(&run, "mid").0, "renewed");
    assert_eq!(verdict(&run, "late"), ("held".to_owned(), "over-month-limit".to_owned()));
    assert_eq!((charged(&run), world.expiry("late").as_str()), ("20.00", EXPIRY));
    let held = order_of(&run, "late");
    let later = world.json(4, ["run"]);
    assert_eq!((&later["items"], later["waiting"].as_array().unwrap().len()), (&serde_json::json!([]), 1), "{later}");
    assert_eq!(
        (&later["waiting"][0]["order"], &later["waiting"][0]["status"]),
        (&held.as_str().into(), &"held".into())
    );
    world.run(["run"]).exits(4).says("nothing was due").says("still waiting").says(&format!("orders approve {held}"));
    world.run(["orders", "approve", &held]).exits(0);
    let paid = world.json(0, ["run"]);
    assert_eq!((charged(&paid), &paid["waiting"]), ("10.00", &serde_json::json!([])), "approved, the next run pays it");
    assert_eq!(world.expiry("late"), RENEWED);
}

#[test]
fn a_moved_price_is_held_for_a_person() {
    let mut world = paid_by("price-moved", &auto(""), &machines(1, "2026-12-10"));
    world.set_clock(DUE);
    let run = world.json(4, ["run"]);
    assert_eq!(verdict(&run, "vm-001"), ("held".to_owned(), "price-moved".to_owned()), "{run}");
    assert_eq!((charged(&run), world.expiry("vm-001").as_str()), ("0", EXPIRY));
    world.run([]).says("renewd orders approve");
    world.set_clock("2026-12-03T19:00:00Z");
    let next = world.run(["run", "-o", "json"]).json();
    assert_eq!(charged(&next), "0", "nothing is charged before a person approves: {next}");
}

#[test]
fn max_charge_stops_and_names_what_was_left() {
    let fleet =
        [Machine::new("late", "2026-12-10"), Machine::new("first", "2026-12-08"), Machine::new("mid", "2026-12-09")];
    let mut world = world(&auto(""), &fleet);
    world.set_clock(DUE);
    let run = world.json(7, ["run", "--max-charge", "15 USD"]);
    assert_eq!(verdict(&run, "first").0, "renewed", "{run}");
    for left in ["mid", "late"] {
        assert_eq!(verdict(&run, left), ("refused".to_owned(), "over-max-charge".to_owned()), "{run}");
        assert!(item(&run, left)["hint"].as_str().unwrap().contains("--max-charge"), "{run}");
    }
    assert_eq!(charged(&run), "10.00");
    let other = world.json(1, ["run", "--max-charge", "1000 EUR"]);
    assert_eq!((charged(&other), verdicts(&other)["refused"]), ("0", 2), "another currency is not charged: {other}");
    let run = world.json(0, ["run", "--max-charge", "1000 EUR", "--max-charge", "20 USD"]);
    assert_eq!((charged(&run), verdicts(&run)["renewed"]), ("20.00", 2), "{run}");
    is_done(&world);
}

#[test]
fn wrong_limits_charge_nothing() {
    let mut world = world(&auto(""), &machines(1, "2026-12-10"));
    world.set_clock(DUE);
    for (code, args) in [
        (3, ["run", "--max-charge", "twenty", "--group", "-q"]),
        (3, ["run", "--max-charge=-1 USD", "--wait", "9", "-q"]),
        (64, ["run", "--max-charge", "1 USD", "--max-charge", "2 USD"]),
        (64, ["run", "--every", "5m", "--group", "-q"]),
        (3, ["run", "--watch", "--every", "5", "-q"]),
        (3, ["run", "--watch", "--every", "25h", "-q"]),
        (64, ["run", "--watch", "-o", "json", "-q"]),
        (64, ["run", "--watch", "--rehearse", "-q", "--group"]),
    ] {
        world.run(args).exits(code);
    }
    assert_eq!(world.expiry("vm-001"), EXPIRY);
    world.run(["run", "--max-charge", "0 USD"]).exits(1);
    assert_eq!(world.expiry("vm-001"), EXPIRY);
}

/// A resource whose price cannot be found must not keep others from being renewed.
#[test]
fn some_renewed_and_some_refused_is_partly_done() {
    let mut world = world(&auto(""), &machines(2, "2026-12-10"));
    let fleet = std::fs::read_to_string(world.path().join("fleet.csv")).unwrap();
    world.write("fleet.csv", &fleet.replacen("vm.small", "vm.unknown", 1));
    world.run(["import", "fleet.csv"]).exits(0);
    world.set_clock(DUE);
    let run = world.json(7, ["run"]);
    assert_eq!(verdict(&run, "vm-001"), ("refused".to_owned(), "pricing-failed".to_owned()), "{run}");
    assert_eq!(verdict(&run, "vm-002").0, "renewed");
    world.run([]).says("vm-001").says("cannot-renew");
}

/// "Leave them unpaid" was said, and the next run charged them.
#[test]
fn a_resource_in_an_order_by_hand_is_named_and_not_charged_twice() {
    let mut world = world(&auto(""), &machines(2, "2026-12-10"));
    world.set_clock(NOT_YET);
    let placed = world.json(0, ["renew", "vm-001", "--request-id", "h", "--yes", "--pay-later", "--term", "P3M"]);
    world.set_clock(DUE);
    let run = world.json(7, ["run"]);
    assert_eq!(charged(&run), "10.00", "the other one: {run}");
    assert_eq!(verdict(&run, "vm-001"), ("refused".to_owned(), "open-order".to_owned()), "{run}");
    let order = order_of(&placed, "vm-001");
    assert!(item(&run, "vm-001")["hint"].as_str().unwrap().contains(&format!("orders pay {order}")), "{run}");
    world.run(["orders", "pay", &order, "--yes"]).exits(0);
    assert_eq!(charged(&world.json(0, ["run"])), "0");
    assert_eq!(world.expiry("vm-001"), "2027-03-10T23:59:59+08:00");
}

/// Automatic and manual renewal of the same resources at the same moment: one of the two renews each.
#[test]
fn a_run_beside_a_renew_renews_each_resource_once() {
    let mut world = world(&auto(""), &machines(12, "2026-12-10"));
    world.set_clock(DUE);
    let start = |args: &[&str]| {
        command(world.path(), Some(world.now()), args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let children = [
        start(&["run", "--wait", "60"]),
        start(&["renew", "--all", "--request-id", "hand", "--yes", "--wait", "60"]),
        start(&["run", "--wait", "60", "--group"]),
    ];
    for child in children {
        let output = child.wait_with_output().unwrap();
        let code = output.status.code();
        assert!(matches!(code, Some(0 | 1 | 4 | 7)), "{code:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    for machine in machines(12, "2026-12-10") {
        assert_eq!(world.expiry(&machine.id), RENEWED, "{}", machine.id);
    }
    let settled: u64 = world
        .orders()
        .iter()
        .filter(|order| order["status"] == "settled")
        .map(|order| order["lineCount"].as_u64().unwrap())
        .sum();
    assert_eq!(settled, 12, "each line was paid once");
    is_done(&world);
    world.verify();
}

#[test]
fn a_run_answers_in_every_format() {
    let mut world = world(&auto(""), &machines(2, "2026-12-10"));
    world.set_clock(DUE);
    let ndjson = world.run(["run", "--max-charge", "0 USD", "-o", "ndjson"]).exits(1);
    assert!(
        ndjson.stdout.starts_with("{\"formatVersion\":1,\"kind\":\"run\"}\n{\"resource\":\"vm-001\""),
        "{ndjson:?}"
    );
    world.run(["run", "--max-charge", "0 USD", "-o", "ids"]).exits(1).says("vm-001\nvm-002\n");
    world.run(["run", "--max-charge", "0 USD", "-o", "csv"]).exits(1).says("vm-002,refused,over-max-charge,ord_");
    world.run(["run", "-o", "yaml"]).exits(0).says("kind: run\n");
}

#[test]
fn without_a_store_there_is_nothing_to_run() {
    let world = World::new();
    for args in [["run", "-q", "--group"], ["run", "-q", "--watch"]] {
        world.run(args).exits(3).says("there is no store");
    }
    assert!(!world.store().exists());
}
