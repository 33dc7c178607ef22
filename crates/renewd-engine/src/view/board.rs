//! The board: what needs a person, each with the one command that fixes it.

use super::Totals;
use renewd_core::documents::Mode;
use serde::Serialize;

/// One tab of the board.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BoardTab {
    /// The tab.
    pub tab: Mode,
    /// How many resources.
    pub resources: usize,
    /// How many are expiring.
    pub expiring: usize,
    /// How many are in grace or retention.
    pub late: usize,
    /// The next expiry, RFC 3339.
    pub next_expiry: Option<String>,
}

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeKind {
    /// A payment's outcome is unknown.
    Unknown,
    /// A gateway waits for a person.
    RequiresAction,
    /// An order is held.
    Held,
    /// A gateway has not decided.
    Pending,
    /// Money is on its way back.
    Refund,
    /// An order was declined.
    Declined,
    /// An order waits to be paid.
    Unpaid,
    /// Automatic charges have been due for a while.
    Due,
    /// A resource is frozen.
    Frozen,
    /// A resource lapses and nothing will renew it.
    Lapsing,
    /// A resource is in grace or retention.
    Late,
    /// An automatic renewal that cannot succeed as things stand.
    CannotRenew,
    /// A sink that could not be told what happened.
    EventsBehind,
    /// Resources of a restored store that may have been renewed after its backup.
    Restored,
    /// Resources that no policy matches.
    NoPolicy,
    /// A resource for which policies of one priority contend.
    PolicyConflict,
}

/// Something that needs a person.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// What it is about.
    pub kind: NoticeKind,
    /// Resource, order, account or sink.
    pub subject: String,
    /// RFC 3339: until when, and for a sink and for what is due since when.
    pub when: Option<String>,
    /// What is the matter, in one sentence.
    pub message: String,
    /// The one command that fixes it.
    pub command: Option<String>,
}

/// An account's prepaid balance.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BalanceView {
    /// The account.
    pub account: String,
    /// What it has.
    pub balance: renewd_core::money::Money,
}

/// The board.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Board {
    /// The moment, RFC 3339 in UTC.
    pub at: String,
    /// The store's directory.
    pub store: String,
    /// The revision in force.
    pub revision: u32,
    /// The tabs.
    pub tabs: Vec<BoardTab>,
    /// What needs a person, most urgent first.
    pub notices: Vec<Notice>,
    /// How many of each kind there are, also beyond those listed.
    pub counts: std::collections::BTreeMap<String, usize>,
    /// Prepaid balances by account.
    pub balances: Vec<BalanceView>,
    /// Σ of orders that wait to be paid.
    pub unpaid: Totals,
}
