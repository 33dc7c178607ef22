//! Paying an order: price again, write the intent, ask the plugin, write the outcome.
//!
//! Two durable barriers: everything up to the intent before the plugin is called; the outcome before anything is
//! shown. The store is not locked while a gateway is asked.

use crate::arrange::account_methods;
use crate::desk::Desk;
use crate::engine::{Engine, Snapshot};
use crate::error::EngineError;
use crate::load::config_text;
use crate::pricing::local;
use crate::report::{finish, order_items, order_summary};
use crate::shelf::Blobs;
use crate::view::RenewView;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use renewd_core::calendar::rfc3339_in;
use renewd_core::decide::{AttemptSpec, end_attempt, start_attempt, usable_methods};
use renewd_core::documents::{AccountMethod, Document, DocumentKey, DocumentKind, PaymentMethod, Plugin, PluginLimits};
use renewd_core::ids::{Digest, MethodName, OrderId};
use renewd_core::order::{Attempt, Order, OrderStatus, Outcome, Retry};
use renewd_core::quote::{Quote, Wish};
use renewd_core::refusal::{Reason, Refusal};
use renewd_core::resource::Resource;
use renewd_core::state::State;
use renewd_plugin_host::{PaymentPlugin, payment_wire};

/// Times that an order is priced again because something was journaled between pricing and the intent.
const REPRICE_TRIES: usize = 20;

/// How far an attempt has got.
enum Begun {
    /// Settled or declined without asking a plugin.
    Ended,
    /// The intent is durable; the plugin is to be asked.
    Ask(Box<Attempt>),
}

/// A method that can be tried, with its plugin.
struct Till {
    method: AccountMethod,
    config: serde_json::Value,
    plugin: Option<(Digest, PaymentPlugin)>,
}

impl Engine {
    /// Pays one order, with its methods in order or the one asked for.
    ///
    /// # Errors
    /// There is no such order, it cannot be paid, or the store fails.
    pub fn pay(&self, id: &OrderId, pay_with: Option<MethodName>) -> Result<RenewView, EngineError> {
        let now = self.now();
        let snapshot = self.snapshot(now)?;
        self.require_store(&snapshot)?;
        crate::quoting::check_method(&snapshot.state, pay_with.as_ref())?;
        let refusal = self.pay_order(id, pay_with.as_ref())?;
        let state = self.state_with_orders(std::slice::from_ref(id), now)?;
        let Some(order) = state.orders.get(id) else {
            return Err(refusal.map_or_else(|| EngineError::Bug(format!("order {id} is gone")), EngineError::Refused));
        };
        if let Some(refusal) = refusal {
            return Err(refusal.into());
        }
        Ok(finish(order_items(order, true), vec![order_summary(order, false, true)], false))
    }

    /// Tries the methods of an order until one pays. Answers why no attempt could be begun, where none could.
    pub(crate) fn pay_order(
        &self,
        id: &OrderId,
        pay_with: Option<&MethodName>,
    ) -> Result<Option<Refusal>, EngineError> {
        let now = self.now();
        let snapshot = self.order_snapshot(id, now)?;
        let Some(order) = snapshot.state.orders.get(id).cloned() else {
            return Ok(Some(Refusal::new(Reason::NoOrder, format!("there is no order `{id}`"))));
        };
        if order.status == OrderStatus::Held {
            return Ok(self.begin(&order, None)?.err());
        }
        let methods = self.methods_to_try(&snapshot, &order, pay_with);
        if methods.is_empty() {
            return Ok(Some(
                Refusal::new(Reason::NoPaymentMethod, format!("every method of order {id} has declined for good"))
                    .hint(format!("`renewd orders pay {id} --pay-with METHOD`, or `renewd orders cancel {id}`")),
            ));
        }
        let zone = snapshot.state.account(&order.account).map_or(chrono_tz::UTC, |account| account.time_zone);
        let mut last = None;
        for method in methods {
            let till = match self.till(&snapshot, method)? {
                Ok(till) => till,
                Err(refusal) => {
                    last = Some(refusal);
                    continue;
                }
            };
            match self.attempt(&order, till, zone)? {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(refusal) => return Ok(Some(refusal)),
            }
            last = None;
        }
        Ok(last)
    }

    fn methods_to_try(&self, snapshot: &Snapshot, order: &Order, pay_with: Option<&MethodName>) -> Vec<AccountMethod> {
        let known: Vec<AccountMethod> = usable_methods(order, pay_with).into_iter().cloned().collect();
        let listed = pay_with.is_some_and(|name| order.methods.iter().any(|method| method.method == *name));
        if listed || pay_with.is_none() {
            return known;
        }
        snapshot.state.account(&order.account).map_or(Vec::new(), |account| account_methods(account, None, pay_with))
    }

