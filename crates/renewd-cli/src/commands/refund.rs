//! `renewd orders refund`: gives lines of a paid order back.

use crate::context::Context;
use crate::error::CliError;
use crate::exit;
use crate::render;
use crate::ui::answer::{Answer, SINGLE};
use crate::ui::page::Page;
use crate::ui::prompt;
use crate::values;
use clap::Args;
use renewd_core::ids::OrderId;
use renewd_engine::view::{OrderView, Show};
use renewd_engine::{Engine, EngineError, Exit, RefundWish};

/// Give lines of a paid order back
///
/// The money goes back the way it came, and each resource has its expiry from before that renewal again; one that renews
/// itself becomes manual. Only the newest renewal of a resource can be given back. On a terminal it shows what goes back
/// and asks; without one it needs --yes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  renewd orders refund ord_1f2e3d4c5b6a --reason 'ordered twice'
  renewd orders refund ord_1f2e3d4c5b6a --line phone-7 --amount '5.00 USD' --reason 'goodwill' --yes")]
pub(crate) struct RefundArgs {
    /// The order
    #[arg(value_name = "ORDER")]
    order: String,
    /// Give back the line of this resource only; all lines without it
    #[arg(long, value_name = "RESOURCE")]
    line: Vec<String>,
    /// Give back this much of one line, or of a charge that came too late, instead of all that is left of it
    #[arg(long, value_name = "MONEY")]
    amount: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

pub(crate) fn refund(context: &Context<'_>, args: &RefundArgs) -> Result<Exit, CliError> {
    let ui = context.ui;
    ui.require(SINGLE)?;
    if !args.yes && !ui.interactive() {
        let hint = "add `--yes`; no more goes back than was paid";
        return Err(CliError::usage("without a terminal nobody can confirm the refund", hint));
    }
    let order = values::order(&args.order)?;
    let wish = RefundWish {
        resources: args.line.iter().map(|line| values::resource(line)).collect::<Result<_, _>>()?,
        amount: args.amount.as_deref().map(values::money).transpose()?,
        reason: args.reason.clone(),
    };
    let engine = context.engine()?;
    let before = order_view(&engine, &order)?;
    if !args.yes {
        confirm(context, &before, &wish)?;
    }
    let view = engine.refund(&order, &wish)?;
    ui.answer(&Answer::one("order", &view), |page| {
        render::order::order(page, &view);
        render::refund::manual_from_now_on(page, &view);
    })?;
    Ok(exit::of_refunds(view.refunds.get(before.refunds.len()..).unwrap_or_default()))
}

fn order_view(engine: &Engine, order: &OrderId) -> Result<OrderView, CliError> {
    match engine.show(order.as_str(), false)? {
        Show::Order { order, .. } => Ok(*order),
        Show::Resource(_) | Show::Account(_) | Show::Document(_) | Show::Request(_) | Show::Replay(_) => {
            Err(EngineError::Bug(format!("{order} is shown as something else")).into())
        }
    }
}

/// Shows what would go back and asks. What cannot go back at all is left for the engine to refuse.
fn confirm(context: &Context<'_>, order: &OrderView, wish: &RefundWish) -> Result<(), CliError> {
    let mut page = Page::new(context.ui.screen);
    let Some(sum) = render::refund::preview(&mut page, order, wish) else { return Ok(()) };
    context.ui.show_page(&page)?;
    prompt::confirm(&format!("give back {sum}?"))
}
