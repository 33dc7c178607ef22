//! The cashier: pays orders, many at once. Manual renewals, requests, batches and automatic renewals all pay here.
//!
//! Each order goes round: its rows are read, its earlier charges are sought, it is priced again, its intent is written,
//! its gateway is asked, the outcome is written; where a method declines, round again with the next. Outcomes and
//! intents of several orders share a visit to the store and an `fdatasync`. A visit judges by the rows that the last one
//! left for as long as the journal's head is still the same, so that places at a gateway are empty for the time of that
//! `fdatasync`, not for that of opening an index.
//!
//! INVARIANT (two barriers): an intent is durable before its gateway is called; an outcome is durable before anything is
//! shown. The store is never kept open until a gateway has answered.

mod job;
mod pool;
#[cfg(test)]
mod tests;

use crate::arrange::account_methods;
use crate::asking::{Sought, charge_request, earlier_ref, may_revive, outcome, seek};
use crate::desk::{Desk, Kept};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::load::config_text;
use crate::progress::Step;
use crate::running::{Pays, pays, still_pays};
use chrono::{DateTime, Utc};
use job::{Answer, Finished, Job, Priced, Stage, Till};
use pool::Pool;
use renewd_core::decide::{self, Earlier};
use renewd_core::documents::{AccountMethod, Document, PaymentMethod};
use renewd_core::ids::{Digest, MethodName, OrderId};
use renewd_core::money::Money;
use renewd_core::order::{Attempt, Order, OrderStatus, Outcome};
use renewd_core::refusal::{Reason, Refusal};
use renewd_core::state::State;
use renewd_plugin_host::CancelOutcome;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// Orders that are read and priced ahead of the free places.
const AHEAD: usize = 16;

/// Seconds after which a price is too old to begin an attempt with.
const PRICE_AGE_SECONDS: i64 = 60;

/// What may be charged, by currency; everything where no limit is set. What was charged, or may have been because its
/// outcome is not known yet, is taken out of it, so that several runs can share one.
#[derive(Debug, Clone, Default)]
pub struct Budget {
    left: Option<BTreeMap<&'static str, Money>>,
}

impl Budget {
    /// At most these sums; a currency that is not named may not be charged at all. No sums: no limit.
    pub fn of(sums: &[Money]) -> Self {
        let left = sums.iter().map(|sum| (sum.currency().code(), *sum)).collect();
        Self { left: (!sums.is_empty()).then_some(left) }
    }

    pub(crate) fn take(&mut self, total: Money) -> bool {
        let Some(left) = &mut self.left else { return true };
        let Some(sum) = left.get_mut(total.currency().code()) else { return total.is_zero() };
        match sum.minus(total) {
            Ok(rest) if !rest.is_negative() => {
                *sum = rest;
                true
            }
            Ok(_) | Err(_) => false,
        }
    }

    fn give_back(&mut self, total: Money) {
        if let Some(sum) = self.left.as_mut().and_then(|left| left.get_mut(total.currency().code()))
            && let Ok(more) = sum.plus(total)
        {
            *sum = more;
        }
    }
}

/// Who has orders paid.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Payer<'a> {
    /// Somebody asks for it, perhaps with one method only.
    Asked(Option<&'a MethodName>),
    /// A run: what is no longer due when its turn comes is left alone.
    Run,
}

impl<'a> Payer<'a> {
    fn pay_with(self) -> Option<&'a MethodName> {
        match self {
            Self::Asked(method) => method,
            Self::Run => None,
        }
    }
}

/// Why orders were not paid, for a reason that is not their own state.
pub(crate) type Unpaid = BTreeMap<OrderId, Refusal>;

