//! A gateway over HTTP, from the document to the wire: grants, secrets, refusals, rehearsals. The gateway is a socket of
//! this test that says what Stripe would, and repeats every secret that it is told.

use renewd_tests::process::{Answer, answer, command};
use renewd_tests::world::{PLUGINS, World, inventory, item, machines, verdicts};
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

pub(crate) const SECRET: &str = "sk_test_4eC39HqLyjWDarjtT1zdp7dc";
pub(crate) const VARIABLE: &str = "GATEWAY_KEY_OF_A_TEST";

struct Gateway {
    port: u16,
    requests: Receiver<String>,
}

/// Takes every payment, and tells everything that it knows.
fn gateway() -> Gateway {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, requests) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let request = read(&mut stream);
            let body = reply(&request);
            let echo =
                request.lines().find(|line| line.to_lowercase().starts_with("authorization")).unwrap_or_default();
            let head = format!("HTTP/1.1 200 OK\r\nx-echo: {echo}\r\ncontent-type: application/json\r\n");
            let _gone = stream.write_all(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes());
            if sender.send(request).is_err() {
                return;
            }
        }
    });
    Gateway { port, requests }
}

/// One request, head and body.
pub(crate) fn read(stream: &mut impl Read) -> String {
    let mut reader = BufReader::new(stream);
    let (mut text, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        text.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    text + "\n" + &String::from_utf8_lossy(&body)
}

/// A payment intent that succeeded, with the amount and metadata of the request.
pub(crate) fn reply(request: &str) -> String {
    if request.starts_with("GET") {
        return r#"{"object":"list","data":[],"has_more":false}"#.to_owned();
    }
    let body = request.lines().last().unwrap_or_default().replace("%5B", "[").replace("%5D", "]");
    let field =
        |name: &str| body.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}="))).unwrap_or("").to_owned();
    let metadata: Vec<String> = body
        .split('&')
        .filter_map(|pair| pair.strip_prefix("metadata[")?.split_once("]="))
        .map(|(key, value)| {
            format!("\"{key}\":\"{}\"", value.replace("%3A", ":").replace("%2C", ",").replace('+', " "))
        })
        .collect();
    let (amount, currency) = (field("amount"), field("currency"));
    format!(
        r#"{{"id":"pi_1","object":"payment_intent","status":"succeeded","amount":{amount},"amount_received":{amount},"currency":"{currency}","description":"{SECRET}","metadata":{{{}}}}}"#,
        metadata.join(",")
    )
}

fn plugins(grants: &str, base: &str) -> String {
    PLUGINS
        .replace(
            "{ file: ../plugins/dist/invoice.wasm, role: payment }",
            &format!("{{ file: ../plugins/dist/stripe.wasm, role: payment, grants: [ {grants} ], secrets: {{ stripe-key: {{ env: {VARIABLE} }} }} }}"),
        )
        .replace("{ creditLimit: \"100000 USD\", netDays: 30 }", &format!("{{ apiBase: \"{base}\" }}"))
}

/// A world that pays through the gateway, not applied yet.
fn world(gateway: &Gateway) -> World {
    world_at(&format!("http://127.0.0.1:{}", gateway.port))
}

/// A world that pays through the gateway at a base.
pub(crate) fn world_at(base: &str) -> World {
    let world = World::new();
    world.write("policies/plugins.yaml", &plugins(&format!("\"POST {base}/v1/\", \"GET {base}/v1/\""), base));
    let account = renewd_tests::world::ACCOUNT.replace("on-account }", "on-account, reference: pm_card_visa }");
    world.write("policies/account.yaml", &account);
    world.write("fleet.csv", &inventory(&machines(1, "2026-12-10")));
    world
}

pub(crate) const APPLY: [&str; 6] = ["apply", "policies", "--resources", "fleet.csv", "--allow", "grants"];
pub(crate) const RENEW: [&str; 5] = ["renew", "--all", "--request-id", "first", "--yes"];

/// Runs with the secret in the environment, and a proxy that this machine must never be reached through.
fn with_secret(world: &World, args: &[&str]) -> Answer {
    let mut renewd = command(world.path(), Some(world.now()), args);
    let proxy = "http://127.0.0.1:9";
    answer(renewd.env(VARIABLE, SECRET).env("HTTPS_PROXY", proxy).env("HTTP_PROXY", proxy))
}

fn files_with(folder: &Path, wanted: &str, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_with(&path, wanted, found);
        } else if std::fs::read(&path).unwrap().windows(wanted.len()).any(|part| part == wanted.as_bytes()) {
            found.push(path.display().to_string());
        }
    }
}

