//! Paying one order when a person asks for it.

use crate::cashier::{Budget, Payer};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::report::{finish, order_items, order_summary};
use crate::shelf::Blobs;
use crate::view::RenewView;
use chrono::{DateTime, Utc};
use renewd_core::documents::{Document, PluginLimits};
use renewd_core::ids::{Digest, MethodName, OrderId};
use renewd_core::order::{Order, OrderStatus};
use renewd_core::quote::{Quote, Wish};
use renewd_core::resource::Resource;
use renewd_core::state::State;

impl Engine {
    /// Pays one order, with its methods in order or the one asked for. Where it is not known what became of its last
    /// attempt, its gateway is asked first.
    ///
    /// # Errors
    /// There is no such order, it cannot be paid, or the store fails.
    pub fn pay(&self, id: &OrderId, pay_with: Option<MethodName>) -> Result<RenewView, EngineError> {
        let now = self.now();
        let snapshot = self.snapshot(now)?;
        self.require_store(&snapshot)?;
        crate::quoting::check_method(&snapshot.state, pay_with.as_ref())?;
        let ids = std::slice::from_ref(id);
        let is_undecided = |state: &State| {
            state.orders.get(id).is_some_and(|order| match order.status {
                OrderStatus::Unknown => !renewd_core::planted::is("unknown-is-payable"),
                OrderStatus::Pending => !renewd_core::planted::is("pending-is-payable"),
                OrderStatus::Open => order.shown_attempt().is_some(),
                _ => false,
            })
        };
        let mut refusal = None;
        let mut may_pay = true;
        if is_undecided(&snapshot.state) {
            self.look_at_once(id)?;
            let state = self.state_with_orders(ids, now)?;
            let is_settled = |order: &Order| matches!(order.status, OrderStatus::Settled { .. });
            may_pay = !is_undecided(&state) && !state.orders.get(id).is_some_and(is_settled);
        }
        if may_pay {
            refusal = self.pay_orders(ids, Payer::Asked(pay_with.as_ref()), &mut Budget::default())?.remove(id);
        }
        self.finish_refunds(ids)?;
        let state = self.state_with_orders(ids, now)?;
        let Some(order) = state.orders.get(id) else {
            return Err(refusal.map_or_else(|| EngineError::Bug(format!("order {id} is gone")), EngineError::Refused));
        };
        if let Some(refusal) = refusal.filter(|_| !is_undecided(&state)) {
            return Err(refusal.into());
        }
        Ok(finish(order_items(order, true), vec![order_summary(order, false, true)], false))
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

    /// The state with some orders, final or not, and nothing else of which there is much.
    pub(crate) fn state_with_orders(&self, orders: &[OrderId], now: DateTime<Utc>) -> Result<State, EngineError> {
        Ok(self.desk_for(orders, now)?.state)
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
