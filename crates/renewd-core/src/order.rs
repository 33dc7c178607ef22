//! Orders: accepted quotes of one account, paid as one payment, and the states that they pass through.

mod checking;
mod refund;

pub use checking::{FOLLOW_UPS, follow_up, is_believed, next_look};
pub use refund::{Refund, RefundCause, RefundResult};

use crate::documents::{AccountMethod, Plugin};
use crate::ids::{AccountName, Digest, OrderId, RequestName, ResourceId};
use crate::money::Money;
use crate::quote::Quote;
use crate::refusal::Reason;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Most lines in one order.
pub const ORDER_LINES_MAX: usize = 100;

/// Hours after placing at which an unpaid or held order expires.
pub const ORDER_EXPIRES_HOURS: i64 = 72;

/// Most attempts of one order; far above any real list of methods times days.
pub const ATTEMPTS_MAX: usize = 1_000;

/// A local calendar month, `2026-11`: what monthly limits count by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MonthKey(String);

impl MonthKey {
    /// The month of an instant in a zone.
    pub fn of(instant: DateTime<Utc>, zone: chrono_tz::Tz) -> Self {
        Self(instant.with_timezone(&zone).format("%Y-%m").to_string())
    }

    /// The text `2026-11`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What an order came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Origin {
    /// `renew` without a guard.
    Manual,
    /// A `RenewalRequest`, `--request-id` or `--expiring-before`: once per resource, for ever.
    Request {
        /// The request's name.
        request: RequestName,
    },
    /// Automatic renewal.
    Auto,
}

impl Origin {
    /// The request, where there is one.
    pub fn request(&self) -> Option<&RequestName> {
        match self {
            Self::Request { request } => Some(request),
            Self::Manual | Self::Auto => None,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manual => f.pad("manual"),
            Self::Request { request } => f.pad(&format!("request {request}")),
            Self::Auto => f.pad("auto"),
        }
    }
}

/// Why an order waits for approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hold {
    /// The limit.
    pub reason: Reason,
    /// The figures, in words.
    pub detail: String,
}

/// One try to collect an order's money through one method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// 1, 2, … within the order.
    pub number: u32,
    /// The method and the account's reference there.
    pub method: AccountMethod,
    /// Idempotency key (see [`Order::payment_key`]).
    pub key: Digest,
    /// Digest of the payment plugin's bytes; none for `balance`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<Digest>,
    /// The method's configuration at that time.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub config: serde_json::Value,
    /// Token of the process that made the attempt; once that process is gone the attempt is unknown.
    pub owner: String,
    /// The plugin's document at that time: the limits, grants and secrets under which the gateway is asked later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Box<Plugin>>,
    /// Epoch of the store in which the gateway was asked for earlier charges of these lines, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sought: Option<u32>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// What came of it.
    pub outcome: Outcome,
    /// How often the gateway was asked what came of it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub checks: u32,
    /// When the gateway is to be asked next; none where nothing is left to be found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_check: Option<DateTime<Utc>>,
    /// The charge that the gateway has shown for it after it was taken for declined: from then on it is asked for until
    /// it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<String>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Attempt {
    /// Whether nobody but the gateway knows how it ended, or will end.
    pub fn is_undecided(&self) -> bool {
        match self.outcome {
            Outcome::InFlight | Outcome::Pending { .. } | Outcome::RequiresAction { .. } | Outcome::Unknown { .. } => {
                true
            }
            Outcome::Succeeded { .. } | Outcome::Declined { .. } | Outcome::PriceMoved { .. } => false,
        }
    }

    /// Whether its gateway is still asked what became of it.
    pub fn is_looked_after(&self) -> bool {
        self.is_undecided() || self.next_check.is_some()
    }

    /// The charge that its gateway has shown, and has not said the end of, after the attempt was taken for declined.
    pub fn shown_charge(&self) -> Option<&str> {
        self.shown.as_deref().filter(|_| self.outcome.is_decline() && self.next_check.is_some())
    }

    /// The gateway's reference, where it gave one.
    pub fn reference(&self) -> Option<&str> {
        match &self.outcome {
            Outcome::Succeeded { reference } | Outcome::Pending { reference } => Some(reference),
            Outcome::RequiresAction { reference, .. } | Outcome::Unknown { reference, .. } => reference.as_deref(),
            Outcome::InFlight | Outcome::Declined { .. } | Outcome::PriceMoved { .. } => None,
        }
    }
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// The plugin has been or is about to be called.
    InFlight,
    /// The whole amount was taken.
    Succeeded {
        /// The gateway's reference.
        reference: String,
    },
    /// Nothing was taken.
    Declined {
        /// The gateway's code.
        code: String,
        /// The gateway's words.
        message: String,
        /// What may be tried next.
        retry: Retry,
        /// Not before this moment, where the gateway says so.
        #[serde(default, skip_serializing_if = "Option::is_none", rename = "notBefore")]
        not_before: Option<DateTime<Utc>>,
    },
    /// The gateway has not decided.
    Pending {
        /// The gateway's reference.
        reference: String,
    },
    /// A person must act at the gateway.
    RequiresAction {
        /// Where.
        url: String,
        /// Until when.
        expires: DateTime<Utc>,
        /// The gateway's reference, where it gave one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
    },
    /// The gateway would take another amount.
    PriceMoved {
        /// That amount.
        actual: Money,
    },
    /// Nobody knows.
    Unknown {
        /// Why, in words.
        detail: String,
        /// The gateway's reference, where it gave one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
    },
}

