//! Arranging quotes into orders: adoption of open orders, grouping by account and methods, limits.
//!
//! Pure but for the state that it is given, to which the events of each placed order are applied, so that the next
//! order counts towards the same limits.

use chrono::{DateTime, Utc};
use renewd_core::decide::{Placing, adopt, check_quote, may_adopt, place};
use renewd_core::documents::{Account, AccountMethod, RenewalPolicy};
use renewd_core::event::Event;
use renewd_core::ids::{AccountName, MethodName, OrderId, ResourceId};
use renewd_core::money::Money;
use renewd_core::order::{Hold, ORDER_LINES_MAX, Order, OrderStatus, Origin};
use renewd_core::quote::Quote;
use renewd_core::refusal::{Reason, Refusal};
use renewd_core::state::State;
use std::collections::{BTreeMap, BTreeSet};

/// How quotes are to be ordered.
pub(crate) struct Ask {
    pub(crate) origin: Origin,
    pub(crate) pay_with: Option<MethodName>,
    /// A request's `maxTotal`: over it its orders are held.
    pub(crate) max_total: Option<Money>,
    pub(crate) now: DateTime<Utc>,
    /// Sequence that the first event will have.
    pub(crate) next_sequence: u64,
}

/// Quotes as orders.
#[derive(Default)]
pub(crate) struct Arrangement {
    /// Open orders whose lines are all in the selection with the same term and new expiry.
    pub(crate) adopted: Vec<Order>,
    /// New orders.
    pub(crate) placed: Vec<Order>,
    /// Events that adopt and place them.
    pub(crate) events: Vec<Event>,
    /// Quotes that are in no order, with the reasons.
    pub(crate) refused: Vec<(Quote, Refusal)>,
    /// False where the orders are only a preview.
    pub(crate) real: bool,
}

impl Arrangement {
    /// Marks the new orders as a preview: their ids will be others.
    pub(crate) fn forget_ids(&mut self) {
        self.real = false;
    }
}

/// Arranges quotes and applies the events to the state.
pub(crate) fn arrange(state: &mut State, quotes: &[Quote], ask: &Ask) -> Arrangement {
    let mut arrangement = Arrangement { real: true, ..Arrangement::default() };
    let adopted = adoptable(state, quotes, &ask.origin);
    let mut new = Vec::new();
    for quote in quotes {
        let in_order = state.resources.get(&quote.prepared.resource).and_then(|resource| resource.open_order.clone());
        if in_order.is_some_and(|order| adopted.contains(&order)) {
            continue;
        }
        match check_quote(state, quote, &ask.origin, ask.now) {
            Ok(()) => new.push(quote.clone()),
            Err(refusal) => arrangement.refused.push((quote.clone(), refusal)),
        }
    }
    arrangement.adopted = adopted.iter().filter_map(|id| state.orders.get(id)).cloned().collect();
    let lines = arrangement.adopted.iter().filter(|order| !is_asked_by(order, &ask.origin)).flat_map(|it| &it.lines);
    let over = over_max_total(state, lines.chain(&new), ask);
    for order in &arrangement.adopted {
        let named = ask.pay_with.as_ref().and_then(|name| Some((state.account(&order.account)?, name)));
        let methods = named.map(|(account, name)| account_methods(account, None, Some(name)));
        for event in adopt(order, &ask.origin, methods, over.as_ref()) {
            state.apply(ask.now, &event);
            arrangement.events.push(event);
        }
    }
    let orders = arrangement.adopted.iter().filter_map(|order| state.orders.get(&order.id));
    arrangement.adopted = orders.cloned().collect();
    place_new(state, new, ask, over, &mut arrangement);
    arrangement
}

/// Whether an order is one of a request's own.
fn is_asked_by(order: &Order, origin: &Origin) -> bool {
    order.requests().any(|request| origin.request() == Some(request))
}

/// Open orders all of whose lines are selected for the same term and new expiry, whoever asked for them.
fn adoptable(state: &State, quotes: &[Quote], origin: &Origin) -> BTreeSet<OrderId> {
    let by_resource: BTreeMap<&ResourceId, &Quote> =
        quotes.iter().map(|quote| (&quote.prepared.resource, quote)).collect();
    let same_term = |line: &Quote| {
        by_resource.get(&line.prepared.resource).is_some_and(|quote| {
            quote.prepared.dates.term == line.prepared.dates.term
                && quote.prepared.new_expiry().instant() == line.prepared.new_expiry().instant()
        })
    };
    let rows = quotes.iter().filter_map(|quote| state.resources.get(&quote.prepared.resource));
    let in_orders: BTreeSet<&OrderId> = rows.filter_map(|row| row.open_order.as_ref()).collect();
    in_orders
        .into_iter()
        .filter_map(|id| state.orders.get(id))
        .filter(|order| matches!(order.status, OrderStatus::Open | OrderStatus::Held))
        .filter(|order| order.lines.iter().all(same_term) && may_adopt(state, order, origin))
        .map(|order| order.id.clone())
        .collect()
}

