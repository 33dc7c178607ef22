//! Giving lines of paid orders back.

use crate::desk::Desk;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::orders::order_view;
use crate::view::OrderView;
use chrono::{DateTime, Utc};
use renewd_core::cover::{Cover, mode_of};
use renewd_core::decide::{self, RefundAsk};
use renewd_core::documents::Mode;
use renewd_core::event::Event;
use renewd_core::ids::{OrderId, ResourceId};
use renewd_core::money::Money;
use renewd_core::order::Order;
use renewd_core::resource::ModeOverride;

/// What a person wants back.
#[derive(Debug, Clone, PartialEq)]
pub struct RefundWish {
    /// The lines; where there are none all of the order's of which something is left.
    pub resources: Vec<ResourceId>,
    /// How much, for one line or a charge that came too late; all that is left where absent.
    pub amount: Option<Money>,
    /// Why.
    pub reason: String,
}

impl Engine {
    /// Gives lines of a paid order back, each with an intent of its own. Their resources are manual from then on. A
    /// charge that came too late and whose refund was declined is given back again where no line is named.
    ///
    /// # Errors
    /// Nothing, or not everything that was asked for, can be given back, or the store fails.
    pub fn refund(&self, id: &OrderId, wish: &RefundWish) -> Result<OrderView, EngineError> {
        if wish.reason.trim().is_empty() {
            let hint = "say why, with `--reason TEXT`".to_owned();
            return Err(EngineError::input("no-reason", "a refund needs a reason", hint));
        }
        let ids = std::slice::from_ref(id);
        let state = self.state_with_orders(ids, self.now())?;
        let lines: Vec<ResourceId> = match (wish.resources.is_empty(), state.orders.get(id)) {
            (true, Some(order)) => all_lines(order),
            (true, None) | (false, _) => wish.resources.clone(),
        };
        if wish.resources.is_empty() && self.refund_late(id, wish.amount)? {
            return self.refunded_view(id);
        }
        if wish.amount.is_some() && lines.len() != 1 {
            return Err(EngineError::input(
                "amount-of-several-lines",
                format!("`--amount` is for one line, and order {id} has {}", lines.len()),
                "name the line with `--line RESOURCE`".to_owned(),
            ));
        }
        let owner = self.owner()?;
        let mut desk = self.desk_for(ids, self.now())?;
        let mut events = Vec::new();
        for resource in lines {
            events.extend(stays_given_back(&mut desk, id, &resource, self.now()));
            let ask = RefundAsk { resource, amount: wish.amount, reason: wish.reason.clone(), owner: owner.clone() };
            let decided = decide::refund_line(&desk.state, id, ask, self.now())?;
            decided.iter().for_each(|event| desk.state.apply(self.now(), event));
            events.extend(decided);
        }
        desk.push_applied(events);
        desk.commit()?;
        drop(desk);
        self.finish_refunds(ids)?;
        self.refunded_view(id)
    }

    /// Answers whether the order has a charge that came too late and that nobody gives back as yet.
    fn refund_late(&self, id: &OrderId, amount: Option<Money>) -> Result<bool, EngineError> {
        let owner = self.owner()?;
        let mut desk = self.desk_for(std::slice::from_ref(id), self.now())?;
        let Some(events) = decide::retry_late_refund(&desk.state, id, amount, &owner, self.now())? else {
            return Ok(false);
        };
        desk.push(events);
        desk.commit()?;
        drop(desk);
        self.finish_refunds(std::slice::from_ref(id))?;
        Ok(true)
    }

    fn refunded_view(&self, id: &OrderId) -> Result<OrderView, EngineError> {
        let state = self.state_with_orders(std::slice::from_ref(id), self.now())?;
        match state.orders.get(id) {
            Some(order) => Ok(order_view(&state, order)),
            None => Err(EngineError::Bug(format!("order {id} is gone"))),
        }
    }
}

/// The lines of which something can still be given back; all where there are none, so that it is said why.
fn all_lines(order: &Order) -> Vec<ResourceId> {
    let lines = order.lines.iter().map(|line| (&line.prepared.resource, line.total));
    let (left, back): (Vec<_>, Vec<_>) =
        lines.partition(|(resource, total)| order.refunded(resource).is_ok_and(|back| back != *total));
    let lines = if left.is_empty() { back } else { left };
    lines.into_iter().map(|(resource, _)| resource.clone()).collect()
}

/// What a person gives back must not be renewed by itself again at once: its mode becomes manual.
fn stays_given_back(desk: &mut Desk, order: &OrderId, resource: &ResourceId, now: DateTime<Utc>) -> Option<Event> {
    let row = desk.state.resources.get(resource)?;
    let cover = Cover::find(row, desk.state.policies());
    if mode_of(row, &cover, now).0 != Mode::Auto || renewd_core::planted::is("refund-keeps-auto") {
        return None;
    }
    let reason = Some(format!("order {order} was given back"));
    let chosen = ModeOverride { mode: Mode::Manual, actor: desk.actor().to_owned(), reason, until: None };
    let event = Event::ModeChosen { resource: resource.clone(), chosen };
    desk.state.apply(now, &event);
    Some(event)
}
