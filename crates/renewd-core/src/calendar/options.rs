//! The choices that the renewal arithmetic takes, as the words that documents use.
//!
//! Holds no arithmetic; each choice's rule lives in the file that carries it out.

use super::day::RenewalDay;
use super::term::Term;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A word is none of those that a field takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is not a {what}; use {}", allowed.join(", "))]
pub struct WordError {
    /// The word as given.
    pub word: String,
    /// What was wanted.
    pub what: &'static str,
    /// The words that would do.
    pub allowed: &'static [&'static str],
}

/// An enum whose values are kebab-case words, with the same words in text, documents and JSON.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every word, in the order of the documentation.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word for it in documents and on the command line.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::calendar::WordError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::calendar::WordError { word: text.to_owned(), what: $what, allowed: Self::WORDS }),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}
pub(super) use words;

words! {
    /// What happens to a day that the target month does not have.
    #[derive(Default)]
    MonthEnd, "month-end rule" {
        /// The anchor day decides: Jan 31 → Feb 28 → Mar 31 (the default).
        #[default]
        Anchor = "anchor",
        /// Steps from the current expiry: Jan 31 → Feb 28 → Mar 28.
        Clamp = "clamp",
        /// Steps, but the last day of a month stays a last day: Apr 30 → May 31.
        EndOfMonth = "end-of-month",
    }
}

words! {
    /// Where a renewal in grace or retention starts.
    #[derive(Default)]
    LateStart, "late start" {
        /// At the old expiry, so the late days are paid for and lost (the default).
        #[default]
        FromExpiry = "from-expiry",
        /// At the latest instant at the anchor time that is not after now.
        FromRenewal = "from-renewal",
    }
}

words! {
    /// How extra days become a fraction of a month.
    #[derive(Default)]
    Proration, "proration" {
        /// Over the days between the two renewal days around them (the default).
        #[default]
        Actual = "actual",
        /// Over thirty, always.
        Fixed30 = "fixed-30",
        /// Split over calendar months, each part over that month's days.
        NaturalMonths = "natural-months",
    }
}

words! {
    /// What the extra days are a fraction of.
    #[derive(Default)]
    ExtraOf, "base for extra days" {
        /// The price of one month (the default).
        #[default]
        Month = "month",
        /// The price of the whole term.
        Term = "term",
    }
}

words! {
    /// How long automatic renewal keeps trying: until the named window ends.
    Until, "end of retries" {
        /// Until the expiry.
        Expiry = "expiry",
        /// Until grace ends.
        Grace = "grace",
        /// Until retention ends.
        Retention = "retention",
    }
}

/// How extra days are charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ExtraDays {
    /// What they are a fraction of.
    pub of: ExtraOf,
    /// Which fraction; means nothing under `of: term`.
    pub proration: Proration,
}

/// Where a renewal's new expiry must fall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alignment {
    /// On the base: no extra days.
    None,
    /// On the first such day on or after the base.
    Day(RenewalDay),
    /// On that local date: as many whole months as end on or before it, then extra days.
    SameDate(NaiveDate),
}

/// The rules in force for one renewal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Rules {
    /// What happens to a day that the target month does not have.
    pub month_end: MonthEnd,
    /// Where a late renewal starts.
    pub late_start: LateStart,
    /// How extra days are charged.
    pub extra: ExtraDays,
    /// The base must not lie after now plus this; no limit without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_ahead: Option<Term>,
}

impl fmt::Display for Alignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.pad("none"),
            Self::Day(day) => f.pad(&day.to_string()),
            Self::SameDate(date) => f.pad(&date.to_string()),
        }
    }
}
