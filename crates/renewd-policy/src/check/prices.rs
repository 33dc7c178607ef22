//! Price rows, from a CSV file or from the document: each row by itself, then all rows together.
//!
//! Findings of a CSV file carry the CSV file's own line and column. Amounts stay exact decimals, as written.

use super::Report;
use crate::fields::{PRICE_ROW, field};
use crate::finding::{Code, Place, Problem, quoted};
use crate::limits::PRICE_ROWS_MAX;
use crate::suggest::{did_you_mean, nearest};
use crate::tree::Node;
use crate::values::{parse_date, parse_decimal, parse_term};
use chrono::NaiveDate;
use renewd_core::documents::PriceRow;
use std::collections::HashMap;

/// A price row with its place.
#[derive(Debug, Clone)]
pub(crate) struct PlacedRow {
    pub(crate) row: PriceRow,
    pub(crate) place: Place,
}

/// The rows in a document; malformed ones have had their findings and are left out.
pub(crate) fn inline_rows(spec: &Node) -> Vec<PlacedRow> {
    let rows = spec.get("rows").map(Node::items).unwrap_or_default();
    rows.iter().filter_map(inline_row).collect()
}

fn inline_row(node: &Node) -> Option<PlacedRow> {
    let date = |key: &str| match node.get(key) {
        None => Some(None),
        Some(value) => parse_date(value.text()?).ok().map(Some),
    };
    let row = PriceRow {
        sku: node.get("sku")?.text()?.to_owned(),
        term: parse_term(node.get("term")?.text()?).ok()?,
        price: parse_decimal(node.get("price")?.text()?).ok()?,
        from: date("from")?,
        until: date("until")?,
    };
    Some(PlacedRow { row, place: node.place })
}

