//! The audit: what the gateway took, what the command acknowledged and what the store holds, held against each other.
//!
//! It trusts none of the three: the gateway's ledger is read from its own file, acknowledgements are what a person saw
//! on standard output, and the store is asked with the command. It must never repair anything.

use super::shop::{Shop, text};
use crate::process::answer;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// How sure the store must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// Between a crash and its recovery: money in doubt is in order where the store shows the doubt.
    Doubting,
    /// After recovery: nothing is unknown any more.
    Certain,
}

/// One thing that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// Something that was acknowledged is not so.
    Lost(String),
    /// Money was taken or a term was given twice.
    Doubled(String),
    /// Money moved, or did not, and nothing shows it.
    Silent(String),
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(what) => write!(f, "LOST: {what}"),
            Self::Doubled(what) => write!(f, "DOUBLED: {what}"),
            Self::Silent(what) => write!(f, "SILENT: {what}"),
        }
    }
}

/// What an audit looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audited {
    /// Payments in the gateway's ledger.
    pub payments: usize,
    /// Orders in the store that are settled.
    pub settled: usize,
    /// Orders in the store whose payment is in doubt.
    pub doubtful: usize,
    /// Acknowledgements that were held against the store.
    pub acknowledged: usize,
    /// The expiry of each resource, RFC 3339.
    pub expiries: BTreeMap<String, String>,
    /// What must not be.
    pub violations: Vec<Violation>,
}

impl Audited {
    /// Fails the test with everything that was found.
    ///
    /// # Panics
    /// Something was found.
    #[track_caller]
    pub fn is_clean(self, case: &str) -> Self {
        let found: Vec<String> = self.violations.iter().map(ToString::to_string).collect();
        assert!(found.is_empty(), "{case}:\n{}", found.join("\n"));
        self
    }
}

/// Audits a shop.
///
/// # Panics
/// The store cannot be read at all: that is a loss too, and the answer says which.
#[track_caller]
pub fn audit(shop: &Shop, strictness: Strictness) -> Audited {
    let mut audited = Audited::default();
    // Any command mends what is wrong with an index alone; what is verified is what people then work with.
    let expiries = shop.expiries();
    let verified = answer(&mut shop.command(["store", "verify", "-o", "json"]));
    if verified.code != Some(0) || verified.json()["clean"] != true {
        audited.violations.push(Violation::Lost(format!("`store verify` says {verified:?}")));
        return audited;
    }
    let orders = shop.orders();
    money(shop, &orders, strictness, &mut audited);
    balance(shop, &orders, &mut audited);
    extensions(shop, &orders, &expiries, &mut audited);
    acknowledgements(shop, &orders, &expiries, &mut audited);
    deeds(shop, &orders, strictness, &mut audited);
    audited.expiries = expiries;
    audited
}

fn in_doubt(order: &Value) -> bool {
    const DOUBTFUL: [&str; 4] = ["unknown", "paying", "pending", "held"];
    order["status"].as_str().is_some_and(|status| DOUBTFUL.contains(&status))
}

/// Every payment belongs to exactly one settled order, or to one that shows its doubt; no line is paid twice.
fn money(shop: &Shop, orders: &[Value], strictness: Strictness, audited: &mut Audited) {
    let ledger = shop.till.ledger();
    let paid = ledger.paid();
    audited.payments = paid.len();
    let by_id: BTreeMap<String, &Value> = orders.iter().map(|order| (text(order, "order"), order)).collect();
    let mut by_line: BTreeMap<&str, usize> = BTreeMap::new();
    for payment in paid.iter().filter(|payment| 0 < payment.net()) {
        for line in &payment.lines {
            *by_line.entry(line).or_default() += 1;
        }
        match by_id.get(&payment.order) {
            None => audited.violations.push(Violation::Silent(format!("no order knows {payment:?}"))),
            Some(order) if order["status"] == "settled" => {}
            Some(order) if in_doubt(order) && strictness == Strictness::Doubting => {}
            // A charge that came too late is on its way back.
            Some(order) if refunds(order).next().is_some() && strictness == Strictness::Doubting => {}
            Some(order) => audited.violations.push(Violation::Silent(format!("{payment:?}, and its order is {order}"))),
        }
    }
    for (line, count) in by_line.into_iter().filter(|(_, count)| 1 < *count) {
        audited.violations.push(Violation::Doubled(format!("line {line} was paid {count} times: {paid:?}")));
    }
    for order in orders {
        audited.doubtful += usize::from(in_doubt(order) && order["status"] != "held");
        if in_doubt(order) && order["status"] != "held" && strictness == Strictness::Certain {
            audited.violations.push(Violation::Silent(format!("still in doubt: {order}")));
        }
        if order["status"] == "settled" {
            audited.settled += 1;
            let kept: i64 = ledger.of_order(&text(order, "order")).iter().map(super::ledger::Paid::net).sum();
            if refunds(order).any(|refund| refund["outcome"] != "refunded") && strictness == Strictness::Doubting {
                audited.doubtful += 1;
                continue;
            }
            let due = if paid_at_gateway(order) { minor(&order["total"]) - given_back(order) } else { 0 };
            if kept < due {
                audited.violations.push(Violation::Silent(format!("{kept} of {due} was taken for {order}")));
            } else if due < kept {
                audited.violations.push(Violation::Doubled(format!("{kept} instead of {due} was taken for {order}")));
            }
        }
    }
}

