//! A gateway over HTTP, from the document to the wire: grants, secrets, refusals, rehearsals. The gateway is a socket of
//! this test that says what Stripe would, and repeats every secret that it is told.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use renewd_tests::process::{Answer, answer, command};
use renewd_tests::world::{PLUGINS, World, inventory, item, machines, verdicts};
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

pub(crate) const SECRET: &str = "sk_test_4eC39HqLyjWDarjtT1zdp7dc";
pub(crate) const VARIABLE: &str = "GATEWAY_KEY_OF_A_TEST";

pub(crate) struct Gateway {
    port: u16,
    pub(crate) requests: Receiver<String>,
}

/// Takes every payment, and tells everything that it knows.
pub(crate) fn gateway() -> Gateway {
    gateway_saying(|request| {
        let body = reply(request);
        let echo = request.lines().find(|line| line.to_lowercase().starts_with("authorization")).unwrap_or_default();
        let head = format!("HTTP/1.1 200 OK\r\nx-echo: {echo}\r\ncontent-type: application/json\r\n");
        format!("{head}content-length: {}\r\n\r\n{body}", body.len())
    })
}

/// Answers what it is told to, and closes.
fn gateway_saying(say: impl Fn(&str) -> String + Send + 'static) -> Gateway {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, requests) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let request = read(&mut stream);
            let _gone = stream.write_all(say(&request).as_bytes());
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
pub(crate) fn world(gateway: &Gateway) -> World {
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
pub(crate) fn with_secret(world: &World, args: &[&str]) -> Answer {
    let mut renewd = command(world.path(), Some(world.now()), args);
    let proxy = "http://127.0.0.1:9";
    answer(renewd.env(VARIABLE, SECRET).env("HTTPS_PROXY", proxy).env("HTTP_PROXY", proxy))
}

/// The secret as it is, and as a server or a log could write it.
pub(crate) fn forms() -> Vec<String> {
    let percent: String = SECRET.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let hex: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
    // Without the last characters, which depend on what follows.
    let base64 = STANDARD.encode(SECRET);
    vec![SECRET.to_owned(), percent, hex, base64[..base64.len() - 4].to_owned()]
}

#[track_caller]
fn nowhere(world: &World, told: &str) {
    for form in forms() {
        assert!(!told.contains(&form), "{form} in {told}");
        let mut found = Vec::new();
        files_with(world.path(), &form, &mut found);
        assert!(found.is_empty(), "{form} in {found:?}");
    }
}

/// The command lines of all processes of this machine, where they can be read.
fn command_lines() -> Vec<String> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .collect()
}

pub(crate) fn files_with(folder: &Path, wanted: &str, found: &mut Vec<String>) {
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
    nowhere(&world, &told);
    let mut journaled = Vec::new();
    files_with(world.path(), "renewd renew --all --request-id first", &mut journaled);
    assert!(!journaled.is_empty(), "the command is journaled, so that looking through the journal means something");
}

/// Whatever a gateway does with the secret that it was told: refuse it, answer half, or lead elsewhere.
#[test]
fn a_secret_is_nowhere_after_a_refusal_a_cut_reply_or_a_hostile_redirect() {
    let echo = forms().join(" ");
    let error = format!(r#"{{"error":{{"type":"invalid_request_error","message":"no such key: {echo}"}}}}"#);
    let length = error.len();
    let redirect = format!("http://127.0.0.1:9/v1/{}?key={SECRET}", forms()[1]);
    for answer in [
        format!("HTTP/1.1 401 No\r\nx-key: {echo}\r\ncontent-length: {length}\r\n\r\n{error}"),
        format!("HTTP/1.1 200 OK\r\nx-key: {echo}\r\ncontent-length: {}\r\n\r\n{error}", length + 1),
        format!("HTTP/1.1 200 OK\r\nx-key: {echo}\r\n{echo}\r\n\r\n"),
        format!("HTTP/1.1 302 Found\r\nlocation: {redirect}\r\ncontent-length: 0\r\n\r\n"),
        format!("HTTP/1.1 200 {echo}\r\ncontent-length: {length}\r\n\r\n{error}"),
    ] {
        let (lines, seen) = std::sync::mpsc::channel();
        let said = answer.clone();
        let gateway = gateway_saying(move |_| {
            // The command is running now.
            lines.send(command_lines()).unwrap_or_default();
            said.clone()
        });
        let world = world(&gateway);
        world.run(APPLY).exits(0);
        let renewed = with_secret(&world, &[RENEW.as_slice(), &["-o", "json", "-v"]].concat());
        assert_ne!(item(&renewed.json(), "vm-001")["verdict"], "renewed", "{answer}");
        let requests: String = gateway.requests.try_iter().collect();
        assert!(requests.contains(SECRET), "the gateway did get it: {requests}");
        let order = item(&renewed.json(), "vm-001")["order"].as_str().unwrap().to_owned();
        let shown = with_secret(&world, &["show", &order, "-v", "-o", "json"]);
        nowhere(&world, &[renewed.stdout, renewed.stderr, shown.stdout, shown.stderr].concat());
        let lines: Vec<String> = seen.try_iter().flatten().collect();
        if cfg!(target_os = "linux") {
            assert!(lines.iter().any(|line| line.contains("renew --all --request-id first")), "{lines:?}");
        }
        for form in forms() {
            assert!(lines.iter().all(|line| !line.contains(&form)), "{form} in a command line");
        }
    }
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
