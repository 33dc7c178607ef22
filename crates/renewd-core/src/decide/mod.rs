//! Decisions: from the state and a command to the events that may be journaled, or a refusal.
//!
//! Every function here is pure: it reads the state, never changes it, and takes the time as an argument. What is
//! returned must be committed as one unit.

mod holds;
mod orders;
mod pay;
mod place;

pub use holds::limit_holds;
pub use orders::{Resolution, approve, cancel, expire_overdue, resolve, top_up};
pub use pay::{AttemptSpec, abandoned, check_lines, end_attempt, start_attempt, usable_methods};
pub use place::{Placing, adopt, check_quote, may_adopt, place, same_renewal};