/// The columns of a price file, in the order of the file.
struct Columns(Vec<&'static str>);

/// The rows of a price file.
pub(crate) fn price_file_rows(text: &str, report: &mut Report<'_>) -> Vec<PlacedRow> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let mut records = reader.records();
    let header = match records.next() {
        Some(Ok(header)) => header,
        Some(Err(error)) => {
            report.error(Place::START, Problem::new(Code::BadCsv, format!("this is not CSV: {error}")));
            return Vec::new();
        }
        None => {
            let problem = Problem::new(Code::BadCsv, "the price file is empty");
            report.error(Place::START, problem.hint("start it with the line `sku,term,price,from,until`"));
            return Vec::new();
        }
    };
    let Some(columns) = columns(&header, text, report) else { return Vec::new() };
    let mut rows = Vec::new();
    for record in records {
        if report.is_full() {
            break;
        }
        match record {
            Ok(record) => rows.extend(csv_row(&record, &columns, text, report)),
            Err(error) => {
                let line = error.position().map_or(1, |position| position.line());
                let place = Place { line: u32::try_from(line).unwrap_or(u32::MAX), column: 1, len: 1 };
                report.error(place, Problem::new(Code::BadCsv, format!("this is not CSV: {error}")));
                break;
            }
        }
        if rows.len() > PRICE_ROWS_MAX {
            let message = format!("the price file has more than {PRICE_ROWS_MAX} rows");
            report.error(Place::START, Problem::new(Code::TooLarge, message).hint("split the price list"));
            break;
        }
    }
    rows
}

fn columns(header: &csv::StringRecord, text: &str, report: &mut Report<'_>) -> Option<Columns> {
    let known: Vec<&str> = PRICE_ROW.iter().map(|field| field.name).collect();
    let mut found = Vec::new();
    let before = report.findings.len();
    for (index, name) in header.iter().enumerate() {
        let place = field_place(header, index, text);
        let Some(column) = field(&PRICE_ROW, name) else {
            let semicolons = header.len() == 1 && name.contains([';', '\t']);
            let hint = match nearest(name, known.iter().copied()) {
                _ if semicolons => "separate the columns by commas".to_owned(),
                Some(_) => did_you_mean(name, &known),
                None => "the columns are `sku,term,price,from,until`".to_owned(),
            };
            report.error(place, Problem::new(Code::BadCsv, format!("unknown column {}", quoted(name))).hint(hint));
            continue;
        };
        if found.contains(&column.name) {
            let message = format!("column {} is given twice", quoted(name));
            report.error(place, Problem::new(Code::BadCsv, message).hint("remove one of the two"));
        }
        found.push(column.name);
    }
    if report.findings.len() == before {
        for column in ["sku", "term", "price"].iter().filter(|column| !found.contains(column)) {
            let problem = Problem::new(Code::BadCsv, format!("column `{column}` is missing"));
            report.error(Place::START, problem.hint("start the file with the line `sku,term,price,from,until`"));
        }
    }
    (report.findings.len() == before).then_some(Columns(found))
}

fn csv_row(record: &csv::StringRecord, columns: &Columns, text: &str, report: &mut Report<'_>) -> Option<PlacedRow> {
    let place = field_place(record, 0, text);
    if record.len() != columns.0.len() {
        let message = format!("the row has {} fields, and the first line names {}", record.len(), columns.0.len());
        report.error(
            place,
            Problem::new(Code::BadCsv, message).hint("give each column a field, empty where there is none"),
        );
        return None;
    }
    let before = report.findings.len();
    let read = |name: &str| -> Option<(String, Place)> {
        let index = columns.0.iter().position(|column| *column == name)?;
        let value = record.get(index).filter(|value| !value.is_empty())?;
        Some((value.to_owned(), field_place(record, index, text)))
    };
    let (sku, term, price, from, until) = (read("sku"), read("term"), read("price"), read("from"), read("until"));
    for (name, _) in [("sku", &sku), ("term", &term), ("price", &price)].iter().filter(|(_, value)| value.is_none()) {
        let index = columns.0.iter().position(|column| column == name).unwrap_or(0);
        let problem = Problem::new(Code::MissingField, format!("the row has no `{name}`"));
        report.error(field_place(record, index, text), problem.hint(format!("write the `{name}` in its column")));
    }
    let mut taken = |result: Result<Option<NaiveDate>, (Place, Problem)>| match result {
        Ok(date) => date,
        Err((place, problem)) => {
            report.error(place, problem);
            None
        }
    };
    let from = taken(date_of(from));
    let until = taken(date_of(until));
    let term = term.and_then(|(text, place)| parse_term(&text).map_err(|problem| report.error(place, problem)).ok());
    let price =
        price.and_then(|(text, place)| parse_decimal(&text).map_err(|problem| report.error(place, problem)).ok());
    if report.findings.len() != before {
        return None;
    }
    Some(PlacedRow { row: PriceRow { sku: sku?.0, term: term?, price: price?, from, until }, place })
}

fn date_of(value: Option<(String, Place)>) -> Result<Option<NaiveDate>, (Place, Problem)> {
    value.map(|(text, place)| parse_date(&text).map_err(|problem| (place, problem))).transpose()
}

/// The place of a field. Its column is found by walking the record's first line, quotes included; in a record of
/// several lines later fields have the place of the record.
pub fn field_place(record: &csv::StringRecord, index: usize, text: &str) -> Place {
    let (line, byte) = record.position().map_or((1, 0), |position| (position.line(), position.byte()));
    let start = usize::try_from(byte).unwrap_or(0);
    let rest = text.get(start..).unwrap_or_default();
    // The reader's position is before blank lines and the line break that it skips.
    let skipped = rest.len().saturating_sub(rest.trim_start_matches(['\r', '\n']).len());
    let breaks = rest.get(..skipped).unwrap_or_default().matches('\n').count();
    let line = u32::try_from(line).unwrap_or(u32::MAX).saturating_add(u32::try_from(breaks).unwrap_or(0));
    let (mut field, mut in_quotes) = (0_usize, false);
    let mut column = 1_u32;
    for c in rest.get(skipped..).unwrap_or_default().chars() {
        if field == index && !in_quotes && c == ' ' {
            column = column.saturating_add(1);
            continue;
        }
        if field == index || c == '\n' {
            break;
        }
        match c {
            '"' => in_quotes = !in_quotes,
            ',' if !in_quotes => field = field.saturating_add(1),
            _ => {}
        }
        column = column.saturating_add(1);
    }
    if field != index {
        column = 1;
    }
    let len = record.get(index).map_or(1, |value| value.chars().count().max(1));
    Place { line, column, len: u32::try_from(len).unwrap_or(1) }
}

/// Checks periods, and that at most one price holds for a sku and term on any date.
pub(crate) fn check_rows(rows: &[PlacedRow], report: &mut Report<'_>) {
    let mut groups: HashMap<(&str, u16), Vec<&PlacedRow>> = HashMap::new();
    for placed in rows {
        let row = &placed.row;
        if let (Some(from), Some(until)) = (row.from, row.until)
            && from >= until
        {
            let message = format!("the price holds from {from} until {until}, which is never");
            report.error(placed.place, Problem::new(Code::BadDate, message).hint("`until` is the first date after"));
            continue;
        }
        groups.entry((&row.sku, row.term.months())).or_default().push(placed);
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by_key(|group| group.first().map(|placed| placed.place));
    for mut group in groups {
        group.sort_by_key(|placed| (placed.row.from, placed.place));
        let mut open: Option<&PlacedRow> = None;
        for placed in group {
            if let Some(earlier) = open.filter(|earlier| overlap(&earlier.row, &placed.row)) {
                report.error(earlier.place.max(placed.place), overlapping(earlier, placed));
            }
            open = open.filter(|earlier| ends_later(&earlier.row, &placed.row)).or(Some(placed));
        }
    }
}

fn overlap(earlier: &PriceRow, later: &PriceRow) -> bool {
    match (earlier.until, later.from) {
        (None, _) | (Some(_), None) => true,
        (Some(until), Some(from)) => from < until,
    }
}

fn ends_later(one: &PriceRow, other: &PriceRow) -> bool {
    match (one.until, other.until) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(one), Some(other)) => one > other,
    }
}

fn overlapping(one: &PlacedRow, other: &PlacedRow) -> Problem {
    let first = one.place.min(other.place);
    let message = format!(
        "two prices of {} for {} hold on the same dates: here and at {}:{}",
        quoted(&one.row.sku),
        one.row.term,
        first.line,
        first.column
    );
    Problem::new(Code::OverlappingPrices, message)
        .hint("end the one with `until` on the date on which the other starts")
}
