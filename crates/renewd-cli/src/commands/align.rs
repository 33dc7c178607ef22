//! `renewd align`: one renewal day for many resources, before anyone pays for it.

use super::align_date::{self, DateArgs};
use crate::context::Context;
use crate::error::CliError;
use crate::render;
use crate::selector::SelectorArgs;
use crate::ui::answer::{Answer, Rows};
use crate::values;
use clap::{Args, Subcommand};
use renewd_core::quote::{SameDate, Wish};
use renewd_engine::view::AlignRow;
use renewd_engine::{AlignAsk, Exit};

/// Show what one renewal day would do to expiries and costs
#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "\
Examples:
  renewd align preview --account acme-asia --align=15
  renewd align preview --all --suggest
  renewd align date 2020-04-28T23:59:59 --zone Asia/Shanghai --renewal-day 15"
)]
pub(crate) struct AlignArgs {
    #[command(subcommand)]
    command: AlignCommand,
}

#[derive(Debug, Subcommand)]
enum AlignCommand {
    Preview(PreviewArgs),
    Date(DateArgs),
}

/// Show expiries before and after alignment, with what the extra days cost
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  renewd align preview --account acme-asia
  renewd align preview 'phone-*' --align=last --term P1Y
  renewd align preview --all --suggest")]
struct PreviewArgs {
    #[command(flatten)]
    selector: SelectorArgs,
    /// Align to this day instead of the account's: 1 to 28, or `last`
    #[arg(long, value_name = "DAY", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    align: Option<String>,
    /// Align to the latest expiry date of the selection, or to this date
    #[arg(long, value_name = "latest|DATE", conflicts_with = "align")]
    same_date: Option<String>,
    /// Renew for this term instead of the policy's default
    #[arg(long, value_name = "TERM")]
    term: Option<String>,
    /// Rank the days by what they would cost
    #[arg(long)]
    suggest: bool,
}

pub(crate) fn align(context: &Context<'_>, args: &AlignArgs) -> Result<Exit, CliError> {
    match &args.command {
        AlignCommand::Preview(args) => preview(context, args),
        AlignCommand::Date(args) => align_date::date(context, args),
    }
}

const COLUMNS: &[&str] = &["id", "expiry", "unaligned", "aligned", "extraDays", "total", "extraCost"];

fn preview(context: &Context<'_>, args: &PreviewArgs) -> Result<Exit, CliError> {
    let selector = args.selector.require()?;
    let engine = context.engine()?;
    let same_date = match args.same_date.as_deref() {
        Some(text) => Some(SameDate(super::renew_ask::same_date(&engine, &selector, text)?)),
        None => None,
    };
    let asked = values::align(args.align.as_deref().or(Some("")).filter(|_| same_date.is_none()), false)?;
    let wish = Wish { term: args.term.as_deref().map(values::term).transpose()?, align: asked, same_date };
    let view = engine.align_preview(&selector, &AlignAsk { wish, suggest: args.suggest })?;
    let rows = Rows { lines: &view.rows, columns: COLUMNS, cells, id: |row| Some(row.resource.to_string()) };
    let answer = Answer { kind: "align-preview", body: &view, rows: Some(rows) };
    context.ui.answer(&answer, |page| render::align::preview(page, &view))?;
    Ok(if !view.rows.is_empty() && view.rows.iter().all(|row| row.aligned.is_none()) {
        Exit::Refused
    } else {
        Exit::Done
    })
}

fn cells(row: &AlignRow) -> Vec<String> {
    let text = |value: Option<String>| value.unwrap_or_default();
    vec![
        row.resource.to_string(),
        row.expiry.clone(),
        text(row.unaligned.clone()),
        text(row.aligned.clone()),
        text(row.extra_days.map(|days| days.to_string())),
        text(row.total.map(|total| format!("{} {}", total.amount(), total.currency()))),
        text(row.extra_cost.map(|cost| format!("{} {}", cost.amount(), cost.currency()))),
    ]
}
