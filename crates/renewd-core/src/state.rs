//! The state: rows that are the sum of all events. Applying an event cannot fail and decides nothing; whether an
//! event may happen is decided before it is journaled (see `decide`).
//!
//! A `State` may hold everything or only the rows that some events touch.

use crate::documents::{Account, Document, DocumentKey, DocumentKind, RenewalPolicy};
use crate::event::{Event, ImportChange, RowKey, UseKey};
use crate::ids::{AccountName, Digest, OrderId, PolicyName, RequestName, ResourceId, SinkName};
use crate::money::Money;
use crate::order::{
    Attempt, Hold, MonthKey, Order, OrderStatus, Origin, Outcome, Refund, RefundResult, Retry, follow_up,
};
use crate::refusal::Reason;
use crate::resource::{AutoTry, Freeze, Noted, Resource, Tries};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::collections::{BTreeMap, BTreeSet};

/// Counters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Meta {
    /// Number of the last applied revision; 0 before the first.
    pub revision: u32,
    /// Digest over all documents of that revision.
    pub digest: Option<Digest>,
}

/// An account's money as renewd keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Book {
    /// Prepaid balance, by currency.
    pub balance: BTreeMap<String, Money>,
    /// Σ of settled, open and unknown lines, by local month.
    pub months: BTreeMap<MonthKey, MonthSum>,
}

/// What monthly limits are judged by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MonthSum {
    /// Of all lines, by currency.
    pub total: BTreeMap<String, Money>,
    /// Of one policy's lines, by policy and currency.
    pub by_policy: BTreeMap<PolicyName, BTreeMap<String, Money>>,
}

/// One use of a request for a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Use {
    /// The order that it was, or is to be, paid by.
    pub order: OrderId,
    /// Whether it is used up: the order settled or a person canceled it.
    pub done: bool,
    /// What it costs or cost; nothing once the order is canceled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<Money>,
}

/// How far a sink has been told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SinkCursor {
    /// The number of the last record that it need not be told again.
    pub through: u64,
    /// Why it could not be told more the last time, where it could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<SinkFailure>,
}

/// A sink that could not be told more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SinkFailure {
    /// Since when nothing has been delivered.
    pub since: DateTime<Utc>,
    /// Why, in words.
    pub reason: String,
}

/// Rows by key.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// Counters.
    pub meta: Meta,
    /// Documents in force.
    pub documents: BTreeMap<DocumentKey, Document>,
    /// Resources.
    pub resources: BTreeMap<ResourceId, Resource>,
    /// Orders.
    pub orders: BTreeMap<OrderId, Order>,
    /// Orders that somebody still has to look after (see [`Order::is_live`]).
    pub live: BTreeSet<OrderId>,
    /// Accounts' money.
    pub books: BTreeMap<AccountName, Book>,
    /// Uses of requests.
    pub uses: BTreeMap<UseKey, Use>,
    /// Top-ups by account and reference.
    pub topups: BTreeMap<(AccountName, String), Money>,
    /// How far sinks have been told.
    pub sinks: BTreeMap<SinkName, SinkCursor>,
}

/// A stored row cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the row {tree} `{key}` cannot be read: {source}")]
pub struct RowError {
    tree: &'static str,
    key: String,
    source: serde_json::Error,
}

