//! Why a renewal's dates are refused, in the words that people read.

use super::day::AnchorDay;
use super::expiry::{Expiry, rfc3339_in};
use super::term::Term;
use chrono::{DateTime, NaiveDate, Utc};

/// Why a renewal has no dates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DatesError {
    /// The new expiry would not lie in the future.
    #[error("the new expiry {new_expiry} already lies in the past")]
    PastExpiry {
        /// The new expiry that was asked for.
        new_expiry: Expiry,
        /// The least number of whole months whose new expiry does lie in the future.
        least: Option<Term>,
    },
    /// The base lies after now plus `terms.maxAhead`.
    #[error("the term would end on {base}, later than {}, the furthest that may be paid ahead", rfc3339_in(*limit, base.zone))]
    TooFarAhead {
        /// The end of the whole months.
        base: Expiry,
        /// The latest base allowed.
        limit: DateTime<Utc>,
    },
    /// `--same-date`: the resource expires on that date already, so nothing changes.
    #[error("it expires on that date already")]
    AlreadyThere,
    /// `--same-date`: the resource expires after that date, and no renewal makes an expiry earlier.
    #[error("it expires on {expiry}, after `{date}`, and a renewal cannot make that earlier")]
    LaterThanDate {
        /// The current expiry.
        expiry: Expiry,
        /// The date asked for.
        date: NaiveDate,
    },
    /// `--same-date`: the date does not lie in the future.
    #[error("an expiry on `{date}` would not lie in the future")]
    DateInPast {
        /// The date asked for.
        date: NaiveDate,
    },
    /// The anchor day does not give the expiry's own date.
    #[error("the anchor day `{anchor}` does not give the expiry date `{date}`")]
    AnchorMismatch {
        /// The anchor day.
        anchor: AnchorDay,
        /// The date of the expiry.
        date: NaiveDate,
    },
    /// A date lies outside the years 0 to 9999, the only ones that RFC 3339 can write.
    #[error("a date of this renewal lies outside the years 0 to 9999")]
    OutOfRange,
}

impl DatesError {
    /// The next step for whoever asked for the renewal.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::PastExpiry { least: Some(least), .. } => Some(format!("renew for at least `{least}`")),
            Self::PastExpiry { least: None, .. } => None,
            Self::TooFarAhead { .. } => Some("choose a shorter term, or raise `terms.maxAhead`".to_owned()),
            Self::AlreadyThere => None,
            Self::LaterThanDate { expiry, .. } => Some(format!("choose a date after {}", expiry.date)),
            Self::DateInPast { .. } => Some("choose a later date".to_owned()),
            Self::AnchorMismatch { date, .. } => {
                Some(format!("use {}, the day of the expiry itself, or leave it out", AnchorDay::of(*date)))
            }
            Self::OutOfRange => Some("choose a shorter term".to_owned()),
        }
    }
}
