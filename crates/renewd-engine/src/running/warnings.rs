//! Warnings: automatic renewals of the coming days that cannot succeed as things stand, told while there is time.

use crate::arrange::account_methods;
use crate::charge::{NextCharge, charge_blocked, next_charge};
use crate::engine::{Engine, Snapshot};
use crate::error::EngineError;
use crate::gateway::payment_documents;
use crate::next_run::upcoming;
use crate::running::WARN_DAYS;
use crate::view::Warning;
use chrono::{DateTime, TimeDelta, Utc};
use renewd_core::calendar::rfc3339_in;
use renewd_core::cover::Cover;
use renewd_core::documents::AccountMethod;
use renewd_core::quote::Quote;
use renewd_core::refusal::Refusal;
use renewd_core::resource::Resource;
use renewd_core::state::State;
use std::collections::BTreeMap;

impl Engine {
    /// Automatic renewals to be charged within [`WARN_DAYS`] that cannot succeed as things stand.
    pub(super) fn warnings(&self, now: DateTime<Utc>) -> Result<Vec<Warning>, EngineError> {
        let snapshot = Snapshot::of(self.desk_of_due(now)?, self.blobs_with(BTreeMap::new()));
        let state = &snapshot.state;
        let until = now.checked_add_signed(TimeDelta::days(WARN_DAYS.into())).unwrap_or(now);
        let mut soon: Vec<(&Resource, DateTime<Utc>)> = Vec::new();
        for resource in state.resources.values() {
            let cover = Cover::find(resource, state.policies());
            match next_charge(resource, &cover, now) {
                NextCharge::At(at) if at <= until => soon.push((resource, at)),
                NextCharge::At(_) | NextCharge::Due(_) | NextCharge::Never => {}
            }
        }
        let quotes = upcoming(self, state, snapshot.blobs(), &soon)?;
        let mut warnings = Vec::new();
        for ((resource, at), quote) in soon.into_iter().zip(quotes) {
            let why = match quote {
                Err(refusal) => Some(refusal),
                Ok(_) if resource.freeze.is_some() => {
                    charge_blocked(resource).map(|why| Refusal::new(renewd_core::refusal::Reason::Frozen, why))
                }
                Ok(quote) => self.cannot_pay(state, resource, &quote)?,
            };
            warnings.extend(why.map(|refusal| Warning {
                resource: resource.id.clone(),
                charge: rfc3339_in(at, resource.end.expiry.zone),
                message: refusal.message,
                hint: refusal.hint,
            }));
        }
        Ok(warnings)
    }

    /// Why none of a renewal's methods can pay, where none can.
    fn cannot_pay(&self, state: &State, resource: &Resource, quote: &Quote) -> Result<Option<Refusal>, EngineError> {
        let Some(account) = state.account(&resource.description.account) else { return Ok(None) };
        let policy = Cover::find(resource, state.policies()).policy();
        let mut last = None;
        for method in account_methods(account, policy, None) {
            match self.cannot_pay_with(state, &method, quote)? {
                None => return Ok(None),
                Some(refusal) => last = Some(refusal),
            }
        }
        Ok(last)
    }

    fn cannot_pay_with(
        &self,
        state: &State,
        method: &AccountMethod,
        quote: &Quote,
    ) -> Result<Option<Refusal>, EngineError> {
        use renewd_core::refusal::Reason;
        if !method.method.is_balance() {
            return Ok(match payment_documents(state, &method.method) {
                Err(refusal) => Some(refusal),
                Ok((_, plugin)) => self.gateway(plugin, &self.blobs_with(BTreeMap::new()))?.err(),
            });
        }
        let account = &quote.prepared.account;
        let balance = state.books.get(account).and_then(|book| book.balance.get(quote.total.currency().code()));
        let enough = quote.total.is_zero()
            || balance.is_some_and(|balance| balance.compare(quote.total).is_ok_and(std::cmp::Ordering::is_ge));
        Ok((!enough).then(|| {
            let has = balance.map_or_else(|| "nothing".to_owned(), ToString::to_string);
            let message = format!("it costs {}, and the balance of account {account} is {has}", quote.total);
            let hint = format!("`renewd orders topup {account} MONEY --reference R`");
            Refusal::new(Reason::InsufficientBalance, message).hint(hint)
        }))
    }
}
