//! Guards of commands that move money: what a job without a terminal must say.

use renewd_tests::world::{World, machines};

#[test]
fn renew_without_a_terminal_needs_yes_and_a_guard_else_64() {
    let world = World::with_machines(&machines(3, "2026-12-10"));
    let sequence = world.sequence();
    world.run(["renew", "--all"]).exits(64);
    world.run(["renew", "--all", "--yes"]).exits(64).says("--request-id");
    world.run(["renew", "--all", "--request-id", "r1"]).exits(64);
    world.run(["renew", "--expires-before", "2027-01-01", "--yes"]).exits(64);
    world.run(["renew", "--yes", "--request-id", "r1"]).exits(64);
    assert_eq!(world.sequence(), sequence);
    world.run(["renew", "--all", "--dry-run"]).exits(0);
}

#[test]
fn an_expiring_before_job_run_twice_renews_once() {
    let world = World::with_machines(&machines(3, "2026-11-30"));
    let job = ["renew", "--expiring-before", "2027-06-01", "--term", "P1M", "--yes"];
    world.run(job).exits(0);
    assert_eq!(world.expiry("vm-001"), "2026-12-30T23:59:59+08:00");
    // A month more would still end before the date: without the guard the second run would renew again.
    world.run(job).exits(0);
    assert_eq!(world.expiry("vm-001"), "2026-12-30T23:59:59+08:00");
    assert_eq!(world.orders().len(), 1);
}

#[test]
fn a_request_id_renews_each_resource_at_most_once() {
    let world = World::with_machines(&machines(3, "2026-11-30"));
    world.run(["renew", "vm-001", "--request-id", "winter", "--yes"]).exits(0);
    let _ = world.run(["renew", "--all", "--request-id", "winter", "--yes"]);
    for id in ["vm-001", "vm-002", "vm-003"] {
        assert_eq!(world.expiry(id), "2026-12-30T23:59:59+08:00");
    }
}

#[test]
fn usage_errors_are_64() {
    let world = World::new();
    world.run(["renw"]).exits(64);
    world.run(["list", "--no-such-flag"]).exits(64);
    world.run(["mode", "sometimes", "vm-001"]).exits(64);
    world.run(["renew", "--dry-run"]).exits(64);
}

#[test]
fn help_and_version_exit_0() {
    let world = World::new();
    world.run(["--help"]).exits(0).says("renew");
    world.run(["--version"]).exits(0).says("renewd");
}

#[test]
fn there_are_at_most_13_commands() {
    let world = World::new();
    let help = world.run(["--help"]).exits(0).stdout;
    let commands = help.lines().skip_while(|line| !line.starts_with("Commands:")).skip(1);
    let names: Vec<&str> = commands
        .take_while(|line| !line.trim().is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!((1..=13).contains(&names.len()), "{names:?}");
}
