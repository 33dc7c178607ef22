//! The term: the whole months that a renewal adds. Years are twelve months, so `P12M` equals `P1Y`.
//!
//! Must never hold days: a term of days would drift against the calendar.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Whole months, 0 to [`Term::MONTHS_MAX`]; zero only as the part of a `--same-date` renewal before its extra days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Term {
    months: u16,
}

/// Why a text is not a term.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TermError {
    /// The text is in none of the accepted forms.
    #[error("`{0}` is not a term of whole months or years")]
    NotATerm(String),
    /// The term adds nothing.
    #[error("`{0}` is no month at all; a term adds at least one")]
    Zero(String),
    /// The term is longer than [`Term::MONTHS_MAX`].
    #[error("`{0}` is longer than {max} years", max = Term::MONTHS_MAX / 12)]
    TooLong(String),
}

impl TermError {
    /// The next step for whoever wrote the text.
    pub fn hint(&self) -> Option<String> {
        let advice = "write whole months or years, such as `P1M`, `P1Y`, `3 months` or `1 year`";
        match self {
            Self::NotATerm(text) => match text.to_uppercase().parse::<Term>() {
                Ok(_) => Some(format!("did you mean `{}`?", text.to_uppercase())),
                Err(_) => Some(advice.to_owned()),
            },
            Self::Zero(_) => Some("the shortest term is `P1M`".to_owned()),
            Self::TooLong(_) => Some(format!("the longest term is `P{}Y`", Term::MONTHS_MAX / 12)),
        }
    }
}

impl Term {
    /// The longest term, in months: a hundred years.
    pub const MONTHS_MAX: u16 = 1200;

    /// A term of that many months; zero is allowed here, for `--same-date`.
    ///
    /// More than [`Term::MONTHS_MAX`] months become that many.
    pub const fn from_months(months: u16) -> Self {
        Self { months: if months > Self::MONTHS_MAX { Self::MONTHS_MAX } else { months } }
    }

    /// The number of months.
    pub const fn months(self) -> u16 {
        self.months
    }

    /// Reads any length, zero included: what was written by [`fmt::Display`] must always be readable again.
    fn read(text: &str) -> Result<Self, TermError> {
        let months = iso_months(text).or_else(|| worded_months(text));
        let months = months.ok_or_else(|| TermError::NotATerm(text.to_owned()))?;
        match u16::try_from(months) {
            Ok(months) if months <= Self::MONTHS_MAX => Ok(Self { months }),
            _ => Err(TermError::TooLong(text.to_owned())),
        }
    }
}

impl FromStr for Term {
    type Err = TermError;

    fn from_str(text: &str) -> Result<Self, TermError> {
        let term = Self::read(text)?;
        if term.months == 0 { Err(TermError::Zero(text.to_owned())) } else { Ok(term) }
    }
}

impl TryFrom<String> for Term {
    type Error = TermError;

    fn try_from(text: String) -> Result<Self, TermError> {
        Self::read(&text)
    }
}

impl From<Term> for String {
    fn from(term: Term) -> Self {
        term.to_string()
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.months > 0 && self.months.is_multiple_of(12) {
            f.pad(&format!("P{}Y", self.months / 12))
        } else {
            f.pad(&format!("P{}M", self.months))
        }
    }
}

/// `P1M`, `P1Y`, `P1Y6M`: years before months, each at most once, at least one of them.
fn iso_months(text: &str) -> Option<u64> {
    let rest = text.strip_prefix('P')?;
    let (years, rest) = rest.split_once('Y').map_or((None, rest), |(years, rest)| (Some(years), rest));
    let months = if rest.is_empty() { None } else { Some(rest.strip_suffix('M')?) };
    if years.is_none() && months.is_none() {
        return None;
    }
    let years = years.map_or(Some(0), number)?;
    years.checked_mul(12)?.checked_add(months.map_or(Some(0), number)?)
}

/// `1 month`, `3 months`, `1 year`, `2 years`.
fn worded_months(text: &str) -> Option<u64> {
    let (count, unit) = text.split_once(' ')?;
    match unit {
        "month" | "months" => number(count),
        "year" | "years" => number(count)?.checked_mul(12),
        _ => None,
    }
}

/// Digits only: `u64`'s own parser would also take a sign. Nine digits cannot overflow anything here.
fn number(digits: &str) -> Option<u64> {
    let plain = !digits.is_empty() && digits.len() <= 9 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}