impl Outcome {
    /// Whether nothing was taken, as far as the gateway says.
    pub fn is_decline(&self) -> bool {
        matches!(self, Self::Declined { .. } | Self::PriceMoved { .. })
    }

    /// A decline without a moment before which not to try again.
    pub fn declined(code: &str, message: impl Into<String>, retry: Retry) -> Self {
        Self::Declined { code: code.to_owned(), message: message.into(), retry, not_before: None }
    }

    /// Unknown, without a reference.
    pub fn unknown(detail: impl Into<String>) -> Self {
        Self::Unknown { detail: detail.into(), reference: None }
    }
}

/// What a decline leaves to be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Retry {
    /// Not this method again.
    Never,
    /// This method again, later.
    Later,
    /// Another method now.
    OtherMethod,
}

/// How an order was settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "paid", rename_all = "kebab-case")]
pub enum Payment {
    /// There was nothing to pay.
    Nothing,
    /// By an attempt.
    Attempt {
        /// The attempt's number.
        attempt: u32,
        /// The gateway's reference.
        reference: String,
    },
    /// A person found out that an unknown attempt had succeeded.
    Resolved {
        /// The attempt's number.
        attempt: u32,
        /// The gateway's reference, as the person gave it.
        reference: Option<String>,
        /// How the person knows.
        reason: String,
    },
}

/// Where an order stands. The last three are final.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub enum OrderStatus {
    /// It can be paid.
    Open,
    /// It waits for approval.
    Held,
    /// An attempt is under way, or its process died under way.
    Paying,
    /// An attempt's outcome is unknown.
    Unknown,
    /// The gateway has not decided, or waits for a person.
    Pending,
    /// Paid; its resources are extended.
    Settled {
        /// When.
        at: DateTime<Utc>,
        /// How.
        payment: Payment,
    },
    /// A person canceled it.
    Canceled {
        /// When.
        at: DateTime<Utc>,
        /// Why, in the person's words.
        reason: Option<String>,
    },
    /// Nobody paid it in time.
    Expired {
        /// When.
        at: DateTime<Utc>,
    },
}

impl OrderStatus {
    /// The word in output.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Open => "placed",
            Self::Held => "held",
            Self::Paying => "paying",
            Self::Unknown => "unknown",
            Self::Pending => "pending",
            Self::Settled { .. } => "settled",
            Self::Canceled { .. } => "canceled",
            Self::Expired { .. } => "expired",
        }
    }

    /// Whether an order counts towards the limits of its month: settled, open, pending and unknown ones do.
    pub fn counts(&self) -> bool {
        match self {
            Self::Open | Self::Paying | Self::Unknown | Self::Pending | Self::Settled { .. } => true,
            Self::Held | Self::Canceled { .. } | Self::Expired { .. } => false,
        }
    }

    /// Whether nothing can happen to the order any more.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Open | Self::Held | Self::Paying | Self::Unknown | Self::Pending => false,
            Self::Settled { .. } | Self::Canceled { .. } | Self::Expired { .. } => true,
        }
    }
}

