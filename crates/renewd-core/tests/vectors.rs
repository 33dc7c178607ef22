//! Every row of `tests/vectors/*.csv` is a test case, named by its id. The rows are facts: vendors' published
//! examples and edges derived from DESIGN section 3. A wrong row is corrected there, never worked around here.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use chrono_tz::Tz;
use renewd_core::calendar::*;
use std::collections::HashMap;
use std::fmt::Debug;
use std::str::FromStr;

/// One row, by column name.
struct Row {
    cells: HashMap<String, String>,
}

impl Row {
    fn text(&self, column: &str) -> &str {
        self.cells.get(column).unwrap_or_else(|| panic!("no column {column}"))
    }

    fn id(&self) -> &str {
        self.text("id")
    }

    fn get<T: FromStr<Err: Debug>>(&self, column: &str) -> T {
        let text = self.text(column);
        text.parse().unwrap_or_else(|error| panic!("{column} = {text}: {error:?}"))
    }

    fn expiry(&self) -> Expiry {
        let at: NaiveDateTime = self.get("expiry");
        Expiry { date: at.date(), time: at.time(), zone: self.get("zone") }
    }

    fn dates(&self, column: &str) -> Vec<NaiveDate> {
        self.text(column).split(' ').map(|date| date.parse().unwrap()).collect()
    }
}

/// The rows of a file. No cell of a vector file is quoted, so a comma always ends a cell.
fn rows(file: &str) -> Vec<Row> {
    let path = format!("{}/../../tests/vectors/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!(cells.len(), header.len(), "{file}: {line}");
        let pairs = header.iter().zip(cells).map(|(name, cell)| ((*name).to_owned(), cell.to_owned()));
        Row { cells: pairs.collect() }
    };
    let rows: Vec<Row> = lines.map(row).collect();
    assert!(!rows.is_empty(), "{file} has no rows");
    rows
}