impl State {
    /// Adds one event to the state.
    pub fn apply(&mut self, at: DateTime<Utc>, event: &Event) {
        match event {
            Event::DocumentPut { document } => {
                self.documents.insert(document.key(), document.clone());
            }
            Event::DocumentRemoved { key } => {
                self.documents.remove(key);
                if key.kind == DocumentKind::EventSink
                    && let Ok(name) = SinkName::new(key.name.as_str())
                {
                    self.sinks.remove(&name);
                }
            }
            Event::RevisionApplied { revision, digest } => {
                self.meta.revision = *revision;
                self.meta.digest = Some(*digest);
            }
            Event::ResourceAdded { resource } => {
                self.resources.insert(resource.id.clone(), (**resource).clone());
            }
            Event::WindowsCaptured { resource, windows, .. } => self.change(resource, |row| {
                row.windows = *windows;
                row.windows_captured = true;
            }),
            Event::ResourceImported { resource, change } => self.change(resource, |row| imported(row, change)),
            Event::ResourceFrozen { resource, freeze } => {
                self.change(resource, |row| row.freeze = Some(freeze.clone()));
            }
            Event::ResourceThawed { resource } => self.change(resource, |row| row.freeze = None),
            Event::ModeChosen { resource, chosen } => self.change(resource, |row| {
                row.chosen = Some(chosen.clone());
                row.auto.renewals = 0;
            }),
            Event::ModeReturned { resource } => self.change(resource, |row| {
                row.chosen = None;
                row.auto.renewals = 0;
            }),
            Event::BalanceToppedUp { account, amount, reference } => {
                self.topups.insert((account.clone(), reference.clone()), *amount);
                add(&mut self.books.entry(account.clone()).or_default().balance, *amount, Sign::Plus);
            }
            Event::OrderPlaced { order } => self.placed(order),
            Event::OrderAdopted { .. }
            | Event::OrderApproved { .. }
            | Event::OrderHeld { .. }
            | Event::OrderCanceled { .. }
            | Event::OrderExpired { .. }
            | Event::AttemptStarted { .. }
            | Event::AttemptEnded { .. }
            | Event::AttemptChecked { .. }
            | Event::LateSuccess { .. }
            | Event::RefundStarted { .. }
            | Event::RefundEnded { .. }
            | Event::RefundChecked { .. }
            | Event::OrderSettled { .. }
            | Event::ResolvedDeclined { .. } => self.apply_to_order(at, event),
            Event::PhaseEntered { resource, phase, expiry } => self.change(resource, |row| {
                row.noted = Some(Noted { expiry: *expiry, phase: *phase });
            }),
            Event::ResourceConverted { resource, .. } => self.change(resource, |row| row.converted = Some(at)),
            Event::AutoFailed { resource, expiry, .. } => self.change(resource, |row| tried(row, *expiry, at)),
            Event::EventsDelivered { sink, through, failed } => self.delivered(at, sink, *through, failed.as_deref()),
            Event::ResourceEnded { .. } | Event::AutoFinished { .. } => {}
        }
    }

    fn delivered(&mut self, at: DateTime<Utc>, sink: &SinkName, through: u64, failed: Option<&str>) {
        let cursor = self.sinks.entry(sink.clone()).or_default();
        let since = cursor.failure.as_ref().filter(|_| cursor.through == through).map_or(at, |failure| failure.since);
        let failure = failed.map(|reason| SinkFailure { since, reason: reason.to_owned() });
        *cursor = SinkCursor { through, failure };
    }

    fn change(&mut self, resource: &ResourceId, change: impl FnOnce(&mut Resource)) {
        if let Some(row) = self.resources.get_mut(resource) {
            change(row);
        }
    }

    fn placed(&mut self, order: &Order) {
        self.live.insert(order.id.clone());
        for line in &order.lines {
            let resource = &line.prepared.resource;
            if !crate::planted::is("open-order-not-marked") {
                self.change(resource, |row| row.open_order = Some(order.id.clone()));
            }
        }
        for request in order.requests() {
            self.use_request(order, request);
        }
        self.count_month(order, Sign::Plus);
        self.orders.insert(order.id.clone(), order.clone());
    }

    fn use_request(&mut self, order: &Order, request: &RequestName) {
        for line in &order.lines {
            let key = UseKey { request: request.clone(), resource: line.prepared.resource.clone() };
            self.uses.insert(key, Use { order: order.id.clone(), done: false, total: Some(line.total) });
        }
    }

