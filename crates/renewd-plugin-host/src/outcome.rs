//! What became of a charge, checked. Anything doubtful is `unknown`, never a decline: only a sound answer moves money.

use crate::amount::{money, same_currency};
use crate::bindings::payment as wire;
use crate::invalid_output::InvalidOutput;
use crate::limits::Limits;
use crate::text::{excerpt, identifier, readable, word};
use chrono::{DateTime, FixedOffset};
use renewd_core::money::{Currency, Money};
use serde::{Deserialize, Serialize};

/// Whether a declined charge may be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Retry {
    /// Not with this method.
    Never,
    /// With this method, later.
    Later,
    /// With another method.
    OtherMethod,
}

impl From<wire::Retry> for Retry {
    fn from(raw: wire::Retry) -> Self {
        match raw {
            wire::Retry::Never => Self::Never,
            wire::Retry::Later => Self::Later,
            wire::Retry::OtherMethod => Self::OtherMethod,
        }
    }
}

/// What became of a charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Outcome {
    /// The money was taken: exactly the amount that was asked for.
    Succeeded {
        /// The gateway's name for the payment.
        reference: String,
        /// What was taken.
        amount: Money,
        /// Further names and values.
        metadata: crate::Metadata,
    },
    /// No money was taken, and none will be.
    Declined {
        /// A short kebab-case word.
        code: String,
        /// One sentence.
        message: String,
        /// Whether to try again.
        retry: Retry,
        /// Not before this instant.
        not_before: Option<DateTime<FixedOffset>>,
    },
    /// The gateway is still at it.
    Pending {
        /// The gateway's name for the payment.
        reference: String,
    },
    /// A person has to do something.
    RequiresAction {
        /// Where.
        url: String,
        /// Until when.
        expires: DateTime<FixedOffset>,
        /// The gateway's name for the payment.
        reference: Option<String>,
    },
    /// The gateway asks for another price; nothing was taken.
    PriceMoved {
        /// The price that it asks for.
        actual: Money,
    },
    /// Nobody can tell yet whether money moved.
    Unknown {
        /// One sentence.
        reason: String,
        /// The gateway's name for the payment, where the plugin named one.
        reference: Option<String>,
    },
}

impl Outcome {
    /// The kebab-case word of the outcome.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Succeeded { .. } => "succeeded",
            Self::Declined { .. } => "declined",
            Self::Pending { .. } => "pending",
            Self::RequiresAction { .. } => "requires-action",
            Self::PriceMoved { .. } => "price-moved",
            Self::Unknown { .. } => "unknown",
        }
    }
}

/// What was asked for, to hold an answer against.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) amount: Money,
    pub(crate) limits: &'a Limits,
}

/// What was asked for, from a request's texts.
pub(crate) fn asked<'a>(amount: &str, currency: &str, limits: &'a Limits) -> Result<Asked<'a>, InvalidOutput> {
    let unknown =
        |_| InvalidOutput::OtherCurrency { found: excerpt(currency), wanted: "an ISO 4217 currency".to_owned() };
    let currency: Currency = currency.parse().map_err(unknown)?;
    Ok(Asked { amount: money(amount, currency, "request/amount")?, limits })
}

/// Checks what a charge answered.
pub(crate) fn outcome(raw: wire::Outcome, asked: Asked<'_>) -> Outcome {
    let reference = named_reference(&raw, asked.limits);
    checked(raw, asked).unwrap_or_else(|fault| Outcome::Unknown { reason: fault.to_string(), reference })
}

fn checked(raw: wire::Outcome, asked: Asked<'_>) -> Result<Outcome, InvalidOutput> {
    let limits = asked.limits;
    match raw {
        wire::Outcome::Succeeded(raw) => {
            let (reference, amount, metadata) = success(raw, asked)?;
            Ok(Outcome::Succeeded { reference, amount, metadata })
        }
        wire::Outcome::Declined(raw) => {
            let (code, message, retry, not_before) = decline(raw, limits)?;
            Ok(Outcome::Declined { code, message, retry, not_before })
        }
        wire::Outcome::Pending(raw) => {
            Ok(Outcome::Pending { reference: identifier(raw.reference, "pending/reference", limits)? })
        }
        wire::Outcome::RequiresAction(raw) => action(raw, limits),
        wire::Outcome::PriceMoved(raw) => {
            same_currency(&raw.currency, asked.amount.currency())?;
            let actual = money(&raw.actual, asked.amount.currency(), "priceMoved/actual")?;
            if actual.is_negative() {
                return Err(InvalidOutput::BadDecimal {
                    at: "priceMoved/actual".to_owned(),
                    value: excerpt(&raw.actual),
                });
            }
            Ok(Outcome::PriceMoved { actual })
        }
    }
}

fn action(raw: wire::Action, limits: &Limits) -> Result<Outcome, InvalidOutput> {
    let url = identifier(raw.url, "action/url", limits)?;
    let web = url.starts_with("https://") || url.starts_with("http://");
    if !web || url.contains(char::is_whitespace) {
        return Err(InvalidOutput::BadText { at: "action/url".to_owned() });
    }
    let reference = raw.reference.map(|text| identifier(text, "action/reference", limits)).transpose()?;
    Ok(Outcome::RequiresAction { url, expires: instant(&raw.expires, "action/expires")?, reference })
}

/// Checks that exactly what was asked for is said to have moved.
pub(crate) fn success(raw: wire::Success, asked: Asked<'_>) -> Result<(String, Money, crate::Metadata), InvalidOutput> {
    same_currency(&raw.currency, asked.amount.currency())?;
    let amount = money(&raw.amount, asked.amount.currency(), "succeeded/amount")?;
    if amount != asked.amount {
        return Err(InvalidOutput::OtherAmount { found: amount.to_string(), wanted: asked.amount.to_string() });
    }
    let reference = identifier(raw.reference, "succeeded/reference", asked.limits)?;
    Ok((reference, amount, crate::text::metadata(raw.metadata, "succeeded", asked.limits)?))
}

type Declined = (String, String, Retry, Option<DateTime<FixedOffset>>);

/// Checks a decline.
pub(crate) fn decline(raw: wire::Decline, limits: &Limits) -> Result<Declined, InvalidOutput> {
    let not_before = raw.not_before.map(|text| instant(&text, "declined/notBefore")).transpose()?;
    Ok((
        word(raw.code, "declined/code")?,
        readable(raw.message, "declined/message", limits)?,
        raw.retry.into(),
        not_before,
    ))
}

fn instant(text: &str, at: &str) -> Result<DateTime<FixedOffset>, InvalidOutput> {
    let bad = |_| InvalidOutput::BadInstant { at: at.to_owned(), value: excerpt(text) };
    DateTime::parse_from_rfc3339(text).map_err(bad)
}

/// The reference in an answer, kept even when the rest is unacceptable: it may find the money.
fn named_reference(raw: &wire::Outcome, limits: &Limits) -> Option<String> {
    let text = match raw {
        wire::Outcome::Succeeded(raw) => Some(&raw.reference),
        wire::Outcome::Pending(raw) => Some(&raw.reference),
        wire::Outcome::RequiresAction(raw) => raw.reference.as_ref(),
        wire::Outcome::Declined(_) | wire::Outcome::PriceMoved(_) => None,
    };
    text.and_then(|text| identifier(text.clone(), "reference", limits).ok())
}
