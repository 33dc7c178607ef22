//! `apply`: the README's first command, idempotence, requests, and guards of the desired state.

use renewd_tests::process::{answer, command};
use renewd_tests::repository::{copy_folder, root};
use renewd_tests::world::{Machine, World, item, machines, verdicts};

const REQUEST: &str = "\
apiVersion: renewd/v1
kind: RenewalRequest
metadata: { name: december }
spec: { match: { kinds: [vm] }, expiresBefore: 2027-01-01, term: P1M }
";

/// The arguments of the README's first command after `cargo run --`.
fn first_command() -> Vec<String> {
    let readme = renewd_tests::repository::text("README.md");
    let line = readme.lines().find_map(|line| line.strip_prefix("cargo run -- ")).expect("a first command");
    line.split_whitespace().map(str::to_owned).collect()
}

fn last_line(text: &str) -> &str {
    text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default()
}

fn checkout() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for part in ["policies", "examples", "plugins/dist"] {
        copy_folder(&root().join(part), &folder.path().join(part));
    }
    folder
}

#[test]
fn first_command_exits_0_without_a_terminal_and_its_second_run_appends_nothing() {
    let folder = checkout();
    let first = first_command();
    let store = first[first.iter().position(|arg| arg == "--store").expect("a store of its own") + 1].clone();
    let sequence = || {
        let info = ["store", "info", "--store", &store, "-o", "json"];
        answer(&mut command(folder.path(), None, info)).exits(0).json()["sequence"].as_u64().unwrap()
    };
    let answered = answer(&mut command(folder.path(), None, &first)).exits(0);
    assert!(
        last_line(&answered.stdout).starts_with("next run charges "),
        "it ends with the money:\n{}",
        answered.stdout
    );
    let before = sequence();
    let again = answer(&mut command(folder.path(), None, &first)).exits(0);
    assert_eq!(sequence(), before, "the second run appended something:\n{}", again.stdout);
    again.says("nothing changed");
}

#[test]
fn first_command_exits_0_whatever_the_date() {
    let dates = [
        "2026-10-01T00:00:00Z",
        "2026-12-31T23:30:00Z",
        "2027-07-01T12:00:00Z",
        "2029-02-28T23:59:59Z",
        "2035-01-01T00:00:00Z",
    ];
    for now in dates {
        let folder = checkout();
        answer(&mut command(folder.path(), Some(now), first_command())).exits(0).says("next run charges ");
    }
}

#[test]
fn a_request_applied_three_times_renews_each_resource_once() {
    let mut world = World::with_machines(&machines(5, "2026-12-10"));
    world.write("policies/request.yaml", REQUEST);
    for day in 1..=3 {
        world.set_clock(&format!("2026-11-2{}T09:00:00Z", day + 2));
        world.run(["apply", "policies"]).exits(0);
        for order in world.orders() {
            if order["status"] == "placed" {
                world.run(["orders", "pay", order["order"].as_str().unwrap(), "--yes"]).exits(0);
            }
        }
    }
    assert_eq!(world.orders().len(), 1, "one order in all");
    for number in 1..=5 {
        assert_eq!(world.expiry(&format!("vm-{number:03}")), "2027-01-10T23:59:59+08:00");
    }
}

#[test]
fn a_request_applied_three_times_before_anyone_pays_places_one_order() {
    let world = World::with_machines(&machines(5, "2026-12-10"));
    world.write("policies/request.yaml", REQUEST);
    world.run(["apply", "policies"]).exits(0);
    let sequence = world.sequence();
    for _ in 0..2 {
        world.run(["apply", "policies"]).exits(0).says("nothing changed");
    }
    assert_eq!(world.sequence(), sequence);
    assert_eq!(world.orders().len(), 1);
    assert_eq!(world.expiry("vm-001"), "2026-12-10T23:59:59+08:00", "apply never pays");
}

#[test]
fn a_requests_refused_items_make_apply_7_once() {
    let mut fleet = machines(3, "2026-12-10");
    fleet.push(Machine { renewable: false, ..Machine::new("vm-fixed", "2026-12-10") });
    let world = World::with_machines(&fleet);
    world.write("policies/request.yaml", REQUEST);
    let applied = world.json(7, ["apply", "policies"]);
    assert_eq!(applied["refused"], 1, "{applied}");
    world.run(["apply", "policies"]).exits(0);
}