#[test]
fn a_secret_is_nowhere_but_on_the_wire() {
    let gateway = gateway();
    let world = world(&gateway);
    world.run(APPLY).exits(0);
    let renewed = with_secret(&world, &[RENEW.as_slice(), &["-o", "json", "-v"]].concat()).exits(0);
    assert_eq!(item(&renewed.json(), "vm-001")["verdict"], "renewed");
    let seen: String = gateway.requests.try_iter().collect();
    assert!(seen.contains(SECRET), "the gateway did get it: {seen}");
    let order = item(&renewed.json(), "vm-001")["order"].as_str().unwrap().to_owned();
    let shown = with_secret(&world, &["show", &order, "-v"]);
    let told = [renewed.stdout, renewed.stderr, shown.stdout, shown.stderr].concat();
    assert!(!told.contains(SECRET), "{told}");
    let mut found = Vec::new();
    files_with(world.path(), SECRET, &mut found);
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn grants_and_secrets_of_a_new_plugin_need_the_flag() {
    let gateway = gateway();
    let world = world(&gateway);
    let refused = world.run(["apply", "policies", "--resources", "fleet.csv"]).exits(1);
    let wanted = format!("`POST http://127.0.0.1:{}/v1/` to plugin invoice", gateway.port);
    let refused =
        refused.says(&wanted).says(&format!("secret `stripe-key` (from `{VARIABLE}`)")).says("--allow grants");
    assert!(!world.store().exists(), "{refused:?}");
    let plan = world.json(0, ["plan", "policies"]);
    assert_eq!(plan["grants"].as_array().unwrap().len(), 3, "{plan}");
    assert_eq!(plan["guards"], serde_json::json!(["grants"]));
    world.run(APPLY).exits(0);
    let lock = std::fs::read_to_string(world.path().join("policies/renewd.lock")).unwrap();
    assert!(lock.contains(&format!("- POST http://127.0.0.1:{}/v1/", gateway.port)), "{lock}");
    world.run(["apply", "policies", "--resources", "fleet.csv"]).exits(0);
    let wider = std::fs::read_to_string(world.path().join("policies/plugins.yaml")).unwrap();
    let wider = wider.replace("grants: [ ", "grants: [ \"POST https://evil.example/v1/\", ");
    world.write("policies/plugins.yaml", &wider);
    world.run(["apply", "policies", "--allow", "grants"]).exits(1).says("which is not locked");
    world.run(["plugin", "lock", "policies", "--upgrade", "invoice"]).exits(0);
    world.run(["apply", "policies"]).exits(1).says("`POST https://evil.example/v1/` to plugin invoice");
}

#[test]
fn a_missing_secret_refuses_the_attempt_before_the_intent() {
    let gateway = gateway();
    let world = world(&gateway);
    world.run(APPLY).exits(0);
    let answer = world.run(RENEW).exits(1).says(&format!("comes from `{VARIABLE}`, which is not set"));
    assert!(
        answer.stdout.contains("set the environment variable")
            || answer.stderr.contains("set the environment variable"),
        "{answer:?}"
    );
    let order = world.orders()[0]["order"].as_str().unwrap().to_owned();
    let shown = world.json(0, ["show", &order]);
    assert_eq!(shown["order"]["attempts"].as_array().map_or(0, Vec::len), 0, "{shown}");
    assert_eq!(gateway.requests.try_iter().count(), 0);
    let paid = with_secret(&world, &["orders", "pay", &order, "--yes"]);
    paid.exits(0);
    assert_eq!(world.expiry("vm-001"), "2027-01-10T23:59:59+08:00");
}

#[test]
fn what_is_not_granted_is_refused_with_the_grant_that_is_needed() {
    let gateway = gateway();
    let world = world(&gateway);
    let elsewhere = plugins("\"POST http://127.0.0.1:1/v1/\"", &format!("http://127.0.0.1:{}", gateway.port));
    world.write("policies/plugins.yaml", &elsewhere);
    world.run(APPLY).exits(0);
    let answer = with_secret(&world, &[RENEW.as_slice(), &["-o", "json"]].concat());
    assert_eq!(verdicts(&answer.json()).get("refused"), Some(&1), "{answer:?}");
    assert!(
        answer.stdout.contains(&format!("`GET http://127.0.0.1:{}/v1/` is not granted", gateway.port)),
        "{answer:?}"
    );
    assert_eq!(gateway.requests.try_iter().count(), 0);
}

#[test]
fn a_grant_that_the_plugin_does_not_ask_for_is_a_warning() {
    let gateway = gateway();
    let world = world(&gateway);
    let base = format!("http://127.0.0.1:{}", gateway.port);
    world.write("policies/plugins.yaml", &plugins("\"DELETE https://api.stripe.com/v1/\"", &base));
    world.run(["check", "policies"]).exits(0).says("does not ask for `DELETE https://api.stripe.com/v1/`");
}

#[test]
fn a_rehearsal_reaches_this_machine_and_nothing_else() {
    let gateway = gateway();
    let world = world(&gateway);
    world.run(APPLY).exits(0);
    let rehearsed = with_secret(&world, &[RENEW.as_slice(), &["--rehearse", "-o", "json"]].concat()).exits(0);
    assert_eq!(item(&rehearsed.json(), "vm-001")["verdict"], "renewed");
    assert!(gateway.requests.try_iter().count() > 0);
    world.write(
        "policies/plugins.yaml",
        &plugins("\"POST https://192.0.2.1/v1/\", \"GET https://192.0.2.1/v1/\"", "https://192.0.2.1"),
    );
    world.run(["plugin", "lock", "policies", "--upgrade", "invoice"]).exits(0);
    world.run(["apply", "policies", "--allow", "grants"]).exits(0);
    std::fs::remove_dir_all(world.store().join("rehearsal")).unwrap();
    let away = with_secret(&world, &[RENEW.as_slice(), &["--rehearse", "-o", "json"]].concat());
    assert!(away.stdout.contains("a rehearsal sends to this machine only"), "{away:?}");
}

#[test]
fn inspect_shows_what_a_plugin_asks_for() {
    let world = World::new();
    let view = world.json(0, ["plugin", "inspect", "plugins/dist/stripe.wasm"]);
    let asks: Vec<&str> = view["asks"].as_array().unwrap().iter().filter_map(|ask| ask.as_str()).collect();
    assert!(asks.iter().any(|ask| ask.starts_with("POST https://*:*/v1/")), "{asks:?}");
    world
        .run(["plugin", "inspect", "plugins/dist/stripe.wasm"])
        .exits(0)
        .says("only where a Plugin document grants them");
}
