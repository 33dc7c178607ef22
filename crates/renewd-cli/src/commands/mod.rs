//! One file per command: its arguments, its help, and what it asks of the engine.

pub(crate) mod align;
pub(crate) mod align_date;
pub(crate) mod apply;
pub(crate) mod board;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod help;
pub(crate) mod import;
pub(crate) mod list;
pub(crate) mod man;
pub(crate) mod mode;
pub(crate) mod orders;
pub(crate) mod plan;
pub(crate) mod plugin;
pub(crate) mod plugin_test;
pub(crate) mod refund;
pub(crate) mod renew;
pub(crate) mod renew_ask;
pub(crate) mod run;
pub(crate) mod run_watch;
pub(crate) mod show;
pub(crate) mod store;