/// Runs every row and names all those that fail, not only the first.
fn each(file: &str, case: impl Fn(&Row) -> Result<(), String>) {
    let failures: Vec<String> = rows(file)
        .iter()
        .filter_map(|row| {
            case(row).err().map(|why| format!("{file} {}: {why}", row.cells.get("id").map_or("", |id| id)))
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn same<T: PartialEq + Debug>(what: &str, found: T, wanted: T) -> Result<(), String> {
    if found == wanted { Ok(()) } else { Err(format!("{what} is {found:?}, not {wanted:?}")) }
}

fn rules(month_end: MonthEnd) -> Rules {
    Rules { month_end, ..Rules::default() }
}

#[test]
fn align() {
    each("align.csv", |row| {
        let expiry = row.expiry();
        let (day, rules) = (row.get("renewal_day"), rules(row.get("month_end")));
        let anchor = AnchorDay::of(expiry.date);
        let dates = renewal_dates(&expiry, anchor, row.get("term"), &Alignment::Day(day), &rules, None);
        let dates = dates.map_err(|error| error.to_string())?;
        same("base", dates.base, expiry.with_date(row.get("base")))?;
        same("new expiry", dates.new_expiry, expiry.with_date(row.get("new_expiry")))?;
        same("extra days", dates.extra_days, row.get("extra_days"))?;
        same("anchor", dates.anchor_after, day.anchor())
    });
}

#[test]
fn dst() {
    each("dst.csv", |row| {
        let expiry = row.expiry();
        let wanted: Vec<&str> = row.text("next_expiries").split(' ').collect();
        let count = u32::try_from(wanted.len()).unwrap();
        let anchor = AnchorDay::of(expiry.date);
        let chain = schedule(&expiry, anchor, row.get("term"), &Alignment::None, &Rules::default(), count);
        let chain = chain.map_err(|error| error.to_string())?;
        let found: Vec<String> = chain.iter().map(|dates| dates.new_expiry.rfc3339()).collect();
        same("chain", found, wanted.iter().map(|text| (*text).to_owned()).collect())
    });
}

#[test]
fn late() {
    each("late.csv", |row| {
        let expiry = row.expiry();
        let now: DateTime<Utc> = row.get("now");
        let late_start = row.get("late_start");
        let rules = Rules { late_start, ..Rules::default() };
        let anchor = AnchorDay::of(expiry.date);
        let dates = renewal_dates(&expiry, anchor, row.get("term"), &Alignment::None, &rules, Some(now));
        if row.text("new_expiry") == "refused" {
            let Err(DatesError::PastExpiry { new_expiry, least }) = dates else {
                return Err(format!("not refused: {dates:?}"));
            };
            same("refused expiry", new_expiry.date.to_string(), "2025-02-28".to_owned())?;
            return same("least", least, Some(Term::from_months(2)));
        }
        let dates = dates.map_err(|error| error.to_string())?;
        same("new expiry", dates.new_expiry, expiry.with_date(row.get("new_expiry")))
    });
}

/// The note of L1: 2024-04-30 under `end-of-month` expires on the 31st.
#[test]
fn late_under_end_of_month() {
    let row = rows("late.csv").into_iter().find(|row| row.id() == "L1").unwrap();
    let (expiry, now) = (row.expiry(), row.get("now"));
    let anchor = AnchorDay::of(expiry.date);
    let rules = rules(MonthEnd::EndOfMonth);
    let dates = renewal_dates(&expiry, anchor, row.get("term"), &Alignment::None, &rules, Some(now)).unwrap();
    assert_eq!(dates.new_expiry.date.to_string(), "2024-05-31");
}

#[test]
fn proration() {
    each("proration.csv", |row| {
        let base: NaiveDate = row.get("base");
        let term: Term = row.get("term");
        let months = chrono::Months::new(u32::from(term.months()));
        let date = base.checked_sub_months(months).unwrap();
        let expiry = Expiry { date, time: row.get("local_time"), zone: Tz::UTC };
        let extra = ExtraDays { of: row.get("of"), proration: row.get::<Profile>("profile").0 };
        let rules = Rules { extra, ..Rules::default() };
        let align = Alignment::Day(row.get("renewal_day"));
        let dates = renewal_dates(&expiry, AnchorDay::of(date), term, &align, &rules, None);
        let dates = dates.map_err(|error| error.to_string())?;
        same("base", dates.base.date, base)?;
        same("new expiry", dates.new_expiry.date, row.get("new_expiry"))?;
        same("fraction", dates.fraction.to_string(), row.text("fraction").to_owned())
    });
}

/// The `profile` column of the proration vectors.
struct Profile(Proration);

impl FromStr for Profile {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        text.parse().map(Self)
    }
}

#[test]
fn schedules() {
    each("schedule.csv", |row| {
        let date: NaiveDate = row.get("expiry");
        let expiry = Expiry { date, time: NaiveTime::MIN, zone: Tz::UTC };
        let wanted = row.dates("next_expiries");
        let count = u32::try_from(wanted.len()).unwrap();
        let rules = rules(row.get("month_end"));
        let chain = schedule(&expiry, AnchorDay::of(date), row.get("term"), &Alignment::None, &rules, count);
        let chain = chain.map_err(|error| error.to_string())?;
        same("chain", chain.iter().map(|dates| dates.new_expiry.date).collect(), wanted)
    });
}

#[test]
fn same_date() {
    each("same-date.csv", |row| {
        let expiry = row.expiry();
        let extra = ExtraDays { of: ExtraOf::Month, proration: row.get("proration") };
        let rules = Rules { month_end: row.get("month_end"), extra, ..Rules::default() };
        let date = row.get("date");
        let anchor = AnchorDay::new(row.get("anchor_day")).unwrap();
        let dates = renewal_dates(&expiry, anchor, Term::from_months(0), &Alignment::SameDate(date), &rules, None);
        let dates = dates.map_err(|error| error.to_string())?;
        same("term", dates.term.to_string(), row.text("term").to_owned())?;
        same("base", dates.base.date, row.get("base"))?;
        same("new expiry", dates.new_expiry, expiry.with_date(date))?;
        same("extra days", dates.extra_days, row.get("extra_days"))?;
        same("fraction", dates.fraction.to_string(), row.text("fraction").to_owned())?;
        same("anchor", dates.anchor_after, AnchorDay::of(date))
    });
}

#[test]
fn charge() {
    each("charge.csv", |row| {
        let expiry = row.expiry();
        let found = auto_charge_at(&expiry, row.get("charge_before_days"), row.get("charge_at"));
        same("charge", rfc3339_in(found, expiry.zone), row.text("charge").to_owned())
    });
}

#[test]
fn resolve() {
    each("resolve.csv", |row| {
        let zone: Tz = row.get("zone");
        let found = resolve_local(row.get("local"), zone);
        same("instant", rfc3339_in(found, zone), row.text("instant").to_owned())
    });
}

#[test]
fn named_conventions() {
    each("conventions.csv", |row| {
        let name = Some(row.text("name")).filter(|name| !name.is_empty());
        let found = conventions(name.map(|name| name.parse().unwrap()));
        let wanted = Conventions {
            month_end: row.get("month_end"),
            late_start: row.get("late_start"),
            extra: ExtraDays { of: row.get("of"), proration: row.get("proration") },
            bare_date_time: row.get("bare_date_time"),
            auto: AutoDefaults {
                charge_before_days: row.get("charge_before_days"),
                charge_at: row.get("charge_at"),
                retry_days: row.get("retry_days"),
                until: row.get("until"),
            },
        };
        same(name.unwrap_or("unnamed"), *found, wanted)
    });
}

/// A new name without a row would be data without its vectors.
#[test]
fn every_convention_has_a_row() {
    let named: Vec<String> = rows("conventions.csv").iter().map(|row| row.text("name").to_owned()).collect();
    let mut wanted = vec![""];
    wanted.extend(ConventionsName::WORDS);
    assert_eq!(named, wanted);
}
