//! Requests: the orders that `RenewalRequest` documents would place.

use crate::arrange::{Ask, arrange};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::report::{order_items, order_summary};
use crate::shelf::Blobs;
use crate::view::{Item, PlannedOrder};
use chrono::{DateTime, Utc};
use renewd_core::documents::{Document, RenewalRequest};
use renewd_core::event::Event;
use renewd_core::ids::{RequestName, ResourceId};
use renewd_core::order::{Order, Origin};
use renewd_core::quote::Wish;
use renewd_core::refusal::{Reason, Refusal, Verdict};
use renewd_core::resource::Resource;
use renewd_core::state::State;
use std::collections::BTreeSet;

/// Orders that requests place, and one item for each resource that a request selects.
#[derive(Debug, Clone, Default)]
pub(crate) struct RequestPlan {
    pub(crate) placed: Vec<Order>,
    pub(crate) events: Vec<Event>,
    pub(crate) items: Vec<Item>,
    /// Refused items of requests that placed something in this plan, or that are new or changed in it.
    pub(crate) refused_now: usize,
}

impl RequestPlan {
    pub(crate) fn orders(&self) -> Vec<PlannedOrder> {
        let request = |order: &Order| order.origin.request().map(ToString::to_string).unwrap_or_default();
        self.placed
            .iter()
            .map(|order| PlannedOrder { request: request(order), order: order_summary(order, false, false) })
            .collect()
    }
}

/// Where a plan of requests starts from.
pub(crate) struct Start<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) blobs: &'a dyn Blobs,
    pub(crate) now: DateTime<Utc>,
    /// Sequence that the first order will have.
    pub(crate) next_sequence: u64,
    /// Requests that are new or changed.
    pub(crate) changed: BTreeSet<RequestName>,
}

impl Start<'_> {
    /// Plans the orders of every request in force and applies them to the state.
    pub(crate) fn plan(&self, state: &mut State) -> Result<RequestPlan, EngineError> {
        let mut plan = RequestPlan::default();
        let requests: Vec<RenewalRequest> = state
            .documents
            .values()
            .filter_map(|document| match document {
                Document::RenewalRequest(request) => Some(request.clone()),
                _ => None,
            })
            .collect();
        for request in requests {
            self.plan_request(state, &request, &mut plan)?;
        }
        Ok(plan)
    }

    fn plan_request(
        &self,
        state: &mut State,
        request: &RenewalRequest,
        plan: &mut RequestPlan,
    ) -> Result<(), EngineError> {
        let wish = Wish { term: request.term, align: request.align, same_date: None };
        let selected = state.resources.values().filter(|resource| wanted(request, resource));
        let (mine, free): (Vec<&Resource>, Vec<&Resource>) =
            selected.partition(|resource| in_own_order(state, request, resource));
        let mine: Vec<ResourceId> = mine.iter().map(|resource| resource.id.clone()).collect();
        let wishes = free.into_iter().map(|resource| (resource, wish.clone())).collect();
        let (quotes, refused) = self.engine.quote_wishes(state, self.blobs, wishes, Some(&request.name), self.now)?;
        let ask = Ask {
            origin: Origin::Request { request: request.name.clone() },
            pay_with: request.pay_with.clone(),
            max_total: request.max_total,
            now: self.now,
            next_sequence: self.next_sequence.saturating_add(plan.events.len() as u64),
        };
        let arrangement = arrange(state, &quotes, &ask);
        let mut items: Vec<Item> =
            refused.iter().map(|(id, verdict, refusal)| Item::refused(id, *verdict, refusal)).collect();
        items.extend(
            arrangement
                .refused
                .iter()
                .map(|(quote, refusal)| Item::quoted(quote, Verdict::Refused).because(Verdict::Refused, refusal)),
        );
        if self.changed.contains(&request.name) || !arrangement.placed.is_empty() {
            plan.refused_now += items.iter().filter(|item| item.verdict == Verdict::Refused).count();
        }
        let waiting = Refusal::new(Reason::OpenOrder, "it is in an open order of this request");
        items.extend(mine.iter().map(|id| Item::refused(id, Verdict::Unchanged, &waiting)));
        items.extend(arrangement.adopted.iter().flat_map(|order| order_items(order, true)));
        items.extend(arrangement.placed.iter().flat_map(|order| order_items(order, false)));
        plan.items.extend(items);
        plan.placed.extend(arrangement.placed);
        plan.events.extend(arrangement.events);
        Ok(())
    }
}

fn wanted(request: &RenewalRequest, resource: &Resource) -> bool {
    let expiry = &resource.end.expiry;
    request.matcher.matches(&resource.subject())
        && request.expires_before.is_none_or(|moment| expiry.instant() < moment.instant(expiry.zone))
}

fn in_own_order(state: &State, request: &RenewalRequest, resource: &Resource) -> bool {
    let order = resource.open_order.as_ref().and_then(|order| state.orders.get(order));
    order.is_some_and(|order| order.requests().any(|known| *known == request.name))
}
