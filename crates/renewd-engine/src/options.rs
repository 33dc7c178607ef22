//! What callers ask of the engine: selections, wishes, choices and permissions, as plain data.

use renewd_core::documents::{Days, LocalMoment, Mode, Pattern};
use renewd_core::ids::{MethodName, RequestName, ResourceId};
use renewd_core::quote::Wish;
use renewd_core::resource::Phase;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Which resources a command is about: same flag = or, different flags = and.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Selector {
    /// Ids or id globs.
    pub ids: Vec<Pattern>,
    /// Accounts.
    pub accounts: Vec<Pattern>,
    /// Kinds.
    pub kinds: Vec<Pattern>,
    /// Skus.
    pub skus: Vec<Pattern>,
    /// Regions.
    pub regions: Vec<Pattern>,
    /// Labels: values of one key are or-ed, keys and-ed.
    pub labels: Vec<(String, Pattern)>,
    /// Tabs.
    pub tabs: Vec<Mode>,
    /// Phases.
    pub phases: Vec<Phase>,
    /// Only what expires before this moment.
    pub expires_before: Option<LocalMoment>,
    /// Only what expires within so many local days from now; what has already expired is not among it.
    pub expires_within: Option<Days>,
    /// Exactly these ids, read from a file.
    pub from_file: Option<BTreeSet<ResourceId>>,
    /// Search in id, name and labels, without regard to case.
    pub search: Option<String>,
    /// Everything.
    pub all: bool,
}

impl Selector {
    /// Whether nothing was said at all, which only `list` accepts.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The desired state that `plan` and `apply` work on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desired {
    /// Directory (or file) of documents; without one the documents in force stay.
    pub directory: Option<PathBuf>,
    /// An inventory to import in the same revision.
    pub resources: Option<PathBuf>,
}

/// What `apply` may do beyond adding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Allow {
    /// Remove documents.
    pub removals: bool,
    /// Widen grants.
    pub grants: bool,
}

/// Which side wins a conflict between inventory and store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    /// The inventory.
    Inventory,
    /// The store.
    Store,
}

/// How an inventory is imported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// Leave bad rows out instead of changing nothing.
    pub skip_bad: bool,
    /// Settle conflicts.
    pub take: Option<Take>,
    /// `csv`, `json` or `ndjson`; by the file's name without it. The file `-` is standard input.
    pub format: Option<String>,
}

/// How a selection is to be renewed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RenewAsk {
    /// Term and alignment.
    pub wish: Wish,
    /// The one method to pay with.
    pub pay_with: Option<MethodName>,
    /// At most one renewal per resource under this id, for ever.
    pub request: Option<RequestName>,
}

/// What `renew` does with a quote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RenewOptions {
    /// Place orders without paying them.
    pub pay_later: bool,
    /// All or nothing.
    pub atomic: bool,
}

/// A person's choice of mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModeChoice {
    /// The mode; none gives the resource back to its policy.
    pub mode: Option<Mode>,
    /// Why.
    pub reason: Option<String>,
    /// When the choice ends by itself.
    pub until: Option<LocalMoment>,
}

/// What `align preview` shows.
#[derive(Debug, Clone, PartialEq)]
pub struct AlignAsk {
    /// Term and day or date.
    pub wish: Wish,
    /// Rank the days by cost.
    pub suggest: bool,
}

/// Which orders `orders list` shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// Also those that are settled, canceled or expired.
    pub all: bool,
    /// Only these statuses.
    pub statuses: Vec<String>,
    /// Only these accounts.
    pub accounts: Vec<String>,
}

/// What a person found out about an unknown payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolveAsk {
    /// Whether the money was taken.
    pub succeeded: bool,
    /// The gateway's reference.
    pub reference: Option<String>,
    /// How the person knows.
    pub reason: String,
}

/// A function of a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PluginCall {
    /// Its manifest.
    Describe,
    /// What it says about a configuration.
    CheckConfig,
    /// Prices.
    Quote,
    /// Asks for money.
    Charge,
    /// What became of a charge.
    FindCharge,
    /// Gives money back.
    Refund,
    /// What became of a refund.
    FindRefund,
    /// Stops a charge that waits.
    Cancel,
}

impl PluginCall {
    /// Its name in WIT.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Describe => "describe",
            Self::CheckConfig => "check-config",
            Self::Quote => "quote",
            Self::Charge => "charge",
            Self::FindCharge => "find-charge",
            Self::Refund => "refund",
            Self::FindRefund => "find-refund",
            Self::Cancel => "cancel",
        }
    }

    /// Whether it changes something at the gateway.
    pub fn moves_money(self) -> bool {
        match self {
            Self::Charge | Self::Refund | Self::Cancel => true,
            Self::Describe | Self::CheckConfig | Self::Quote | Self::FindCharge | Self::FindRefund => false,
        }
    }
}

/// One call of a plugin, outside of any order.
#[derive(Debug, Clone)]
pub struct PluginTrial {
    /// The name of a Plugin document, or a file where there is no directory.
    pub plugin: String,
    /// The documents with the plugin's grants, secrets and configuration.
    pub directory: Option<PathBuf>,
    /// What is called.
    pub call: PluginCall,
    /// The configuration, a JSON text; without one that of the only document that uses the plugin.
    pub config: Option<String>,
    /// The file with the request.
    pub request: Option<PathBuf>,
    /// Where the exchanges are written.
    pub record: Option<PathBuf>,
    /// A recording that answers in place of the network.
    pub play: Option<PathBuf>,
}
