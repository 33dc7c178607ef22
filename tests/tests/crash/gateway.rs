//! The gateway itself: it holds keys to their requests, writes before it answers, and serves many at once.

use crate::{bank, failing};
use renewd_tests::bank::audit::{Strictness, audit};
use renewd_tests::bank::shop::{Shop, Template, Wallet};
use renewd_tests::wire;
use std::time::Instant;

const FORM: &str = "amount=1000&currency=usd&payment_method=pm_card_visa&metadata[renewd_order]=ord_1";

/// A charge under a key, past every plugin.
fn charge(secret: &str, key: &str, form: &str) -> (u16, String) {
    let request = format!(
        "POST /v1/payment_intents HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {secret}\r\nIdempotency-Key: {key}\r\n\
         Content-Length: {}\r\n\r\n{form}",
        form.len()
    );
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", bank().port)).unwrap();
    _ = std::io::Write::write_all(&mut stream, request.as_bytes());
    let mut bytes = Vec::new();
    _ = std::io::Read::read_to_end(&mut stream, &mut bytes);
    let Some((head, body)) = wire::split(&bytes) else { return (0, String::new()) };
    (head.split(' ').nth(1).unwrap().parse().unwrap(), String::from_utf8_lossy(body).into_owned())
}

#[test]
fn a_key_is_held_to_its_request_and_answered_alike_for_ever() {
    let till = bank().till("keys");
    let first = charge(&till.secret, "k1", FORM);
    assert_eq!(first.0, 200, "{first:?}");
    assert_eq!(charge(&till.secret, "k1", FORM), first);
    let other = charge(&till.secret, "k1", &FORM.replace("1000", "2000"));
    assert_eq!(other.0, 400, "{other:?}");
    till.fates("charge#1=error-after");
    assert_eq!(charge(&till.secret, "k2", FORM).0, 500);
    till.fates("");
    assert_eq!(charge(&till.secret, "k2", FORM).0, 500, "also what went wrong is kept");
    assert_eq!(till.ledger().paid().len(), 2, "and its money was taken");
}

#[test]
fn each_fate_does_what_its_name_says() {
    let cases = [
        ("well", 200, 1),
        ("decline", 402, 0),
        ("timeout-before:5", 0, 0),
        ("timeout-after:5", 0, 1),
        ("reset-before", 0, 0),
        ("reset-after", 0, 1),
        ("error-before", 500, 0),
        ("error-after", 500, 1),
        ("garbage", 200, 1),
        ("twice", 200, 1),
        ("busy", 429, 0),
        ("processing:2", 200, 0),
    ];
    for (fate, status, taken) in cases {
        let till = bank().till(&format!("fate-{}", fate.replace(':', "-")));
        till.fates(&format!("charge#1={fate}"));
        let answer = charge(&till.secret, "k", FORM);
        assert_eq!((answer.0, till.ledger().paid().len()), (status, taken), "{fate}: {answer:?}");
    }
}

#[test]
fn it_serves_sixteen_at_once() {
    let till = bank().till("many");
    till.fates("charge#*=slow:200");
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for number in 0..16 {
            let secret = till.secret.clone();
            scope.spawn(move || assert_eq!(charge(&secret, &format!("k{number}"), FORM).0, 200));
        }
    });
    assert!(begun.elapsed().as_millis() < 1600, "one after the other they would take 3200 ms");
    assert_eq!(till.ledger().paid().len(), 16);
}

#[test]
fn a_renewal_is_paid_there_and_audited() {
    let template = Template::new(bank(), &Wallet::card(), 3);
    let mut shop = Shop::open(&template, bank(), failing());
    let answer = shop.run(&["renew", "--all", "--request-id", "first", "--yes", "-o", "json"]).exits(0);
    assert_eq!(shop.acknowledged.len(), 3, "{answer:?}");
    let audited = audit(&shop, Strictness::Certain).is_clean("a renewal");
    assert_eq!((audited.payments, audited.settled, audited.acknowledged), (1, 1, 3));
    assert_eq!(shop.till.ledger().paid()[0].lines.len(), 3);
}

#[test]
fn an_audit_finds_what_is_lost_doubled_or_silent() {
    let template = Template::new(bank(), &Wallet::card(), 2);
    let mut shop = Shop::open(&template, bank(), failing());
    shop.run(&["renew", "--all", "--request-id", "first", "--yes", "-o", "json"]).exits(0);
    let order = shop.orders()[0]["order"].as_str().unwrap().to_owned();
    let lines = shop.till.ledger().paid()[0].lines.clone();
    // A charge that the store knows nothing of, a second one for the same lines, and an acknowledgement made up.
    charge(&shop.till.secret, "x", &FORM.replace("ord_1", "ord_nobody"));
    charge(&shop.till.secret, "y", &format!("{FORM}&metadata[renewd_lines_0]={}", lines[0]).replace("ord_1", &order));
    let mut made_up = shop.acknowledged.first().unwrap().clone();
    made_up.new_expiry = "2031-01-10T23:59:59+08:00".to_owned();
    shop.acknowledged.insert(made_up);
    let said: Vec<String> = audit(&shop, Strictness::Doubting).violations.iter().map(ToString::to_string).collect();
    for word in ["LOST", "DOUBLED: line", "DOUBLED: 3000", "SILENT: no order"] {
        assert!(said.iter().any(|line| line.starts_with(word)), "{word}: {said:#?}");
    }
}
