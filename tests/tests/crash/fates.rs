//! Every fate of a charge against every way in which the gateway answers when it is looked for: one line each of
//! `fates.txt`, from the renewal over the runs of a day to the end, when the gateway tells the truth again.
//!
//! `UPDATE_EXPECT=1` writes the table anew; read the difference.

use crate::{bank, crew};
use renewd_tests::bank::audit::{Strictness, Violation, audit};
use renewd_tests::bank::ledger::{Movement, Paid};
use renewd_tests::bank::shop::{Shop, Template, Wallet};
use renewd_tests::binary::renewd;
use renewd_tests::fragment::{Fragment, forget};
use std::sync::Mutex;
use std::time::Duration;

const GOLDEN: &str = include_str!("fates.txt");
const RENEW: [&str; 7] = ["renew", "--all", "--request-id", "r", "--yes", "-o", "json"];
const RUN: [&str; 3] = ["run", "-o", "json"];

/// What becomes of the first charge.
const CHARGES: [&str; 16] = [
    "well",
    "slow:100",
    "twice",
    "decline",
    "decline-for-good",
    "busy",
    "timeout-before",
    "timeout-after",
    "stall:200",
    "reset-before",
    "reset-after",
    "error-before",
    "error-after",
    "garbage",
    "cut:60",
    "processing:2",
];
/// How long after the answer failed to come the gateway may still be at work.
const STALL: Duration = Duration::from_millis(600);

/// The gateway denies a charge for a day.
const LIES: &str = "lies";
/// How the gateway answers when payments are looked for after the charge.
const LOOKS: [(&str, &str); 4] =
    [("truth", ""), ("too late", "find#2-3=blind"), ("cannot tell", "find#2-=error-before"), (LIES, "find#2-=blind")];

/// Runs of the first day, each with the job that asks for the renewal again: the second is still inside the gateway's window of visibility, the third is not.
const FIRST_DAY: [&str; 3] = ["2026-11-23T09:05:30Z", "2026-11-23T10:11:00Z", "2026-11-24T10:30:00Z"];
/// Runs after that; the gateway tells the truth by now.
const LATER: [&str; 4] =
    ["2026-11-25T11:00:00Z", "2026-11-26T12:00:00Z", "2026-11-29T12:00:00Z", "2026-12-06T13:00:00Z"];

/// What came of one pair.
struct Told {
    line: String,
    violations: Vec<Violation>,
}

/// The status of every order, oldest first.
fn statuses(shop: &Shop) -> String {
    let of = |order: &serde_json::Value| order["status"].as_str().unwrap().to_owned();
    let all: Vec<String> = shop.orders().iter().map(of).collect();
    if all.is_empty() { "-".to_owned() } else { all.join("+") }
}

fn outcome(template: &Template, charge: &str, (look, rules): (&str, &str)) -> Told {
    let mut shop = Shop::open(template, bank(), renewd());
    shop.till.fates(&format!("charge#1={charge} {rules}"));
    let code =
        |answer: &renewd_tests::process::Answer| answer.code.map_or("killed".to_owned(), |code| code.to_string());
    let first = code(&shop.run(&RENEW));
    let mut words = vec![format!("{first} {}", statuses(&shop))];
    let mut violations = audit(&shop, Strictness::Doubting).violations;
    if charge.starts_with("stall") {
        std::thread::sleep(STALL);
    }
    for moment in FIRST_DAY {
        shop.set_clock(moment);
        _ = shop.run(&RUN);
        let ended = code(&shop.run(&RENEW));
        words.push(format!("{ended} {}", statuses(&shop)));
        // Whoever denies a charge behind its window has it made again: until it is found, two stand.
        if look != LIES {
            violations.extend(audit(&shop, Strictness::Doubting).violations);
        }
    }
    shop.till.fates("");
    for moment in LATER {
        shop.set_clock(moment);
        shop.run(&RUN);
    }
    shop.run(&RENEW);
    words.push(statuses(&shop));
    let audited = audit(&shop, Strictness::Certain);
    violations.extend(audited.violations);
    let extended = audited.expiries.values().all(|expiry| expiry.starts_with("2027-01-10"));
    words.push(if extended { "a month".to_owned() } else { format!("{:?}", audited.expiries) });
    let ledger = shop.till.ledger();
    let charges = ledger.movements.iter().filter(|it| matches!(it, Movement::Charged { .. })).count();
    words.push(format!("{charges} - {}", ledger.movements.len() - charges));
    words.push(ledger.paid().iter().map(Paid::net).sum::<i64>().to_string());
    let head = format!("{charge:16} | {look:11}");
    Told { line: words.iter().fold(head, |line, word| format!("{line} | {word:19}")).trim_end().to_owned(), violations }
}

#[test]
fn every_fate_of_a_charge_ends_in_one_payment_and_one_month() {
    forget("gateway-fates");
    let template = Template::new(bank(), &Wallet::card(), 1);
    let pairs: Vec<_> = CHARGES.iter().flat_map(|charge| LOOKS.map(|look| (*charge, look))).collect();
    let told: Mutex<Vec<(usize, Told)>> = Mutex::default();
    let numbers: Vec<usize> = (0..pairs.len()).collect();
    crew::each(
        &numbers,
        || (),
        |(), number| {
            let (charge, look) = pairs[*number];
            let one = outcome(&template, charge, look);
            told.lock().unwrap().push((*number, one));
        },
    );
    let mut told = told.into_inner().unwrap();
    told.sort_by_key(|(number, _)| *number);
    let head = "charge           | looked for  | at once             | five minutes        | an hour             | \
                a day               | in the end          | extended by         | taken - given back  | kept, cents";
    let table: Vec<&str> = std::iter::once(head).chain(told.iter().map(|(_, told)| told.line.as_str())).collect();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crash/fates.txt");
        std::fs::write(path, table.join("\n") + "\n").unwrap();
        return;
    }
    let violations: Vec<String> =
        told.iter().flat_map(|(_, told)| told.violations.iter().map(|it| format!("{}: {it}", told.line))).collect();
    let count = |word: &str| violations.iter().filter(|it| it.contains(word)).count() as u64;
    let note = format!("{} fates of a charge × {} ways to answer when it is looked for", CHARGES.len(), LOOKS.len());
    let (lost, doubled, silent) = (count("LOST"), count("DOUBLED"), count("SILENT"));
    let tried = pairs.len() as u64;
    Fragment { suite: "gateway-fates".into(), tried, lost, doubled, silent, seeds: Vec::new(), note }.write();
    assert!(40 <= pairs.len(), "{} combinations", pairs.len());
    assert!(violations.is_empty(), "{violations:#?}");
    for (found, golden) in table.iter().zip(GOLDEN.lines()) {
        assert_eq!(*found, golden);
    }
    assert_eq!(table.len(), GOLDEN.lines().count());
}
