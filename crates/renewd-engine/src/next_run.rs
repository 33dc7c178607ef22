//! The outlook: prices of the next automatic renewals, and the money that a `run` at a moment would charge.

use crate::charge::next_charge;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::pricing::{Job, Pricer};
use crate::report::order_items;
use crate::running::{Due, Pays, due, order_all, pays};
use crate::shelf::Blobs;
use crate::view::{Item, NextRun, RunCharge, Totals, add_total};
use chrono::{DateTime, Utc};
use renewd_core::cover::Cover;
use renewd_core::decide;
use renewd_core::ids::ResourceId;
use renewd_core::order::{Order, OrderStatus};
use renewd_core::quote::{Quote, Wish, prepare};
use renewd_core::refusal::{Reason, Refusal, Verdict};
use renewd_core::resource::Resource;
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
    for resource in state.resources.values() {
        let cover = Cover::find(resource, state.policies());
        let charge = next_charge(resource, &cover, now);
        let Some(at) = charge.quoted_at(now) else { continue };
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
    let next_run = next_run(engine, state, blobs, &quotes, now)?;
    Ok(Outlook { quotes, auto_totals, next_run })
}

/// The quotes of some resources, each at its own moment, in the same order.
pub(crate) fn upcoming(
    engine: &Engine,
    state: &State,
    blobs: &dyn Blobs,
    at: &[(&Resource, DateTime<Utc>)],
) -> Result<Vec<Result<Quote, Refusal>>, EngineError> {
    let mut quotes: Vec<Option<Result<Quote, Refusal>>> = Vec::new();
    let mut jobs = Vec::new();
    for (resource, at) in at {
        let cover = Cover::find(resource, state.policies());
        match job(state, resource, &cover, *at) {
            Ok(job) => {
                jobs.push(job);
                quotes.push(None);
            }
            Err(refusal) => quotes.push(Some(Err(refusal))),
        }
    }
    let step = engine.step("pricing", jobs.len());
    let mut priced = Pricer::new(state, &engine.shelf, blobs).price(jobs, &step)?.into_iter();
    Ok(quotes.into_iter().filter_map(|quote| quote.or_else(|| priced.next())).collect())
}

fn job<'a>(state: &'a State, resource: &'a Resource, cover: &Cover<'a>, at: DateTime<Utc>) -> Result<Job<'a>, Refusal> {
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

/// What a run at this moment would charge: due automatic renewals as it would order them, and the orders that it would
/// pay, each priced again as paying it would.
fn next_run(
    engine: &Engine,
    state: &State,
    blobs: &dyn Blobs,
    quotes: &BTreeMap<ResourceId, Result<Quote, Refusal>>,
    now: DateTime<Utc>,
) -> Result<NextRun, EngineError> {
    let mut run = NextRun::default();
    let Due { resources, blocked } = due(state, now);
    run.refused.extend(blocked.iter().map(|(id, verdict, refusal)| Item::refused(id, *verdict, refusal)));
    let mut ordered = Vec::new();
    for resource in resources {
        match quotes.get(&resource.id) {
            Some(Ok(quote)) => ordered.push(quote.clone()),
            Some(Err(refusal)) => run.refused.push(Item::refused(&resource.id, Verdict::Refused, refusal)),
            None => {}
        }
    }
    let mut trial = state.clone();
    let arrangement = order_all(&mut trial, ordered, None, now, 1);
    for (quote, refusal) in &arrangement.refused {
        run.refused.push(Item::refused(&quote.prepared.resource, Verdict::Refused, refusal));
    }
    for order in arrangement.placed.iter().chain(&arrangement.adopted) {
        match order.status {
            OrderStatus::Open => charge(&mut run, order),
            OrderStatus::Held
            | OrderStatus::Paying
            | OrderStatus::Unknown
            | OrderStatus::Pending
            | OrderStatus::Settled { .. }
            | OrderStatus::Canceled { .. }
            | OrderStatus::Expired { .. } => run.refused.extend(order_items(order, false)),
        }
    }
    for order in state.orders.values().filter(|order| pays(state, order, now) != Pays::No) {
        let requotes = engine.requote(state, blobs, order, now)?;
        match decide::check_lines(state, order, &requotes) {
            Ok(()) => charge(&mut run, order),
            Err(refusal) => run.refused.extend(order.lines.iter().map(|line| {
                let mut item = Item::refused(&line.prepared.resource, Verdict::Refused, &refusal);
                item.order = Some(order.id.clone());
                item
            })),
        }
    }
    run.accounts.sort_by(|left, right| left.account.cmp(&right.account));
    Ok(run)
}

fn charge(run: &mut NextRun, order: &Order) {
    run.resources += order.lines.len();
    add_total(&mut run.totals, order.total);
    let charge = RunCharge { account: order.account.clone(), resources: order.lines.len(), total: order.total };
    let same = |sum: &&mut RunCharge| sum.account == charge.account && sum.total.currency() == charge.total.currency();
    match run.accounts.iter_mut().find(same) {
        Some(sum) => {
            sum.resources += charge.resources;
            sum.total = sum.total.plus(charge.total).unwrap_or(sum.total);
        }
        None => run.accounts.push(charge),
    }
}
