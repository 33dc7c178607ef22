//! `renewd renew`: quote, choose, confirm, pay.
//!
//! Without a terminal nothing is paid unless the command line itself makes a second run harmless: `--yes` and a
//! request id, under which a resource is renewed at most once.

use super::renew_ask::{self, Asked};
use crate::context::Context;
use crate::error::CliError;
use crate::exit;
use crate::render;
use crate::selector::{SelectorArgs, refuse_empty};
use crate::ui::answer::{ALL, Answer, Rows};
use crate::ui::page::Page;
use crate::ui::{prompt, words};
use crate::values;
use chrono::NaiveTime;
use clap::Args;
use renewd_core::documents::LocalMoment;
use renewd_core::quote::{SameDate, Wish};
use renewd_core::refusal::Verdict;
use renewd_engine::view::{Item, RenewView};
use renewd_engine::{Engine, Exit, Quoted, RenewAsk, RenewOptions, Selector};
use std::path::PathBuf;

/// Renew resources: quote, choose, confirm, pay
///
/// On a terminal shows the quote, asks for term, day and method where no flag names them, and pays after a yes. Without a
/// terminal it needs --yes and one of --expiring-before and --request-id; --dry-run needs neither.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  renewd renew phone-7 --term P1Y
  renewd renew --tab manual --expires-within 30d --align=15
  renewd renew --label team=mobile --dry-run
  renewd renew --account acme-asia --expiring-before 2027-01-01 --yes
  renewd renew 'phone-*' --out quote.json && renewd renew --quote quote.json")]
pub(crate) struct RenewArgs {
    #[command(flatten)]
    selector: SelectorArgs,
    /// Select what expires before this date, and renew each of it at most once under `expiring-before/DATE`
    #[arg(long, value_name = "DATE", conflicts_with_all = ["request_id", "expires_before"])]
    expiring_before: Option<String>,
    /// Renew for this term: whole months or years, such as P1M or P1Y
    #[arg(long, value_name = "TERM", help_heading = "Renewal")]
    term: Option<String>,
    /// Align to the renewal day, or to this day: 1 to 28, or `last`
    #[arg(long, value_name = "DAY", num_args = 0..=1, require_equals = true, default_missing_value = "", help_heading = "Renewal")]
    align: Option<String>,
    /// Do not align
    #[arg(long, conflicts_with = "align", help_heading = "Renewal")]
    no_align: bool,
    /// Let all expire on one date: the latest of the selection, or this one
    #[arg(long, value_name = "latest|DATE", conflicts_with_all = ["align", "no_align", "term"], help_heading = "Renewal")]
    same_date: Option<String>,
    /// Pay with this method only
    #[arg(long, value_name = "METHOD", conflicts_with = "pay_later", help_heading = "Payment")]
    pay_with: Option<String>,
    /// Place the orders and leave them unpaid: only `orders pay` pays them, and no run
    #[arg(long, help_heading = "Payment")]
    pay_later: bool,
    /// Renew all or nothing
    #[arg(long, help_heading = "Payment")]
    atomic: bool,
    /// Renew each resource at most once under this id, for ever
    #[arg(long, value_name = "ID", help_heading = "Payment")]
    request_id: Option<String>,
    /// Show what it would do and cost, and stop
    #[arg(long, conflicts_with_all = ["pay_later", "yes"], help_heading = "Payment")]
    dry_run: bool,
    /// Save the quote instead of paying it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["quote", "yes"], help_heading = "Payment")]
    out: Option<PathBuf>,
    /// Accept a quote that was saved with --out
    #[arg(long, value_name = "FILE", conflicts_with_all = ["term", "align", "no_align", "same_date", "pay_with", "expiring_before", "request_id"], help_heading = "Payment")]
    quote: Option<PathBuf>,
    /// Do not ask
    #[arg(short, long, help_heading = "Payment")]
    yes: bool,
}

const COLUMNS: &[&str] = &[
    "resource",
    "verdict",
    "reason",
    "order",
    "oldExpiry",
    "base",
    "newExpiry",
    "extraDays",
    "fraction",
    "total",
    "currency",
];

pub(crate) fn renew(context: &Context<'_>, args: &RenewArgs) -> Result<Exit, CliError> {
    let ui = context.ui;
    ui.require(ALL)?;
    args.require_guard(ui.interactive())?;
    let only_quote = args.dry_run || args.out.is_some();
    let asks = ui.interactive() && !args.yes && !only_quote;
    let engine = context.engine()?;
    let Offer { quoted, options, shown } = match &args.quote {
        Some(file) => {
            args.refuse_selection_beside_quote()?;
            args.offer(engine.load_quote(file)?)
        }
        None => args.ask_and_quote(context, &engine, asks)?,
    };
    if let Some(file) = &args.out {
        quoted.save(file)?;
        ui.note(&format!("saved the quote; accept it with `renewd renew --quote {}`", file.display()));
    }
    if only_quote || !is_acceptable(&quoted.view) {
        return answer(context, &RenewView { dry_run: only_quote, ..quoted.view });
    }
    if asks {
        if !shown {
            show_quote(context, &quoted.view)?;
        }
        prompt::confirm(&question(&quoted.view, options.pay_later))?;
    }
    answer(context, &engine.renew(quoted, &options)?)
}

/// A quote on its way to a person's yes.
struct Offer {
    quoted: Quoted,
    options: RenewOptions,
    /// Whether the person has seen it.
    shown: bool,
}

fn show_quote(context: &Context<'_>, view: &RenewView) -> Result<(), CliError> {
    let mut page = Page::new(context.ui.screen);
    render::items::renewal(&mut page, view);
    context.ui.show_page(&page)
}

