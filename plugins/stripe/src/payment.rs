//! A payment of either mode, as far as looking for one needs it.

use crate::charge::Asked;
use crate::gateway::Gateway;
use crate::intents::Verdict;
use crate::labels::Metadata;
use crate::refusals::{decline_of, wants_cardholder};
use crate::settings::Settings;
use crate::wire::{Charge, ChargeStatus, Intent, IntentStatus, Latest};
use crate::{charges, intents};
use renewd_plugin_sdk::payment::{Outcome, PaymentError};
use serde::de::DeserializeOwned;

/// A payment intent or a charge.
pub(crate) trait Payment: DeserializeOwned {
    /// Where the gateway lists them.
    const PATH: &'static str;
    /// The gateway's name for it.
    fn id(&self) -> &str;
    /// The path of one of them.
    fn path_of(id: &str) -> String;
    /// What it carries.
    fn metadata(&self) -> &Metadata;
    /// Whether money was taken, as far as its own status goes.
    fn rank(&self, pages: Pages) -> Rank;
    /// Where it stands what of its money went back.
    fn returned(&self) -> Returned<'_>;
    /// Amount and currency, as the gateway says them.
    fn money(&self) -> (i64, &str);
    /// What has become of it.
    fn outcome(
        &self,
        gateway: &Gateway<'_>,
        asked: Asked<'_>,
        unreachable: Unreachable,
    ) -> Result<Outcome, PaymentError>;
}

/// Whether money was taken: none, perhaps, yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    Dead,
    Open,
    Paid,
}

/// Whether the merchant has a page on which a cardholder can confirm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pages {
    Own,
    None,
}

impl Pages {
    pub(crate) fn of(settings: &Settings) -> Self {
        if settings.confirm_page.is_some() { Self::Own } else { Self::None }
    }
}

/// What a payment is that waits for a cardholder whom no page reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreachable {
    /// The question is what became of this one: nothing will, and renewd cancels it before it believes that.
    IsDeclined,
    /// The question is whether anything could still be paid.
    IsPending,
}

/// What of a payment's money went back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Returned<'a> {
    /// The payment says how much.
    Amount(i64),
    /// Its charge knows.
    OfCharge(&'a str),
    /// Only its refunds tell.
    OfRefunds,
}

/// All of it, or how much; `None` where the gateway does not say.
fn returned(amount: i64, refunded: bool, amount_refunded: Option<i64>) -> Option<i64> {
    if refunded { Some(amount_refunded.map_or(amount, |part| part.max(amount))) } else { amount_refunded }
}

impl Payment for Intent {
    const PATH: &'static str = intents::PATH;

    fn id(&self) -> &str {
        &self.id
    }

    fn path_of(id: &str) -> String {
        intents::path_of(id)
    }

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn rank(&self, pages: Pages) -> Rank {
        match self.status {
            IntentStatus::Succeeded => Rank::Paid,
            IntentStatus::Canceled => Rank::Dead,
            IntentStatus::RequiresPaymentMethod => match &self.last_payment_error {
                Some(error) if pages == Pages::Own && wants_cardholder(error) => Rank::Open,
                Some(error) if decline_of(error, "").is_some() => Rank::Dead,
                Some(_) | None => Rank::Open,
            },
            IntentStatus::Processing
            | IntentStatus::RequiresAction
            | IntentStatus::RequiresCapture
            | IntentStatus::RequiresConfirmation
            | IntentStatus::Other => Rank::Open,
        }
    }

    fn returned(&self) -> Returned<'_> {
        match &self.latest_charge {
            Some(Latest::Name(name)) => Returned::OfCharge(name),
            Some(Latest::Whole(charge)) => {
                match (returned(self.amount, charge.refunded, charge.amount_refunded), &charge.id) {
                    (Some(amount), _) => Returned::Amount(amount),
                    (None, Some(id)) => Returned::OfCharge(id),
                    (None, None) => Returned::OfRefunds,
                }
            }
            None => Returned::OfRefunds,
        }
    }

    fn money(&self) -> (i64, &str) {
        (self.amount, &self.currency)
    }

    fn outcome(
        &self,
        gateway: &Gateway<'_>,
        asked: Asked<'_>,
        unreachable: Unreachable,
    ) -> Result<Outcome, PaymentError> {
        Ok(match (intents::verdict(gateway, self, asked)?, unreachable) {
            (Verdict::Said(outcome), _) => outcome,
            (Verdict::Unreachable, Unreachable::IsDeclined) => intents::needs_cardholder(),
            (Verdict::Unreachable, Unreachable::IsPending) | (Verdict::Unrefused, _) => intents::pending(self),
        })
    }
}

impl Payment for Charge {
    const PATH: &'static str = charges::PATH;

    fn id(&self) -> &str {
        &self.id
    }

    fn path_of(id: &str) -> String {
        charges::path_of(id)
    }

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn rank(&self, _pages: Pages) -> Rank {
        match self.status {
            // Held, not taken; once it was let go, it counts as given back.
            ChargeStatus::Succeeded if self.captured == Some(false) && !self.refunded => Rank::Open,
            ChargeStatus::Succeeded => Rank::Paid,
            ChargeStatus::Failed => Rank::Dead,
            ChargeStatus::Pending | ChargeStatus::Other => Rank::Open,
        }
    }

    fn returned(&self) -> Returned<'_> {
        returned(self.amount, self.refunded, self.amount_refunded).map_or(Returned::OfRefunds, Returned::Amount)
    }

    fn money(&self) -> (i64, &str) {
        (self.amount, &self.currency)
    }

    fn outcome(
        &self,
        _gateway: &Gateway<'_>,
        asked: Asked<'_>,
        _unreachable: Unreachable,
    ) -> Result<Outcome, PaymentError> {
        charges::outcome(self, asked)
    }
}
