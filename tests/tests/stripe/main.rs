//! The stripe plugin against two gateways that nobody here wrote, directly and through a proxy that damages replies.
//!
//! The truth is the gateway's own list of payments, read past the plugin: whatever the plugin says must agree with it,
//! or be "unknown". (For lists that those gateways cannot hold there is one of our own.)

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this whole program is tests: a panic is how one fails"
)]

mod cuts;
mod local_stripe;
mod long_lists;
mod parts;
mod plugin;
mod stateful_mock;
mod whole;

use renewd_tests::standins::{Kind, StandIn};

/// Where the gateways are kept installed.
const CACHE: &str = env!("CARGO_TARGET_TMPDIR");

/// One charge that is asked for.
#[derive(Debug, Clone)]
struct Wanted {
    key: String,
    line: String,
    reference: String,
    amount: String,
}

impl Wanted {
    fn new(key: &str, reference: &str) -> Self {
        Self {
            key: key.to_owned(),
            line: format!("line-of-{key}"),
            reference: reference.to_owned(),
            amount: "20.00".to_owned(),
        }
    }
}

/// What the plugin said, as far as the money goes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Told {
    /// Money moved; the gateway's name for it.
    Taken(String),
    Declined(String),
    Pending(String),
    /// A page for the cardholder.
    Action(String),
    Canceled,
    NotFound,
    Unknown(String),
}

/// The payments in a gateway's list that carry a key and were paid.
fn paid(standin: &StandIn, key: &str) -> usize {
    with_key(standin, key).into_iter().filter(|status| status == "succeeded").count()
}

/// The status of every payment that carries a key.
fn with_key(standin: &StandIn, key: &str) -> Vec<String> {
    let ledger = standin.ledger();
    let own = ledger.iter().filter(|payment| payment["metadata"]["renewd_key"] == key);
    own.map(|payment| payment["status"].as_str().unwrap().to_owned()).collect()
}

fn declined(code: &str) -> Told {
    Told::Declined(code.to_owned())
}

fn start(kind: Kind) -> Option<StandIn> {
    StandIn::start(kind, CACHE)
}