    fn apply_to_order(&mut self, at: DateTime<Utc>, event: &Event) {
        let Some(mut order) = event.order().and_then(|id| self.orders.get(id)).cloned() else {
            return;
        };
        self.count_month(&order, Sign::Minus);
        match event {
            Event::OrderAdopted { request, methods, .. } => {
                self.use_request(&order, request);
                order.adopted_by.push(request.clone());
                order.methods = methods.clone().unwrap_or(order.methods);
            }
            Event::OrderApproved { .. } => order.status = OrderStatus::Open,
            Event::OrderHeld { hold, sought, month, .. } => {
                order.status = OrderStatus::Held;
                order.holds.push(hold.clone());
                order.sought = *sought;
                order.month = month.clone().unwrap_or(order.month);
            }
            Event::OrderCanceled { reason, .. } => {
                order.status = OrderStatus::Canceled { at, reason: reason.clone() };
                self.close(&order, UseEnd::Canceled);
            }
            Event::OrderExpired { .. } => {
                order.status = OrderStatus::Expired { at };
                self.close(&order, UseEnd::FreeAgain);
            }
            Event::AttemptStarted { attempt, .. } => self.attempt_started(at, &mut order, attempt),
            Event::AttemptEnded { number, result, follow, .. } => {
                self.attempt_ended(at, &mut order, *number, result.clone(), *follow);
            }
            Event::AttemptChecked { number, detail, next, shown, .. } => {
                checked(&mut order, *number, detail, *next, shown.as_deref());
            }
            Event::LateSuccess { number, reference, .. } => self.late_success(&mut order, *number, reference),
            Event::RefundStarted { refund, .. } => self.refund_started(&mut order, refund),
            Event::RefundEnded { number, result, .. } => self.refund_ended(at, &mut order, *number, result),
            Event::RefundChecked { number, detail, next, .. } => refund_checked(&mut order, *number, detail, *next),
            Event::ResolvedDeclined { number, reason, .. } => {
                let result = Outcome::declined("resolved", reason, Retry::Later);
                self.attempt_ended(at, &mut order, *number, result, follow_up(at, 0));
            }
            Event::OrderSettled { payment, .. } => self.settle(at, &mut order, payment),
            Event::DocumentPut { .. }
            | Event::DocumentRemoved { .. }
            | Event::RevisionApplied { .. }
            | Event::WindowsCaptured { .. }
            | Event::ResourceAdded { .. }
            | Event::ResourceImported { .. }
            | Event::ResourceFrozen { .. }
            | Event::ResourceThawed { .. }
            | Event::ModeChosen { .. }
            | Event::ModeReturned { .. }
            | Event::OrderPlaced { .. }
            | Event::PhaseEntered { .. }
            | Event::ResourceConverted { .. }
            | Event::ResourceEnded { .. }
            | Event::AutoFailed { .. }
            | Event::AutoFinished { .. }
            | Event::BalanceToppedUp { .. }
            | Event::EventsDelivered { .. } => {}
        }
        self.count_month(&order, Sign::Plus);
        if order.is_live() {
            self.live.insert(order.id.clone());
        } else {
            self.live.remove(&order.id);
        }
        self.orders.insert(order.id.clone(), order);
    }

    fn attempt_started(&mut self, at: DateTime<Utc>, order: &mut Order, attempt: &Attempt) {
        order.status = OrderStatus::Paying;
        order.attempts.push(attempt.clone());
        order.month = MonthKey::of(attempt.started_at, order.time_zone);
        let number = self.tries_made(order).saturating_add(1);
        for line in &order.lines {
            self.change(&line.prepared.resource, |row| {
                if attempt.sought.is_some() {
                    row.sought = attempt.sought;
                }
                row.tries = Some(Tries { generation: row.generation, expiry: row.end.expiry.instant(), count: number });
                if order.origin == Origin::Auto {
                    tried(row, line.prepared.old_end.expiry.instant(), at);
                }
            });
        }
    }

