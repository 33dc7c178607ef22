//! A payment whose outcome nobody knows: its resources are frozen until a person says what happened.

use renewd_tests::world::{ACCOUNT, PLUGINS, World, inventory, item, machines, verdicts};

/// A world whose payment plugin traps in `charge`.
fn trapping() -> World {
    let world = World::new();
    let plugins = PLUGINS
        .replace("invoice.wasm", "fixtures/hostile-payment.wasm")
        .replace("{ creditLimit: \"100000 USD\", netDays: 30 }", "{ do: trap }");
    world.write("policies/plugins.yaml", &plugins);
    world.write("fleet.csv", &inventory(&machines(2, "2026-12-10")));
    world.run(["apply", "policies", "--resources", "fleet.csv"]).exits(0);
    world
}

/// An unknown order over both machines.
fn unknown(world: &World) -> String {
    let answer = world.json(4, ["renew", "--all", "--request-id", "first", "--yes"]);
    assert_eq!(verdicts(&answer)["unknown"], 2, "{answer}");
    item(&answer, "vm-001")["order"].as_str().unwrap().to_owned()
}

#[test]
fn a_payment_plugin_that_traps_leaves_an_unknown_order_that_freezes_its_resources() {
    let world = trapping();
    let order = unknown(&world);
    let frozen = world.json(1, ["renew", "vm-001", "--request-id", "second", "--yes"]);
    assert_eq!(item(&frozen, "vm-001")["reason"], "frozen", "{frozen}");
    for answer in [world.run(["orders", "pay", &order, "--yes"]), world.run(["orders", "cancel", &order])] {
        assert!(matches!(answer.code, Some(1 | 4)), "{answer:?}");
    }
    assert_eq!(world.expiry("vm-001"), "2026-12-10T23:59:59+08:00");
    assert_eq!(world.orders().len(), 1);
    world.run([]).says(&order);
}

#[test]
fn resolving_an_unknown_order_as_succeeded_renews_its_resources() {
    let world = trapping();
    let order = unknown(&world);
    world.run(["orders", "resolve", &order, "--as", "succeeded"]).exits(64);
    let resolve =
        ["orders", "resolve", &order, "--as", "succeeded", "--reference", "inv-1", "--reason", "seen in the ledger"];
    world.run(resolve).exits(0);
    assert_eq!(world.expiry("vm-001"), "2027-01-10T23:59:59+08:00");
    let sequence = world.sequence();
    assert_eq!(world.run(resolve).code, Some(1), "terminal states are final");
    assert_eq!(world.sequence(), sequence);
}

#[test]
fn resolving_an_unknown_order_as_declined_frees_its_resources() {
    let world = trapping();
    let order = unknown(&world);
    let resolve = ["orders", "resolve", &order, "--as", "declined", "--reason", "not in the ledger"];
    world.run(resolve).exits(0);
    assert_eq!(world.expiry("vm-001"), "2026-12-10T23:59:59+08:00");
    let listed = world.json(0, ["list", "vm-001"]);
    let blocked = listed["resources"][0]["blocked"].as_str().unwrap_or_default();
    assert!(!blocked.contains("unknown"), "{listed}");
}

#[test]
fn the_board_names_the_command_that_fixes_an_unknown_order() {
    let world = trapping();
    let order = unknown(&world);
    let board = world.json(0, []);
    let notices = board["notices"].as_array().unwrap();
    let notice = notices.iter().find(|notice| notice["kind"] == "unknown").unwrap_or_else(|| panic!("{board}"));
    let command = notice["command"].as_str().unwrap();
    assert!(command.contains("orders resolve") && command.contains(&order), "{notice}");
}

/// Removals were allowed to take away the method and plugin that a later look at the gateway needs.
#[test]
fn what_an_unknown_payment_needs_cannot_be_removed() {
    let world = trapping();
    let order = unknown(&world);
    world.write("policies/account.yaml", &ACCOUNT.replace("{ method: on-account }", "{ method: balance }"));
    let plugins = PLUGINS.split("---").next().unwrap();
    world.write("policies/plugins.yaml", plugins);
    let error = world.failure(1, ["apply", "policies", "--allow", "removals"]);
    assert_eq!(error["error"]["code"], "in-use", "{error}");
    assert!(error["error"]["hint"].as_str().unwrap().contains(&order), "{error}");
    world.run(["orders", "resolve", &order, "--as", "declined", "--reason", "asked the bank"]).exits(0);
    world.run(["apply", "policies", "--allow", "removals"]).exits(0);
}
