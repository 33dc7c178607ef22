//! Days of the month: the unified renewal day that people choose, and the anchor day that a resource remembers.
//!
//! A renewal day must never be 29, 30 or 31: not every month has them. An anchor day may be, and then stands for
//! the last day of a shorter month.

use chrono::{Datelike as _, NaiveDate};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// The last day of the month that every month has.
const COMMON_DAY_MAX: u8 = 28;

/// The unified day of the month on which resources expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RenewalDay {
    /// A day that every month has, 1 to 28.
    Day(u8),
    /// The last day of each month.
    Last,
}

/// Why something is not a renewal day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenewalDayError {
    /// A day that some months do not have.
    #[error("not every month has a day `{0}`; use 28 or `last`")]
    NotInEveryMonth(u8),
    /// Anything else.
    #[error("`{0}` is not a renewal day; use a number from 1 to 28, or `last`")]
    NotADay(String),
}

impl RenewalDayError {
    /// The next step.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotInEveryMonth(_) => Some("use 28 or `last`".to_owned()),
            Self::NotADay(_) => Some("use a number from 1 to 28, or `last`".to_owned()),
        }
    }
}

impl RenewalDay {
    /// Checks a day of the month.
    ///
    /// # Errors
    /// The day is not in 1 to 28.
    pub fn new(day: i64) -> Result<Self, RenewalDayError> {
        match u8::try_from(day) {
            Ok(day @ 1..=COMMON_DAY_MAX) => Ok(Self::Day(day)),
            Ok(day @ 29..=31) => Err(RenewalDayError::NotInEveryMonth(day)),
            _ => Err(RenewalDayError::NotADay(day.to_string())),
        }
    }

    /// The anchor day that an aligned renewal leaves: the day itself, or 31 for `last`.
    pub fn anchor(self) -> AnchorDay {
        match self {
            Self::Day(day) => AnchorDay(day),
            Self::Last => AnchorDay(AnchorDay::MAX),
        }
    }
}

impl FromStr for RenewalDay {
    type Err = RenewalDayError;

    fn from_str(text: &str) -> Result<Self, RenewalDayError> {
        if text == "last" {
            return Ok(Self::Last);
        }
        let wrong = || RenewalDayError::NotADay(text.to_owned());
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong());
        }
        Self::new(text.parse().map_err(|_| wrong())?)
    }
}

impl fmt::Display for RenewalDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(day) => f.pad(&day.to_string()),
            Self::Last => f.pad("last"),
        }
    }
}

impl Serialize for RenewalDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Day(day) => serializer.serialize_u8(*day),
            Self::Last => serializer.serialize_str("last"),
        }
    }
}

impl<'de> Deserialize<'de> for RenewalDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RenewalDayVisitor)
    }
}

/// Takes a number or a word, because documents write `renewalDay: 15` and `renewalDay: last`.
struct RenewalDayVisitor;

impl serde::de::Visitor<'_> for RenewalDayVisitor {
    type Value = RenewalDay;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a day from 1 to 28, or `last`")
    }

    fn visit_i64<E: serde::de::Error>(self, day: i64) -> Result<RenewalDay, E> {
        RenewalDay::new(day).map_err(E::custom)
    }

    fn visit_u64<E: serde::de::Error>(self, day: u64) -> Result<RenewalDay, E> {
        RenewalDay::new(i64::try_from(day).unwrap_or(i64::MAX)).map_err(E::custom)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<RenewalDay, E> {
        text.parse().map_err(E::custom)
    }
}

/// The day of the month that a resource keeps through shorter months: 31 expires on 28 February, then on 31 March.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct AnchorDay(u8);

/// A number is not a day of any month.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a day of a month; an anchor day is a number from 1 to 31")]
pub struct AnchorDayError(u8);

impl AnchorDay {
    const MAX: u8 = 31;

    /// Checks a day of the month.
    ///
    /// # Errors
    /// The day is not in 1 to 31.
    pub fn new(day: u8) -> Result<Self, AnchorDayError> {
        if (1..=Self::MAX).contains(&day) { Ok(Self(day)) } else { Err(AnchorDayError(day)) }
    }

    /// The day, 1 to 31.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The anchor day that a date itself suggests: its day of the month.
    pub fn of(date: NaiveDate) -> Self {
        Self(u8::try_from(date.day()).unwrap_or(Self::MAX))
    }

    /// Whether this anchor day gives that date in its month: the day itself, or a shorter month's last day.
    pub fn fits(self, date: NaiveDate) -> bool {
        date.day() == u32::from(self.0.min(date.num_days_in_month()))
    }
}

impl TryFrom<u8> for AnchorDay {
    type Error = AnchorDayError;

    fn try_from(day: u8) -> Result<Self, AnchorDayError> {
        Self::new(day)
    }
}

impl From<AnchorDay> for u8 {
    fn from(day: AnchorDay) -> Self {
        day.0
    }
}

impl fmt::Display for AnchorDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.to_string())
    }
}
