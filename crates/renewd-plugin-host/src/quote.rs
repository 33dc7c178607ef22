//! A plugin's quote, checked: the only way from what a guest says to a price.

use crate::Metadata;
use crate::amount::{decimal, money, same_currency};
use crate::bindings::pricing as wire;
use crate::failure::PluginFailure;
use crate::invalid_output::InvalidOutput;
use crate::limits::Limits;
use crate::text::{count, metadata, readable, word};
use renewd_core::money::{Currency, Money};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// What a line of a quote is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineKind {
    /// The term itself.
    Term,
    /// The days up to the renewal day.
    ExtraDays,
    /// The only kind that may be below zero.
    Discount,
    /// What lifts the total to a minimum charge.
    Minimum,
    /// A fee.
    Fee,
    /// A tax.
    Tax,
    /// Anything else.
    Other,
}

/// One line of a quote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QuoteLine {
    /// For people.
    pub description: String,
    /// What it is for.
    pub kind: LineKind,
    /// How many units.
    pub quantity: u32,
    /// For reading; it may have more decimals than the minor unit.
    pub unit_price: Decimal,
    /// What the line adds to the total.
    pub amount: Money,
    /// Further names and values.
    pub metadata: Metadata,
}

/// A checked price: the lines add up to the total, which is not below zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Quote {
    /// At least none, at most the limit.
    pub lines: Vec<QuoteLine>,
    /// The sum of the lines.
    pub total: Money,
    /// What of the total buys the term itself, extra days aside; between zero and the total.
    pub term_net: Option<Money>,
    /// Further names and values.
    pub metadata: Metadata,
}

/// One item got no price. Its neighbours are not touched by that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum ItemFailure {
    /// The plugin refuses, with its reason.
    #[error("{message}")]
    Refused {
        /// A short kebab-case word, such as `no-price`.
        code: String,
        /// One sentence.
        message: String,
        /// The next step.
        hint: Option<String>,
    },
    /// The plugin failed, or gave an unacceptable answer.
    #[error(transparent)]
    Failed(PluginFailure),
}

impl ItemFailure {
    /// A short kebab-case word for machines.
    pub fn code(&self) -> &str {
        match self {
            Self::Refused { code, .. } => code,
            Self::Failed(failure) => failure.code(),
        }
    }

    /// The next step, where one is known.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Refused { hint, .. } => hint.as_deref(),
            Self::Failed(failure) => Some(failure.hint()),
        }
    }
}

impl From<InvalidOutput> for ItemFailure {
    fn from(what: InvalidOutput) -> Self {
        Self::Failed(PluginFailure::InvalidOutput { what })
    }
}

/// Checks one answer against its request.
pub(crate) fn answer(
    request: &wire::PriceRequest,
    raw: Result<wire::PriceQuote, wire::PriceError>,
    limits: &Limits,
) -> Result<Quote, ItemFailure> {
    match raw {
        Ok(raw) => Ok(quote(request, raw, limits)?),
        Err(raw) => Err(refusal(raw, limits)?),
    }
}

fn refusal(raw: wire::PriceError, limits: &Limits) -> Result<ItemFailure, InvalidOutput> {
    Ok(ItemFailure::Refused {
        code: word(raw.code, "error/code")?,
        message: readable(raw.message, "error/message", limits)?,
        hint: raw.hint.map(|hint| readable(hint, "error/hint", limits)).transpose()?,
    })
}

fn quote(request: &wire::PriceRequest, raw: wire::PriceQuote, limits: &Limits) -> Result<Quote, InvalidOutput> {
    let unknown = |_| InvalidOutput::OtherCurrency { found: raw.currency.clone(), wanted: request.currency.clone() };
    let currency: Currency = request.currency.parse().map_err(unknown)?;
    same_currency(&raw.currency, currency)?;
    count(raw.lines.len(), limits.lines_per_quote, || "lines".to_owned())?;
    let lines = raw.lines.into_iter().enumerate().map(|(index, raw)| line(raw, index, currency, limits));
    let lines = lines.collect::<Result<Vec<_>, _>>()?;
    let total = checked_total(&lines, &raw.total, currency)?;
    let term_net = raw.term_net.map(|text| term_net(&text, total)).transpose()?;
    Ok(Quote { lines, total, term_net, metadata: metadata(raw.metadata, "quote", limits)? })
}

fn line(raw: wire::PriceLine, index: usize, currency: Currency, limits: &Limits) -> Result<QuoteLine, InvalidOutput> {
    let at = format!("lines/{index}");
    let kind = line_kind(raw.kind);
    let amount = money(&raw.amount, currency, &format!("{at}/amount"))?;
    if amount.is_negative() && kind != LineKind::Discount {
        return Err(InvalidOutput::NegativeLine { at, amount: amount.to_string() });
    }
    Ok(QuoteLine {
        description: readable(raw.description, &at, limits)?,
        kind,
        quantity: raw.quantity,
        unit_price: decimal(&raw.unit_price, &format!("{at}/unitPrice"))?,
        amount,
        metadata: metadata(raw.metadata, &at, limits)?,
    })
}

fn line_kind(raw: wire::LineKind) -> LineKind {
    match raw {
        wire::LineKind::Term => LineKind::Term,
        wire::LineKind::ExtraDays => LineKind::ExtraDays,
        wire::LineKind::Discount => LineKind::Discount,
        wire::LineKind::Minimum => LineKind::Minimum,
        wire::LineKind::Fee => LineKind::Fee,
        wire::LineKind::Tax => LineKind::Tax,
        wire::LineKind::Other => LineKind::Other,
    }
}

fn checked_total(lines: &[QuoteLine], raw: &str, currency: Currency) -> Result<Money, InvalidOutput> {
    let total = money(raw, currency, "total")?;
    let sum = Money::sum(currency, lines.iter().map(|line| line.amount));
    let sum = sum.map_err(|_| InvalidOutput::BadDecimal { at: "total".to_owned(), value: raw.to_owned() })?;
    if sum != total {
        return Err(InvalidOutput::WrongSum { sum: sum.to_string(), total: total.to_string() });
    }
    if total.is_negative() {
        return Err(InvalidOutput::NegativeTotal { total: total.to_string() });
    }
    Ok(total)
}

fn term_net(text: &str, total: Money) -> Result<Money, InvalidOutput> {
    let value = money(text, total.currency(), "termNet")?;
    if value.is_negative() || value.amount() > total.amount() {
        return Err(InvalidOutput::TermNet { value: value.to_string(), total: total.to_string() });
    }
    Ok(value)
}