impl Engine {
    /// Tries the methods of each order until one pays, in this order of orders. Answers why no attempt could be begun,
    /// where none could.
    pub(crate) fn pay_orders(
        &self,
        orders: &[OrderId],
        payer: Payer<'_>,
        budget: &mut Budget,
    ) -> Result<Unpaid, EngineError> {
        let step = self.step("paying", orders.len());
        let owner = self.owner()?;
        std::thread::scope(|scope| {
            let mut cashier = Cashier {
                engine: self,
                payer,
                budget,
                step: &step,
                owner,
                waiting: orders.iter().cloned().map(Job::new).collect(),
                priced: Vec::new(),
                pool: Pool::new(scope, self.one_at_a_time),
                running: BTreeMap::new(),
                parked: VecDeque::new(),
                finished: Vec::new(),
                kept: None,
                in_hand: BTreeSet::new(),
                unpaid: Unpaid::new(),
            };
            let served = cashier.serve();
            if served.is_err() {
                cashier.close();
            }
            served.map(|()| cashier.unpaid)
        })
    }
}

/// A method for each gateway that none of these reaches: a method is another gateway's where its plugin or configuration
/// is another. Somebody may have named it for one payment.
fn other_gateways(state: &State, named: &[&AccountMethod]) -> Vec<AccountMethod> {
    let methods = || {
        state.documents.values().filter_map(|document| match document {
            Document::PaymentMethod(method) => Some(method),
            _ => None,
        })
    };
    let mut reached: Vec<&PaymentMethod> =
        methods().filter(|it| named.iter().any(|named| named.method == it.name)).collect();
    let mut others = Vec::new();
    for method in methods() {
        if !reached.iter().any(|it| it.plugin == method.plugin && it.config == method.config) {
            reached.push(method);
            others.push(AccountMethod { method: method.name.clone(), reference: None });
        }
    }
    others
}

/// Why an order waits whose lines have a charge that this store looks after itself.
fn looked_after(method: &AccountMethod, made_for: &OrderId) -> Refusal {
    let method = &method.method;
    let message = format!("{method} has a charge of order {made_for} for it, which is not decided or goes back");
    let hint = format!("`renewd run` goes on with it; `renewd show {made_for}` tells where it stands");
    Refusal::new(Reason::PaymentUnknown, message).hint(hint)
}

struct Cashier<'scope, 'env, 'a> {
    engine: &'a Engine,
    payer: Payer<'a>,
    budget: &'a mut Budget,
    step: &'a Step<'a>,
    owner: String,
    waiting: VecDeque<Job>,
    priced: Vec<Priced>,
    pool: Pool<'scope, 'env, Finished>,
    running: BTreeMap<MethodName, usize>,
    /// Orders whose gateway is to be asked for earlier charges as soon as it has a free place.
    parked: VecDeque<(Job, Order, Digest, Till)>,
    finished: Vec<Finished>,
    /// What the last visit left of the orders in hand.
    kept: Option<Kept>,
    /// Orders that were read and are not done with.
    in_hand: BTreeSet<OrderId>,
    unpaid: Unpaid,
}

