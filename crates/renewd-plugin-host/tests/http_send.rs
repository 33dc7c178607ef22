//! `http.send` through a guest: whether something was sent decides between a decline and `unknown`, whatever a guest says.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests")]

mod common;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{act, charge_ref, charge_request, component, host, hostile_payment};
use renewd_plugin_host::{
    Access, Answered, Content, Exchange, FindResult, Limits, Network, NetworkOptions, Outcome, Recording, Secrets,
    SentRequest,
};
use std::io::{Read, Write};
use std::net::{IpAddr, TcpListener};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

const SECRET: &str = "sk_test_0123456789";
const URL: &str = "https://gateway.example/v1/charges";

fn granted(network: Network) -> Access {
    let secrets = Secrets::new([("key", SECRET)]).unwrap();
    Access { grants: vec!["POST https://gateway.example/v1/".parse().unwrap()], secrets, network }
}

fn played(answer: Answered, left: u32) -> Network {
    let request =
        SentRequest { method: "POST".into(), url: URL.into(), headers: vec![], body: Content::Text(String::new()) };
    Network::playing(Recording { exchanges: vec![Exchange { request, answer, left }] })
}

fn charge(access: Access) -> renewd_plugin_host::Called<Outcome> {
    hostile_payment().with_access(access).charge(&act("http"), &charge_request("20.00"))
}

#[test]
fn an_answer_reaches_the_guest_and_the_recording() {
    let answer = Answered::Response { status: 200, headers: vec![], body: Content::Text("{}".into()) };
    let called = charge(granted(played(answer.clone(), 1)));
    assert!(matches!(called.value, Outcome::Unknown { .. }), "the fixture says so: {:?}", called.value);
    assert_eq!((called.requests_sent, called.recording.exchanges[0].answer.clone()), (1, answer));
}

#[test]
fn a_guest_that_says_not_sent_is_believed_only_when_nothing_left() {
    // The fixture turns `denied` into `not-sent`. A host that knows better does not believe it.
    let denied = || Answered::Denied { message: "no".into() };
    assert!(matches!(charge(granted(played(denied(), 0))).value, Outcome::Declined { .. }));
    assert!(matches!(charge(granted(played(denied(), 1))).value, Outcome::Unknown { .. }));
    let maybe = Answered::MaybeSent { message: "the answer takes too long".into() };
    assert!(matches!(charge(granted(played(maybe, 1))).value, Outcome::Unknown { .. }));
}

#[test]
fn a_name_that_leads_inside_is_refused_and_the_guest_is_told_why() {
    let inside: IpAddr = "169.254.169.254".parse().unwrap();
    let network = Network::with_lookup(NetworkOptions::default(), Arc::new(move |_: &str| Ok(vec![inside])));
    let called = charge(granted(network));
    let Outcome::Declined { code, message, .. } = called.value else { panic!("{:?}", called.value) };
    assert_eq!(code, "http-denied");
    assert_eq!(
        message,
        "`gateway.example` leads to 169.254.169.254, a link-local or metadata address: no grant of a name covers that, only one of the address itself, such as `POST https://169.254.169.254/v1/`, which the plugin must then use"
    );
    assert_eq!(called.requests_sent, 0);
}

#[test]
fn waiting_for_a_gateway_is_not_the_guests_time() {
    // A guest that may run for 50 ms waits for 400 ms, and still has its time to say what came of it.
    let lookup = |_: &str| {
        sleep(Duration::from_millis(400));
        Ok(vec!["10.0.0.1".parse().unwrap()])
    };
    let network = Network::with_lookup(NetworkOptions::default(), Arc::new(lookup));
    let limits = Limits { wall: Duration::from_millis(50), ..Limits::default() };
    let plugin = host().load_payment(&component("fixtures/hostile-payment"), limits).unwrap();
    let plugin = plugin.with_access(granted(network));
    let called = plugin.charge(&act("http"), &charge_request("20.00"));
    assert!(matches!(called.value, Outcome::Declined { .. }), "{:?}", called.value);
    let looped = plugin.charge(&act("loop"), &charge_request("20.00"));
    assert!(matches!(looped.value, Outcome::Unknown { .. }), "{:?}", looped.value);
}

#[test]
fn what_crosses_is_paid_for_with_fuel_that_the_answer_brings() {
    let answer =
        |bytes: usize| Answered::Response { status: 200, headers: vec![], body: Content::Text("x".repeat(bytes)) };
    let small = charge(granted(played(answer(0), 1))).fuel;
    let large = charge(granted(played(answer(100_000), 1))).fuel;
    assert!(large - small >= 400_000, "{small} {large}");
}

#[test]
fn a_plugin_without_access_sends_nothing() {
    let called = hostile_payment().charge(&act("http"), &charge_request("20.00"));
    let Outcome::Declined { message, .. } = called.value else { panic!("{:?}", called.value) };
    assert!(message.contains("`POST https://gateway.example/v1/` is not granted"), "{message}");
}

