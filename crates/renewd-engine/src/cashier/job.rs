//! An order on its way through the cashier.

use crate::asking::Sought;
use crate::gateway::Gateway;
use chrono::{DateTime, Utc};
use renewd_core::decide::{AttemptSpec, Earlier};
use renewd_core::documents::{AccountMethod, IN_FLIGHT_DEFAULT, Plugin};
use renewd_core::ids::{MethodName, OrderId};
use renewd_core::money::Money;
use renewd_core::order::{Order, Outcome};
use renewd_core::quote::Quote;
use renewd_core::refusal::{Reason, Refusal};
use renewd_core::resource::Resource;
use renewd_core::state::{Meta, State};
use std::sync::Arc;

/// Times that an order is priced again because something changed between pricing and intent.
const REPRICE_TRIES: usize = 20;

/// Attempts of a lost history, all of which took nothing, that are put down for an order at a time.
pub(super) const LOST_TRIES: usize = 20;

/// Where an order is on its way.
pub(super) enum Stage {
    /// A method is to be chosen.
    New,
    /// Its gateway has answered.
    Look,
    /// A method's gateway has said what it knows of earlier charges.
    Sought(AccountMethod, Sought),
    /// Its intent is written.
    Begun(Till),
}

/// An order that is to be paid.
pub(super) struct Job {
    pub(super) order: OrderId,
    /// Methods that were tried, or could not be.
    pub(super) tried: Vec<AccountMethod>,
    /// Methods whose gateways have been asked for earlier charges, and know of none that pays the order.
    pub(super) searched: Vec<AccountMethod>,
    /// Charges that they have of its lines, with other lines or another total, in words.
    pub(super) others: Vec<String>,
    /// Epoch of the store that they were asked for, once it is known.
    pub(super) epoch: Option<u32>,
    reprices: usize,
    /// Attempts of a lost history that were put down.
    lost: usize,
    /// Why the last method could not be tried.
    pub(super) refusal: Option<Refusal>,
    /// Whether an attempt was begun.
    pub(super) attempted: bool,
    /// What is taken out of what may be charged for it: in the order of orders, before anything else.
    pub(super) reserved: Option<Money>,
    pub(super) stage: Stage,
}

impl Job {
    pub(super) fn new(order: OrderId) -> Self {
        Self {
            order,
            tried: Vec::new(),
            searched: Vec::new(),
            others: Vec::new(),
            epoch: None,
            reprices: 0,
            lost: 0,
            refusal: None,
            attempted: false,
            reserved: None,
            stage: Stage::New,
        }
    }

    /// Counts that it is priced again.
    ///
    /// # Errors
    /// It was too often.
    pub(super) fn price_again(&mut self) -> Result<(), Refusal> {
        self.reprices += 1;
        if self.reprices <= REPRICE_TRIES {
            return Ok(());
        }
        let message = "others keep changing what it is priced from";
        Err(Refusal::new(Reason::OrderState, message).hint("try again"))
    }

    /// Counts that an attempt of a lost history is put down, which took nothing at this method: a gateway that tells of
    /// one under every key must not be asked for ever.
    ///
    /// # Errors
    /// There are too many.
    pub(super) fn put_down_lost(&mut self, till: &Till) -> Result<(), Refusal> {
        self.lost += 1;
        if self.lost <= LOST_TRIES {
            return Ok(());
        }
        let name = &till.method.method;
        let message = format!("{name} tells of yet another lost attempt that took nothing, after {LOST_TRIES} others");
        let hint = "nothing was charged; try again, and it is asked for those that come after them";
        Err(Refusal::new(Reason::PaymentUnknown, message).hint(hint))
    }

    /// Forgets what gateways said of earlier charges where the store has been restored since: it has lost others.
    pub(super) fn goes_on_in(&mut self, epoch: u32) {
        if self.epoch.replace(epoch) != Some(epoch) {
            self.search_anew();
            self.stage = Stage::New;
        }
    }

    /// Forgets what gateways said of earlier charges: they were asked under another key than that of the next attempt.
    pub(super) fn search_anew(&mut self) {
        self.searched.clear();
        self.others.clear();
    }
}

/// A method that can be tried, with its gateway; `balance` has none.
#[derive(Clone)]
pub(super) struct Till {
    pub(super) method: AccountMethod,
    pub(super) config: serde_json::Value,
    /// Payments that may be in flight at the method at once.
    pub(super) in_flight: usize,
    pub(super) gateway: Option<(Arc<dyn Gateway>, Box<Plugin>)>,
}

impl Till {
    pub(super) fn of_balance(method: AccountMethod) -> Self {
        Self { method, config: serde_json::Value::Null, in_flight: IN_FLIGHT_DEFAULT.into(), gateway: None }
    }

    /// What settles an order that costs nothing.
    pub(super) fn for_nothing() -> Self {
        Self::of_balance(AccountMethod { method: MethodName::balance(), reference: None })
    }

    pub(super) fn plugin(&self) -> Option<&Plugin> {
        self.gateway.as_ref().map(|(_, document)| &**document)
    }

    pub(super) fn spec(&self, owner: &str, sought: Option<u32>) -> AttemptSpec {
        let document = self.gateway.as_ref().map(|(_, document)| document.clone());
        AttemptSpec {
            method: self.method.clone(),
            plugin: document.as_ref().map(|document| document.digest),
            config: self.config.clone(),
            document,
            sought,
            owner: owner.to_owned(),
        }
    }
}

/// An order that was priced again, and what it was priced from.
pub(super) struct Priced {
    pub(super) job: Job,
    pub(super) till: Till,
    pub(super) requotes: Vec<Quote>,
    /// A charge that the gateway knows already.
    pub(super) earlier: Option<Earlier>,
    /// Epoch of the store when it was priced.
    epoch: u32,
    pub(super) at: DateTime<Utc>,
    basis: Basis,
}

impl Priced {
    #[expect(clippy::too_many_arguments, reason = "the parts are made one after the other and kept together from here")]
    pub(super) fn new(
        job: Job,
        till: Till,
        state: &State,
        order: &Order,
        requotes: Vec<Quote>,
        earlier: Option<Earlier>,
        epoch: u32,
        at: DateTime<Utc>,
    ) -> Self {
        Self { basis: basis(state, order), job, till, requotes, earlier, epoch, at }
    }

    /// Epoch in which gateways were asked for earlier charges, where they were.
    pub(super) fn sought(&self) -> Option<u32> {
        (self.earlier.is_some() || !self.job.searched.is_empty()).then_some(self.epoch)
    }

    /// Whether the store is still the one, and documents, resources and the order's methods are still those, that the
    /// order was priced from.
    pub(super) fn still_holds(&self, state: &State, epoch: u32) -> bool {
        self.epoch == epoch && state.orders.get(&self.job.order).is_some_and(|order| basis(state, order) == self.basis)
    }
}

type Basis = (Meta, Vec<Option<Resource>>, Vec<AccountMethod>);

fn basis(state: &State, order: &Order) -> Basis {
    let rows = order.lines.iter().map(|line| state.resources.get(&line.prepared.resource).cloned());
    (state.meta.clone(), rows.collect(), order.methods.clone())
}

/// What a gateway said.
pub(super) enum Answer {
    /// To an attempt.
    Charged {
        /// Its number.
        attempt: u32,
        outcome: Outcome,
    },
    /// To the question for earlier charges.
    Sought(Sought),
}

/// A job whose gateway has answered.
pub(super) struct Finished {
    pub(super) job: Job,
    pub(super) method: AccountMethod,
    pub(super) answer: Answer,
}
