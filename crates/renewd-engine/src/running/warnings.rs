//! Warnings: automatic renewals of the coming days that cannot succeed as things stand, told while there is time.

use crate::arrange::account_methods;
use crate::charge::{NextCharge, charge_blocked, next_charge, next_charge_in_conflict};
use crate::engine::{Engine, Snapshot};
use crate::error::EngineError;
use crate::gateway::payment_documents;
use crate::next_run::upcoming;
use crate::report::every_method_refuses;
use crate::running::WARN_DAYS;
use crate::view::Warning;
use chrono::{DateTime, TimeDelta, Utc};
use renewd_core::calendar::rfc3339_in;
use renewd_core::cover::Cover;
use renewd_core::decide::limit_holds;
use renewd_core::documents::AccountMethod;
use renewd_core::ids::{AccountName, MethodName};
use renewd_core::money::Money;
use renewd_core::order::{MonthKey, Order, OrderStatus};
use renewd_core::quote::{Quote, covering};
use renewd_core::refusal::{Reason, Refusal};
use renewd_core::resource::Resource;
use renewd_core::state::State;
use std::collections::BTreeMap;

/// An automatic renewal to come: what, when, and for how much or why not.
pub(crate) type Coming<'a> = (&'a Resource, DateTime<Utc>, Result<Quote, Refusal>);

/// Who will pay: the secrets of gateways are in the environment of whoever does, which a person at the board often lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WhoPays {
    /// This process, or one that is started like it.
    Here,
    /// Another one.
    Elsewhere,
}

impl Engine {
    /// Automatic renewals to be charged within [`WARN_DAYS`] that cannot succeed as things stand.
    pub(super) fn warnings(&self, now: DateTime<Utc>) -> Result<Vec<Warning>, EngineError> {
        let snapshot = Snapshot::of(self.desk_of_due(now)?, self.blobs_with(BTreeMap::new()));
        let state = &snapshot.state;
        let charge = |row: &Resource| next_charge(row, &Cover::find(row, state.policies()), now);
        let soon: Vec<(&Resource, DateTime<Utc>)> =
            state.resources.values().filter_map(|row| Some((row, soon(charge(row), now)?))).collect();
        let quotes = upcoming(self, state, snapshot.blobs(), &soon)?;
        let coming = soon.into_iter().zip(quotes).map(|((row, at), quote)| (row, at, quote)).collect();
        self.warnings_of(state, coming, now, WhoPays::Here)
    }

    /// Which of the renewals to come cannot succeed as things stand, and what would come if nothing stood in its way.
    pub(crate) fn warnings_of(
        &self,
        state: &State,
        mut coming: Vec<Coming<'_>>,
        now: DateTime<Utc>,
        payer: WhoPays,
    ) -> Result<Vec<Warning>, EngineError> {
        // Those charged first take what there is.
        coming.sort_by_key(|(row, at, _)| (*at, row.end.expiry.instant(), row.id.clone()));
        let mut outlook = Hindrances::new(self, state, payer);
        let mut warnings = Vec::new();
        for (resource, at, quote) in coming {
            let why = match quote {
                Err(refusal) => Some(refusal),
                Ok(_) if resource.freeze.is_some() => {
                    charge_blocked(resource).map(|why| Refusal::new(Reason::Frozen, why))
                }
                Ok(quote) => match held_then(state, resource, &quote, at) {
                    Some(refusal) => Some(refusal),
                    None => outlook.of_renewal(resource, &quote)?,
                },
            };
            warnings.extend(why.map(|refusal| warning(resource, at, refusal)));
        }
        warnings.extend(state.resources.values().filter_map(|row| not_to_come(state, row, now)));
        warnings.sort_by(|left, right| left.resource.cmp(&right.resource));
        Ok(warnings)
    }
}

/// The moment of a charge, where it lies ahead and people are to be warned by now.
pub(crate) fn soon(charge: NextCharge, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let until = now.checked_add_signed(TimeDelta::days(WARN_DAYS.into())).unwrap_or(now);
    match charge {
        NextCharge::At(at) => (at <= until).then_some(at),
        NextCharge::Due(_) | NextCharge::Never => None,
    }
}

fn warning(resource: &Resource, at: DateTime<Utc>, why: Refusal) -> Warning {
    Warning {
        resource: resource.id.clone(),
        charge: rfc3339_in(at, resource.end.expiry.zone),
        message: why.message,
        hint: why.hint,
    }
}

/// What would be renewed by itself but for policies that contend for it, or an inventory that forbids it.
fn not_to_come(state: &State, resource: &Resource, now: DateTime<Utc>) -> Option<Warning> {
    let cover = Cover::find(resource, state.policies());
    if let Cover::Conflict(names) = &cover {
        let at = soon(next_charge_in_conflict(resource, (state, names), now), now)?;
        return covering(&cover).err().map(|why| warning(resource, at, why));
    }
    if resource.description.renewable {
        return None;
    }
    let mut renewable = resource.clone();
    renewable.description.renewable = true;
    // No run has it as an item when its time has come, so it is warned of for as long as it would be charged.
    let at = match next_charge(&renewable, &cover, now) {
        NextCharge::Due(at) => at,
        charge @ (NextCharge::At(_) | NextCharge::Never) => soon(charge, now)?,
    };
    let why = Refusal::new(Reason::NotRenewable, "its inventory says that it cannot be renewed")
        .hint(format!("`renewd mode expire {}`, or import it as renewable", resource.id));
    Some(warning(resource, at, why))
}