/// Writes the verdict on each resource.
pub(crate) fn answer(context: &Context<'_>, view: &RenewView) -> Result<Exit, CliError> {
    let answer = Answer { kind: "renewal", body: view, rows: Some(item_rows(&view.items)) };
    context.ui.answer(&answer, |page| render::items::renewal(page, view))?;
    Ok(exit::of_items(&view.items))
}

/// Verdicts as NDJSON, CSV and ids.
pub(crate) fn item_rows(items: &[Item]) -> Rows<'_, Item> {
    Rows { lines: items, columns: COLUMNS, cells, id: |item| Some(item.resource.to_string()) }
}

/// What a person says yes to.
pub(crate) fn question(view: &RenewView, pay_later: bool) -> String {
    let items = view.items.iter().filter(|item| is_open(item)).count();
    let (items, sum) = (words::count(items, "resource"), words::sums_or_nothing(&view.totals));
    if pay_later { format!("order {items} for {sum}, to be paid later?") } else { format!("renew {items} for {sum}?") }
}

fn is_open(item: &Item) -> bool {
    matches!(item.verdict, Verdict::Placed | Verdict::Held)
}

fn is_acceptable(view: &RenewView) -> bool {
    view.items.iter().any(is_open)
}

impl RenewArgs {
    fn require_guard(&self, interactive: bool) -> Result<(), CliError> {
        if interactive || self.dry_run || self.out.is_some() {
            return Ok(());
        }
        // A saved quote is its own guard: it extends expiries that no longer stand once it has been paid.
        let guarded = self.expiring_before.is_some() || self.request_id.is_some() || self.quote.is_some();
        match (self.yes, guarded) {
            (true, true) => Ok(()),
            (false, true) => Err(CliError::usage(
                "without a terminal nobody can confirm the price",
                "add `--yes`, or look first with `--dry-run`",
            )),
            (_, false) => Err(CliError::usage(
                "without a terminal `renew` needs `--yes` and one of `--expiring-before DATE` and `--request-id ID`, \
                 so that running it twice cannot renew twice",
                "add them, or look first with `--dry-run`",
            )),
        }
    }

    fn refuse_selection_beside_quote(&self) -> Result<(), CliError> {
        if self.selector.read()?.is_empty() {
            return Ok(());
        }
        Err(CliError::usage("a saved quote has its own selection", "leave the selection out"))
    }

    fn ask_and_quote(&self, context: &Context<'_>, engine: &Engine, asks: bool) -> Result<Offer, CliError> {
        let selector = self.selector()?;
        let ask = self.ask(engine, &selector)?;
        let quoted = engine.quote(&selector, &ask)?;
        let fixed = Asked {
            term: self.term.is_some() || self.same_date.is_some(),
            day: self.align.is_some() || self.no_align || self.same_date.is_some(),
            method: self.pay_with.is_some() || self.pay_later,
        };
        if !asks || !is_acceptable(&quoted.view) || fixed.everything() {
            return Ok(self.offer(quoted));
        }
        show_quote(context, &quoted.view)?;
        let chosen = renew_ask::choose(engine, &selector, &ask, &fixed)?;
        let options = self.options(self.pay_later || chosen.pay_later);
        if chosen.ask == ask {
            return Ok(Offer { quoted, options, shown: true });
        }
        Ok(Offer { quoted: engine.quote(&selector, &chosen.ask)?, options, shown: false })
    }

    /// The quote as the flags alone want it.
    fn offer(&self, quoted: Quoted) -> Offer {
        Offer { quoted, options: self.options(self.pay_later), shown: false }
    }

    fn selector(&self) -> Result<Selector, CliError> {
        let mut selector = self.selector.read()?;
        if let Some(text) = self.expiring_before.as_deref() {
            selector.expires_before = Some(LocalMoment::Local(values::date(text)?.and_time(NaiveTime::MIN)));
        }
        refuse_empty(selector)
    }

    fn ask(&self, engine: &Engine, selector: &Selector) -> Result<RenewAsk, CliError> {
        let term = self.term.as_deref().map(values::term).transpose()?;
        let align = values::align(self.align.as_deref(), self.no_align)?;
        let pay_with = self.pay_with.as_deref().map(values::method).transpose()?;
        let request = match (self.expiring_before.as_deref(), self.request_id.as_deref()) {
            (Some(date), _) => Some(values::request(&format!("expiring-before/{}", values::date(date)?))?),
            (None, Some(id)) => Some(values::request(id)?),
            (None, None) => None,
        };
        let same_date = match self.same_date.as_deref() {
            Some(text) => Some(SameDate(renew_ask::same_date(engine, selector, text)?)),
            None => None,
        };
        Ok(RenewAsk { wish: Wish { term, align, same_date }, pay_with, request })
    }

    fn options(&self, pay_later: bool) -> RenewOptions {
        RenewOptions { pay_later, atomic: self.atomic }
    }
}

fn cells(item: &Item) -> Vec<String> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    vec![
        item.resource.to_string(),
        item.verdict.to_string(),
        item.reason.map(|reason| reason.to_string()).unwrap_or_default(),
        item.order.as_ref().map(ToString::to_string).unwrap_or_default(),
        text(&item.old_expiry),
        text(&item.base),
        text(&item.new_expiry),
        item.extra_days.map(|days| days.to_string()).unwrap_or_default(),
        text(&item.fraction),
        item.total.map(|total| total.amount().to_string()).unwrap_or_default(),
        item.total.map(|total| total.currency().to_string()).unwrap_or_default(),
    ]
}
