//! Resources: what renewd knows of each prepaid thing, and the phase it is in at a moment.
//!
//! The phase is always derived from the clock and the windows captured with the current term; it is never stored.

use crate::calendar::{AnchorDay, Expiry, Term};
use crate::documents::{AccountMethod, Days, Mode, Subject, Windows};
use crate::ids::{AccountName, OrderId, ResourceId};
use crate::quote::Prepared;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What an inventory says about a resource and always wins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Description {
    /// The owner and payer.
    pub account: AccountName,
    /// A name for people; the id where the inventory has none.
    pub name: String,
    /// What kind of thing it is.
    pub kind: String,
    /// What is sold.
    pub sku: String,
    /// How many units, at least 1.
    pub quantity: u32,
    /// Where it runs; empty where that means nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub region: String,
    /// Labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// What the vendor knows it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Whether the vendor renews it at all.
    pub renewable: bool,
}

/// The expiry and the anchor day that later renewals count from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TermEnd {
    /// When the paid term ends.
    pub expiry: Expiry,
    /// Day of the month that short months do not forget.
    pub anchor: AnchorDay,
}

/// What the last import said, the base of the three-way merge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Imported {
    /// Its expiry and anchor.
    #[serde(flatten)]
    pub end: TermEnd,
    /// Its mode, where it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Its last paid net price per unit and month, where it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Decimal>,
}

/// A choice of mode by a person or an inventory, which stands against the policy's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModeOverride {
    /// The chosen mode.
    pub mode: Mode,
    /// Who chose; `import` for an inventory.
    pub actor: String,
    /// Why, in the person's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When the choice ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

/// Why a resource cannot be renewed until somebody has looked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "because", rename_all = "kebab-case")]
pub enum Freeze {
    /// A payment's outcome is unknown; only that order's resolution leaves this.
    #[serde(rename_all = "camelCase")]
    UnknownPayment {
        /// The order.
        order: OrderId,
    },
    /// The inventory and the store disagree; an import that takes a side leaves this.
    #[serde(rename_all = "camelCase")]
    ImportConflict {
        /// What disagrees, in words.
        detail: String,
    },
    /// Money for its last renewal is on its way back; only that refund's end leaves this.
    #[serde(rename_all = "camelCase")]
    Refunding {
        /// The order.
        order: OrderId,
    },
}

impl Freeze {
    /// The order on which it depends.
    pub fn order(&self) -> Option<&OrderId> {
        match self {
            Self::UnknownPayment { order } | Self::Refunding { order } => Some(order),
            Self::ImportConflict { .. } => None,
        }
    }
}

impl fmt::Display for Freeze {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownPayment { order } => write!(f, "the payment of order {order} has an unknown outcome"),
            Self::ImportConflict { detail } => write!(f, "inventory conflict: {detail}"),
            Self::Refunding { order } => write!(f, "the refund of order {order} is not finished"),
        }
    }
}

/// What automatic renewal did with a resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AutoRecord {
    /// Settled automatic renewals since somebody last chose its mode.
    pub renewals: u32,
    /// The last try to extend an expiry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tried: Option<AutoTry>,
}

/// Tries of automatic renewal to extend one expiry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AutoTry {
    /// The expiry that was to be extended.
    pub expiry: DateTime<Utc>,
    /// When it was tried last.
    pub at: DateTime<Utc>,
    /// Methods that declined for good: they are not tried again for this expiry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<AccountMethod>,
}

/// Attempts to pay one renewal of a resource, over all orders that it was in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tries {
    /// The generation of the renewal.
    pub generation: u32,
    /// The expiry that was to be extended.
    pub expiry: DateTime<Utc>,
    /// The highest number of an attempt.
    pub count: u32,
}

/// The last phase that `run` journaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    /// The expiry around which the phase lies.
    pub expiry: DateTime<Utc>,
    /// The phase.
    pub phase: Phase,
}

/// A resource as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// Its id.
    pub id: ResourceId,
    /// What the inventory says.
    #[serde(flatten)]
    pub description: Description,
    /// The current expiry and anchor.
    #[serde(flatten)]
    pub end: TermEnd,
    /// Rises whenever the expiry changes by anything but a renewal.
    pub generation: u32,
    /// The generation at the last move of its expiry by an inventory: what was renewed before it cannot be undone.
    #[serde(default, skip_serializing_if = "is_default")]
    pub imported_generation: u32,
    /// Periods around the expiry, captured with the current term.
    pub windows: Windows,
    /// Whether `windows` come from a policy.
    pub windows_captured: bool,
    /// What the last import said.
    pub imported: Imported,
    /// Last paid net price per unit and month, by term; extra days aside.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub paid: BTreeMap<Term, Decimal>,
    /// The net price per month and unit that was paid last, at whatever term.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_paid: Option<Decimal>,
    /// A person's or inventory's choice of mode.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "override")]
    pub chosen: Option<ModeOverride>,
    /// Why it is frozen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freeze: Option<Freeze>,
    /// The order that is not yet settled, canceled or expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_order: Option<OrderId>,
    /// Epoch of the store in which a gateway was asked for earlier charges of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sought: Option<u32>,
    /// Attempts to pay its next renewal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tries: Option<Tries>,
    /// What automatic renewal did with it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub auto: AutoRecord,
    /// The last phase that was journaled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noted: Option<Noted>,
    /// When it became pay-per-use at its expiry; it is prepaid no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub converted: Option<DateTime<Utc>>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Where a resource is between two renewals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Paid for, far from its expiry.
    Active,
    /// Paid for, near its expiry.
    Expiring,
    /// Expired, running on.
    Grace,
    /// Expired, frozen, still kept.
    Retention,
    /// Gone: cannot be renewed.
    Released,
}

