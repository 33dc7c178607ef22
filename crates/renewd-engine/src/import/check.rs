//! Checking inventory rows: texts become typed values, or findings with places.

use super::read::{Inventory, Row};
use super::{EXPIRY_YEARS, INVENTORY_FINDINGS_MAX, LABELS_MAX, REQUIRED, TEXT_BYTES_MAX};
use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, Utc};
use renewd_core::calendar::AnchorDay;
use renewd_core::documents::Mode;
use renewd_core::ids::{AccountName, ResourceId};
use renewd_core::resource::Description;
use renewd_core::state::State;
use renewd_policy::values::{parse_date, parse_decimal};
use renewd_policy::{Code, Finding, Place, Problem, did_you_mean};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// An expiry as an inventory writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WrittenExpiry {
    /// RFC 3339.
    Instant(DateTime<Utc>),
    /// Local to the account, or to the zone that the resource keeps.
    Local(NaiveDateTime),
    /// A date whose time the conventions give.
    Date(NaiveDate),
}

/// A row whose fields are all well-formed.
#[derive(Debug, Clone)]
pub(crate) struct Checked {
    pub(crate) place: Place,
    pub(crate) id: ResourceId,
    pub(crate) description: Description,
    pub(crate) expiry: WrittenExpiry,
    pub(crate) anchor: Option<(AnchorDay, Place)>,
    pub(crate) mode: Option<Mode>,
    pub(crate) price: Option<Decimal>,
}

/// Checked rows, and for each bad row its id (where it can be told) and findings.
pub(crate) struct Rows {
    pub(crate) good: Vec<Checked>,
    pub(crate) bad: Vec<(Place, Option<String>, Vec<Finding>)>,
}

/// Checks every row of an inventory.
pub(crate) fn check_rows(inventory: &Inventory, state: &State) -> Rows {
    let mut rows = Rows { good: Vec::new(), bad: Vec::new() };
    let mut seen: BTreeMap<ResourceId, u32> = BTreeMap::new();
    let accounts: Vec<&str> = state
        .documents
        .keys()
        .filter(|key| key.kind == renewd_core::documents::DocumentKind::Account)
        .map(|key| key.name.as_str())
        .collect();
    for row in &inventory.rows {
        let mut problems = Problems { row, list: Vec::new() };
        let checked = check_row(&mut problems, &accounts, &seen);
        let findings: Vec<Finding> =
            problems.list.into_iter().map(|(place, problem)| problem.at(&inventory.file, place)).collect();
        match checked {
            Some(checked) if findings.is_empty() => {
                seen.insert(checked.id.clone(), checked.place.line);
                rows.good.push(checked);
            }
            _ => {
                let id = row.fields.get("id").map(|(id, _)| id.clone());
                rows.bad.push((row.place, id, findings));
            }
        }
    }
    rows
}

/// At most so many findings, the rest counted in a last one.
pub(crate) fn capped(mut findings: Vec<Finding>, file: &str) -> Vec<Finding> {
    let more = findings.len().saturating_sub(INVENTORY_FINDINGS_MAX);
    if 0 < more {
        findings.truncate(INVENTORY_FINDINGS_MAX);
        let place = findings.last().map_or(Place::START, |finding| finding.place);
        let problem =
            Problem::new(Code::TooManyFindings, format!("{more} further findings in this file are not shown"))
                .hint("fix the first ones and import again");
        findings.push(problem.at(file, place));
    }
    findings
}

struct Problems<'a> {
    row: &'a Row,
    list: Vec<(Place, Problem)>,
}

impl Problems<'_> {
    fn text(&self, column: &str) -> Option<(&str, Place)> {
        self.row.fields.get(column).map(|(text, place)| (text.as_str(), *place))
    }

    fn push(&mut self, place: Place, problem: Problem) {
        self.list.push((place, problem));
    }

    /// The value of a column, parsed; an absent column is none, a bad one a finding and none.
    fn parse<T>(&mut self, column: &str, parse: impl Fn(&str) -> Result<T, Problem>) -> Option<T> {
        let (text, place) = self.text(column)?;
        match parse(text) {
            Ok(value) => Some(value),
            Err(problem) => {
                self.push(place, problem);
                None
            }
        }
    }
}

fn check_row(problems: &mut Problems<'_>, accounts: &[&str], seen: &BTreeMap<ResourceId, u32>) -> Option<Checked> {
    let place = problems.row.place;
    for required in REQUIRED {
        if problems.text(required).is_none() {
            problems.push(place, Problem::new(Code::MissingField, format!("`{required}` is missing")));
        }
    }
    for (text, place) in problems.row.fields.values() {
        if TEXT_BYTES_MAX < text.len() {
            let message = format!("the text has {} bytes, more than {TEXT_BYTES_MAX}", text.len());
            problems.list.push((*place, Problem::new(Code::TooLarge, message)));
        }
    }
    let id = problems.parse("id", |text| {
        let id = ResourceId::new(text).map_err(|error| Problem::new(Code::BadName, error.to_string()))?;
        match seen.get(&id) {
            Some(line) => Err(Problem::new(Code::DuplicateItem, format!("`{id}` stands already on line {line}"))),
            None => Ok(id),
        }
    });
    let account = problems.parse("account", |text| {
        if !accounts.contains(&text) {
            return Err(Problem::new(Code::DanglingName, format!("there is no account `{text}`"))
                .hint(account_hint(text, accounts)));
        }
        AccountName::new(text).map_err(|error| Problem::new(Code::BadName, error.to_string()))
    });
    let quantity = problems.parse("quantity", quantity);
    let labels = problems.parse("labels", labels);
    let expiry = problems.parse("expiry", written_expiry);
    let anchor_place = problems.text("anchorDay").map_or(place, |(_, place)| place);
    let anchor = problems.parse("anchorDay", anchor_day);
    let mode = problems
        .parse("mode", |text| text.parse::<Mode>().map_err(|error| Problem::new(Code::UnknownWord, error.to_string())));
    let price = problems.parse("price", price);
    let renewable = problems.parse("renewable", boolean);
    let text = |column: &str| problems.text(column).map(|(text, _)| text.to_owned());
    let id = id?;
    let description = Description {
        account: account?,
        name: text("name").unwrap_or_else(|| id.to_string()),
        kind: text("kind")?,
        sku: text("sku")?,
        quantity: quantity.unwrap_or(1),
        region: text("region").unwrap_or_default(),
        labels: labels.unwrap_or_default(),
        external_id: text("externalId"),
        renewable: renewable.unwrap_or(true),
    };
    let anchor = anchor.map(|anchor| (anchor, anchor_place));
    Some(Checked { place, id, description, expiry: expiry?, anchor, mode, price })
}

