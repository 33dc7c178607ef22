//! The renewal arithmetic (DESIGN section 3): from an expiry, a term and the rules to the new expiry, its extra
//! days and their fraction. This is the one home of every date rule.
//!
//! Never reads a clock (`now` is an argument), never does I/O, never uses floats, and never rounds: a fraction
//! stays exact until the price is rounded once, in [`crate::money`].

mod charge;
mod conventions;
mod day;
mod error;
mod expiry;
mod fraction;
mod months;
mod options;
mod proration;
mod renewal;
mod term;

pub use charge::{auto_charge_at, next_auto_try};
pub use conventions::{AutoDefaults, Conventions, ConventionsName, conventions};
pub use day::{AnchorDay, AnchorDayError, RenewalDay, RenewalDayError};
pub use error::DatesError;
pub use expiry::{Expiry, resolve_local, rfc3339_in};
pub use fraction::{Fraction, FractionError, FractionPart};
pub use months::add_months;
pub use options::{Alignment, ExtraDays, ExtraOf, LateStart, MonthEnd, Proration, Rules, Until, WordError};
pub use renewal::{Dates, renewal_dates, schedule};
pub use term::{Term, TermError};
