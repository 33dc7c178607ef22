//! What use cases answer: plain data in the words of the product, ready to be printed or written as JSON.
//!
//! Instants are RFC 3339 texts in the zone of the resource or account, because that is how people and `--output
//! json` read them. Nothing here is read back by renewd, except a saved quote and a saved plan.

mod board;
mod desired;
mod item;
mod order;
mod resource;
mod run;
mod show;
mod sink;
mod store;

pub use board::{BalanceView, Board, BoardTab, Notice, NoticeKind};
pub use desired::{
    AppliedView, DocumentChange, DocumentChangeKind, FieldChange, ImportConflict, ImportView, LockChange, NextRun,
    OverrideRow, OverrideSummary, PlanView, PlannedOrder, ResourceChange, RunCharge, SkippedRow,
};
pub use item::{Item, OrderSummary, RenewView};
pub use order::{AttemptView, HoldView, OrderLineView, OrderView, RefundView, TopUpView};
pub use resource::{ListView, ResourceRow, TabCount};
pub use run::{RunRefund, RunView, TimeNote, Warning};
pub use show::{
    AccountView, AlignPreview, AlignRow, CandidateView, DaySuggestion, DocumentView, EventView, ModeChangeView,
    ModeRow, PhaseChangeView, PluginCheck, PluginRow, PluginTrialView, ReplayLine, ReplayView, RequestView,
    ResourceView, Show, UseView,
};
pub use sink::{SinkBehind, SinkView};
pub use store::{LostView, RestoredView, StoreCopyView, StoreInfoView, StoreSalvageView, StoreVerifyView};

/// What a store was made from.
pub use renewd_store::Origin;

use renewd_core::money::Money;
use std::collections::BTreeMap;

/// Sums by currency; the map's key is the code.
pub type Totals = BTreeMap<String, Money>;

/// Adds an amount to sums by currency.
pub fn add_total(totals: &mut Totals, amount: Money) {
    let sum = totals.entry(amount.currency().code().to_owned()).or_insert(Money::zero(amount.currency()));
    if let Ok(next) = sum.plus(amount) {
        *sum = next;
    }
}