    fn attempt_ended(
        &mut self,
        at: DateTime<Utc>,
        order: &mut Order,
        number: u32,
        result: Outcome,
        follow: Option<DateTime<Utc>>,
    ) {
        let unknown = matches!(result, Outcome::Unknown { .. });
        let for_good = matches!(result, Outcome::Declined { retry: Retry::Never, .. });
        let mut next_check = follow;
        order.status = match &result {
            Outcome::Unknown { .. } => OrderStatus::Unknown,
            Outcome::Pending { .. } | Outcome::RequiresAction { .. } => OrderStatus::Pending,
            Outcome::PriceMoved { actual } => {
                let detail = format!("the gateway would take {actual}, not {}", order.total);
                order.holds.push(Hold { reason: Reason::PriceMoved, detail });
                OrderStatus::Held
            }
            Outcome::InFlight | Outcome::Succeeded { .. } | Outcome::Declined { .. } => OrderStatus::Open,
        };
        if matches!(order.status, OrderStatus::Unknown | OrderStatus::Pending) {
            next_check = Some(at);
        }
        end(order, number, result, next_check);
        let refused = order.attempt(number).filter(|_| for_good).map(|attempt| attempt.method.clone());
        for line in &order.lines {
            self.change(&line.prepared.resource, |row| {
                freeze_for(row, &order.id, unknown);
                if order.origin == Origin::Auto
                    && let Some(method) = &refused
                    && let Some(tried) = &mut row.auto.tried
                    && !tried.refused.contains(method)
                {
                    tried.refused.push(method.clone());
                }
            });
        }
    }

    /// An order that waited for this attempt waits no longer.
    fn late_success(&mut self, order: &mut Order, number: u32, reference: &str) {
        end(order, number, Outcome::Succeeded { reference: reference.to_owned() }, None);
        let waited = matches!(order.status, OrderStatus::Paying | OrderStatus::Unknown | OrderStatus::Pending);
        if waited && order.last_attempt().is_some_and(|last| last.number == number) {
            order.status = OrderStatus::Open;
            for line in &order.lines {
                self.change(&line.prepared.resource, |row| freeze_for(row, &order.id, false));
            }
        }
    }

    fn refund_started(&mut self, order: &mut Order, refund: &Refund) {
        // Once a line is undone, the rest of its money touches no expiry.
        let undoes = refund.line().filter(|resource| !order.is_undone(resource));
        if let Some(resource) = undoes {
            self.change(resource, |row| {
                if row.freeze.is_none() && !crate::planted::is("refund-without-freeze") {
                    row.freeze = Some(Freeze::Refunding { order: order.id.clone() });
                }
            });
        }
        order.refunds.push(refund.clone());
    }

    fn refund_ended(&mut self, at: DateTime<Utc>, order: &mut Order, number: u32, result: &RefundResult) {
        let line_of = |refund: &Refund| refund.line().filter(|_| refund.number == number).cloned();
        let undone = order.refunds.iter().find_map(line_of).is_some_and(|resource| order.is_undone(&resource));
        let Some(refund) = order.refunds.iter_mut().find(|refund| refund.number == number) else { return };
        refund.outcome = result.clone();
        refund.next_check = (!result.is_final()).then_some(at);
        let refund = refund.clone();
        let is_back = matches!(result, RefundResult::Refunded { .. });
        let by_balance = order.attempt(refund.attempt).is_some_and(|attempt| attempt.method.method.is_balance());
        if is_back && by_balance && !crate::planted::is("balance-refund-lost") {
            add(&mut self.books.entry(order.account.clone()).or_default().balance, refund.amount, Sign::Plus);
        }
        let Some(line) = refund.line().and_then(|resource| order.line(resource)).filter(|_| result.is_final()) else {
            return;
        };
        self.change(&line.prepared.resource, |row| {
            if matches!(&row.freeze, Some(Freeze::Refunding { order: of }) if *of == order.id) {
                row.freeze = None;
            }
            // INVARIANT (undo): a refund takes back exactly the renewal that it was for.
            if is_back && !undone && row.ends_with(&line.prepared) && !crate::planted::is("refund-undoes-nothing") {
                row.end = line.prepared.old_end.clone();
                row.generation = row.generation.saturating_add(u32::from(!crate::planted::is("generation-not-raised")));
            }
        });
    }

