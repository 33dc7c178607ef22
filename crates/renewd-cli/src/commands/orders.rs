//! `renewd orders`: what waits to be paid, approved or found out.

use super::refund::{self, RefundArgs};
use super::renew;
use crate::context::Context;
use crate::error::CliError;
use crate::exit;
use crate::render;
use crate::ui::answer::{ALL, Answer, Rows, SINGLE};
use crate::ui::prompt;
use crate::values;
use clap::{Args, Subcommand, ValueEnum};
use renewd_engine::view::OrderView;
use renewd_engine::{Exit, OrderFilter, ResolveAsk};
use serde::Serialize;

/// List, pay, approve, resolve, cancel and refund orders, and top up balances
#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "\
Examples:
  renewd orders list
  renewd orders pay ord_1f2e3d4c5b6a --pay-with corporate-card
  renewd orders resolve ord_1f2e3d4c5b6a --as succeeded --reference pi_3N --reason 'seen at the gateway'
  renewd orders refund ord_1f2e3d4c5b6a --line phone-7 --reason 'returned'
  renewd orders topup acme-asia '500.00 USD' --reference wire-2026-12"
)]
pub(crate) struct OrdersArgs {
    #[command(subcommand)]
    command: OrdersCommand,
}

#[derive(Debug, Subcommand)]
enum OrdersCommand {
    /// List orders that are not finished
    #[command(after_help = "Examples:\n  renewd orders list\n  renewd orders list --all --account acme-asia -o csv")]
    List {
        /// Also list settled, canceled and expired orders
        #[arg(long)]
        all: bool,
        /// Only orders in this status
        #[arg(long, value_name = "STATUS")]
        status: Vec<String>,
        /// Only orders of this account
        #[arg(long, value_name = "NAME")]
        account: Vec<String>,
    },
    /// Pay an order that was placed earlier
    ///
    /// The order is priced again first; where anything differs it is refused.
    #[command(
        after_help = "Examples:\n  renewd orders pay ord_1f2e3d4c5b6a\n  renewd orders pay ord_1f2e3d4c5b6a --pay-with balance --yes"
    )]
    Pay {
        /// The order
        #[arg(value_name = "ORDER")]
        order: String,
        /// Pay with this method only
        #[arg(long, value_name = "METHOD")]
        pay_with: Option<String>,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
    /// Let a held order be paid
    #[command(after_help = "Example:\n  renewd orders approve ord_1f2e3d4c5b6a --reason 'agreed with finance'")]
    Approve {
        /// The order
        #[arg(value_name = "ORDER")]
        order: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Say what became of a payment or refund whose outcome is unknown
    ///
    /// `renewd run` asks the gateway by itself; this is for what it cannot find out.
    #[command(
        after_help = "Examples:\n  renewd orders resolve ord_1f2e3d4c5b6a --as succeeded --reference pi_3N --reason 'seen at the gateway'\n  renewd orders resolve ord_1f2e3d4c5b6a --as declined --reason 'no such charge'"
    )]
    Resolve {
        /// The order
        #[arg(value_name = "ORDER")]
        order: String,
        /// Whether the money was taken: succeeded or declined
        #[arg(long = "as", value_enum, value_name = "OUTCOME", hide_possible_values = true)]
        outcome: Outcome,
        /// The gateway's reference
        #[arg(long, value_name = "REFERENCE")]
        reference: Option<String>,
        /// How you know
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Give an order up
    #[command(after_help = "Example:\n  renewd orders cancel ord_1f2e3d4c5b6a --reason 'no longer needed'")]
    Cancel {
        /// The order
        #[arg(value_name = "ORDER")]
        order: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    Refund(RefundArgs),
    /// Add to an account's prepaid balance, once per reference
    #[command(after_help = "Example:\n  renewd orders topup acme-asia '500.00 USD' --reference wire-2026-12")]
    Topup {
        /// The account
        #[arg(value_name = "ACCOUNT")]
        account: String,
        /// The amount with its currency
        #[arg(value_name = "MONEY", num_args = 1..=2, required = true)]
        money: Vec<String>,
        /// Where the money came from; the same reference again changes nothing
        #[arg(long, value_name = "REFERENCE")]
        reference: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Outcome {
    /// The money was taken
    Succeeded,
    /// It was not
    Declined,
}

#[derive(Serialize)]
struct Orders {
    orders: Vec<OrderView>,
}

const COLUMNS: &[&str] =
    &["order", "account", "status", "origin", "lines", "total", "currency", "methods", "placedAt", "expiresAt"];

pub(crate) fn orders(context: &Context<'_>, args: &OrdersArgs) -> Result<Exit, CliError> {
    let ui = context.ui;
    match &args.command {
        OrdersCommand::List { all, status, account } => {
            list(context, &OrderFilter { all: *all, statuses: status.clone(), accounts: account.clone() })
        }
        OrdersCommand::Pay { order, pay_with, yes } => pay(context, order, pay_with.as_deref(), *yes),
        OrdersCommand::Approve { order, reason } => {
            ui.require(SINGLE)?;
            one(context, &context.engine()?.approve(&values::order(order)?, reason.clone())?)
        }
        OrdersCommand::Cancel { order, reason } => {
            ui.require(SINGLE)?;
            one(context, &context.engine()?.cancel(&values::order(order)?, reason.clone())?)
        }
        OrdersCommand::Resolve { order, outcome, reference, reason } => {
            ui.require(SINGLE)?;
            let succeeded = *outcome == Outcome::Succeeded;
            let ask = ResolveAsk { succeeded, reference: reference.clone(), reason: reason.clone() };
            one(context, &context.engine()?.resolve(&values::order(order)?, &ask)?)
        }
        OrdersCommand::Refund(args) => refund::refund(context, args),
        OrdersCommand::Topup { account, money, reference } => {
            ui.require(SINGLE)?;
            let (account, money) = (values::account(account)?, values::money(&money.join(" "))?);
            let view = context.engine()?.topup(&account, money, reference.clone())?;
            ui.answer(&Answer::one("top-up", &view), |page| render::order::top_up(page, &view))?;
            Ok(Exit::Done)
        }
    }
}

fn list(context: &Context<'_>, filter: &OrderFilter) -> Result<Exit, CliError> {
    let body = Orders { orders: context.engine()?.orders(filter)? };
    let rows = Rows { lines: &body.orders, columns: COLUMNS, cells, id: |order| Some(order.order.to_string()) };
    let answer = Answer { kind: "order-list", body: &body, rows: Some(rows) };
    context.ui.answer(&answer, |page| render::order::list(page, &body.orders))?;
    Ok(Exit::Done)
}

fn pay(context: &Context<'_>, order: &str, pay_with: Option<&str>, yes: bool) -> Result<Exit, CliError> {
    let ui = context.ui;
    ui.require(ALL)?;
    if !yes && !ui.interactive() {
        let hint = "add `--yes`; paying an order twice takes the money once";
        return Err(CliError::usage("without a terminal nobody can confirm the payment", hint));
    }
    let (order, pay_with) = (values::order(order)?, pay_with.map(values::method).transpose()?);
    let engine = context.engine()?;
    if !yes {
        let all = engine.orders(&OrderFilter::default())?;
        if let Some(view) = all.iter().find(|view| view.order == order) {
            let mut page = crate::ui::page::Page::new(ui.screen);
            render::order::order(&mut page, view);
            ui.show_page(&page)?;
            prompt::confirm(&format!("pay {}?", view.total))?;
        }
    }
    renew::answer(context, &engine.pay(&order, pay_with)?)
}

fn one(context: &Context<'_>, view: &OrderView) -> Result<Exit, CliError> {
    context.ui.answer(&Answer::one("order", view), |page| render::order::order(page, view))?;
    Ok(exit::of_status(&view.status))
}

fn cells(order: &OrderView) -> Vec<String> {
    vec![
        order.order.to_string(),
        order.account.to_string(),
        order.status.clone(),
        order.origin.clone(),
        order.line_count.to_string(),
        order.total.amount().to_string(),
        order.total.currency().to_string(),
        order.methods.join(" "),
        order.placed_at.clone(),
        order.expires_at.clone(),
    ]
}
