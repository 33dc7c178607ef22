//! Plugins that misbehave, met from the command line: what they do is contained, named, and never becomes money.

use renewd_tests::world::{PLUGINS, POLICY, World, inventory, item, machines, verdicts};

/// A world whose prices come from the hostile plugin, playing `act`.
fn priced_by(act: &str) -> World {
    let world = World::new();
    let plugins = PLUGINS.replace("price-list.wasm", "fixtures/hostile-pricing.wasm");
    world.write("policies/plugins.yaml", &plugins);
    let policy = POLICY.replace("priceList: prices", &format!("priceList: prices, config: {{ do: {act} }}"));
    world.write("policies/policy.yaml", &policy);
    world.write("fleet.csv", &inventory(&machines(3, "2026-12-10")));
    world.run(["apply", "policies", "--resources", "fleet.csv"]).exits(0);
    world
}

/// A world whose payments are taken by the hostile plugin, playing `act`.
fn paid_by(act: &str) -> World {
    let world = World::new();
    let plugins = PLUGINS
        .replace("invoice.wasm", "fixtures/hostile-payment.wasm")
        .replace("{ creditLimit: \"100000 USD\", netDays: 30 }", &format!("{{ do: {act} }}"));
    world.write("policies/plugins.yaml", &plugins);
    world.write("fleet.csv", &inventory(&machines(2, "2026-12-10")));
    world.run(["apply", "policies", "--resources", "fleet.csv"]).exits(0);
    world
}

#[test]
fn a_pricing_plugin_that_misbehaves_prices_nothing() {
    for act in ["loop", "recurse", "grow", "too-few", "garbage", "exponent", "huge"] {
        let world = priced_by(act);
        let sequence = world.sequence();
        let answer = world.json(1, ["renew", "--all", "--request-id", "r", "--yes"]);
        assert_eq!(verdicts(&answer)["refused"], 3, "{act}: {answer}");
        assert_eq!(item(&answer, "vm-001")["reason"], "pricing-failed", "{act}");
        assert_eq!(world.sequence(), sequence, "{act}: no order is made");
    }
}

#[test]
fn a_plugin_that_traps_over_its_configuration_is_a_finding() {
    let world = World::new();
    world.write("policies/plugins.yaml", &PLUGINS.replace("price-list.wasm", "fixtures/hostile-pricing.wasm"));
    world
        .write("policies/policy.yaml", &POLICY.replace("priceList: prices", "priceList: prices, config: { do: trap }"));
    for command in ["check", "apply"] {
        world.run([command, "policies"]).exits(3).says("policy.yaml:8:");
    }
}

#[test]
fn a_flood_of_log_does_not_reach_the_answer() {
    for act in ["log-flood", "log-much", "log-steer"] {
        let world = priced_by(act);
        let answer = world.run(["renew", "--all", "--dry-run"]);
        assert!(answer.stdout.len() + answer.stderr.len() < 200_000, "{act} came through");
        assert!(!answer.stdout.contains('\u{1b}') && !answer.stderr.contains('\u{1b}'), "{act}: {answer:?}");
    }
}

#[test]
fn one_bad_item_refuses_itself_only() {
    let world = priced_by("trap-on-bad");
    world.write("fleet.csv", &inventory(&[renewd_tests::world::Machine::new("bad", "2026-12-10")]));
    world.run(["import", "fleet.csv"]).exits(0);
    let answer = world.json(7, ["renew", "--all", "--dry-run"]);
    assert_eq!(item(&answer, "bad")["reason"], "pricing-failed");
    assert_eq!(verdicts(&answer)["refused"], 1, "{answer}");
}

/// A new store asks for earlier charges before it makes one, so a plugin that cannot be understood charges nothing.
#[test]
fn a_payment_plugin_that_makes_no_sense_charges_nothing() {
    for act in [
        "trap",
        "loop",
        "garbage",
        "other-amount",
        "other-currency",
        "no-reference",
        "unknown",
        "not-sent",
        "bad-url",
        "bad-instant",
    ] {
        let world = paid_by(act);
        let answer = world.json(1, ["renew", "--all", "--request-id", "r", "--yes"]);
        assert_eq!(item(&answer, "vm-001")["reason"], "payment-unknown", "{act}: {answer}");
        assert_eq!(verdicts(&answer)["refused"], 2, "{act}: {answer}");
        let order = world.orders()[0].clone();
        assert_eq!((order["status"].as_str(), &order["attempts"]), (Some("placed"), &serde_json::json!([])), "{act}");
        assert_eq!(world.expiry("vm-001"), "2026-12-10T23:59:59+08:00", "{act}");
    }
}

#[test]
fn a_decline_is_a_decline_and_a_moved_price_is_held() {
    for (act, verdict, code) in [
        ("decline", "declined", 1),
        ("price-moved", "held", 4),
        ("pending", "pending", 4),
        ("requires-action", "requires-action", 4),
    ] {
        let world = paid_by(act);
        let answer = world.json(code, ["renew", "--all", "--request-id", "r", "--yes"]);
        assert_eq!(verdicts(&answer).get(verdict), Some(&2), "{act}: {answer}");
        assert_eq!(world.expiry("vm-001"), "2026-12-10T23:59:59+08:00", "{act}");
    }
}

#[test]
fn http_is_denied() {
    let world = paid_by("http");
    let answer = world.run(["renew", "--all", "--request-id", "r", "--yes", "-o", "json"]);
    assert_ne!(answer.code, Some(0), "{answer:?}");
    assert_eq!(world.expiry("vm-001"), "2026-12-10T23:59:59+08:00");
}

#[test]
fn inspect_proves_what_a_plugin_can_reach() {
    let world = World::new();
    for plugin in ["price-list", "invoice"] {
        let view = world.json(0, ["plugin", "inspect", &format!("plugins/dist/{plugin}.wasm")]);
        for import in view["imports"].as_array().unwrap() {
            assert!(import.as_str().unwrap().starts_with("renewd:plugin/"), "{plugin} imports {import}");
        }
        assert_eq!(view["problems"], serde_json::json!([]), "{view}");
    }
    world.write("no.wasm", "this is no component");
    world.run(["plugin", "inspect", "no.wasm"]).exits(3);
}

#[test]
fn a_plugin_whose_bytes_changed_is_refused_until_the_lock_is_upgraded() {
    let world = World::with_machines(&machines(1, "2026-12-10"));
    let dist = world.path().join("plugins/dist");
    std::fs::copy(dist.join("fixtures/hostile-pricing.wasm"), dist.join("price-list.wasm")).unwrap();
    let sequence = world.sequence();
    let error = world.failure(1, ["apply", "policies"]);
    assert!(error["error"]["hint"].as_str().unwrap().contains("plugin lock"), "{error}");
    assert_eq!(world.sequence(), sequence);
    world.run(["plugin", "lock", "policies", "--upgrade", "price-list"]).exits(0);
    world.run(["apply", "policies"]).exits(0);
    assert!(world.sequence() > sequence);
}
