//! The checked form of what users declare: accounts, price lists, plugins, payment methods, policies, requests,
//! event sinks.
//!
//! Values of these types come only out of the checker of `renewd-policy` (or back out of the journal, where the
//! checker had put them). Defaults and conventions are already resolved here; nothing in this module parses YAML.

mod account;
mod matching;
mod policy;
mod request;
mod sink;

pub use account::{Account, AccountLimits, AccountMethod};
pub use matching::{Matcher, Pattern, Subject};
pub use policy::{
    AlignPolicy, AutoSettings, Days, FailurePolicy, Limits, Overrides, Percent, Pricing, RenewalPolicy, Terms, Windows,
};
pub use request::{AlignAsked, LocalMoment, RenewalRequest};
pub use sink::{EventKind, EventSink, SinkTarget};

use crate::calendar::Term;
use crate::ids::{Digest, MethodName, PluginName, PriceListName, SecretName};
use crate::money::Currency;
use crate::web::Grant;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What happens to a resource at its expiry: the four tabs of a renewals desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Nothing happens by itself; the resource enters its grace period.
    Manual,
    /// Charged before the expiry.
    Auto,
    /// Billed by use after the expiry.
    PayPerUse,
    /// Ends at the expiry: the renewal is canceled.
    Expire,
}

impl Mode {
    /// All modes, in the order of the tabs.
    pub const ALL: [Self; 4] = [Self::Manual, Self::Auto, Self::PayPerUse, Self::Expire];

    /// The word used in documents, inventories and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Auto => "auto",
            Self::PayPerUse => "pay-per-use",
            Self::Expire => "expire",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for Mode {
    type Err = ModeError;
    fn from_str(text: &str) -> Result<Self, ModeError> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text).ok_or_else(|| ModeError(text.to_owned()))
    }
}

/// A text is not one of the four modes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a mode: use manual, auto, pay-per-use or expire")]
pub struct ModeError(String);

/// The kinds of documents, in the order in which they are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum DocumentKind {
    /// Who owns and pays.
    Account,
    /// Prices by sku and term.
    PriceList,
    /// A Wasm component.
    Plugin,
    /// A configured payment plugin.
    PaymentMethod,
    /// Which resources renew how.
    RenewalPolicy,
    /// A wish to renew a selection once.
    RenewalRequest,
    /// Where what happened is told.
    EventSink,
}

impl DocumentKind {
    /// All kinds that this version enforces.
    pub const ALL: [Self; 7] = [
        Self::Account,
        Self::PriceList,
        Self::Plugin,
        Self::PaymentMethod,
        Self::RenewalPolicy,
        Self::RenewalRequest,
        Self::EventSink,
    ];

    /// The value of `kind` in a document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Account => "Account",
            Self::PriceList => "PriceList",
            Self::Plugin => "Plugin",
            Self::PaymentMethod => "PaymentMethod",
            Self::RenewalPolicy => "RenewalPolicy",
            Self::RenewalRequest => "RenewalRequest",
            Self::EventSink => "EventSink",
        }
    }
}

