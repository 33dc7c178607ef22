//! Renewal requests: a declared wish to renew a selection once.

use super::Matcher;
use crate::calendar::{RenewalDay, Term, resolve_local};
use crate::ids::{MethodName, RequestName};
use crate::money::Money;
use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// A `RenewalRequest` document: at most one renewal per (request, resource), for ever.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RenewalRequest {
    /// The document's name.
    pub name: RequestName,
    /// Which resources it is for.
    #[serde(rename = "match")]
    pub matcher: Matcher,
    /// Only resources that expire before this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_before: Option<LocalMoment>,
    /// The term; each policy's default without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term: Option<Term>,
    /// Whether to align.
    #[serde(default)]
    pub align: AlignAsked,
    /// The one method to pay with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pay_with: Option<MethodName>,
    /// Over this total of all its items the request's orders are held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_total: Option<Money>,
}

/// What a person or request says about alignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlignAsked {
    /// Nothing: the policy decides.
    #[default]
    Unsaid,
    /// To the renewal day of the policy or account.
    Yes,
    /// Not.
    No,
    /// To this day, for this renewal only.
    Day(RenewalDay),
}

/// A moment given with or without a zone; without one it is local to each resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LocalMoment {
    /// An instant.
    Instant(DateTime<Utc>),
    /// A local date and time; a bare date is 00:00:00.
    Local(NaiveDateTime),
}

impl LocalMoment {
    /// The instant in a zone.
    pub fn instant(&self, zone: Tz) -> DateTime<Utc> {
        match self {
            Self::Instant(instant) => *instant,
            Self::Local(local) => resolve_local(*local, zone),
        }
    }
}
