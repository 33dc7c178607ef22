//! `renewd list`: the four tabs, and the export.

use crate::context::Context;
use crate::error::CliError;
use crate::render;
use crate::render::list::{COLUMN_WORDS, Column};
use crate::selector::SelectorArgs;
use crate::ui::answer::{Answer, Rows};
use crate::values::quoted;
use clap::Args;
use renewd_engine::view::{ListView, ResourceRow};
use renewd_engine::{Exit, INVENTORY_COLUMNS};
use std::cmp::Ordering;

/// List resources on their four tabs
///
/// Without a selection lists all. `-o csv` is the export: it has exactly the columns that `import` reads.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  renewd list --tab auto --expires-within 30d
  renewd list --search mobile --sort=-expiry --columns id,expiry,price
  renewd list --account acme-asia -o csv > export.csv
  renewd list --phase grace -o ids | renewd renew --from-file - --dry-run")]
pub(crate) struct ListArgs {
    #[command(flatten)]
    selector: SelectorArgs,
    /// Only resources with this text in id, name or labels
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Sort by a column, such as expiry or id; `-expiry` turns the order round
    #[arg(long, value_name = "COLUMN", default_value = "expiry", allow_hyphen_values = true)]
    sort: String,
    /// Show these columns, separated by commas
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    columns: Vec<String>,
    /// Show at most so many resources in the table; 0 shows all
    #[arg(long, value_name = "N", default_value_t = 1000)]
    limit: usize,
}

pub(crate) fn list(context: &Context<'_>, args: &ListArgs) -> Result<Exit, CliError> {
    let mut selector = args.selector.read()?;
    selector.search.clone_from(&args.search);
    let columns = args.columns.iter().map(|word| column(word.trim())).collect::<Result<Vec<Column>, _>>()?;
    let (sort, reverse) = args.sort()?;
    let mut view = context.engine()?.list(&selector)?;
    order(&mut view, sort, reverse);
    let rows =
        Rows { lines: &view.resources, columns: &INVENTORY_COLUMNS, cells: export, id: |row| Some(row.id.to_string()) };
    let answer = Answer { kind: "resource-list", body: &view, rows: Some(rows) };
    let shown = render::list::Shown { columns: &columns, limit: args.limit };
    context.ui.answer(&answer, |page| render::list::list(page, &view, &shown))?;
    Ok(Exit::Done)
}

impl ListArgs {
    fn sort(&self) -> Result<(Column, bool), CliError> {
        match self.sort.strip_prefix('-') {
            Some(word) => Ok((column(word)?, true)),
            None => Ok((column(&self.sort)?, false)),
        }
    }
}

fn column(word: &str) -> Result<Column, CliError> {
    Column::of(word).ok_or_else(|| {
        let words: Vec<&str> = COLUMN_WORDS.iter().map(|(word, _)| *word).collect();
        let hint = renewd_policy::did_you_mean(word, &words);
        CliError::usage(format!("{} is not a column", quoted(word)), hint)
    })
}

fn order(view: &mut ListView, sort: Column, reverse: bool) {
    let ListView { resources, .. } = view;
    resources.sort_by(|a, b| {
        let by_column = compare(a, b, sort);
        (if reverse { by_column.reverse() } else { by_column }).then_with(|| a.id.cmp(&b.id))
    });
}

fn compare(a: &ResourceRow, b: &ResourceRow, sort: Column) -> Ordering {
    match sort {
        Column::Expiry | Column::DaysLeft => instant(&a.expiry).cmp(&instant(&b.expiry)),
        Column::NextCharge => {
            let at = |row: &ResourceRow| row.next_charge.as_deref().map(instant);
            // Without a charge comes last.
            at(a).is_none().cmp(&at(b).is_none()).then_with(|| at(a).cmp(&at(b)))
        }
        Column::Price => {
            let price = |row: &ResourceRow| row.price.as_deref().and_then(decimal);
            price(a).cmp(&price(b))
        }
        Column::Quantity => a.quantity.cmp(&b.quantity),
        Column::Phase => a.phase.cmp(&b.phase),
        Column::Mode => a.mode.cmp(&b.mode),
        Column::AnchorDay => a.anchor_day.cmp(&b.anchor_day),
        Column::Id
        | Column::Name
        | Column::Account
        | Column::Kind
        | Column::Sku
        | Column::Region
        | Column::Labels
        | Column::Policy
        | Column::Order
        | Column::Blocked
        | Column::ExternalId
        | Column::Renewable => sort.text(a).cmp(&sort.text(b)),
    }
}

fn instant(rfc3339: &str) -> Option<chrono::DateTime<chrono::FixedOffset>> {
    chrono::DateTime::parse_from_rfc3339(rfc3339).ok()
}

fn decimal(text: &str) -> Option<rust_decimal::Decimal> {
    text.parse().ok()
}

/// INVARIANT (export): these are exactly the cells that `import` reads, so that importing an export changes nothing.
fn export(row: &ResourceRow) -> Vec<String> {
    let labels: Vec<String> = row.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    vec![
        row.id.to_string(),
        row.name.clone(),
        row.account.to_string(),
        row.kind.clone(),
        row.sku.clone(),
        row.quantity.to_string(),
        row.region.clone(),
        labels.join(";"),
        row.expiry.clone(),
        row.anchor_day.to_string(),
        row.chosen_mode.map(|mode| mode.to_string()).unwrap_or_default(),
        row.price.clone().unwrap_or_default(),
        row.external_id.clone().unwrap_or_default(),
        row.renewable.to_string(),
    ]
}
