//! One call of a plugin, as its author makes it: recorded against a gateway, and played back without one.

use crate::gateway::{forms, gateway, with_secret, world};
use renewd_tests::process::{Answer, answer, command};
use renewd_tests::world::World;
use serde_json::{Value, json};

fn charge() -> Value {
    json!({
        "order": "ord_0123456789ab", "attempt": 1, "account": "acme-asia", "methodReference": "pm_card_visa",
        "currency": "USD", "minorDigits": 2, "amount": "20.00", "idempotencyKey": "a-key-of-this-test",
        "requestedAt": "2026-11-23T10:00:00+08:00", "requestedOn": "2026-11-23",
        "lines": [{
            "item": "vm-001", "description": "vm.s for P1M", "oldExpiry": "2026-12-10T23:59:59",
            "newExpiry": "2027-01-10T23:59:59", "term": "P1M", "amount": "20.00", "key": "line-key-1",
        }],
    })
}

const CHARGE: [&str; 9] =
    ["plugin", "test", "invoice", "policies", "--call", "charge", "--request", "charge.json", "-ojson"];

fn with<'a>(args: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [args, more].concat()
}

/// Runs without any secret in the environment.
fn run(world: &World, args: &[&str]) -> Answer {
    answer(&mut command(world.path(), Some(world.now()), args))
}

#[test]
fn a_recorded_charge_plays_back_alike_without_gateway_or_secret() {
    let gateway = gateway();
    let world = world(&gateway);
    world.write("charge.json", &charge().to_string());
    let live = with_secret(&world, &with(&CHARGE, &["--yes", "--record", "taken.json"])).exits(0).json();
    assert_eq!(live["answer"]["outcome"], "succeeded", "{live}");
    assert_eq!((live["kind"].as_str(), live["call"].as_str()), (Some("plugin-test"), Some("charge")));
    let sent = gateway.requests.try_iter().count();
    assert!(sent > 0 && live["requestsSent"] == sent, "{live}");
    let recording = std::fs::read_to_string(world.path().join("taken.json")).unwrap();
    assert!(recording.contains("{{secret:stripe-key}}"), "{recording}");
    for form in forms() {
        assert!(!recording.contains(&form) && !live.to_string().contains(&form), "{form} in {recording}");
    }
    // No secret is set here, and no flag says that money may move.
    let played = run(&world, &with(&CHARGE, &["--play", "taken.json"])).exits(0).json();
    assert_eq!(played, live);
    let document = std::fs::read_to_string(world.path().join("policies/plugins.yaml")).unwrap();
    let (_, base) = document.split_once("apiBase: \"").unwrap();
    let config = json!({ "apiBase": base.split('"').next().unwrap() }).to_string();
    let file = ["plugin", "test", "plugins/dist/stripe.wasm", "--call", "charge", "--request", "charge.json", "-ojson"];
    let alone = run(&world, &with(&file, &["--play", "taken.json", "--config", &config])).exits(0).json();
    assert_eq!(alone["answer"], live["answer"], "a file alone is granted what was recorded");
    assert_eq!(gateway.requests.try_iter().count(), 0, "nothing was sent");
    let mut other = charge();
    other["amount"] = json!("21.00");
    world.write("charge.json", &other.to_string());
    let other = run(&world, &with(&CHARGE, &["--play", "taken.json"]));
    assert_ne!(other.code, Some(0), "{other:?}");
    assert!(!world.store().exists(), "nothing is journaled");
}

#[test]
fn money_moves_only_when_that_is_said() {
    let gateway = gateway();
    let world = world(&gateway);
    world.write("charge.json", &charge().to_string());
    for call in ["charge", "refund", "cancel"] {
        let args = ["plugin", "test", "invoice", "policies", "--call", call, "--request", "charge.json"];
        with_secret(&world, &args).exits(64).says("really moves money").says("--yes");
    }
    run(&world, &with(&CHARGE, &["--yes"])).exits(1).says("which is not set");
    let nowhere = with(&CHARGE, &["--yes", "--record", "no/such/folder/taken.json"]);
    with_secret(&world, &nowhere).exits(3).says("cannot write");
    let file = ["plugin", "test", "plugins/dist/stripe.wasm", "--call", "charge", "--request", "charge.json", "--yes"];
    with_secret(&world, &file).exits(1).says("is not granted");
    assert_eq!(gateway.requests.try_iter().count(), 0);
}

#[test]
fn a_plugin_that_differs_from_its_lock_is_given_no_secret() {
    let gateway = gateway();
    let world = world(&gateway);
    world.write("charge.json", &charge().to_string());
    world.run(["plugin", "lock", "policies"]).exits(0);
    let wider = std::fs::read_to_string(world.path().join("policies/plugins.yaml")).unwrap();
    world.write("policies/plugins.yaml", &wider.replace("grants: [ ", "grants: [ \"POST https://evil.example/v1/\", "));
    with_secret(&world, &with(&CHARGE, &["--yes"])).exits(1).says("plugin lock policies --upgrade invoice");
    assert_eq!(gateway.requests.try_iter().count(), 0);
}

#[test]
fn calls_without_a_network_answer_too() {
    let world = World::new();
    let run = |args: &[&str]| run(&world, args);
    let described = run(&["plugin", "test", "price-list", "policies", "--call", "describe", "-o", "json"]).exits(0);
    assert_eq!(described.json()["answer"]["name"], "price-list");
    let checked = ["plugin", "test", "plugins/dist/invoice.wasm", "--call", "check-config", "-o", "json", "--config"];
    run(&with(&checked, &[r#"{"netDays":30}"#])).exits(0);
    let found = run(&with(&checked, &[r#"{"netDayz":30}"#])).exits(3).json();
    assert_eq!(found["answer"][0]["pointer"], "/netDayz", "{found}");
    run(&with(&checked, &["{netDays"])).exits(3).says("no JSON");
    world.write(
        "quote.json",
        r#"{"item":"vm-001","sku":"vm.s","kind":"ecs","region":"","labels":[],"quantity":2,"currency":"USD","minorDigits":2,
            "rounding":"half-even","quotedAt":"2026-11-23T10:00:00+08:00","quotedOn":"2026-11-23",
            "oldExpiry":"2026-11-30T23:59:59","base":"2026-12-30T23:59:59","newExpiry":"2026-12-30T23:59:59","term":"P1M",
            "months":1,"extraDays":0,"extraOf":"month","extraFraction":[],
            "rows":[{"term":"P1M","months":1,"unitPrice":"20.00"}]}"#,
    );
    let quote = ["plugin", "test", "plugins/dist/price-list.wasm", "--call", "quote", "--request", "quote.json"];
    let quoted = run(&with(&quote, &["-o", "json"])).exits(0).json();
    assert_eq!(quoted["answer"][0]["total"], json!({ "amount": "40.00", "currency": "USD" }), "{quoted}");
    run(&quote).exits(0).says("fuel").says("40.00");
    run(&quote[..5]).exits(3).says("needs a request");
    run(&with(&quote[..3], &["--call", "charge", "--yes", "--request", "quote.json"])).exits(3).says("other role");
    run(&with(&quote[..5], &["--request", "fleet.csv"])).exits(3);
}