#[test]
fn a_vanished_document_needs_allow_removals() {
    let world = World::with_machines(&machines(2, "2026-12-10"));
    let sequence = world.sequence();
    std::fs::remove_file(world.path().join("policies/policy.yaml")).unwrap();
    let error = world.failure(1, ["apply", "policies"]);
    assert_eq!(error["error"]["code"], "removals", "{error}");
    assert_eq!(world.sequence(), sequence);
    world.run(["apply", "policies", "--allow", "removals"]).exits(0);
    let refused = world.json(1, ["renew", "vm-001", "--dry-run"]);
    assert_eq!(item(&refused, "vm-001")["reason"], "no-policy");
}

#[test]
fn a_directory_without_documents_is_refused() {
    let world = World::with_machines(&machines(1, "2026-12-10"));
    std::fs::create_dir(world.path().join("empty")).unwrap();
    let sequence = world.sequence();
    world.run(["apply", "empty", "--allow", "removals"]).exits(3);
    world.run(["apply", "missing"]).exits(3);
    assert_eq!(world.sequence(), sequence);
}

#[test]
fn plan_changes_nothing_and_tells_by_its_exit_code() {
    let world = World::new();
    world.write("fleet.csv", &renewd_tests::world::inventory(&machines(3, "2026-11-25")));
    let plan = ["plan", "policies", "--resources", "fleet.csv", "--detailed-exitcode"];
    let planned = world.run(plan).exits(2);
    assert!(last_line(&planned.stdout).starts_with("next run charges "), "it ends with the money:\n{}", planned.stdout);
    assert!(!world.store().exists(), "a plan makes no store");
    world.run(["apply", "policies", "--resources", "fleet.csv"]).exits(0);
    world.run(plan).exits(0);
}

#[test]
fn a_saved_plan_is_single_use_and_refused_once_anything_moved() {
    let world = World::new();
    world.write("fleet.csv", &renewd_tests::world::inventory(&machines(3, "2026-11-25")));
    world.run(["plan", "policies", "--resources", "fleet.csv", "--out", "plan.json"]).exits(0);
    world.run(["apply", "--plan", "plan.json"]).exits(0);
    let sequence = world.sequence();
    world.run(["apply", "--plan", "plan.json"]).exits(1);
    world.write("policies/more.yaml", REQUEST);
    world.run(["plan", "policies", "--out", "second.json"]).exits(0);
    world.run(["mode", "expire", "vm-001", "--yes"]).exits(0);
    let moved = world.sequence();
    assert!(moved > sequence);
    world.run(["apply", "--plan", "second.json"]).exits(1);
    assert_eq!(world.sequence(), moved);
}

#[test]
fn an_equal_priority_overlap_is_refused_naming_both() {
    let world = World::with_machines(&machines(1, "2026-12-10"));
    let twin = renewd_tests::world::POLICY.replace("machines", "twin");
    world.write("policies/twin.yaml", &twin);
    let answer = world.run(["apply", "policies"]);
    assert!(matches!(answer.code, Some(1 | 3)), "{answer:?}");
    answer.says("machines").says("twin");
}

#[test]
fn every_verdict_of_a_dry_run_is_counted() {
    let world = World::with_machines(&machines(4, "2026-12-10"));
    let quoted = world.json(0, ["renew", "--all", "--dry-run"]);
    assert_eq!(verdicts(&quoted).values().sum::<usize>(), 4);
    assert!(world.orders().is_empty());
}

/// `maxTotal` was judged anew at each apply, so that a request could cost several times as much.
#[test]
fn a_requests_max_total_counts_what_it_ordered_before() {
    let world = World::with_machines(&machines(3, "2026-12-10"));
    world.write("policies/request.yaml", &REQUEST.replace("term: P1M", "term: P1M, maxTotal: 30 USD"));
    world.run(["apply", "policies"]).exits(0);
    world.write("more.csv", &renewd_tests::world::inventory(&machines(4, "2026-12-10")));
    world.run(["import", "more.csv"]).exits(0);
    let applied = world.json(4, ["apply", "policies"]);
    assert_eq!(applied["placed"][0]["status"], "held", "{applied}");
    assert_eq!(applied["placed"][0]["holds"][0]["reason"], "over-max-total", "{applied}");
}