    fn settle(&mut self, at: DateTime<Utc>, order: &mut Order, payment: &crate::order::Payment) {
        use crate::order::Payment;
        let paid_by = match payment {
            Payment::Nothing => None,
            Payment::Attempt { attempt, reference } => Some((*attempt, reference.clone())),
            Payment::Resolved { attempt, reference, .. } => Some((*attempt, reference.clone().unwrap_or_default())),
        };
        if let Some((number, reference)) = paid_by {
            end(order, number, Outcome::Succeeded { reference }, None);
            let by_balance =
                order.attempts.iter().any(|attempt| attempt.number == number && attempt.method.method.is_balance());
            if by_balance && !crate::planted::is("balance-not-debited") {
                add(&mut self.books.entry(order.account.clone()).or_default().balance, order.total, Sign::Minus);
            }
        }
        order.status = OrderStatus::Settled { at, payment: payment.clone() };
        order.month = MonthKey::of(at, order.time_zone);
        self.close(order, UseEnd::Paid);
        for line in &order.lines {
            self.change(&line.prepared.resource, |row| {
                // INVARIANT (compare-and-set): a settled line extends exactly the expiry that it was quoted for.
                if !line.prepared.extends(row) {
                    return;
                }
                if !crate::planted::is("settle-extends-nothing") {
                    row.end = line.prepared.new_end();
                }
                row.windows = line.prepared.windows;
                row.windows_captured = true;
                // A history that was lost may have gone on from the new expiry, so a restored store asks for it as well.
                row.sought = row.sought.filter(|epoch| *epoch == 0);
                if order.origin == Origin::Auto {
                    row.auto.renewals = row.auto.renewals.saturating_add(1);
                }
                if let Some(net) = line.net_per_month {
                    row.paid.insert(line.prepared.dates.term, net);
                    row.last_paid = Some(net);
                }
            });
        }
    }

    fn close(&mut self, order: &Order, end: UseEnd) {
        for line in &order.lines {
            let resource = &line.prepared.resource;
            self.change(resource, |row| {
                if row.open_order.as_ref() == Some(&order.id) {
                    row.open_order = None;
                }
                freeze_for(row, &order.id, false);
            });
            for request in order.requests() {
                let key = UseKey { request: request.clone(), resource: resource.clone() };
                let total = match end {
                    UseEnd::Paid => Some(line.total),
                    UseEnd::Canceled => None,
                    UseEnd::FreeAgain => {
                        self.uses.remove(&key);
                        continue;
                    }
                };
                let done = !crate::planted::is("request-not-used-up");
                self.uses.insert(key, Use { order: order.id.clone(), done, total });
            }
        }
    }

    /// Adds an order's lines to its month, or takes them out, where its status counts at all.
    fn count_month(&mut self, order: &Order, sign: Sign) {
        if !order.status.counts() {
            return;
        }
        let month = self.books.entry(order.account.clone()).or_default().months.entry(order.month.clone()).or_default();
        for line in &order.lines {
            add(&mut month.total, line.total, sign);
            add(month.by_policy.entry(line.prepared.policy.clone()).or_default(), line.total, sign);
        }
    }

    /// The highest number of an attempt to pay any of an order's renewals, in whatever order.
    pub fn tries_made(&self, order: &Order) -> u32 {
        let rows = order.lines.iter().filter_map(|line| self.resources.get(&line.prepared.resource));
        rows.map(Resource::tries_made).max().unwrap_or_default()
    }

    /// The policies in force, by name.
    pub fn policies(&self) -> impl Iterator<Item = &RenewalPolicy> {
        self.documents.values().filter_map(|document| match document {
            Document::RenewalPolicy(policy) => Some(&**policy),
            Document::Account(_)
            | Document::PriceList(_)
            | Document::Plugin(_)
            | Document::PaymentMethod(_)
            | Document::RenewalRequest(_)
            | Document::EventSink(_) => None,
        })
    }

