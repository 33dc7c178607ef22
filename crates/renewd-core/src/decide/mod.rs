//! Decisions: from the state and a command to the events that may be journaled, or a refusal.
//!
//! Every function here is pure: it reads the state, never changes it, and takes the time as an argument. What is
//! returned must be committed as one unit.

mod holds;
mod orders;
mod pay;
mod place;
mod reconcile;
mod refunds;
mod settle;
mod time;

pub use holds::limit_holds;
pub use orders::{Resolution, approve, cancel, expire_overdue, resolve, top_up};
pub use pay::{
    AttemptSpec, Earlier, abandoned, check_lines, end_attempt, has_said_never, methods_left, next_payment_key, payable,
    start_attempt, take_earlier, usable_methods,
};
pub use place::{Placing, adopt, check_quote, may_adopt, place, same_renewal};
pub use reconcile::{FoundCharge, Look, Seen, reconcile};
pub use refunds::{
    RefundAsk, abandoned_refund, check_refund, end_refund, late_charge, refund_line, resolve_refunds, retry_late_refund,
};
pub use time::time_passes;