/// The limit for which the order of a renewal would be held. An order that there is already shows its own.
fn held_then(state: &State, resource: &Resource, quote: &Quote, at: DateTime<Utc>) -> Option<Refusal> {
    let account = state.account(&quote.prepared.account).filter(|_| resource.open_order.is_none())?;
    let month = MonthKey::of(at, account.time_zone);
    let hold = limit_holds(state, account, std::slice::from_ref(quote), &month).into_iter().next()?;
    let hint = "raise the limit, or `renewd orders approve` its order then";
    Some(Refusal::new(hold.reason, format!("it will be held: {}", hold.detail)).hint(hint))
}

/// What keeps methods from paying, looked up once each, with what the balances have left after the renewals before.
pub(crate) struct Hindrances<'a> {
    engine: &'a Engine,
    state: &'a State,
    payer: WhoPays,
    methods: BTreeMap<MethodName, Option<Refusal>>,
    spent: BTreeMap<AccountName, Money>,
}

impl<'a> Hindrances<'a> {
    pub(crate) fn new(engine: &'a Engine, state: &'a State, payer: WhoPays) -> Self {
        Self { engine, state, payer, methods: BTreeMap::new(), spent: BTreeMap::new() }
    }

    /// Why none of an open order's methods can pay it, where none can.
    pub(crate) fn of_order(&mut self, order: &Order) -> Result<Option<Refusal>, EngineError> {
        if order.status != OrderStatus::Open || order.total.is_zero() {
            return Ok(None);
        }
        if every_method_refuses(self.state, order) {
            return Ok(Some(refused_for_good(&format!("orders pay {}", order.id))));
        }
        let methods = order.methods.clone();
        let refused = |method: &AccountMethod| renewd_core::decide::has_said_never(order, method);
        let left = methods.into_iter().filter(|method| !refused(method)).collect();
        self.none_pays(&order.account, left, order.total)
    }

    /// Why none of a renewal's methods can pay it, where none can.
    fn of_renewal(&mut self, resource: &Resource, quote: &Quote) -> Result<Option<Refusal>, EngineError> {
        let Some(account) = self.state.account(&quote.prepared.account) else { return Ok(None) };
        let policy = Cover::find(resource, self.state.policies()).policy();
        let order = resource.open_order.as_ref().and_then(|order| self.state.orders.get(order));
        let refused = |method: &AccountMethod| {
            resource.auto_tried().is_some_and(|tried| tried.refused.contains(method))
                || order.is_some_and(|order| renewd_core::decide::has_said_never(order, method))
        };
        let mut methods = order.map_or_else(|| account_methods(account, policy, None), |order| order.methods.clone());
        let had_some = !methods.is_empty();
        methods.retain(|method| !refused(method));
        if had_some && methods.is_empty() {
            let command = order.map_or(format!("renew {}", resource.id), |order| format!("orders pay {}", order.id));
            return Ok(Some(refused_for_good(&command)));
        }
        self.none_pays(&account.name, methods, quote.total)
    }

    fn none_pays(
        &mut self,
        account: &AccountName,
        methods: Vec<AccountMethod>,
        total: Money,
    ) -> Result<Option<Refusal>, EngineError> {
        if total.is_zero() {
            return Ok(None);
        }
        let mut last = None;
        for method in methods {
            let why = match method.method.is_balance() {
                true => self.balance_short_of(account, total),
                false => self.method_out_of_order(&method.method)?,
            };
            match why {
                None => return Ok(None),
                Some(refusal) => last = Some(refusal),
            }
        }
        Ok(last)
    }

    fn method_out_of_order(&mut self, method: &MethodName) -> Result<Option<Refusal>, EngineError> {
        if let Some(known) = self.methods.get(method) {
            return Ok(known.clone());
        }
        let found = match payment_documents(self.state, method) {
            Err(refusal) => Some(refusal),
            Ok(_) if self.payer == WhoPays::Elsewhere => None,
            Ok((_, plugin)) => self.engine.gateway(plugin, &self.engine.blobs_with(BTreeMap::new()))?.err(),
        };
        Ok(self.methods.entry(method.clone()).or_insert(found).clone())
    }

    /// Why a balance cannot pay so much; where it can, it has so much less for what comes after.
    fn balance_short_of(&mut self, account: &AccountName, total: Money) -> Option<Refusal> {
        let currency = total.currency();
        let balance = self.state.books.get(account).and_then(|book| book.balance.get(currency.code())).copied();
        let spent = self.spent.get(account).copied().filter(|spent| spent.currency() == currency);
        let after = spent.unwrap_or(Money::zero(currency)).plus(total).unwrap_or(total);
        if balance.is_some_and(|balance| after.compare(balance).is_ok_and(std::cmp::Ordering::is_le)) {
            self.spent.insert(account.clone(), after);
            return None;
        }
        let has = balance.map_or_else(|| "nothing".to_owned(), |balance| balance.to_string());
        let before = spent.map_or(String::new(), |spent| format!(", of which renewals before it take {spent}"));
        let message = format!("it costs {total}, and the balance of account {account} is {has}{before}");
        let hint = format!("`renewd orders topup {account} MONEY --reference R`");
        Some(Refusal::new(Reason::InsufficientBalance, message).hint(hint))
    }
}

fn refused_for_good(command: &str) -> Refusal {
    Refusal::new(Reason::NoPaymentMethod, "every payment method has declined it for good")
        .hint(format!("`renewd {command} --pay-with METHOD`"))
}
