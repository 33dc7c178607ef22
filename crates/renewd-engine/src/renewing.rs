//! Renewing: an accepted quote becomes orders, which are paid. Manual renewals, batches and requests share this path.

use crate::arrange::{Arrangement, Ask, arrange};
use crate::cashier::{Budget, Payer, Unpaid};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::options::RenewOptions;
use crate::quoting::{Quoted, SavedQuote, Unquoted};
use crate::report::{finish, renew_view};
use crate::view::{Item, RenewView};
use chrono::{DateTime, Utc};
use renewd_core::decide::same_renewal;
use renewd_core::ids::{OrderId, ResourceId};
use renewd_core::quote::{Quote, Wish};
use renewd_core::refusal::{Reason, Refusal, Verdict};
use renewd_core::resource::Resource;
use std::collections::{BTreeMap, BTreeSet};

/// Quotes that hold, and those that no longer do.
type StillTrue = (Vec<Quote>, Vec<Unquoted>);

impl Engine {
    /// Places orders for a quoted selection and, unless told otherwise, pays them.
    ///
    /// # Errors
    /// The store fails. What cannot be renewed is an item of the answer, not an error.
    pub fn renew(&self, quoted: Quoted, options: &RenewOptions) -> Result<RenewView, EngineError> {
        let now = self.now();
        let saved = quoted.saved;
        let (quotes, changed) = self.still_true(&saved, now)?;
        let refused = [saved.refused, changed].concat();
        let mut desk = self.desk(now)?;
        let ask = Ask {
            origin: saved.ask.origin(),
            pay_with: saved.ask.pay_with.clone(),
            max_total: None,
            now,
            next_sequence: desk.next_sequence(),
        };
        let mut trial = desk.state.clone();
        let arrangement = arrange(&mut trial, &quotes, &ask);
        if options.atomic
            && let Some(why) = not_atomic(&arrangement, &refused)
        {
            desk.commit()?;
            return Ok(renew_view(&desk.state, all_refused(quotes, &why), &refused, false));
        }
        desk.push(arrangement.events.clone());
        desk.commit()?;
        drop(desk);
        let orders: Vec<OrderId> =
            arrangement.adopted.iter().chain(&arrangement.placed).map(|order| order.id.clone()).collect();
        let mut unpaid = Unpaid::new();
        if !options.pay_later {
            unpaid = self.pay_orders(&orders, Payer::Asked(saved.ask.pay_with.as_ref()), &mut Budget::default())?;
            self.finish_refunds(&orders)?;
        }
        let state = self.state_with_orders(&orders, now)?;
        Ok(not_paid(renew_view(&state, arrangement, &refused, false), &unpaid))
    }

    /// Prices quotes again unless nothing can have changed since this process made them; what differs is refused
    /// with `price-changed`. What goes on is what was computed now, never what a file says.
    fn still_true(&self, saved: &SavedQuote, now: DateTime<Utc>) -> Result<StillTrue, EngineError> {
        let snapshot = self.snapshot(now)?;
        self.require_store(&snapshot)?;
        if saved.made_here && saved.at == now && saved.documents == snapshot.state.meta.digest {
            return Ok((saved.quotes.clone(), Vec::new()));
        }
        let extended = |quote: &Quote| {
            let resource = snapshot.state.resources.get(&quote.prepared.resource);
            resource.filter(|resource| now < quote.valid_until && quote.prepared.extends(resource))
        };
        let wishes: Vec<(&Resource, Wish)> =
            saved.quotes.iter().filter_map(|quote| Some((extended(quote)?, quote.prepared.wish.clone()))).collect();
        let (again, refused) = self.quote_wishes(&snapshot.state, snapshot.blobs(), wishes, None, now)?;
        let mut again: BTreeMap<ResourceId, Quote> =
            again.into_iter().map(|quote| (quote.prepared.resource.clone(), quote)).collect();
        let mut kept = Vec::new();
        let mut changed = refused;
        for quote in &saved.quotes {
            match again.remove(&quote.prepared.resource) {
                Some(requote) if same_renewal(quote, &requote) => kept.push(requote),
                Some(requote) => {
                    let refusal = price_changed(quote, &requote);
                    changed.push((quote.prepared.resource.clone(), Verdict::Refused, refusal));
                }
                // Stale, or of an expiry that moved: placing it says so in its own words.
                None if extended(quote).is_none() => kept.push(quote.clone()),
                None => {}
            }
        }
        Ok((kept, changed))
    }
}

/// The same, with the items of orders that could not be paid for a reason that says more than the order's own state.
pub(crate) fn not_paid(view: RenewView, unpaid: &Unpaid) -> RenewView {
    let RenewView { items, orders, dry_run, .. } = view;
    let judged = |item: Item| {
        let says_less = matches!(item.verdict, Verdict::Placed | Verdict::Declined | Verdict::Refused);
        match item.order.as_ref().and_then(|order| unpaid.get(order)).filter(|_| says_less) {
            Some(refusal) => item.because(Verdict::Refused, refusal),
            None => item,
        }
    };
    finish(items.into_iter().map(judged).collect(), orders, dry_run)
}

fn price_changed(quote: &Quote, requote: &Quote) -> Refusal {
    Refusal::new(
        Reason::PriceChanged,
        format!(
            "it was quoted {} until {} and is now {} until {}",
            quote.total,
            quote.prepared.new_expiry().rfc3339(),
            requote.total,
            requote.prepared.new_expiry().rfc3339()
        ),
    )
    .hint("quote it again and accept the new price")
}

/// Why an `--atomic` selection is not renewed, where it is not.
fn not_atomic(arrangement: &Arrangement, refused: &[Unquoted]) -> Option<Refusal> {
    let first = arrangement
        .refused
        .iter()
        .map(|(quote, refusal)| (&quote.prepared.resource, refusal))
        .chain(refused.iter().filter(|(_, verdict, _)| *verdict == Verdict::Refused).map(|(id, _, r)| (id, r)))
        .next();
    if let Some((id, refusal)) = first {
        return Some(
            Refusal::new(Reason::Atomic, format!("{id} cannot be renewed: {refusal}"))
                .hint("leave it out, or renew without `--atomic`"),
        );
    }
    let orders: BTreeSet<&OrderId> =
        arrangement.adopted.iter().chain(&arrangement.placed).map(|order| &order.id).collect();
    (1 < orders.len()).then(|| {
        Refusal::new(
            Reason::Atomic,
            format!("the selection needs {} orders, and only one order is atomic", orders.len()),
        )
        .hint("select at most 100 resources of one account, currency and method list")
    })
}

fn all_refused(quotes: Vec<Quote>, why: &Refusal) -> Arrangement {
    Arrangement {
        refused: quotes.into_iter().map(|quote| (quote, why.clone())).collect(),
        real: true,
        ..Arrangement::default()
    }
}

#[cfg(test)]
mod tests;