impl fmt::Display for DocumentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Names one document: its kind and its `metadata.name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DocumentKey {
    /// The kind.
    pub kind: DocumentKind,
    /// The name.
    pub name: String,
}

impl fmt::Display for DocumentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} {}", self.kind, self.name))
    }
}

/// One checked document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum Document {
    /// Who owns and pays.
    Account(Account),
    /// Prices by sku and term.
    PriceList(PriceList),
    /// A Wasm component.
    Plugin(Plugin),
    /// A configured payment plugin.
    PaymentMethod(PaymentMethod),
    /// Which resources renew how.
    RenewalPolicy(Box<RenewalPolicy>),
    /// A wish to renew a selection once.
    RenewalRequest(RenewalRequest),
    /// Where what happened is told.
    EventSink(EventSink),
}

impl Document {
    /// The document's kind and name.
    pub fn key(&self) -> DocumentKey {
        let (kind, name) = match self {
            Self::Account(it) => (DocumentKind::Account, it.name.as_str()),
            Self::PriceList(it) => (DocumentKind::PriceList, it.name.as_str()),
            Self::Plugin(it) => (DocumentKind::Plugin, it.name.as_str()),
            Self::PaymentMethod(it) => (DocumentKind::PaymentMethod, it.name.as_str()),
            Self::RenewalPolicy(it) => (DocumentKind::RenewalPolicy, it.name.as_str()),
            Self::RenewalRequest(it) => (DocumentKind::RenewalRequest, it.name.as_str()),
            Self::EventSink(it) => (DocumentKind::EventSink, it.name.as_str()),
        };
        DocumentKey { kind, name: name.to_owned() }
    }
}

/// A `PriceList` document. Its rows live beside it as a blob (the JSON of `Vec<PriceRow>`), named by digest,
/// because a list can be far larger than a journal record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PriceList {
    /// The document's name.
    pub name: PriceListName,
    /// The currency of every row.
    pub currency: Currency,
    /// Digest of the rows' JSON.
    pub rows: Digest,
    /// How many rows there are.
    pub row_count: u32,
}

/// One price: per unit and term, for quotes on local dates `from <= date < until`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PriceRow {
    /// What is sold.
    pub sku: String,
    /// The term that the price is for.
    pub term: Term,
    /// Price of one unit for the whole term, in major units; may have more decimals than the currency.
    pub price: Decimal,
    /// First local date of a quote that the row holds for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<NaiveDate>,
    /// First local date of a quote that the row no longer holds for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
}

impl PriceRow {
    /// Whether the row holds on a local date.
    pub fn holds_on(&self, date: NaiveDate) -> bool {
        self.from.is_none_or(|from| from <= date) && self.until.is_none_or(|until| date < until)
    }
}

/// What a plugin is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PluginRole {
    /// Quotes prices.
    Pricing,
    /// Collects money.
    Payment,
}

impl PluginRole {
    /// The word used in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pricing => "pricing",
            Self::Payment => "payment",
        }
    }
}

/// A `Plugin` document. The component's bytes are a blob named by `digest`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plugin {
    /// The document's name.
    pub name: PluginName,
    /// The file as written in the document.
    pub file: String,
    /// Digest of the component's bytes.
    pub digest: Digest,
    /// What the plugin is for.
    pub role: PluginRole,
    /// Limits that differ from the defaults.
    #[serde(default)]
    pub limits: PluginLimits,
    /// HTTP requests that it may send, in the document's order; none for pricing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<Grant>,
    /// Where the secrets that it may name come from, by name. Never their values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<SecretName, SecretSource>,
}

/// Where a secret is read from when it is needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretSource {
    /// The environment variable.
    pub env: String,
}

/// Limits of one plugin where they differ from the host's defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PluginLimits {
    /// Total linear memory of one call, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Fuel of one call, beside the fuel per item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fuel: Option<u64>,
    /// Wall-clock time of one call, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
}

/// Payments in flight at once at a method that does not say how many.
pub const IN_FLIGHT_DEFAULT: u16 = 16;

/// Most that a method can say: a thread waits for each.
pub const IN_FLIGHT_MAX: u16 = 64;

/// A `PaymentMethod` document: a payment plugin with its configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentMethod {
    /// The document's name.
    pub name: MethodName,
    /// The plugin that collects.
    pub plugin: PluginName,
    /// The plugin's own configuration.
    #[serde(default)]
    pub config: serde_json::Value,
    /// Most payments in flight at it at once, where it is not [`IN_FLIGHT_DEFAULT`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_in_flight: Option<u16>,
}

impl PaymentMethod {
    /// Most payments in flight at it at once.
    pub fn in_flight(&self) -> usize {
        usize::from(self.max_in_flight.unwrap_or(IN_FLIGHT_DEFAULT).clamp(1, IN_FLIGHT_MAX))
    }
}
