//! The gateway's objects, as far as they are read. Unknown fields are skipped; an unknown status is never guessed at.

use crate::labels::Metadata;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use std::fmt;

/// A payment intent.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Intent {
    pub(crate) id: String,
    #[serde(rename = "object")]
    pub(crate) _object: IntentTag,
    pub(crate) amount: i64,
    pub(crate) amount_received: Option<i64>,
    pub(crate) currency: String,
    pub(crate) status: IntentStatus,
    #[serde(default)]
    pub(crate) metadata: Metadata,
    pub(crate) last_payment_error: Option<ErrorBody>,
    pub(crate) next_action: Option<NextAction>,
    pub(crate) latest_charge: Option<Latest>,
}

/// A charge.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Charge {
    pub(crate) id: String,
    #[serde(rename = "object")]
    pub(crate) _object: ChargeTag,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) status: ChargeStatus,
    #[serde(default)]
    pub(crate) captured: Option<bool>,
    #[serde(default)]
    pub(crate) metadata: Metadata,
    pub(crate) failure_code: Option<String>,
    #[serde(default)]
    pub(crate) refunded: bool,
    pub(crate) amount_refunded: Option<i64>,
    pub(crate) outcome: Option<NetworkOutcome>,
}

/// Money that went back.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Refund {
    pub(crate) id: String,
    #[serde(rename = "object")]
    pub(crate) _object: RefundTag,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    /// Some old gateways leave it out or write null for money that went back at once; that is not guessed at.
    pub(crate) status: Option<RefundStatus>,
    #[serde(default)]
    pub(crate) metadata: Metadata,
    pub(crate) failure_reason: Option<String>,
}

/// One page of a list.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Page<T> {
    #[serde(rename = "object")]
    pub(crate) _object: ListTag,
    pub(crate) data: Vec<T>,
    pub(crate) has_more: bool,
}

/// The body of every refusal.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ErrorReply {
    pub(crate) error: ErrorBody,
}

/// Why the gateway refused.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct ErrorBody {
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) decline_code: Option<String>,
    pub(crate) advice_code: Option<String>,
    pub(crate) param: Option<String>,
    pub(crate) payment_intent: Option<Box<Intent>>,
}

/// What a cardholder has to do.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct NextAction {
    pub(crate) redirect_to_url: Option<Redirect>,
    pub(crate) verify_with_microdeposits: Option<Hosted>,
}

/// A page of the gateway's.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Redirect {
    pub(crate) url: Option<String>,
}

/// A page of the gateway's, by another name.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Hosted {
    pub(crate) hosted_verification_url: Option<String>,
}

/// An intent's charge, by its name or whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Latest {
    Name(String),
    Whole(Taken),
}

/// What an intent's charge says of money that went back.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Taken {
    pub(crate) id: Option<String>,
    #[serde(default)]
    pub(crate) refunded: bool,
    pub(crate) amount_refunded: Option<i64>,
}

impl<'de> Deserialize<'de> for Latest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LatestVisitor)
    }
}

struct LatestVisitor;

impl<'de> Visitor<'de> for LatestVisitor {
    type Value = Latest;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a charge or its name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Latest, E> {
        Ok(Latest::Name(name.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Latest, A::Error> {
        Taken::deserialize(MapAccessDeserializer::new(map)).map(Latest::Whole)
    }
}

/// What the card network said.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct NetworkOutcome {
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum IntentStatus {
    Canceled,
    Processing,
    RequiresAction,
    RequiresCapture,
    RequiresConfirmation,
    RequiresPaymentMethod,
    Succeeded,
    /// A word that is not known here; never guessed at.
    #[serde(other)]
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChargeStatus {
    Failed,
    Pending,
    Succeeded,
    /// A word that is not known here; never guessed at.
    #[serde(other)]
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RefundStatus {
    Canceled,
    Failed,
    Pending,
    RequiresAction,
    Succeeded,
    /// A word that is not known here; never guessed at.
    #[serde(other)]
    Other,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) enum IntentTag {
    #[serde(rename = "payment_intent")]
    Here,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) enum ChargeTag {
    #[serde(rename = "charge")]
    Here,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) enum RefundTag {
    #[serde(rename = "refund")]
    Here,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) enum ListTag {
    #[serde(rename = "list")]
    Here,
}