    /// The plugin and configuration of a method, or why it cannot be tried.
    fn till(&self, snapshot: &Snapshot, method: AccountMethod) -> Result<Result<Till, Refusal>, EngineError> {
        if method.method.is_balance() {
            return Ok(Ok(Till { method, config: serde_json::Value::Null, plugin: None }));
        }
        let Some((document, plugin)) = payment_documents(&snapshot.state, &method.method) else {
            return Ok(Err(Refusal::new(
                Reason::NoPaymentMethod,
                format!("there is no payment method `{}` with a plugin", method.method),
            )));
        };
        let loaded = self.shelf.payment_by_digest(&plugin.digest, &plugin.limits, snapshot.blobs())?;
        let refuse = |message: String| {
            Refusal::new(
                Reason::NoPaymentMethod,
                format!("plugin {} of method {}: {message}", plugin.name, method.method),
            )
        };
        let equipped = loaded.map_err(refuse).and_then(|loaded| self.equipped(plugin, &loaded));
        Ok(equipped.map(|equipped| Till {
            method: method.clone(),
            config: document.config.clone(),
            plugin: Some((plugin.digest, equipped)),
        }))
    }

    /// One attempt. Answers whether another method may be tried.
    fn attempt(&self, order: &Order, till: Till, zone: Tz) -> Result<Result<bool, Refusal>, EngineError> {
        let plugin = till.plugin.clone();
        let begun = match self.begin(order, Some(till))? {
            Ok(begun) => begun,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if let (Begun::Ask(attempt), Some((_, plugin))) = (&begun, plugin) {
            crate::failpoint("pay.before-call");
            let outcome = self.charge(order, attempt, &plugin, zone);
            crate::failpoint("pay.after-call");
            let mut desk = self.patient_desk(self.now())?;
            let events = end_attempt(&desk.state, &order.id, attempt.number, outcome)?;
            desk.push(events);
            desk.commit()?;
        }
        let snapshot = self.order_snapshot(&order.id, self.now())?;
        Ok(Ok(snapshot.state.orders.get(&order.id).is_some_and(|order| order.status == OrderStatus::Open)))
    }

    /// Writes the intent, having priced the order again from the documents in force.
    fn begin(&self, order: &Order, till: Option<Till>) -> Result<Result<Begun, Refusal>, EngineError> {
        let owner = self.owner()?;
        let spec = match till {
            Some(till) => AttemptSpec {
                method: till.method,
                plugin: till.plugin.map(|(digest, _)| digest),
                config: till.config,
                owner,
            },
            None => AttemptSpec {
                method: AccountMethod { method: MethodName::balance(), reference: None },
                plugin: None,
                config: serde_json::Value::Null,
                owner,
            },
        };
        for _ in 0..REPRICE_TRIES {
            let now = self.now();
            let snapshot = self.order_snapshot(&order.id, now)?;
            let requotes = self.requote(&snapshot.state, snapshot.blobs(), order, now)?;
            let mut desk = self.desk(now)?;
            if desk.sequence != snapshot.sequence {
                continue;
            }
            desk.load_order(&order.id)?;
            match start_attempt(&desk.state, &order.id, spec.clone(), &requotes, now) {
                Ok(events) => {
                    desk.push(events);
                    desk.commit()?;
                    return Ok(Ok(begun(&desk, order)));
                }
                Err(refusal) => {
                    desk.commit()?;
                    return Ok(Err(refusal));
                }
            }
        }
        Ok(Err(Refusal::new(Reason::PriceChanged, "others keep changing the store while the order is priced")
            .hint("try again")))
    }

    /// The lines of an order priced again.
    pub(crate) fn requote(
        &self,
        state: &State,
        blobs: &dyn Blobs,
        order: &Order,
        now: DateTime<Utc>,
    ) -> Result<Vec<Quote>, EngineError> {
        let wishes: Vec<(&Resource, Wish)> = order
            .lines
            .iter()
            .filter_map(|line| Some((state.resources.get(&line.prepared.resource)?, line.prepared.wish.clone())))
            .collect();
        Ok(self.quote_wishes(state, blobs, wishes, None, now)?.0)
    }

    /// Asks a plugin to charge. The amount must be the whole amount; anything else is unknown.
    fn charge(&self, order: &Order, attempt: &Attempt, plugin: &PaymentPlugin, zone: Tz) -> Outcome {
        let request = charge_request(order, attempt, zone);
        let config = config_text(&attempt.config);
        outcome(plugin.charge(&config, &request).value, order)
    }

    /// A snapshot that surely holds one order, final or not.
    fn order_snapshot(&self, id: &OrderId, now: DateTime<Utc>) -> Result<Snapshot, EngineError> {
        let mut snapshot = self.snapshot(now)?;
        if !snapshot.state.orders.contains_key(id) {
            let state = self.state_with_orders(std::slice::from_ref(id), now)?;
            snapshot.state = state;
        }
        Ok(snapshot)
    }

    /// The state with some orders, final or not.
    pub(crate) fn state_with_orders(&self, orders: &[OrderId], now: DateTime<Utc>) -> Result<State, EngineError> {
        let mut desk: Desk = self.desk(now)?;
        for order in orders {
            desk.load_order(order)?;
        }
        Ok(desk.state)
    }
}

fn begun(desk: &Desk, order: &Order) -> Begun {
    let attempt = desk.state.orders.get(&order.id).and_then(Order::last_attempt);
    match attempt {
        Some(attempt) if attempt.outcome == Outcome::InFlight => Begun::Ask(Box::new(attempt.clone())),
        Some(_) | None => Begun::Ended,
    }
}

fn payment_documents<'a>(state: &'a State, name: &MethodName) -> Option<(&'a PaymentMethod, &'a Plugin)> {
    let key = DocumentKey { kind: DocumentKind::PaymentMethod, name: name.to_string() };
    let Some(Document::PaymentMethod(method)) = state.documents.get(&key) else { return None };
    let key = DocumentKey { kind: DocumentKind::Plugin, name: method.plugin.to_string() };
    match state.documents.get(&key) {
        Some(Document::Plugin(plugin)) => Some((method, plugin)),
        _ => None,
    }
}