/// What the lines of one order have in common; the account has one currency.
pub(crate) type OrderKey = (AccountName, Vec<MethodName>);

/// Groups by (account, method list), soonest expiry first, at most [`ORDER_LINES_MAX`] lines in each order.
fn place_new(state: &mut State, quotes: Vec<Quote>, ask: &Ask, over: Option<Hold>, arrangement: &mut Arrangement) {
    let mut groups: BTreeMap<OrderKey, (Vec<AccountMethod>, Vec<Quote>)> = BTreeMap::new();
    for quote in quotes {
        match order_methods(state, &quote, ask.pay_with.as_ref()) {
            Ok((key, methods)) => {
                groups.entry(key).or_insert_with(|| (methods, Vec::new())).1.push(quote);
            }
            Err(refusal) => arrangement.refused.push((quote, refusal)),
        }
    }
    for ((account, _), (methods, mut quotes)) in groups {
        quotes.sort_by(|left, right| {
            let key = |quote: &Quote| (quote.prepared.old_end.expiry.instant(), quote.prepared.resource.clone());
            key(left).cmp(&key(right))
        });
        while !quotes.is_empty() {
            let rest = quotes.split_off(quotes.len().min(ORDER_LINES_MAX));
            let placing = Placing {
                account: account.clone(),
                methods: methods.clone(),
                origin: ask.origin.clone(),
                quotes: quotes.clone(),
                holds: over.clone().into_iter().collect(),
                sequence: ask.next_sequence.saturating_add(arrangement.events.len() as u64),
            };
            match place(state, placing, ask.now) {
                Ok((order, events)) => {
                    events.iter().for_each(|event| state.apply(ask.now, event));
                    arrangement.placed.push(order);
                    arrangement.events.extend(events);
                }
                Err(refusal) => {
                    arrangement.refused.extend(quotes.into_iter().map(|quote| (quote, refusal.clone())));
                }
            }
            quotes = rest;
        }
    }
}

/// The hold of a request whose items, those that it ordered before included, cost more than its `maxTotal`.
fn over_max_total<'a>(state: &State, quotes: impl Iterator<Item = &'a Quote>, ask: &Ask) -> Option<Hold> {
    let max_total = ask.max_total?;
    let before = state
        .uses
        .iter()
        .filter(|(key, _)| ask.origin.request() == Some(&key.request))
        .filter_map(|(_, used)| used.total);
    let sum = Money::sum(max_total.currency(), before.chain(quotes.map(|quote| quote.total)));
    let detail = match sum {
        Ok(sum) if sum.compare(max_total).is_ok_and(std::cmp::Ordering::is_gt) => {
            format!("the request's items cost {sum}, more than its maxTotal of {max_total}")
        }
        Ok(_) => return None,
        Err(_) => format!("the request's items are not all in the currency of its maxTotal of {max_total}"),
    };
    Some(Hold { reason: Reason::OverMaxTotal, detail })
}

/// The methods of a quote's order: the one asked for, else the policy's, else the account's.
pub(crate) fn order_methods(
    state: &State,
    quote: &Quote,
    pay_with: Option<&MethodName>,
) -> Result<(OrderKey, Vec<AccountMethod>), Refusal> {
    let prepared = &quote.prepared;
    let Some(account) = state.account(&prepared.account) else {
        return Err(Refusal::new(Reason::NoAccount, format!("there is no account `{}`", prepared.account)));
    };
    let policy = state.policies().find(|policy| policy.name == prepared.policy);
    let methods = account_methods(account, policy, pay_with);
    if methods.is_empty() {
        return Err(Refusal::new(Reason::NoPaymentMethod, format!("account {} has no payment method", account.name))
            .hint("list some under `paymentMethods` of the account, or name one with `--pay-with`"));
    }
    let names = methods.iter().map(|method| method.method.clone()).collect();
    Ok(((prepared.account.clone(), names), methods))
}

/// Methods with the account's references.
pub(crate) fn account_methods(
    account: &Account,
    policy: Option<&RenewalPolicy>,
    pay_with: Option<&MethodName>,
) -> Vec<AccountMethod> {
    let named = |name: &MethodName| {
        account
            .payment_methods
            .iter()
            .find(|method| method.method == *name)
            .cloned()
            .unwrap_or_else(|| AccountMethod { method: name.clone(), reference: None })
    };
    match (pay_with, policy.and_then(|policy| policy.payment.as_ref())) {
        (Some(name), _) => vec![named(name)],
        (None, Some(names)) => names.iter().map(named).collect(),
        (None, None) => account.payment_methods.clone(),
    }
}

#[cfg(test)]
mod tests;
