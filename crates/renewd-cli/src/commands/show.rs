//! `renewd show`: everything about one thing.

use crate::context::Context;
use crate::error::CliError;
use crate::render;
use crate::ui::answer::{Answer, SINGLE};
use crate::ui::page::Page;
use clap::Args;
use renewd_engine::Exit;
use renewd_engine::view::{CandidateView, EventView, PhaseChangeView, ResourceRow, ResourceView, Show};
use serde::Serialize;

/// Show everything about a resource, order, account, policy or request
///
/// Of a resource: which policy wins and why, the next charge, the arithmetic of the next renewal and the history. With
/// --replay an order is computed again from the inputs that were pinned when it was made.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  renewd show phone-7
  renewd show ord_1f2e3d4c5b6a --replay
  renewd show phones-production")]
pub(crate) struct ShowArgs {
    /// Its id or name
    #[arg(value_name = "RESOURCE|ORDER|ACCOUNT|POLICY|REQUEST")]
    subject: String,
    /// Compute the order again from its pinned inputs, and compare
    #[arg(long)]
    replay: bool,
}

/// A resource for JSON: its row in a field of its own, because a row has a `kind` too.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceBody<'a> {
    resource: &'a ResourceRow,
    candidates: &'a [CandidateView],
    mode_source: &'a str,
    phase_changes: &'a [PhaseChangeView],
    arithmetic: &'a [String],
    next_lines: &'a [renewd_core::quote::PriceLine],
    next_total: Option<renewd_core::money::Money>,
    frozen: Option<&'a str>,
    history: &'a [EventView],
}

#[derive(Serialize)]
struct OrderBody<'a> {
    #[serde(flatten)]
    order: &'a renewd_engine::view::OrderView,
    history: &'a [EventView],
}

pub(crate) fn show(context: &Context<'_>, args: &ShowArgs) -> Result<Exit, CliError> {
    context.ui.require(SINGLE)?;
    let view = context.engine()?.show(&args.subject, args.replay)?;
    let ui = context.ui;
    let draw = |page: &mut Page| render::show::show(page, &view);
    match &view {
        Show::Resource(resource) => ui.answer(&Answer::one("resource", &resource_body(resource)), draw)?,
        Show::Order { order, history } => ui.answer(&Answer::one("order", &OrderBody { order, history }), draw)?,
        Show::Account(account) => ui.answer(&Answer::one("account", &**account), draw)?,
        Show::Document(document) => ui.answer(&Answer::one("document", &**document), draw)?,
        Show::Request(request) => ui.answer(&Answer::one("request", &**request), draw)?,
        Show::Replay(replay) => ui.answer(&Answer::one("replay", replay), draw)?,
    }
    Ok(match &view {
        Show::Replay(replay) if !replay.equal => Exit::Refused,
        Show::Resource(_)
        | Show::Order { .. }
        | Show::Account(_)
        | Show::Document(_)
        | Show::Request(_)
        | Show::Replay(_) => Exit::Done,
    })
}

fn resource_body(view: &ResourceView) -> ResourceBody<'_> {
    ResourceBody {
        resource: &view.row,
        candidates: &view.candidates,
        mode_source: &view.mode_source,
        phase_changes: &view.phase_changes,
        arithmetic: &view.arithmetic,
        next_lines: &view.next_lines,
        next_total: view.next_total,
        frozen: view.frozen.as_deref(),
        history: &view.history,
    }
}
