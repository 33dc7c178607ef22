//! The shapes of answers: JSON that programs rely on, and every format of every list.

use renewd_tests::world::{World, machines};
use serde_json::Value;

#[test]
fn every_json_document_starts_with_its_version_and_kind() {
    let world = World::with_machines(&machines(2, "2026-12-10"));
    world.run(["renew", "vm-001", "--request-id", "r", "--yes", "--pay-later"]).exits(0);
    for args in [
        vec![],
        vec!["list"],
        vec!["show", "vm-001"],
        vec!["show", "acme"],
        vec!["show", "machines"],
        vec!["plan", "policies"],
        vec!["apply", "policies"],
        vec!["check", "policies"],
        vec!["import", "fleet.csv"],
        vec!["renew", "vm-002", "--dry-run"],
        vec!["mode", "expire", "vm-002"],
        vec!["align", "preview", "vm-002"],
        vec!["orders", "list"],
        vec!["plugin", "list"],
        vec!["plugin", "inspect", "plugins/dist/invoice.wasm"],
        vec!["store", "info"],
        vec!["store", "verify"],
        vec!["store", "rebuild"],
        vec!["store", "backup", "saved"],
        vec!["store", "restore", "saved", "--store", "second"],
        vec!["store", "salvage", "third"],
    ] {
        let all: Vec<&str> = args.iter().copied().chain(["-o", "json"]).collect();
        let mut command = renewd_tests::process::command(world.path(), Some(world.now()), &all);
        let answer = renewd_tests::process::answer(&mut command).exits(0);
        let text = answer.stdout.trim_start();
        assert!(
            text.starts_with("{\"formatVersion\":1,\"kind\":\""),
            "{args:?} starts with {}",
            &text[..60.min(text.len())]
        );
        answer.json();
    }
}

#[test]
fn money_is_text_and_instants_have_the_accounts_zone() {
    let world = World::with_machines(&machines(1, "2026-12-10"));
    let item = world.json(0, ["renew", "vm-001", "--dry-run"])["items"][0].clone();
    assert_eq!(item["total"], serde_json::json!({ "amount": "10.00", "currency": "USD" }));
    assert_eq!(item["newExpiry"], "2027-01-10T23:59:59+08:00");
    for field in [
        "resource",
        "verdict",
        "reason",
        "order",
        "oldExpiry",
        "base",
        "newExpiry",
        "extraDays",
        "fraction",
        "lines",
        "total",
    ] {
        assert!(item.get(field).is_some(), "no `{field}` in {item}");
    }
}

#[test]
fn lists_come_in_every_format() {
    let world = World::with_machines(&machines(3, "2026-12-10"));
    assert_eq!(world.run(["list", "-o", "ids"]).exits(0).stdout, "vm-001\nvm-002\nvm-003\n");
    let lines = world.run(["list", "-o", "ndjson"]).exits(0).stdout;
    assert!(lines.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{lines}");
    assert_eq!(lines.lines().filter(|line| line.contains("\"vm-00")).count(), 3);
    world.run(["list", "-o", "yaml"]).exits(0).says("vm-002");
    world.run(["list", "-o", "table"]).exits(0).says("vm-003");
}

#[test]
fn errors_have_a_code_a_message_and_a_hint() {
    let world = World::with_machines(&machines(1, "2026-12-10"));
    for (code, args) in [(3, ["show", "vm-999"]), (3, ["import", "missing.csv"])] {
        let error = world.failure(code, args)["error"].clone();
        for field in ["code", "message", "hint"] {
            assert!(error[field].is_string(), "{args:?}: no `{field}` in {error}");
        }
        let message = error["message"].as_str().unwrap();
        assert!(!message.ends_with('.') && !message.starts_with(char::is_uppercase), "{message}");
    }
}

#[test]
fn results_go_to_standard_output_and_nothing_else_does() {
    let world = World::with_machines(&machines(1, "2026-12-10"));
    let answer = world.run(["list", "-o", "json"]).exits(0);
    assert!(answer.stderr.is_empty(), "{}", answer.stderr);
    assert!(!world.run(["list"]).exits(0).stdout.contains('\u{1b}'), "no colour without a terminal");
}

#[test]
fn an_order_replays_to_the_same_cent() {
    let world = World::with_machines(&machines(2, "2026-12-10"));
    let answer = world.json(0, ["renew", "--all", "--align", "--request-id", "r", "--yes"]);
    let order = answer["items"][0]["order"].as_str().unwrap().to_owned();
    // The prices of today no longer matter to it.
    let prices = renewd_tests::world::PRICES.replace("10.00", "99.00");
    world.write("policies/prices.yaml", &prices);
    world.run(["apply", "policies"]).exits(0);
    let replay = world.json(0, ["show", &order, "--replay"]);
    assert_eq!(replay["equal"], true, "{replay}");
}

#[test]
fn a_rehearsal_leaves_the_store_alone() {
    let world = World::with_machines(&machines(2, "2026-12-10"));
    let sequence = world.sequence();
    world.run(["renew", "--all", "--request-id", "r", "--yes", "--rehearse"]).exits(0);
    assert_eq!(world.sequence(), sequence);
    assert_eq!(world.expiry("vm-001"), "2026-12-10T23:59:59+08:00");
    let rehearsed = world.json(0, ["list", "vm-001", "--rehearse"]);
    assert_eq!(rehearsed["resources"][0]["expiry"], "2027-01-10T23:59:59+08:00");
    let later = world.json(0, ["list", "vm-001", "--rehearse", "--advance", "60d"]);
    assert_eq!(later["resources"][0]["phase"], "grace", "{later}");
    assert_eq!(world.sequence(), sequence);
}

#[test]
fn completions_and_the_manual_are_there_but_hidden() {
    let world = World::new();
    assert!(!world.run(["completions", "bash"]).exits(0).stdout.is_empty());
    assert!(!world.run(["man"]).exits(0).stdout.is_empty());
    assert!(!world.run(["--help"]).exits(0).stdout.contains("completions"));
}