impl Phase {
    /// All phases in the order of time.
    pub const ALL: [Self; 5] = [Self::Active, Self::Expiring, Self::Grace, Self::Retention, Self::Released];

    /// The word used in selectors and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expiring => "expiring",
            Self::Grace => "grace",
            Self::Retention => "retention",
            Self::Released => "released",
        }
    }

    /// Whether the expiry has passed but the resource can still be renewed.
    pub fn is_late(self) -> bool {
        matches!(self, Self::Grace | Self::Retention)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The instants at which a resource's phase changes, in order of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhaseChanges {
    /// It counts as expiring from here.
    pub expiring: DateTime<Utc>,
    /// It expires.
    pub expiry: DateTime<Utc>,
    /// Grace ends and retention begins.
    pub retention: DateTime<Utc>,
    /// Retention ends.
    pub released: DateTime<Utc>,
}

impl PhaseChanges {
    /// The phase at a moment; every period is half-open.
    pub fn phase(&self, now: DateTime<Utc>) -> Phase {
        if now < self.expiring {
            Phase::Active
        } else if now < self.expiry {
            Phase::Expiring
        } else if now < self.retention {
            Phase::Grace
        } else if now < self.released {
            Phase::Retention
        } else {
            Phase::Released
        }
    }

    /// The next change after a moment; none once released.
    pub fn next_after(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        [self.expiring, self.expiry, self.retention, self.released].into_iter().find(|change| now < *change)
    }
}

impl Resource {
    /// The instants at which the phase changes, by local calendar days at the expiry's time of day.
    pub fn phase_changes(&self) -> PhaseChanges {
        let Windows { expiring, grace, retention } = self.windows;
        let expiry = &self.end.expiry;
        let after_grace = Days(grace.0.saturating_add(retention.0));
        PhaseChanges {
            expiring: days_before(expiry, expiring),
            expiry: expiry.instant(),
            retention: days_after(expiry, grace),
            released: days_after(expiry, after_grace),
        }
    }

    /// The phase at a moment. A release that was journaled stands, whatever the clock says later; what became
    /// pay-per-use runs on and never lapses.
    pub fn phase(&self, now: DateTime<Utc>) -> Phase {
        if self.converted.is_some() {
            return Phase::Active;
        }
        match self.noted_phase() {
            Some(Phase::Released) => Phase::Released,
            Some(Phase::Active | Phase::Expiring | Phase::Grace | Phase::Retention) | None => {
                self.phase_changes().phase(now)
            }
        }
    }

    /// The last journaled phase around the current expiry.
    pub fn noted_phase(&self) -> Option<Phase> {
        self.noted.filter(|noted| noted.expiry == self.end.expiry.instant()).map(|noted| noted.phase)
    }

    /// The tries of automatic renewal to extend the current expiry.
    pub fn auto_tried(&self) -> Option<&AutoTry> {
        self.auto.tried.as_ref().filter(|tried| tried.expiry == self.end.expiry.instant())
    }

    /// Whether a paid renewal is the newest of those that stand, so that giving it back can undo it.
    pub fn ends_with(&self, renewal: &Prepared) -> bool {
        self.imported_generation <= renewal.generation && self.end == renewal.new_end()
    }

    /// The highest number of an attempt to pay its next renewal, in whatever order.
    pub fn tries_made(&self) -> u32 {
        let current = |tries: &Tries| tries.generation == self.generation && tries.expiry == self.end.expiry.instant();
        let tries = self.tries.filter(current).filter(|_| !crate::planted::is("generation-not-raised"));
        tries.map_or(0, |tries| tries.count)
    }

    /// Whether time can still change anything about it: it is neither released nor pay-per-use.
    pub fn is_prepaid(&self) -> bool {
        self.converted.is_none() && self.noted_phase() != Some(Phase::Released)
    }

    /// The last known net price per unit and month at a term: what was paid, else what was imported.
    pub fn known_price(&self, term: Term) -> Option<Decimal> {
        self.paid.get(&term).copied().or(self.imported.price)
    }

    /// The price that an export shows: what was paid last, else what was imported.
    pub fn shown_price(&self) -> Option<Decimal> {
        self.last_paid.or(self.imported.price)
    }

    /// What matchers look at.
    pub fn subject(&self) -> Subject<'_> {
        Subject {
            id: self.id.as_str(),
            account: self.description.account.as_str(),
            kind: &self.description.kind,
            sku: &self.description.sku,
            region: &self.description.region,
            labels: &self.description.labels,
        }
    }

    /// The override, where it has not ended.
    pub fn active_override(&self, now: DateTime<Utc>) -> Option<&ModeOverride> {
        self.chosen.as_ref().filter(|chosen| chosen.until.is_none_or(|until| now < until))
    }
}

fn days_before(expiry: &Expiry, days: Days) -> DateTime<Utc> {
    let date = expiry.date.checked_sub_days(chrono::Days::new(days.0.into())).unwrap_or(expiry.date);
    expiry.with_date(date).instant()
}

fn days_after(expiry: &Expiry, days: Days) -> DateTime<Utc> {
    let date = expiry.date.checked_add_days(chrono::Days::new(days.0.into())).unwrap_or(expiry.date);
    expiry.with_date(date).instant()
}