fn account_hint(text: &str, accounts: &[&str]) -> String {
    if accounts.is_empty() {
        return "write an Account document, then `renewd apply DIR`".to_owned();
    }
    did_you_mean(text, accounts)
}

/// Digits only: the number types' own parsers also take a sign.
fn plain_number<T: std::str::FromStr>(text: &str) -> Option<T> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn quantity(text: &str) -> Result<u32, Problem> {
    match plain_number::<u32>(text) {
        Some(quantity) if 0 < quantity => Ok(quantity),
        _ => Err(Problem::new(Code::BadNumber, format!("`{text}` is not a quantity"))
            .hint("write a whole number of units, 1 or more")),
    }
}

fn labels(text: &str) -> Result<BTreeMap<String, String>, Problem> {
    let mut labels = BTreeMap::new();
    for pair in text.split(';').map(str::trim).filter(|pair| !pair.is_empty()) {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(
                Problem::new(Code::WrongType, format!("`{pair}` is not a label")).hint("write `key=value;key=value`")
            );
        };
        if key.trim().is_empty() {
            return Err(
                Problem::new(Code::WrongType, format!("`{pair}` has no key")).hint("write `key=value;key=value`")
            );
        }
        if labels.insert(key.trim().to_owned(), value.trim().to_owned()).is_some() {
            return Err(Problem::new(Code::DuplicateKey, format!("label `{}` is given twice", key.trim())));
        }
    }
    if LABELS_MAX < labels.len() {
        return Err(Problem::new(Code::TooLarge, format!("{} labels are more than {LABELS_MAX}", labels.len())));
    }
    Ok(labels)
}

/// RFC 3339, a local time without a zone, or a bare date; whole seconds only, of a year that leaves room for terms.
pub(crate) fn written_expiry(text: &str) -> Result<WrittenExpiry, Problem> {
    let written = any_expiry(text)?;
    let year = match written {
        WrittenExpiry::Instant(instant) => instant.year(),
        WrittenExpiry::Local(local) => local.year(),
        WrittenExpiry::Date(date) => date.year(),
    };
    if EXPIRY_YEARS.contains(&year) {
        return Ok(written);
    }
    Err(Problem::new(Code::BadDate, format!("`{text}` is too far away")).hint(format!(
        "write a year from {} to {}",
        EXPIRY_YEARS.start(),
        EXPIRY_YEARS.end()
    )))
}

fn any_expiry(text: &str) -> Result<WrittenExpiry, Problem> {
    let wrong = || {
        Problem::new(Code::BadDate, format!("`{text}` is not an expiry"))
            .hint("write 2026-12-31, 2026-12-31T23:59:59, or 2026-12-31T23:59:59+08:00")
    };
    // Four digits of year: chrono also takes a sign and more of them, which no output could write.
    if text.as_bytes().get(4) != Some(&b'-') {
        return Err(wrong());
    }
    if let Ok(date) = parse_date(text) {
        return Ok(WrittenExpiry::Date(date));
    }
    let normal = text.replacen(' ', "T", 1);
    if let Ok(local) = NaiveDateTime::parse_from_str(&normal, "%Y-%m-%dT%H:%M:%S")
        .or_else(|_| NaiveDateTime::parse_from_str(&normal, "%Y-%m-%dT%H:%M"))
    {
        return (chrono::Timelike::nanosecond(&local) == 0).then_some(WrittenExpiry::Local(local)).ok_or_else(wrong);
    }
    let instant = DateTime::parse_from_rfc3339(&normal).map_err(|_| wrong())?.to_utc();
    if chrono::Timelike::nanosecond(&instant) != 0 {
        return Err(Problem::new(Code::BadDate, format!("`{text}` has fractions of a second"))
            .hint("an expiry is a whole second"));
    }
    Ok(WrittenExpiry::Instant(instant))
}

fn anchor_day(text: &str) -> Result<AnchorDay, Problem> {
    plain_number::<u8>(text).and_then(|day| AnchorDay::new(day).ok()).ok_or_else(|| {
        Problem::new(Code::BadNumber, format!("`{text}` is not an anchor day")).hint("write a day from 1 to 31")
    })
}

fn price(text: &str) -> Result<Decimal, Problem> {
    match parse_decimal(text) {
        Ok(price) if price <= Decimal::from(renewd_core::money::AMOUNT_MAX) => Ok(price.normalize()),
        _ => Err(Problem::new(Code::BadNumber, format!("`{text}` is not a price"))
            .hint("write the net price per unit and month in the account's currency, such as 12.50")),
    }
}

fn boolean(text: &str) -> Result<bool, Problem> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Problem::new(Code::UnknownWord, format!("`{text}` is neither true nor false"))),
    }
}
