//! The rules that a plugin's answer can break, each with what it said and what was expected.

use crate::manifest::Role;
use serde::{Deserialize, Serialize};

/// Which rule an answer breaks. `at` names the field, such as `lines/3/amount`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "rule", rename_all = "kebab-case")]
pub enum InvalidOutput {
    /// Not one answer for each request.
    #[error("the plugin gave {answers} answers to {requests} requests")]
    AnswerCount {
        /// What was asked.
        requests: usize,
        /// What came back.
        answers: usize,
    },
    /// The whole answer is too large.
    #[error("the plugin's answer has more than {most} bytes")]
    TooLarge {
        /// The limit.
        most: usize,
    },
    /// A list is too long.
    #[error("`{at}` has {count} entries, and at most {most} are accepted")]
    TooMany {
        /// The field.
        at: String,
        /// Its length.
        count: usize,
        /// The limit.
        most: usize,
    },
    /// A text is too long.
    #[error("`{at}` has {bytes} bytes, and at most {most} are accepted")]
    TextTooLong {
        /// The field.
        at: String,
        /// Its size.
        bytes: usize,
        /// The limit.
        most: usize,
    },
    /// A text is empty or has a character that it cannot have.
    #[error("`{at}` is empty or has a character that it cannot have")]
    BadText {
        /// The field.
        at: String,
    },
    /// No plain decimal, or out of bounds.
    #[error("`{at}` is `{value}`, not a plain decimal of at most 10^15")]
    BadDecimal {
        /// The field.
        at: String,
        /// What it says, shortened.
        value: String,
    },
    /// More decimals than the currency's minor unit.
    #[error("`{at}` is `{value}`, and {currency} has {digits} decimals")]
    TooManyDecimals {
        /// The field.
        at: String,
        /// What it says.
        value: String,
        /// The currency of the request.
        currency: String,
        /// Its minor digits.
        digits: u32,
    },
    /// An amount in a currency that was not asked for.
    #[error("the plugin answers in `{found}`, and was asked in {wanted}")]
    OtherCurrency {
        /// What it says.
        found: String,
        /// The currency of the request.
        wanted: String,
    },
    /// The lines do not add up.
    #[error("the lines add up to {sum}, and the total says {total}")]
    WrongSum {
        /// Sum of the lines.
        sum: String,
        /// The total as given.
        total: String,
    },
    /// The total is below zero.
    #[error("the total is {total}, below zero")]
    NegativeTotal {
        /// The total as given.
        total: String,
    },
    /// A line below zero that is no discount.
    #[error("`{at}` is {amount}, and only a line of kind `discount` may be below zero")]
    NegativeLine {
        /// The line.
        at: String,
        /// Its amount.
        amount: String,
    },
    /// The term's share lies outside of the total.
    #[error("`termNet` is {value}, which is not between zero and the total of {total}")]
    TermNet {
        /// What it says.
        value: String,
        /// The total.
        total: String,
    },
    /// A text is no RFC 3339 instant.
    #[error("`{at}` is `{value}`, not an instant such as `2026-11-30T23:59:59+08:00`")]
    BadInstant {
        /// The field.
        at: String,
        /// What it says, shortened.
        value: String,
    },
    /// Another amount than asked for.
    #[error("the plugin says that {found} moved, and was asked for {wanted}")]
    OtherAmount {
        /// What it says.
        found: String,
        /// What was asked for.
        wanted: String,
    },
    /// The manifest names another role than the exported interface.
    #[error("the manifest says `{found}`, and the component exports the {wanted} interface")]
    OtherRole {
        /// The manifest's role.
        found: Role,
        /// The role it was loaded for.
        wanted: Role,
    },
    /// A permission that cannot be granted.
    #[error("`{at}` cannot be granted: {why}")]
    BadPermission {
        /// The field.
        at: String,
        /// What is wrong with it.
        why: String,
    },
}
