//! Inventories: three-way merge, bad rows, and the export that changes nothing when it comes back.

use renewd_tests::world::{COLUMNS, Machine, World, inventory, machines};

#[test]
fn an_export_imported_again_changes_nothing() {
    let mut fleet = machines(5, "2026-11-30T18:30:00");
    fleet.push(Machine {
        labels: "env=prod;team=a b".to_owned(),
        mode: "expire".to_owned(),
        ..Machine::new("vm-x", "2027-02-28")
    });
    let world = World::with_machines(&fleet);
    let export = world.run(["list", "-o", "csv"]).exits(0).stdout;
    assert_eq!(export.lines().next(), COLUMNS.lines().next());
    world.write("export.csv", &export);
    let sequence = world.sequence();
    world.run(["import", "export.csv"]).exits(0);
    assert_eq!(world.sequence(), sequence);
}

#[test]
fn an_extension_survives_an_inventory_that_still_shows_the_old_date() {
    let fleet = machines(2, "2026-12-10");
    let world = World::with_machines(&fleet);
    world.run(["renew", "vm-001", "--request-id", "r", "--yes"]).exits(0);
    world.write("fleet.csv", &inventory(&fleet));
    world.run(["import", "fleet.csv"]).exits(0);
    assert_eq!(world.expiry("vm-001"), "2027-01-10T23:59:59+08:00");
}

#[test]
fn a_conflict_freezes_its_resource_and_the_clean_rows_land() {
    let world = World::with_machines(&machines(2, "2026-12-10"));
    world.run(["renew", "vm-001", "--request-id", "r", "--yes"]).exits(0);
    world.write("fleet.csv", &inventory(&[Machine::new("vm-001", "2027-06-30"), Machine::new("vm-003", "2027-03-01")]));
    world.run(["import", "fleet.csv"]).exits(7).says("vm-001");
    assert_eq!(world.expiry("vm-003"), "2027-03-01T23:59:59+08:00");
    assert_eq!(world.expiry("vm-001"), "2027-01-10T23:59:59+08:00");
    let sequence = world.sequence();
    let refused = world.json(1, ["renew", "vm-001", "--request-id", "again", "--yes"]);
    assert_eq!(refused["items"][0]["reason"], "frozen", "{refused}");
    assert_eq!(world.sequence(), sequence);
    world.run(["import", "fleet.csv", "--take", "inventory"]).exits(0);
    assert_eq!(world.expiry("vm-001"), "2027-06-30T23:59:59+08:00");
    world.run(["renew", "vm-001", "--request-id", "again", "--yes"]).exits(0);
}

#[test]
fn a_bad_row_changes_nothing_at_all() {
    let world = World::with_machines(&machines(1, "2026-12-10"));
    let bad = format!(
        "{}vm-9,,nobody,vm,vm.small,1,,,2027-01-01,,,,,\nvm-8,,acme,vm,vm.small,0,,,31.12.2027,,,,,\n",
        inventory(&machines(3, "2027-05-05"))
    );
    world.write("bad.csv", &bad);
    let sequence = world.sequence();
    let error = world.failure(3, ["import", "bad.csv"]);
    let findings = error["findings"].as_array().unwrap();
    let lines: Vec<u64> = findings.iter().map(|finding| finding["line"].as_u64().unwrap()).collect();
    assert!(lines.contains(&5) && lines.contains(&6), "all findings at once: {error}");
    assert_eq!(world.sequence(), sequence);
    world.run(["import", "bad.csv", "--skip-bad"]).exits(7);
    assert_eq!(world.expiry("vm-003"), "2027-05-05T23:59:59+08:00");
}

#[test]
fn json_and_ndjson_are_read_as_csv_is() {
    let row = |id: &str| {
        format!(r#"{{"id":"{id}","account":"acme","kind":"vm","sku":"vm.small","quantity":1,"expiry":"2027-01-01"}}"#)
    };
    let world = World::with_machines(&machines(1, "2026-12-10"));
    world.write("fleet.json", &format!("[{},{}]", row("j-1"), row("j-2")));
    world.write("fleet.ndjson", &format!("{}\n{}\n", row("n-1"), row("n-2")));
    world.run(["import", "fleet.json"]).exits(0);
    world.run(["import", "fleet.ndjson"]).exits(0);
    for id in ["j-1", "j-2", "n-1", "n-2"] {
        assert_eq!(world.expiry(id), "2027-01-01T23:59:59+08:00");
    }
}

#[test]
fn expiries_are_read_in_three_forms() {
    let rows = [("a", "2027-01-01"), ("b", "2027-01-01T18:30:00"), ("c", "2027-01-01T02:00:00Z")];
    let world = World::with_machines(&rows.map(|(id, expiry)| Machine::new(id, expiry)));
    assert_eq!(world.expiry("a"), "2027-01-01T23:59:59+08:00");
    assert_eq!(world.expiry("b"), "2027-01-01T18:30:00+08:00");
    assert_eq!(world.expiry("c"), "2027-01-01T10:00:00+08:00");
}

#[test]
fn an_anchor_day_that_does_not_give_the_expirys_date_is_a_finding() {
    let world = World::with_machines(&machines(1, "2026-12-10"));
    world.write("fleet.csv", &format!("{COLUMNS}vm-7,,acme,vm,vm.small,1,,,2027-02-27,31,,,,\n"));
    world.run(["import", "fleet.csv"]).exits(3).says("31");
    world.write("fleet.csv", &format!("{COLUMNS}vm-7,,acme,vm,vm.small,1,,,2027-02-28,31,,,,\n"));
    world.run(["import", "fleet.csv"]).exits(0);
    world.run(["renew", "vm-7", "--request-id", "r", "--yes"]).exits(0);
    assert_eq!(world.expiry("vm-7"), "2027-03-31T23:59:59+08:00");
}

#[test]
fn a_mode_in_an_inventory_is_an_override_that_mode_policy_gives_back() {
    let fleet = [Machine { mode: "expire".to_owned(), ..Machine::new("vm-001", "2026-12-10") }];
    let world = World::with_machines(&fleet);
    let mode = || world.json(0, ["list", "vm-001"])["resources"][0]["mode"].clone();
    assert_eq!(mode(), "expire");
    world.run(["mode", "policy", "vm-001", "--yes"]).exits(0);
    assert_eq!(mode(), "manual");
}