fn refunds(order: &Value) -> impl Iterator<Item = &Value> {
    order["refunds"].as_array().into_iter().flatten()
}

/// What the store says went back of an order's lines, in the currency's minor unit. What went back of a charge that came
/// too late is none of what the order was paid with.
fn given_back(order: &Value) -> i64 {
    let of_lines = refunds(order).filter(|refund| refund["outcome"] == "refunded" && refund["resource"].is_string());
    of_lines.map(|refund| minor(&refund["amount"])).sum()
}

/// Whether the attempt that paid went to the gateway: the last one, and not by the prepaid balance.
fn paid_at_gateway(order: &Value) -> bool {
    let last = order["attempts"].as_array().and_then(|attempts| attempts.last());
    last.is_some_and(|attempt| attempt["method"] != "balance")
}

/// The prepaid balance is what was added, less what orders were paid with from it: each top-up that was acknowledged
/// once, the others once or not at all.
fn balance(shop: &Shop, orders: &[Value], audited: &mut Audited) {
    let shown = answer(&mut shop.command(["show", "acme", "-o", "json"]));
    // An account that was never applied has nothing.
    let held = if shown.code == Some(0) { minor(&shown.json()["balance"]) } else { 0 };
    let by_balance = orders.iter().filter(|order| order["status"] == "settled" && !paid_at_gateway(order));
    let spent: i64 = by_balance.map(|order| minor(&order["total"]) - given_back(order)).sum();
    let added = held + spent;
    let sum = |least: bool| -> i64 {
        shop.topups.values().filter(|topup| !least || topup.acknowledged).map(|topup| topup.amount).sum()
    };
    if added < sum(true) {
        audited.violations.push(Violation::Lost(format!("the balance has seen {added} of {:?}", shop.topups)));
    } else if sum(false) < added {
        audited.violations.push(Violation::Doubled(format!("the balance has seen {added} of {:?}", shop.topups)));
    }
}

/// An amount with two decimals in its minor unit.
///
/// # Panics
/// It is none.
pub fn minor(money: &Value) -> i64 {
    let digits = text(money, "amount").replace('.', "");
    digits.parse().unwrap_or_else(|error| panic!("{money}: {error}"))
}

/// The settled lines of each resource form a chain from the expiry that it began with to the one that it has.
fn extensions(shop: &Shop, orders: &[Value], expiries: &BTreeMap<String, String>, audited: &mut Audited) {
    let mut chains: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for order in orders.iter().filter(|order| order["status"] == "settled") {
        // A line that went back no longer extends its resource.
        let back =
            |line: &Value| refunds(order).any(|it| it["resource"] == line["resource"] && it["outcome"] == "refunded");
        for line in order["lines"].as_array().expect("an order has lines").iter().filter(|line| !back(line)) {
            chains.entry(text(line, "resource")).or_default().push((text(line, "oldExpiry"), text(line, "newExpiry")));
        }
    }
    for (resource, expiry) in expiries {
        let Some(began) = shop.began.get(resource) else { continue };
        let mut steps = chains.remove(resource).unwrap_or_default();
        steps.sort();
        let mut at = began.clone();
        for (old, new) in &steps {
            if *old != at {
                audited.violations.push(Violation::Doubled(format!("{resource} at {at} was extended by {steps:?}")));
            }
            at.clone_from(new);
        }
        if at != *expiry {
            audited
                .violations
                .push(Violation::Silent(format!("{resource} is at {expiry}, and its orders lead to {at}")));
        }
    }
}

/// What else was acknowledged is so: canceled orders, refunds, and in the end every backup.
fn deeds(shop: &Shop, orders: &[Value], strictness: Strictness, audited: &mut Audited) {
    let mut lost = |what: &str, order: &str, found: Option<&Value>| {
        audited.violations.push(Violation::Lost(format!("{order} was {what}; it is {found:?}")));
    };
    for id in shop.canceled.union(&shop.given_back) {
        let order = orders.iter().find(|order| order["order"] == id.as_str());
        if shop.canceled.contains(id) && order.is_none_or(|order| order["status"] != "canceled") {
            lost("canceled", id, order);
        }
        if shop.given_back.contains(id) && order.is_none_or(|order| refunds(order).next().is_none()) {
            lost("given back", id, order);
        }
    }
    for backup in shop.backups.iter().filter(|_| strictness == Strictness::Certain) {
        let verified = answer(&mut shop.command(["store", "verify", backup]));
        if verified.code != Some(0) {
            audited.violations.push(Violation::Lost(format!("the backup {backup}: {verified:?}")));
        }
    }
}

/// Whatever was shown as renewed is settled, and the resource has at least that expiry.
fn acknowledgements(shop: &Shop, orders: &[Value], expiries: &BTreeMap<String, String>, audited: &mut Audited) {
    audited.acknowledged = shop.acknowledged.len();
    for told in &shop.acknowledged {
        let order = orders.iter().find(|order| order["order"] == told.order.as_str());
        let settled = order.is_some_and(|order| order["status"] == "settled");
        let back = order.is_some_and(|order| refunds(order).any(|it| it["resource"] == told.resource.as_str()));
        let reached = back || expiries.get(&told.resource).is_some_and(|expiry| told.new_expiry <= *expiry);
        if !settled || !reached {
            audited.violations.push(Violation::Lost(format!("{told:?}; the order is {order:?}")));
        }
    }
}
