//! Renewing: an accepted quote becomes orders, which are paid. Manual renewals, batches and requests share this path.

use crate::arrange::{Arrangement, Ask, arrange};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::options::RenewOptions;
use crate::paying::Fresh;
use crate::quoting::{Quoted, Unquoted};
use crate::report::renew_view;
use crate::view::RenewView;
use chrono::{DateTime, Utc};
use renewd_core::decide::same_renewal;
use renewd_core::ids::OrderId;
use renewd_core::quote::{Quote, Wish};
use renewd_core::refusal::{Reason, Refusal, Verdict};
use renewd_core::resource::Resource;
use std::collections::BTreeSet;

/// Quotes that hold, those that no longer do, and the documents for which that was found.
type StillTrue = (Vec<Quote>, Vec<Unquoted>, Fresh);

impl Engine {
    /// Places orders for a quoted selection and, unless told otherwise, pays them.
    ///
    /// # Errors
    /// The store fails. What cannot be renewed is an item of the answer, not an error.
    pub fn renew(&self, quoted: Quoted, options: &RenewOptions) -> Result<RenewView, EngineError> {
        let now = self.now();
        let saved = quoted.saved;
        let mut refused = saved.refused;
        let (quotes, changed, fresh) = self.still_true(saved.quotes, saved.documents, saved.at, now)?;
        refused.extend(changed);
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
        if !options.pay_later {
            let step = self.step("paying", orders.len());
            for order in &arrangement.adopted {
                self.pay_order(&order.id, saved.ask.pay_with.as_ref(), None)?;
                step.step(1);
            }
            for order in &arrangement.placed {
                self.pay_order(&order.id, saved.ask.pay_with.as_ref(), Some(&fresh))?;
                step.step(1);
            }
        }
        let state = self.state_with_orders(&orders, now)?;
        Ok(renew_view(&state, arrangement, &refused, false))
    }

    /// Prices quotes again unless nothing can have changed since; what differs is refused with `price-changed`.
    fn still_true(
        &self,
        quotes: Vec<Quote>,
        documents: Option<renewd_core::ids::Digest>,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<StillTrue, EngineError> {
        let snapshot = self.snapshot(now)?;
        self.require_store(&snapshot)?;
        let fresh = Fresh { documents: snapshot.state.meta.digest, at: now };
        if at == now && documents == snapshot.state.meta.digest {
            return Ok((quotes, Vec::new(), fresh));
        }
        let wishes: Vec<(&Resource, Wish)> = quotes
            .iter()
            .filter(|quote| now < quote.valid_until)
            .filter_map(|quote| {
                let resource = snapshot.state.resources.get(&quote.prepared.resource)?;
                Some((resource, quote.prepared.wish.clone()))
            })
            .collect();
        let (again, _) = self.quote_wishes(&snapshot.state, snapshot.blobs(), wishes, None, now)?;
        let mut kept = Vec::new();
        let mut changed = Vec::new();
        for quote in quotes {
            let requote = again.iter().find(|again| again.prepared.resource == quote.prepared.resource);
            // A quote of an expiry that moved is kept here: placing it says so in its own words.
            match requote {
                Some(requote)
                    if requote.prepared.generation == quote.prepared.generation
                        && requote.prepared.old_end.expiry == quote.prepared.old_end.expiry
                        && !same_renewal(&quote, requote) =>
                {
                    let refusal = Refusal::new(
                        Reason::PriceChanged,
                        format!(
                            "it was quoted {} until {} and is now {} until {}",
                            quote.total,
                            quote.prepared.new_expiry().rfc3339(),
                            requote.total,
                            requote.prepared.new_expiry().rfc3339()
                        ),
                    )
                    .hint("quote it again and accept the new price");
                    changed.push((quote.prepared.resource.clone(), Verdict::Refused, refusal));
                }
                Some(_) | None => kept.push(quote),
            }
        }
        Ok((kept, changed, fresh))
    }
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