#[test]
fn reading_an_answer_is_never_what_a_call_runs_out_of_fuel_by() {
    // What a call has at the start is nearly used up by copying; the answer itself brings what reading it takes, also when it
    // is as large as it may be.
    let most = Limits::default().http_response_bytes;
    assert_eq!(most, 1 << 20, "a page of a hundred payments fits");
    let answer = Answered::Response { status: 200, headers: vec![], body: Content::Text("x".repeat(most)) };
    let limits = Limits { fuel_base: 300_000, fuel_per_item: 0, ..Limits::default() };
    let plugin = host().load_payment(&component("fixtures/hostile-payment"), limits).unwrap();
    let called = plugin.with_access(granted(played(answer, 1))).charge(&act("http"), &charge_request("20.00"));
    let Outcome::Unknown { reason, .. } = &called.value else { panic!("{:?}", called.value) };
    assert_eq!(reason, "the request may have been sent", "its own words, not those of a trap");
    assert!(called.fuel > limits.fuel_base, "{}", called.fuel);
}

/// Says everything that it is told, in every form that it can think of.
fn echo() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = Vec::new();
            let mut part = [0; 4096];
            while !request.ends_with(SECRET.as_bytes()) {
                match stream.read(&mut part) {
                    Ok(count) if count > 0 => request.extend_from_slice(&part[..count]),
                    _ => break,
                }
            }
            let told = String::from_utf8_lossy(&request).into_owned();
            let percent: String = SECRET.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let hex: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
            let forms = [percent, hex.to_ascii_uppercase(), hex, STANDARD.encode(SECRET)].join("\n");
            let body = format!("a word of the gateway\n{told}\n{SECRET}\n{forms}");
            let head = format!("HTTP/1.1 200 OK\r\nx-key: {SECRET}\r\ncontent-length: {}\r\n\r\n", body.len());
            _ = stream.write_all(format!("{head}{body}").as_bytes());
        }
    });
    port
}

#[test]
fn a_secret_is_nowhere_in_the_guests_memory_also_when_the_server_echoes_it() {
    let base = format!("http://127.0.0.1:{}/v1/", echo());
    let limits = Limits { fuel_base: 5_000_000_000, wall: Duration::from_secs(60), ..Limits::default() };
    let plugin = host().load_payment(&component("fixtures/hostile-payment"), limits).unwrap();
    let plugin = plugin.with_access(Access {
        grants: vec![format!("POST {base}").parse().unwrap()],
        secrets: Secrets::new([("key", SECRET)]).unwrap(),
        network: Network::direct(),
    });
    let percent: String = SECRET.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let hex: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
    let base64 = STANDARD.encode(SECRET);
    // The last characters depend on what follows the secret.
    let base64 = &base64[..base64.len() - 4];
    let scan = |wanted: &str| {
        let masked: String = wanted.bytes().map(|byte| format!("{:02x}", byte ^ 0x55)).collect();
        let config = format!(r#"{{"do":"scan","url":"{base}charges","masked":"{masked}"}}"#);
        let called = plugin.charge(&config, &charge_request("20.00"));
        let kept = format!("{:?}{:?}", called.recording, called.log);
        assert!(!kept.contains(SECRET) && kept.contains("{{secret:key}}"), "{kept}");
        let Outcome::Unknown { reason, .. } = called.value else { panic!("{:?}", called.value) };
        reason
    };
    assert_eq!(scan(SECRET), "status 200, found 0 times");
    for form in [percent, hex.to_ascii_uppercase(), hex, base64.to_owned()] {
        assert_eq!(scan(&form), "status 200, found 0 times", "{form}");
    }
    for there in ["a word of the gateway", "{{secret:key}}", &"*".repeat(SECRET.len())] {
        let said = scan(there);
        assert!(said.starts_with("status 200, found ") && !said.ends_with(" 0 times"), "{there} is in there: {said}");
    }
}

/// A guest cannot ask for a secret, but it may decode what a server made of one, and its answer is journaled.
#[test]
fn a_secret_in_a_guests_own_answer_is_blanked() {
    let plugin = hostile_payment().with_access(granted(Network::direct()));
    let mut asked = charge_ref("20.00");
    asked.line_keys = vec!["line-key-1".into(), format!("key={SECRET}")];
    asked.asked_at = SECRET.into();
    let called = plugin.find_charge(&act("ok"), &asked);
    let FindResult::Found(found) = &called.value else { panic!("{:?}", called.value) };
    let stars = "*".repeat(SECRET.len());
    assert_eq!(found.line_keys, ["line-key-1".to_owned(), format!("key={stars}")], "the fixture repeats these");
    assert_eq!(called.log.lines[0].message.matches(&stars).count(), 1, "{:?}", called.log);
    assert!(!format!("{called:?}").contains(SECRET));
}