    /// An account's document.
    pub fn account(&self, name: &AccountName) -> Option<&Account> {
        let key = DocumentKey { kind: DocumentKind::Account, name: name.as_str().to_owned() };
        match self.documents.get(&key) {
            Some(Document::Account(account)) => Some(account),
            _ => None,
        }
    }

    /// The JSON of a row; none where the row does not exist.
    pub fn row_json(&self, key: &RowKey) -> Option<Vec<u8>> {
        match key {
            RowKey::Meta => (self.meta != Meta::default()).then(|| json(&self.meta)).flatten(),
            RowKey::Document(key) => self.documents.get(key).and_then(json),
            RowKey::Resource(id) => self.resources.get(id).and_then(json),
            RowKey::Order(id) => self.orders.get(id).and_then(json),
            RowKey::Live(id) => self.live.contains(id).then(|| b"true".to_vec()),
            RowKey::Book(name) => self.books.get(name).and_then(json),
            RowKey::Use(key) => self.uses.get(key).and_then(json),
            RowKey::TopUp(account, reference) => self.topups.get(&(account.clone(), reference.clone())).and_then(json),
            RowKey::Sink(name) => self.sinks.get(name).and_then(json),
        }
    }

    /// Puts a stored row back, or takes a row out.
    ///
    /// # Errors
    /// The bytes are not the JSON of such a row.
    pub fn put_row_json(&mut self, key: &RowKey, bytes: Option<&[u8]>) -> Result<(), RowError> {
        match key {
            RowKey::Meta => self.meta = read::<Meta>(key, bytes)?.unwrap_or_default(),
            RowKey::Document(name) => put(&mut self.documents, name.clone(), read(key, bytes)?),
            RowKey::Resource(id) => put(&mut self.resources, id.clone(), read(key, bytes)?),
            RowKey::Order(id) => put(&mut self.orders, id.clone(), read(key, bytes)?),
            RowKey::Live(id) => {
                if read::<bool>(key, bytes)? == Some(true) {
                    self.live.insert(id.clone());
                } else {
                    self.live.remove(id);
                }
            }
            RowKey::Book(name) => put(&mut self.books, name.clone(), read(key, bytes)?),
            RowKey::Use(name) => put(&mut self.uses, name.clone(), read(key, bytes)?),
            RowKey::TopUp(account, reference) => {
                put(&mut self.topups, (account.clone(), reference.clone()), read(key, bytes)?);
            }
            RowKey::Sink(name) => put(&mut self.sinks, name.clone(), read(key, bytes)?),
        }
        Ok(())
    }

    /// The keys of all rows that exist.
    pub fn keys(&self) -> Vec<RowKey> {
        let mut keys = Vec::new();
        if self.meta != Meta::default() {
            keys.push(RowKey::Meta);
        }
        keys.extend(self.documents.keys().cloned().map(RowKey::Document));
        keys.extend(self.resources.keys().cloned().map(RowKey::Resource));
        keys.extend(self.orders.keys().cloned().map(RowKey::Order));
        keys.extend(self.live.iter().cloned().map(RowKey::Live));
        keys.extend(self.books.keys().cloned().map(RowKey::Book));
        keys.extend(self.uses.keys().cloned().map(RowKey::Use));
        keys.extend(self.topups.keys().cloned().map(|(account, reference)| RowKey::TopUp(account, reference)));
        keys.extend(self.sinks.keys().cloned().map(RowKey::Sink));
        keys
    }
}

/// What becomes of a use of a request when its order closes: spent with or without money, or free again.
#[derive(Clone, Copy)]
enum UseEnd {
    Paid,
    Canceled,
    FreeAgain,
}

#[derive(Clone, Copy)]
enum Sign {
    Plus,
    Minus,
}

