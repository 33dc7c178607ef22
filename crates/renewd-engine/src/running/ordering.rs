//! Due automatic renewals as orders: one for each, or as few as there can be.
//!
//! INVARIANT (soonest first): under every limit, and under what a run may charge, the soonest expiries come first; an
//! order of several holds no more than what is charged if each has its own.

use crate::arrange::{Arrangement, Ask, OrderKey, arrange, order_methods};
use crate::cashier::Budget;
use crate::running::{Pays, pays};
use chrono::{DateTime, Utc};
use renewd_core::decide::limit_holds;
use renewd_core::ids::{AccountName, ResourceId};
use renewd_core::money::Money;
use renewd_core::order::{Hold, MonthKey, ORDER_LINES_MAX, Order, Origin};
use renewd_core::quote::Quote;
use renewd_core::refusal::Reason;
use renewd_core::state::State;
use std::collections::BTreeMap;

/// Orders quotes as automatic renewals and applies that to the state. `group`: as few orders as there can be, where so
/// much may be charged.
pub(crate) fn order_all(
    trial: &mut State,
    mut quotes: Vec<Quote>,
    group: Option<Budget>,
    now: DateTime<Utc>,
    next_sequence: u64,
) -> Arrangement {
    quotes.sort_by_key(|quote| (expires(quote), quote.prepared.resource.clone()));
    let all = Arrangement { real: true, ..Arrangement::default() };
    let mut ordering = Ordering { trial, all, now, next_sequence, filling: BTreeMap::new() };
    match group {
        Some(budget) => ordering.group(quotes, budget),
        None => quotes.into_iter().for_each(|quote| ordering.place(&[quote])),
    }
    ordering.all
}

/// The place of an order among those to be paid: soonest expiry first, and of one expiry by the resource's name, as they
/// are ordered and warned of.
pub(super) fn turn(order: &Order) -> Option<(DateTime<Utc>, ResourceId)> {
    order.lines.iter().map(|line| (expires(line), line.prepared.resource.clone())).min()
}

fn expires(quote: &Quote) -> DateTime<Utc> {
    quote.prepared.old_end.expiry.instant()
}

struct Ordering<'a> {
    trial: &'a mut State,
    all: Arrangement,
    now: DateTime<Utc>,
    next_sequence: u64,
    /// Orders that are not placed yet, because more may come into them.
    filling: BTreeMap<OrderKey, Vec<Quote>>,
}

impl Ordering<'_> {
    fn group(&mut self, quotes: Vec<Quote>, mut budget: Budget) {
        let mut earlier = self.to_be_paid();
        for quote in quotes {
            while let Some((_, total)) = earlier.pop_if(|(soonest, _)| *soonest <= expires(&quote)) {
                budget.take(total);
            }
            let Ok((key, _)) = order_methods(self.trial, &quote, None) else {
                self.place(&[quote]);
                continue;
            };
            if self.is_full(&key, &quote) {
                self.close(&key);
            }
            if !self.holds(&key.0, std::slice::from_ref(&quote)).is_empty() {
                self.place(&[quote]);
            } else if self.is_over_month(&key.0, &quote) {
                self.close_all(&key.0);
                self.place(&[quote]);
            } else if !budget.take(quote.total) {
                self.place(&[quote]);
            } else {
                self.filling.entry(key).or_default().push(quote);
            }
        }
        let open: Vec<OrderKey> = self.filling.keys().cloned().collect();
        open.iter().for_each(|key| self.close(key));
    }

    /// Orders that the run pays beside those to come, the last to be paid first: what they cost is not there twice.
    fn to_be_paid(&self) -> Vec<(DateTime<Utc>, Money)> {
        let orders = self.trial.orders.values().filter(|order| pays(self.trial, order, self.now) != Pays::No);
        let mut sums: Vec<_> = orders.filter_map(|order| Some((turn(order)?.0, order.total))).collect();
        sums.sort_by_key(|(soonest, _)| std::cmp::Reverse(*soonest));
        sums
    }

    /// Whether an order has no room for another line.
    fn is_full(&self, key: &OrderKey, quote: &Quote) -> bool {
        let Some(lines) = self.filling.get(key) else { return false };
        let with = [lines.as_slice(), std::slice::from_ref(quote)].concat();
        ORDER_LINES_MAX < with.len() || self.holds(&key.0, &with).iter().any(|it| it.reason == Reason::OverOrderLimit)
    }

    /// Whether a renewal is over a limit of the month beside all that is to be ordered before it.
    fn is_over_month(&self, account: &AccountName, quote: &Quote) -> bool {
        let before = self.filling.iter().filter(|(key, _)| key.0 == *account).flat_map(|(_, lines)| lines);
        let with: Vec<Quote> = before.chain([quote]).cloned().collect();
        self.holds(account, &with).iter().any(|hold| hold.reason == Reason::OverMonthLimit)
    }

    fn holds(&self, account: &AccountName, quotes: &[Quote]) -> Vec<Hold> {
        let Some(account) = self.trial.account(account) else { return Vec::new() };
        limit_holds(self.trial, account, quotes, &MonthKey::of(self.now, account.time_zone))
    }

    fn close_all(&mut self, account: &AccountName) {
        let open: Vec<OrderKey> = self.filling.keys().filter(|key| key.0 == *account).cloned().collect();
        open.iter().for_each(|key| self.close(key));
    }

    fn close(&mut self, key: &OrderKey) {
        if let Some(lines) = self.filling.remove(key) {
            self.place(&lines);
        }
    }

    fn place(&mut self, quotes: &[Quote]) {
        let next_sequence = self.next_sequence.saturating_add(self.all.events.len() as u64);
        let ask = Ask { origin: Origin::Auto, pay_with: None, max_total: None, now: self.now, next_sequence };
        let Arrangement { placed, adopted, events, refused, .. } = arrange(self.trial, quotes, &ask);
        self.all.placed.extend(placed);
        self.all.adopted.extend(adopted);
        self.all.events.extend(events);
        self.all.refused.extend(refused);
    }
}