/// An order as the store keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// The payer.
    pub account: AccountName,
    /// Methods in the order in which they are tried.
    pub methods: Vec<AccountMethod>,
    /// What it came from.
    pub origin: Origin,
    /// Requests that adopted it after it was placed: it uses them up as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adopted_by: Vec<RequestName>,
    /// The accepted quotes, at most [`ORDER_LINES_MAX`].
    pub lines: Vec<Quote>,
    /// Σ of the lines.
    pub total: Money,
    /// When it was placed.
    pub placed_at: DateTime<Utc>,
    /// When it expires unpaid.
    pub expires_at: DateTime<Utc>,
    /// The account's zone when it was placed, by which its month is told.
    pub time_zone: chrono_tz::Tz,
    /// The month whose limits it counts towards: that of placing, then that of the last attempt, and once it is paid that
    /// of paying.
    pub month: MonthKey,
    /// Why it was held when placed; approval keeps them for the record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<Hold>,
    /// Where it stands.
    #[serde(flatten)]
    pub status: OrderStatus,
    /// Epoch of the store in which an earlier charge was found that holds it. Whoever approves the order knows of that
    /// charge; for every other order it is sought again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sought: Option<u32>,
    /// Every try to collect.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// Every try to give money back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refunds: Vec<Refund>,
}

impl Order {
    /// The payment key of an attempt: hash(account, sorted renewal keys, total, attempt); never random. Attempts are
    /// counted over all orders that these renewals were in, so that no two charges share a key: an order that is placed
    /// anew must neither be answered with what became of the dead one, nor be taken for it.
    pub fn payment_key(&self, attempt: u32) -> Digest {
        let mut keys: Vec<Digest> = self.lines.iter().map(|line| line.prepared.renewal_key()).collect();
        keys.sort();
        let total = format!("{:?}", self.total);
        let attempt = if crate::planted::is("key-without-attempt") { 0 } else { attempt };
        let number = attempt.to_be_bytes();
        let mut parts: Vec<&[u8]> = vec![b"payment", self.account.as_str().as_bytes(), total.as_bytes(), &number];
        parts.extend(keys.iter().map(|key| key.as_bytes().as_slice()));
        Digest::of_parts(parts)
    }

    /// An attempt by its number.
    pub fn attempt(&self, number: u32) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.number == number)
    }

    /// The attempt that paid the order.
    pub fn paid_by(&self) -> Option<&Attempt> {
        match &self.status {
            OrderStatus::Settled { payment: Payment::Attempt { attempt, .. }, .. }
            | OrderStatus::Settled { payment: Payment::Resolved { attempt, .. }, .. } => self.attempt(*attempt),
            OrderStatus::Settled { payment: Payment::Nothing, .. }
            | OrderStatus::Open
            | OrderStatus::Held
            | OrderStatus::Paying
            | OrderStatus::Unknown
            | OrderStatus::Pending
            | OrderStatus::Canceled { .. }
            | OrderStatus::Expired { .. } => None,
        }
    }

    /// Whether somebody still has to look after the order: it is not final, an attempt may yet turn out to have
    /// succeeded, or money is on its way back.
    pub fn is_live(&self) -> bool {
        !self.status.is_final()
            || self.attempts.iter().any(|attempt| attempt.next_check.is_some())
            || self.refunds.iter().any(|refund| !refund.outcome.is_final())
    }

    /// The requests that the order uses up: the one that it came from, and those that adopted it.
    pub fn requests(&self) -> impl Iterator<Item = &RequestName> {
        self.origin.request().into_iter().chain(&self.adopted_by)
    }

    /// The attempt made last.
    pub fn last_attempt(&self) -> Option<&Attempt> {
        self.attempts.last()
    }

    /// INVARIANT (shown-is-undecided): the attempt of an unpaid order that was taken for declined, and whose charge the
    /// gateway has shown since: until that one has ended no other is made.
    pub fn shown_attempt(&self) -> Option<&Attempt> {
        let mut shown = self.attempts.iter().filter(|attempt| attempt.shown_charge().is_some());
        shown.next().filter(|_| self.is_unpaid())
    }

    /// What its gateway still works on although it was taken for declined, in words.
    pub fn still_works(&self) -> Option<String> {
        let attempt = self.shown_attempt()?;
        let charge = attempt.shown_charge()?;
        Some(format!("the gateway still works on `{charge}`, which is attempt {}", attempt.number))
    }

    fn is_unpaid(&self) -> bool {
        matches!(self.status, OrderStatus::Open | OrderStatus::Held)
    }

    /// Whether the order, if unpaid, has passed its time. While its gateway works on a charge of it, it has not.
    pub fn is_overdue(&self, now: DateTime<Utc>) -> bool {
        self.is_unpaid() && self.expires_at <= now && self.shown_attempt().is_none()
    }

    /// The line of a resource.
    pub fn line(&self, resource: &ResourceId) -> Option<&Quote> {
        self.lines.iter().find(|line| line.prepared.resource == *resource)
    }
}