impl<'scope, 'env> Cashier<'scope, 'env, '_> {
    fn serve(&mut self) -> Result<(), EngineError> {
        loop {
            let next = self.next_jobs();
            if next.is_empty() && self.finished.is_empty() && !self.can_begin() {
                if self.pool.is_idle() {
                    return Ok(());
                }
                self.finished.extend(self.pool.wait());
                continue;
            }
            let kept = self.visit(&next)?;
            self.pool.ask_queued();
            for job in next {
                self.price(job, &kept.state)?;
            }
            self.kept = Some(kept.only(&self.in_hand));
            self.unpark();
            self.finished.extend(self.pool.done_so_far());
        }
    }

    /// After a failure: begins nothing more, and writes down what the gateways that were asked still say, as far as the
    /// store lets it. What cannot be written is looked into like any payment whose process died.
    fn close(&mut self) {
        while !self.pool.is_idle() {
            self.finished.extend(self.pool.wait());
        }
        let ended = std::mem::take(&mut self.finished);
        let ids: Vec<OrderId> = ended.iter().map(|finished| finished.job.order.clone()).collect();
        if ids.is_empty() {
            return;
        }
        if let Ok(mut desk) = self.engine.desk_from(None, &ids, self.engine.now()) {
            for finished in ended {
                self.end(&mut desk, finished);
            }
            // The failure that came first is the one that is told.
            _ = desk.commit();
        }
    }

    fn next_jobs(&mut self) -> Vec<Job> {
        let room = AHEAD.saturating_sub(self.priced.len());
        let room = if self.engine.one_at_a_time { room.min(1) } else { room };
        self.waiting.drain(..room.min(self.waiting.len())).collect()
    }

    fn is_free(&self, till: &Till) -> bool {
        self.running.get(&till.method.method).copied().unwrap_or_default() < self.places(till)
    }

    /// Payments that may be in flight at a method at once.
    fn places(&self, till: &Till) -> usize {
        if self.engine.one_at_a_time { 1 } else { till.in_flight }
    }

    fn can_begin(&self) -> bool {
        self.priced.iter().any(|priced| self.is_free(&priced.till))
    }

    /// One visit to the store: writes what has ended and what begins, has the gateways asked, and reads what comes next
    /// while they work. Where nobody else has written since the last visit, no place waits for more than the writing.
    fn visit(&mut self, next: &[Job]) -> Result<Kept, EngineError> {
        let now = self.engine.now();
        for finished in &self.finished {
            if let Some(running) = self.running.get_mut(&finished.method.method) {
                *running = running.saturating_sub(1);
            }
        }
        let mut begin = Vec::new();
        let mut blocked = Vec::new();
        let mut places = self.running.clone();
        for priced in std::mem::take(&mut self.priced) {
            let place = places.entry(priced.till.method.method.clone()).or_default();
            if *place < self.places(&priced.till) {
                *place += 1;
                begin.push(priced);
            } else {
                blocked.push(priced);
            }
        }
        self.priced = blocked;
        let ids: Vec<OrderId> = self
            .finished
            .iter()
            .map(|finished| &finished.job.order)
            .chain(begin.iter().map(|priced| &priced.job.order))
            .cloned()
            .collect();
        let mut desk = self.engine.desk_from(self.kept.take(), &ids, now)?;
        if begin.iter().any(|priced| priced.earlier.is_some()) {
            // Which order a charge that was found has paid already may be long ago.
            desk.load_orders()?;
        }
        let ended = std::mem::take(&mut self.finished);
        let ended: Vec<Job> = ended.into_iter().map(|finished| self.end(&mut desk, finished)).collect();
        let begun: Vec<Job> = begin.into_iter().filter_map(|priced| self.begin(&mut desk, priced)).collect();
        desk.commit()?;
        for job in ended.into_iter().chain(begun) {
            self.after_commit(&desk.state, job)?;
        }
        let next: Vec<OrderId> = next.iter().map(|job| job.order.clone()).collect();
        desk.bring_in(&next)?;
        desk.commit()?;
        self.in_hand.extend(next);
        Ok(desk.leave())
    }

    /// Writes down what a gateway said.
    fn end(&mut self, desk: &mut Desk, finished: Finished) -> Job {
        let Finished { mut job, method, answer } = finished;
        match answer {
            Answer::Charged { attempt, outcome } => {
                let now = self.engine.now();
                // Refused: a person or another process has found out meanwhile how it ended.
                if let Ok(events) = decide::end_attempt(&desk.state, &job.order, attempt, outcome, &self.owner, now) {
                    desk.push(events);
                }
                job.stage = Stage::Look;
            }
            Answer::Sought(sought) => job.stage = Stage::Sought(method, sought),
        }
        job
    }

    /// Writes the intent of an attempt, where the order is still as it was priced.
    fn begin(&mut self, desk: &mut Desk, priced: Priced) -> Option<Job> {
        let now = self.engine.now();
        let too_old = PRICE_AGE_SECONDS < now.signed_duration_since(priced.at).num_seconds();
        let holds = (!too_old && priced.still_holds(&desk.state, desk.epoch()))
            || renewd_core::planted::is("price-age-ignored");
        let sought = priced.sought();
        let Priced { mut job, till, requotes, earlier, .. } = priced;
        if !holds {
            match job.price_again() {
                Ok(()) => self.waiting.push_front(job),
                Err(refusal) => self.give_up(job, refusal),
            }
            return None;
        }
        let spec = till.spec(&self.owner, sought);
        let lost = earlier.as_ref().is_some_and(Earlier::took_nothing);
        if lost && let Err(refusal) = job.put_down_lost(&till) {
            self.give_up(job, refusal);
            return None;
        }
        let of_order =
            |order: &&Order| earlier.as_ref().is_some_and(|it| it.attempt_of(order, till.plugin()).is_some());
        if let Some(order) = desk.state.orders.get(&job.order).filter(of_order) {
            // What became of an attempt that the order has comes first: no other method is tried beside it, and nobody is
            // asked about it a second time.
            job.tried.extend(order.methods.clone());
            job.searched.push(till.method.clone());
        }
        let decided = match earlier {
            Some(earlier) => decide::take_earlier(&desk.state, &job.order, spec, earlier, now),
            None => decide::start_attempt(&desk.state, &job.order, spec, &requotes, now),
        };
        match decided {
            Err(refusal) => {
                self.give_up(job, refusal);
                None
            }
            Ok(events) => {
                desk.push(events);
                job.attempted = true;
                // What the gateway had under the key of a lost attempt is no answer to this one.
                if lost {
                    job.search_anew();
                } else {
                    job.tried.push(till.method.clone());
                }
                job.stage = Stage::Begun(till);
                Some(job)
            }
        }
    }

    /// What a job does once its events are durable: it asks its gateway, goes round again, or is done.
    fn after_commit(&mut self, state: &State, mut job: Job) -> Result<(), EngineError> {
        let Some(order) = state.orders.get(&job.order) else {
            return Ok(());
        };
        let in_flight = order.last_attempt().filter(|attempt| attempt.outcome == Outcome::InFlight).cloned();
        match (&job.stage, in_flight) {
            (Stage::Begun(till), Some(attempt)) => {
                let till = till.clone();
                self.charge(job, order, attempt, &till);
            }
            (Stage::Sought(..), _) => self.waiting.push_front(job),
            (Stage::New | Stage::Look | Stage::Begun(_), _) if order.status == OrderStatus::Open => {
                job.stage = Stage::New;
                self.waiting.push_front(job);
            }
            (Stage::New | Stage::Look | Stage::Begun(_), _) => self.done(job, Some(order)),
        }
        Ok(())
    }

    fn charge(&mut self, job: Job, order: &Order, attempt: Attempt, till: &Till) {
        let Some((gateway, _)) = &till.gateway else { return };
        let gateway = Arc::clone(gateway);
        let order = order.clone();
        let method = till.method.clone();
        *self.running.entry(method.method.clone()).or_default() += 1;
        self.pool.ask(move || {
            crate::failpoint("pay.before-call");
            let answer = gateway.charge(&config_text(&attempt.config), &charge_request(&order, &attempt));
            crate::failpoint("pay.after-call");
            let answer = Answer::Charged { attempt: attempt.number, outcome: outcome(answer, &order) };
            Finished { job, method, answer }
        });
    }

    /// Chooses a method and prices the order again from the documents in force, or asks for earlier charges first.
    fn price(&mut self, mut job: Job, state: &State) -> Result<(), EngineError> {
        let now = self.engine.now();
        job.goes_on_in(self.engine.epoch());
        let order = match decide::payable(state, &job.order, now) {
            Ok(order) => order,
            Err(refusal) => {
                self.give_up(job, refusal);
                return Ok(());
            }
        };
        if let Err(refusal) = self.admit(&mut job, state, order, now) {
            self.give_up(job, refusal);
            return Ok(());
        }
        let (till, mut earlier) = match self.found(&mut job, state, order, now)? {
            Err(refusal) => {
                self.give_up(job, refusal);
                return Ok(());
            }
            Ok(Some((till, earlier))) => (till, Some(earlier)),
            Ok(None) => match self.choose(state, order, &mut job)? {
                Some(till) => (till, None),
                None => {
                    self.no_method_left(job, order);
                    return Ok(());
                }
            },
        };
        if earlier.is_none() {
            match self.next_to_search(state, order, &job, &till)? {
                Ok(None) if job.others.is_empty() => {}
                // All gateways have been asked: a person reads of all that they have.
                Ok(None) => earlier = Some(Earlier::Other { detail: job.others.join("; ") }),
                Ok(Some(till)) => {
                    let key = decide::next_payment_key(state, order);
                    self.parked.push_back((job, order.clone(), key, till));
                    return Ok(());
                }
                Err(refusal) => {
                    self.give_up(job, refusal);
                    return Ok(());
                }
            }
        }
        let requotes = self.engine.requote(state, &self.engine.blobs_with(BTreeMap::new()), order, now)?;
        let epoch = self.engine.epoch();
        self.priced.push(Priced::new(job, till, state, order, requotes, earlier, epoch, now));
        Ok(())
    }

    /// The charge that a search for earlier ones has found, where the job comes from one.
    fn found(
        &self,
        job: &mut Job,
        state: &State,
        order: &Order,
        now: DateTime<Utc>,
    ) -> Result<Result<Option<(Till, Earlier)>, Refusal>, EngineError> {
        Ok(match std::mem::replace(&mut job.stage, Stage::New) {
            Stage::Sought(method, Sought::CannotTell(detail)) => {
                let message = format!("{} cannot tell of earlier charges: {detail}", method.method);
                let hint = "nothing was charged; try again when the gateway answers";
                Err(Refusal::new(Reason::PaymentUnknown, message).hint(hint))
            }
            Stage::Sought(method, Sought::Found(earlier, made_for)) => {
                let others = made_for.iter().filter(|id| **id != job.order);
                for made_for in others {
                    if self.looks_after(made_for, now)? {
                        return Ok(Err(looked_after(&method, made_for)));
                    }
                }
                match (self.till(state, method)?, earlier) {
                    // Another process was declined while this one asked.
                    (Ok(till), earlier)
                        if earlier.took_nothing() && earlier.attempt_of(order, till.plugin()).is_some() =>
                    {
                        job.searched.push(till.method);
                        Ok(None)
                    }
                    (Ok(till), Earlier::Other { detail }) => {
                        job.others.push(detail);
                        job.searched.push(till.method);
                        Ok(None)
                    }
                    (Ok(till), earlier @ Earlier::Same { .. }) => {
                        // Should it be priced again, its gateway is not asked a second time: it might deny what it has shown.
                        job.stage = Stage::Sought(till.method.clone(), Sought::Found(earlier.clone(), made_for));
                        Ok(Some((till, earlier)))
                    }
                    (Err(refusal), _) => Err(refusal),
                }
            }
            Stage::Sought(method, Sought::None) => {
                job.searched.push(method);
                Ok(None)
            }
            Stage::New | Stage::Look | Stage::Begun(_) => Ok(None),
        })
    }

    /// INVARIANT (one-payment-pays-once): whether this store itself looks after an order's charges, which are not decided,
    /// go back or have to, so that none of them is one that was lost.
    fn looks_after(&self, order: &OrderId, now: DateTime<Utc>) -> Result<bool, EngineError> {
        let state = self.engine.state_with_orders(std::slice::from_ref(order), now)?;
        let open = |order: &Order| {
            let goes_back = order.refunds.iter().any(|refund| !refund.outcome.is_final());
            order.attempts.iter().any(Attempt::is_looked_after) || goes_back || decide::late_charge(order).is_some()
        };
        Ok(state.orders.get(order).is_some_and(open))
    }

    /// Whether its turn has come: a run leaves alone what was changed meanwhile, and charges no more than it may.
    fn admit(&mut self, job: &mut Job, state: &State, order: &Order, now: DateTime<Utc>) -> Result<(), Refusal> {
        if let Payer::Run = self.payer {
            match if job.attempted { still_pays(state, order, now) } else { pays(state, order, now) } {
                Pays::No => {
                    let message = format!("order {} is no longer due: its renewal was changed meanwhile", order.id);
                    return Err(Refusal::new(Reason::OrderState, message));
                }
                Pays::GoesOn if job.tried.is_empty() => {
                    let left = decide::methods_left(state, order, now);
                    job.tried = order.methods.iter().filter(|method| !left.contains(method)).cloned().collect();
                }
                Pays::GoesOn | Pays::Anew => {}
            }
        }
        if job.reserved.is_none() {
            if !self.budget.take(order.total) {
                let message = "it would exceed what this run may charge".to_owned();
                return Err(Refusal::new(Reason::OverMaxCharge, message).hint("run again with a higher `--max-charge`"));
            }
            job.reserved = Some(order.total);
        }
        Ok(())
    }

    /// The next method that can be tried, with its gateway.
    fn choose(&mut self, state: &State, order: &Order, job: &mut Job) -> Result<Option<Till>, EngineError> {
        if order.total.is_zero() {
            return Ok(Some(Till::for_nothing()));
        }
        for method in self.methods_to_try(state, order) {
            if job.tried.contains(&method) {
                continue;
            }
            match self.till(state, method.clone())? {
                Ok(till) => return Ok(Some(till)),
                Err(refusal) => {
                    job.refusal = Some(refusal);
                    job.tried.push(method);
                }
            }
        }
        Ok(None)
    }

    fn methods_to_try(&self, state: &State, order: &Order) -> Vec<AccountMethod> {
        let (now, pay_with) = (self.engine.now(), self.payer.pay_with());
        let known: Vec<AccountMethod> =
            decide::usable_methods(state, order, pay_with, now).into_iter().cloned().collect();
        let listed = pay_with.is_some_and(|name| order.methods.iter().any(|method| method.method == *name));
        if listed || pay_with.is_none() {
            return known;
        }
        let account = state.account(&order.account);
        let mut named = account.map_or(Vec::new(), |account| account_methods(account, None, pay_with));
        named.retain(|method| !decide::has_said_never(order, method));
        named
    }

    fn till(&self, state: &State, method: AccountMethod) -> Result<Result<Till, Refusal>, EngineError> {
        if method.method.is_balance() {
            return Ok(Ok(Till::of_balance(method)));
        }
        let (document, plugin) = match crate::gateway::payment_documents(state, &method.method) {
            Ok(found) => found,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let gateway = self.engine.gateway(plugin, &self.engine.blobs_with(BTreeMap::new()))?;
        Ok(gateway.map(|gateway| Till {
            method,
            config: document.config.clone(),
            in_flight: document.in_flight(),
            gateway: Some((gateway, Box::new(plugin.clone()))),
        }))
    }

    /// The next gateway that must be asked for earlier charges, before the first charge of a resource in this store,
    /// which is new or restored: each that the order could have been paid at, its account's others included, and in a
    /// restored store all others, because the lost payment may have been at any of them. A method whose documents are
    /// gone has nobody to ask.
    fn next_to_search(
        &self,
        state: &State,
        order: &Order,
        job: &Job,
        chosen: &Till,
    ) -> Result<Result<Option<Till>, Refusal>, EngineError> {
        if renewd_core::planted::is("earlier-not-sought") {
            return Ok(Ok(None));
        }
        let epoch = Some(self.engine.epoch());
        let mut rows = order.lines.iter().filter_map(|line| state.resources.get(&line.prepared.resource));
        if order.total.is_zero() || order.sought == epoch || rows.all(|row| row.sought == epoch) {
            return Ok(Ok(None));
        }
        let account = state.account(&order.account);
        let of_account = account.map_or(&[][..], |account| account.payment_methods.as_slice());
        let named: Vec<&AccountMethod> = order.methods.iter().chain([&chosen.method]).chain(of_account).collect();
        let others = if 0 < self.engine.epoch() { other_gateways(state, &named) } else { Vec::new() };
        for method in named.into_iter().chain(&others) {
            let is_known = crate::gateway::payment_documents(state, &method.method).is_ok();
            if !is_known || job.searched.contains(method) {
                continue;
            }
            match self.till(state, method.clone())? {
                Ok(till) if till.gateway.as_ref().is_some_and(|(gateway, _)| gateway.has_memory()) => {
                    return Ok(Ok(Some(till)));
                }
                Ok(_) => {}
                Err(refusal) => return Ok(Err(refusal)),
            }
        }
        Ok(Ok(None))
    }

    fn unpark(&mut self) {
        for (job, order, key, till) in std::mem::take(&mut self.parked) {
            if self.is_free(&till) {
                self.search(job, order, key, till);
            } else {
                self.parked.push_back((job, order, key, till));
            }
        }
    }

    fn search(&mut self, job: Job, order: Order, key: Digest, till: Till) {
        let Some((gateway, _)) = till.gateway else { return };
        let now = self.engine.now();
        *self.running.entry(till.method.method.clone()).or_default() += 1;
        self.pool.ask(move || {
            let asked = earlier_ref(&order, key, till.method.reference.clone(), now);
            let config = config_text(&till.config);
            crate::failpoint("seek.before-call");
            let mut answer = seek(asked.clone(), &order, key, |asked| gateway.find_charge(&config, asked));
            let revives = matches!(&answer, Sought::Found(Earlier::Same { outcome, .. }, _) if may_revive(outcome));
            if revives && gateway.can_cancel() {
                match gateway.cancel(&config, &asked) {
                    CancelOutcome::Canceled => {}
                    CancelOutcome::NotFound
                    | CancelOutcome::Charged { .. }
                    | CancelOutcome::Pending { .. }
                    | CancelOutcome::Unknown { .. } => {
                        answer = Sought::CannotTell("an earlier charge of it could not be stopped".to_owned());
                    }
                }
            }
            crate::failpoint("seek.after-call");
            Finished { job, method: till.method, answer: Answer::Sought(answer) }
        });
    }

    fn no_method_left(&mut self, job: Job, order: &Order) {
        // What was tried has left its mark on the order; only where nothing could be tried is there more to say.
        if job.attempted && job.refusal.is_none() {
            self.done(job, Some(order));
            return;
        }
        let id = &order.id;
        let refusal = job.refusal.clone().unwrap_or_else(|| {
            Refusal::new(Reason::NoPaymentMethod, format!("every method of order {id} has declined for good"))
                .hint(format!("`renewd orders pay {id} --pay-with METHOD`, or `renewd orders cancel {id}`"))
        });
        self.give_up(job, refusal);
    }

    fn give_up(&mut self, job: Job, refusal: Refusal) {
        if let Some(total) = job.reserved {
            self.budget.give_back(total);
        }
        self.in_hand.remove(&job.order);
        self.unpaid.insert(job.order, refusal);
        self.step.step(1);
    }

    fn done(&mut self, job: Job, order: Option<&Order>) {
        let may_be_paid = order.is_none_or(|order| match order.status {
            OrderStatus::Settled { .. } | OrderStatus::Paying | OrderStatus::Unknown | OrderStatus::Pending => true,
            OrderStatus::Open | OrderStatus::Held | OrderStatus::Canceled { .. } | OrderStatus::Expired { .. } => false,
        });
        if let Some(total) = job.reserved.filter(|_| !may_be_paid) {
            self.budget.give_back(total);
        }
        self.in_hand.remove(&job.order);
        self.step.step(1);
    }
}