/// Adds to a sum by currency. `decide` has bounded every amount, so a sum cannot overflow; if it did, the old sum
/// would stand rather than a wrong one.
fn add(sums: &mut BTreeMap<String, Money>, amount: Money, sign: Sign) {
    let sum = sums.entry(amount.currency().code().to_owned()).or_insert_with(|| Money::zero(amount.currency()));
    let next = match sign {
        Sign::Plus => sum.plus(amount),
        Sign::Minus => sum.minus(amount),
    };
    if let Ok(next) = next {
        *sum = next;
    }
}

fn imported(row: &mut Resource, change: &ImportChange) {
    if let Some(description) = &change.description {
        row.description = description.clone();
    }
    if let Some(end) = &change.end {
        if row.end.expiry.instant() != end.expiry.instant() {
            row.generation = row.generation.saturating_add(u32::from(!crate::planted::is("generation-not-raised")));
            row.imported_generation = row.generation;
            row.converted = None;
        }
        row.end = end.clone();
    }
    if change.price {
        row.paid.clear();
        row.last_paid = None;
    }
    if let Some(imported) = &change.imported {
        row.imported = imported.clone();
    }
}

fn end(order: &mut Order, number: u32, outcome: Outcome, next_check: Option<DateTime<Utc>>) {
    if let Some(attempt) = order.attempts.iter_mut().find(|attempt| attempt.number == number) {
        attempt.outcome = outcome;
        attempt.next_check = next_check;
        attempt.checks = 0;
        attempt.shown = None;
    }
}

fn checked(order: &mut Order, number: u32, detail: &str, next: Option<DateTime<Utc>>, shown: Option<&str>) {
    if let Some(attempt) = order.attempts.iter_mut().find(|attempt| attempt.number == number) {
        attempt.checks = attempt.checks.saturating_add(1);
        attempt.next_check = next;
        if let Some(shown) = shown {
            attempt.shown = Some(shown.to_owned());
        }
        if let Outcome::Unknown { detail: known, .. } = &mut attempt.outcome {
            detail.clone_into(known);
        }
    }
}

fn refund_checked(order: &mut Order, number: u32, detail: &str, next: Option<DateTime<Utc>>) {
    if let Some(refund) = order.refunds.iter_mut().find(|refund| refund.number == number) {
        refund.checks = refund.checks.saturating_add(1);
        refund.next_check = next;
        if let RefundResult::Unknown { detail: known } = &mut refund.outcome {
            detail.clone_into(known);
        }
    }
}

fn tried(row: &mut Resource, expiry: DateTime<Utc>, at: DateTime<Utc>) {
    let refused = row.auto_tried().map(|tried| tried.refused.clone()).unwrap_or_default();
    row.auto.tried = Some(AutoTry { expiry, at, refused });
}

/// Freezes a resource for an unknown payment, or ends the freeze that this order had caused.
fn freeze_for(row: &mut Resource, order: &OrderId, unknown: bool) {
    let mine = matches!(&row.freeze, Some(Freeze::UnknownPayment { order: frozen_by }) if frozen_by == order);
    if unknown && row.freeze.is_none() && !crate::planted::is("unknown-is-payable") {
        row.freeze = Some(Freeze::UnknownPayment { order: order.clone() });
    } else if !unknown && mine {
        row.freeze = None;
    }
}

fn json<T: Serialize>(row: &T) -> Option<Vec<u8>> {
    serde_json::to_vec(row).ok()
}

fn read<T: DeserializeOwned>(key: &RowKey, bytes: Option<&[u8]>) -> Result<Option<T>, RowError> {
    let Some(bytes) = bytes else { return Ok(None) };
    serde_json::from_slice(bytes).map(Some).map_err(|source| RowError {
        tree: key.tree(),
        key: String::from_utf8_lossy(&key.key_bytes()).replace('\0', "/"),
        source,
    })
}

fn put<K: Ord, T>(rows: &mut BTreeMap<K, T>, key: K, row: Option<T>) {
    match row {
        Some(row) => {
            rows.insert(key, row);
        }
        None => {
            rows.remove(&key);
        }
    }
}