fn charge_request(order: &Order, attempt: &Attempt, zone: Tz) -> payment_wire::ChargeRequest {
    let requested = attempt.started_at.with_timezone(&zone);
    payment_wire::ChargeRequest {
        order: order.id.to_string(),
        attempt: attempt.number,
        account: order.account.to_string(),
        method_reference: attempt.method.reference.clone(),
        currency: order.total.currency().code().to_owned(),
        minor_digits: order.total.currency().minor_digits(),
        amount: order.total.amount().to_string(),
        idempotency_key: attempt.key.to_string(),
        requested_at: rfc3339_in(attempt.started_at, zone),
        requested_on: requested.date_naive().to_string(),
        lines: order
            .lines
            .iter()
            .map(|line| payment_wire::ChargeLine {
                item: line.prepared.resource.to_string(),
                external_id: None,
                description: format!("renewal of {} for {}", line.prepared.resource, line.prepared.dates.term),
                old_expiry: local(&line.prepared.old_end.expiry),
                new_expiry: local(line.prepared.new_expiry()),
                term: line.prepared.dates.term.to_string(),
                amount: line.total.amount().to_string(),
                key: line.prepared.line_key().to_string(),
            })
            .collect(),
        metadata: Vec::new(),
    }
}

/// A plugin's answer in the core's words.
fn outcome(answer: renewd_plugin_host::Outcome, order: &Order) -> Outcome {
    use renewd_plugin_host::Outcome as Answer;
    match answer {
        Answer::Succeeded { reference, amount, .. } if amount == order.total => Outcome::Succeeded { reference },
        Answer::Succeeded { reference, amount, .. } => {
            Outcome::Unknown { detail: format!("the plugin took {amount} instead of {} as `{reference}`", order.total) }
        }
        Answer::Declined { code, message, retry, .. } => Outcome::Declined { code, message, retry: retry_word(retry) },
        Answer::Pending { reference, .. } => Outcome::Pending { reference },
        Answer::RequiresAction { url, expires, .. } => Outcome::RequiresAction { url, expires: expires.to_utc() },
        Answer::PriceMoved { actual, .. } => Outcome::PriceMoved { actual },
        Answer::Unknown { reason, .. } => Outcome::Unknown { detail: reason },
    }
}

fn retry_word(retry: renewd_plugin_host::Retry) -> Retry {
    match retry {
        renewd_plugin_host::Retry::Never => Retry::Never,
        renewd_plugin_host::Retry::Later => Retry::Later,
        renewd_plugin_host::Retry::OtherMethod => Retry::OtherMethod,
    }
}

/// The limits of a plugin document, for pinned plugins whose document is gone.
pub(crate) fn limits_of(state: &State, digest: &Digest) -> PluginLimits {
    state
        .documents
        .values()
        .find_map(|document| match document {
            Document::Plugin(plugin) if plugin.digest == *digest => Some(plugin.limits.clone()),
            _ => None,
        })
        .unwrap_or_default()
}
