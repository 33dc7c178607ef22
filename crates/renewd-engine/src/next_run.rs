//! The outlook: prices of the next automatic renewals, and the money that a `run` at a moment would charge.

use crate::charge::{charge_blocked, next_charge};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::pricing::{Job, Pricer};
use crate::shelf::Blobs;
use crate::view::{Item, NextRun, RunCharge, Totals, add_total};
use chrono::{DateTime, Utc};
use renewd_core::cover::Cover;
use renewd_core::decide;
use renewd_core::ids::{AccountName, ResourceId};
use renewd_core::money::Money;
use renewd_core::order::{Order, OrderStatus};
use renewd_core::quote::{Quote, Wish, prepare};
use renewd_core::refusal::{Reason, Refusal, Verdict};
use renewd_core::state::State;
use std::collections::BTreeMap;

/// What is to come.
pub(crate) struct Outlook {
    /// The quote of each auto resource's next renewal, at the moment of its charge, or why it has none.
    pub(crate) quotes: BTreeMap<ResourceId, Result<Quote, Refusal>>,
    /// Price of all of them.
    pub(crate) auto_totals: Totals,
    /// What a run now would charge.
    pub(crate) next_run: NextRun,
}

impl Outlook {
    /// How many resources were priced.
    pub(crate) fn priced(&self) -> usize {
        self.quotes.values().filter(|quote| quote.is_ok()).count()
    }

    /// The prices as texts, for comparing.
    pub(crate) fn prices(&self) -> BTreeMap<ResourceId, String> {
        self.quotes
            .iter()
            .map(|(id, quote)| {
                let text = match quote {
                    Ok(quote) => quote.total.to_string(),
                    Err(refusal) => refusal.reason.as_str().to_owned(),
                };
                (id.clone(), text)
            })
            .collect()
    }
}

/// Prices the next renewal of every auto resource at the moment of its charge.
pub(crate) fn outlook(
    engine: &Engine,
    state: &State,
    blobs: &dyn Blobs,
    now: DateTime<Utc>,
) -> Result<Outlook, EngineError> {
    let mut quotes = BTreeMap::new();
    let mut jobs = Vec::new();
    let mut due = Vec::new();
    for resource in state.resources.values() {
        let cover = Cover::find(resource, state.policies());
        let charge = next_charge(resource, &cover, now);
        let Some(at) = charge.quoted_at(now) else { continue };
        if charge.is_due() {
            due.push(resource.id.clone());
        }
        match job(state, resource, &cover, at) {
            Ok(job) => jobs.push(job),
            Err(refusal) => {
                quotes.insert(resource.id.clone(), Err(refusal));
            }
        }
    }
    let ids: Vec<ResourceId> = jobs.iter().map(|job: &Job<'_>| job.resource.id.clone()).collect();
    let step = engine.step("pricing", jobs.len());
    let answers = Pricer::new(state, &engine.shelf, blobs).price(jobs, &step)?;
    quotes.extend(ids.into_iter().zip(answers));
    let mut auto_totals = Totals::new();
    for quote in quotes.values().flatten() {
        add_total(&mut auto_totals, quote.total);
    }
    let mut next_run = next_run(state, &quotes, &due);
    charge_orders(engine, state, blobs, now, &mut next_run)?;
    Ok(Outlook { quotes, auto_totals, next_run })
}

fn job<'a>(
    state: &'a State,
    resource: &'a renewd_core::resource::Resource,
    cover: &Cover<'a>,
    at: DateTime<Utc>,
) -> Result<Job<'a>, Refusal> {
    let name = &resource.description.account;
    let Some(account) = state.account(name) else {
        return Err(Refusal::new(Reason::NoAccount, format!("there is no account `{name}`")));
    };
    let prepared = prepare(resource, cover, account, &Wish::default(), at)?;
    let Some(policy) = cover.policy() else {
        return Err(Refusal::new(Reason::NoPolicy, "no policy matches it"));
    };
    Ok(Job { prepared, resource, policy, account, at })
}

/// Whether a run pays an order: those that a request asked for.
fn paid_by_run(order: &Order) -> bool {
    order.status == OrderStatus::Open && order.requests().next().is_some()
}

/// Adds the open orders of requests, each priced again as paying it would.
fn charge_orders(
    engine: &Engine,
    state: &State,
    blobs: &dyn Blobs,
    now: DateTime<Utc>,
    run: &mut NextRun,
) -> Result<(), EngineError> {
    for order in state.orders.values().filter(|order| paid_by_run(order)) {
        let requotes = engine.requote(state, blobs, order, now)?;
        match decide::check_lines(state, order, &requotes) {
            Ok(()) => {
                run.resources += order.lines.len();
                add_total(&mut run.totals, order.total);
                let charge =
                    RunCharge { account: order.account.clone(), resources: order.lines.len(), total: order.total };
                match run.accounts.iter_mut().find(|sum| sum.account == charge.account) {
                    Some(sum) if sum.total.currency() == charge.total.currency() => {
                        sum.resources += charge.resources;
                        sum.total = sum.total.plus(charge.total).unwrap_or(sum.total);
                    }
                    Some(_) | None => run.accounts.push(charge),
                }
            }
            Err(refusal) => run.refused.extend(order.lines.iter().map(|line| {
                let mut item = Item::refused(&line.prepared.resource, Verdict::Refused, &refusal);
                item.order = Some(order.id.clone());
                item
            })),
        }
    }
    Ok(())
}

/// Due automatic renewals that nothing stands in the way of.
fn next_run(state: &State, quotes: &BTreeMap<ResourceId, Result<Quote, Refusal>>, due: &[ResourceId]) -> NextRun {
    let mut run = NextRun::default();
    let mut accounts: BTreeMap<(AccountName, &'static str), (usize, Money)> = BTreeMap::new();
    let mut charge = |account: &AccountName, resources: usize, total: Money| {
        let key = (account.clone(), total.currency().code());
        let sum = accounts.entry(key).or_insert((0, Money::zero(total.currency())));
        sum.0 += resources;
        if let Ok(next) = sum.1.plus(total) {
            sum.1 = next;
        }
    };
    for id in due {
        let Some(resource) = state.resources.get(id) else { continue };
        if resource.open_order.as_ref().and_then(|order| state.orders.get(order)).is_some_and(paid_by_run) {
            continue;
        }
        if let Some(why) = charge_blocked(resource) {
            let reason = if resource.freeze.is_some() { Reason::Frozen } else { Reason::OpenOrder };
            run.refused.push(Item::refused(id, Verdict::Refused, &Refusal::new(reason, why)));
            continue;
        }
        match quotes.get(id) {
            Some(Ok(quote)) => charge(&quote.prepared.account, 1, quote.total),
            Some(Err(refusal)) => run.refused.push(Item::refused(id, Verdict::Refused, refusal)),
            None => {}
        }
    }
    for ((account, _), (resources, total)) in accounts {
        run.resources += resources;
        add_total(&mut run.totals, total);
        run.accounts.push(RunCharge { account, resources, total });
    }
    run
}
