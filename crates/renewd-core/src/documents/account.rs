//! Accounts: who owns resources and pays for them.

use crate::calendar::RenewalDay;
use crate::ids::{AccountName, MethodName};
use crate::money::{Currency, Money};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// An `Account` document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The document's name.
    pub name: AccountName,
    /// Zone of all local dates of resources first imported under it.
    pub time_zone: Tz,
    /// Currency of every quote and order.
    pub currency: Currency,
    /// The unified day of the month on which resources expire; without one nothing can be aligned to the account.
    pub renewal_day: Option<RenewalDay>,
    /// Methods in the order in which they are tried.
    pub payment_methods: Vec<AccountMethod>,
    /// Limits over all of the account's lines.
    pub limits: AccountLimits,
}

/// One way in which an account pays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountMethod {
    /// A `PaymentMethod` document, or `balance`.
    pub method: MethodName,
    /// What the method's gateway knows the account by, for instance a stored card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// Limits over all lines of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountLimits {
    /// Largest total of one order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_order: Option<Money>,
    /// Largest sum of settled, open and unknown lines in one local calendar month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_month: Option<Money>,
}
