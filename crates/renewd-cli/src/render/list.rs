//! Resources on their tabs.

use super::board::tab_name;
use crate::ui::dates;
use crate::ui::page::Page;
use crate::ui::style::Tone;
use crate::ui::table::{Table, plain, toned};
use crate::ui::words;
use renewd_core::resource::Phase;
use renewd_engine::view::{ListView, ResourceRow};

/// A column that can be shown and sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Id,
    Name,
    Account,
    Kind,
    Sku,
    Quantity,
    Region,
    Labels,
    Expiry,
    DaysLeft,
    AnchorDay,
    Phase,
    Mode,
    Policy,
    NextCharge,
    Price,
    Order,
    Blocked,
    ExternalId,
    Renewable,
}

/// The words for columns, as in JSON.
pub(crate) const COLUMN_WORDS: &[(&str, Column)] = &[
    ("id", Column::Id),
    ("name", Column::Name),
    ("account", Column::Account),
    ("kind", Column::Kind),
    ("sku", Column::Sku),
    ("quantity", Column::Quantity),
    ("region", Column::Region),
    ("labels", Column::Labels),
    ("expiry", Column::Expiry),
    ("daysLeft", Column::DaysLeft),
    ("anchorDay", Column::AnchorDay),
    ("phase", Column::Phase),
    ("mode", Column::Mode),
    ("policy", Column::Policy),
    ("nextCharge", Column::NextCharge),
    ("price", Column::Price),
    ("order", Column::Order),
    ("blocked", Column::Blocked),
    ("externalId", Column::ExternalId),
    ("renewable", Column::Renewable),
];

const DEFAULT_COLUMNS: &[Column] = &[
    Column::Id,
    Column::Account,
    Column::Sku,
    Column::Expiry,
    Column::DaysLeft,
    Column::Phase,
    Column::Mode,
    Column::Policy,
    Column::NextCharge,
    Column::Price,
    Column::Blocked,
];

impl Column {
    /// The column with that word.
    pub(crate) fn of(word: &str) -> Option<Self> {
        COLUMN_WORDS.iter().find(|(known, _)| *known == word).map(|(_, column)| *column)
    }

    /// The cell as text.
    pub(crate) fn text(self, row: &ResourceRow) -> String {
        match self {
            Self::Id => row.id.to_string(),
            Self::Name => row.name.clone(),
            Self::Account => row.account.to_string(),
            Self::Kind => row.kind.clone(),
            Self::Sku => row.sku.clone(),
            Self::Quantity => row.quantity.to_string(),
            Self::Region => words::or_dash(&row.region).to_owned(),
            Self::Labels => {
                let labels: Vec<String> = row.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
                labels.join(" ")
            }
            Self::Expiry => dates::short(&row.expiry),
            Self::DaysLeft => dates::days_left(row.days_left),
            Self::AnchorDay => row.anchor_day.to_string(),
            Self::Phase => row.phase.to_string(),
            Self::Mode => format!("{}{}", row.mode, if row.overridden { "*" } else { "" }),
            Self::Policy => row.policy.clone().unwrap_or_else(|| "-".to_owned()),
            Self::NextCharge if row.charge_due => "due".to_owned(),
            Self::NextCharge => dates::short_or_dash(row.next_charge.as_deref()),
            Self::Price => row.price.clone().unwrap_or_else(|| "-".to_owned()),
            Self::Order => row.open_order.clone().unwrap_or_else(|| "-".to_owned()),
            Self::Blocked => row.blocked.clone().unwrap_or_default(),
            Self::ExternalId => row.external_id.clone().unwrap_or_else(|| "-".to_owned()),
            Self::Renewable => if row.renewable { "yes" } else { "no" }.to_owned(),
        }
    }

    fn head(self, view: &ListView) -> String {
        match self {
            Self::Expiry => dates::column("expiry", view.resources.iter().map(|row| row.expiry.as_str())),
            Self::NextCharge => "next charge".to_owned(),
            Self::Price => "price per month>".to_owned(),
            Self::Quantity => "quantity>".to_owned(),
            Self::DaysLeft => "days left>".to_owned(),
            Self::AnchorDay => "anchor day>".to_owned(),
            Self::ExternalId => "external id".to_owned(),
            Self::Blocked => "blocked by".to_owned(),
            other => COLUMN_WORDS.iter().find(|(_, column)| *column == other).map_or("", |(word, _)| word).to_owned(),
        }
    }

    fn tone(self, row: &ResourceRow) -> Tone {
        match (self, row.phase) {
            (Self::Phase | Self::DaysLeft, Phase::Grace | Phase::Retention) => Tone::Bad,
            (Self::Phase | Self::DaysLeft, Phase::Expiring) => Tone::Warn,
            (Self::Phase | Self::DaysLeft, Phase::Released) => Tone::Faint,
            (Self::NextCharge, _) if row.charge_due => Tone::Warn,
            (Self::Blocked, _) => Tone::Bad,
            _ => Tone::Plain,
        }
    }
}

/// What of a list is shown.
pub(crate) struct Shown<'a> {
    /// The columns; the usual ones without any.
    pub(crate) columns: &'a [Column],
    /// At most so many rows; 0 for all.
    pub(crate) limit: usize,
}

/// The tabs, the rows and the sums.
pub(crate) fn list(page: &mut Page, view: &ListView, shown: &Shown<'_>) {
    let tabs: Vec<String> = view
        .tabs
        .iter()
        .map(|tab| {
            let soon = if tab.soon > 0 { format!(", {} soon", words::grouped(tab.soon)) } else { String::new() };
            format!("{} ({}{soon})", tab_name(tab.tab), words::grouped(tab.resources))
        })
        .collect();
    page.say(Tone::Strong, tabs.join("   "));
    page.gap();
    let total = view.resources.len();
    let limit = if shown.limit == 0 { total } else { shown.limit.min(total) };
    page.table(table(view, shown.columns, limit));
    if limit < total {
        let counts = format!("the first {} of {}", words::grouped(limit), words::count(total, "resource"));
        page.say(Tone::Faint, format!("{counts}; `--limit 0` shows all"));
    }
    page.gap();
    let mut sum = words::count(total, "resource");
    if !view.phases.is_empty() {
        sum.push_str(&format!(": {}", words::counts(&view.phases)));
    }
    if let Some(monthly) = words::sums(&view.monthly) {
        sum.push_str(&format!("; {monthly} a month at the last prices"));
    }
    page.say(Tone::Strong, sum);
    if view.resources.iter().take(limit).any(|row| row.overridden) {
        page.say(Tone::Faint, "* chosen by a person or an inventory, against the policy");
    }
}

fn table(view: &ListView, columns: &[Column], limit: usize) -> Table {
    let any_blocked = view.resources.iter().any(|row| row.blocked.is_some());
    let columns: Vec<Column> = if columns.is_empty() {
        DEFAULT_COLUMNS.iter().copied().filter(|column| any_blocked || *column != Column::Blocked).collect()
    } else {
        columns.to_vec()
    };
    let heads: Vec<String> = columns.iter().map(|column| column.head(view)).collect();
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let mut table = Table::new(&heads);
    for row in view.resources.iter().take(limit) {
        table.row(columns.iter().map(|column| cell(*column, row)).collect());
    }
    table
}

fn cell(column: Column, row: &ResourceRow) -> (Tone, String) {
    match column.tone(row) {
        Tone::Plain => plain(column.text(row)),
        tone => toned(tone, column.text(row)),
    }
}
