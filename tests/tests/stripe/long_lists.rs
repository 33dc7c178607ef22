//! As many and as large payments as a call may look through, at a gateway of our own: within the host's fuel, memory,
//! requests and bytes.

use crate::plugin::Plugin;
use crate::{Told, Wanted};
use renewd_plugin_host::Limits;
use renewd_tests::wire;
use serde_json::json;
use std::io::Write;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

const NOW: &str = "2026-11-23T10:00:00+08:00";
const SINCE: Option<&str> = Some("2026-10-09T10:00:00+08:00");
/// Every so many payments are the customer's.
const CUSTOMERS: usize = 20;

/// A gateway that has so many payments of so many bytes, none of them renewd's own, and keeps how many entries it was
/// asked for at a time.
struct Crowded {
    port: u16,
    limits: Arc<Mutex<Vec<usize>>>,
}

impl Crowded {
    fn start(payments: usize, bytes: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let limits = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&limits);
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let Ok(Some(request)) = wire::read_request(&mut stream) else { continue };
                let (head, _) = wire::split(&request).unwrap();
                let query = head.split(' ').nth(1).and_then(|target| target.split_once('?')).unwrap().1.to_owned();
                let value = |name: &str| {
                    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
                };
                let limit: usize = value("limit").unwrap().parse().unwrap();
                kept.lock().unwrap().push(limit);
                let after = value("starting_after").map(|id| id[3..].parse::<usize>().unwrap());
                let step = if value("customer").is_some() { CUSTOMERS } else { 1 };
                let numbers: Vec<usize> = (0..payments).step_by(step).skip_while(|at| Some(*at) <= after).collect();
                let shown = &numbers[..limit.min(numbers.len())];
                let data: Vec<String> = shown.iter().map(|number| payment(*number, bytes)).collect();
                let more = shown.len() < numbers.len();
                let body = format!(r#"{{"object":"list","has_more":{more},"data":[{}]}}"#, data.join(","));
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
            }
        });
        Self { port, limits }
    }

    fn asked(&self) -> Vec<usize> {
        std::mem::take(&mut self.limits.lock().unwrap())
    }
}

/// A paid intent, made long with lines as renewd writes them.
fn payment(number: usize, bytes: usize) -> String {
    let line = "0123456789abcdef".repeat(4);
    let metadata: serde_json::Map<_, _> = (0..bytes / 540)
        .map(|index| (format!("renewd_lines_{index}"), json!([line.as_str(); 7].join(" "))))
        .chain([("renewd_key".to_owned(), json!(format!("key-{number}")))])
        .collect();
    let error = json!({ "code": "card_declined", "message": "x".repeat(bytes % 540) });
    json!({
        "id": format!("pi_{number}"), "object": "payment_intent", "amount": 2000, "amount_received": 2000,
        "currency": "usd", "status": "succeeded", "latest_charge": format!("ch_{number}"), "metadata": metadata,
        "last_payment_error": error,
    })
    .to_string()
}

/// Bytes of a payment of which a hundred just fit into one answer.
fn largest() -> usize {
    Limits::default().http_response_bytes / 100 - 600
}

#[test]
fn five_thousand_eight_hundred_payments_of_the_largest_kind_are_looked_through() {
    let gateway = Crowded::start(5_800, largest());
    // The wall clock also counts what else runs on this machine; fuel counts the plugin alone.
    let plugin = Plugin::limited(gateway.port, "", Limits { wall: Duration::from_secs(60), ..Limits::default() });
    let missing = Wanted::new("missing", "pm_1");
    assert_eq!(plugin.find_at(&missing, NOW, SINCE), Told::NotFound);
    assert_eq!(gateway.asked(), [100; 58]);
}

#[test]
fn one_more_is_too_many_unless_the_customer_is_named() {
    let gateway = Crowded::start(5_801, 1000);
    let plugin = Plugin::new(gateway.port, "");
    let found = plugin.find_at(&Wanted::new("missing", "pm_1"), NOW, SINCE);
    assert!(matches!(&found, Told::Unknown(why) if why.contains("about 5,800")), "{found:?}");
    assert_eq!(gateway.asked(), [100; 58]);
    assert_eq!(plugin.find_at(&Wanted::new("missing", "cus_1/pm_1"), NOW, SINCE), Told::NotFound);
    assert_eq!(gateway.asked(), [100; 2 + 3], "the newest of all, then the customer's");
}

/// The host has one sentence for an answer over its limit, and the plugin has to know it.
#[test]
fn where_a_hundred_do_not_fit_into_one_answer_twenty_do() {
    let gateway = Crowded::start(250, 2 * largest());
    let plugin = Plugin::new(gateway.port, "");
    assert_eq!(plugin.find_at(&Wanted::new("missing", "pm_1"), NOW, SINCE), Told::NotFound);
    assert_eq!(gateway.asked(), [vec![100], vec![20; 13]].concat());
    let small = Plugin::limited(gateway.port, "", Limits { http_response_bytes: 10_000, ..Limits::default() });
    let found = small.find_at(&Wanted::new("missing", "pm_1"), NOW, SINCE);
    assert!(matches!(found, Told::Unknown(_)), "{found:?}");
}
