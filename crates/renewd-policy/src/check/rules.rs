//! Rules between fields of one document. Values that are malformed by themselves have their own finding and are
//! passed over here.

use super::Report;
use crate::finding::{Code, Place, Problem, quoted};
use crate::tree::{Node, Value};
use crate::values::{parse_currency, parse_money, parse_term};
use renewd_core::calendar::Term;
use renewd_core::documents::DocumentKind;
use renewd_core::money::Currency;

/// The term that is sold where a policy names none.
pub(crate) const DEFAULT_TERM: Term = Term::from_months(1);

pub(super) fn check_rules(kind: DocumentKind, spec: &Node, report: &mut Report<'_>) {
    match kind {
        DocumentKind::Account => check_account(spec, report),
        DocumentKind::PriceList => check_price_list(spec, report),
        DocumentKind::RenewalPolicy => check_policy(spec, report),
        DocumentKind::RenewalRequest => check_exclude(spec, report),
        DocumentKind::Plugin => check_plugin(spec, report),
        DocumentKind::EventSink => check_sink(spec, report),
        DocumentKind::PaymentMethod => {}
    }
}

/// The currency of an amount that is well-formed, with its place.
pub(super) fn currency_at(spec: &Node, path: &[&str]) -> Option<(Currency, Place)> {
    let node = spec.path(path)?;
    Some((parse_money(node.text()?).ok()?.currency(), node.place))
}

pub(super) fn mismatch(found: Currency, wanted: Currency, whose: &str) -> Problem {
    let message = format!("the amount is in {found}, but {whose} is in {wanted}");
    Problem::new(Code::CurrencyMismatch, message).hint(format!("write the amount in {wanted}"))
}

fn check_account(spec: &Node, report: &mut Report<'_>) {
    let Some(currency) = spec.get("currency").and_then(Node::text).and_then(|text| parse_currency(text).ok()) else {
        return;
    };
    for limit in ["perOrder", "perMonth"] {
        if let Some((found, place)) = currency_at(spec, &["limits", limit])
            && found != currency
        {
            report.error(place, mismatch(found, currency, "the account"));
        }
    }
}

/// A price never depends on the network.
fn check_plugin(spec: &Node, report: &mut Report<'_>) {
    if spec.get("role").and_then(Node::text) != Some("pricing") {
        return;
    }
    for key in ["grants", "secrets"] {
        if let Some(entry) = spec.entry(key) {
            let problem = Problem::new(Code::ConflictingFields, format!("a pricing plugin takes no `{key}`"));
            report.error(entry.key_place, problem.hint("remove it: only a payment plugin can send requests"));
        }
    }
}

/// A sink is one webhook, which is signed, or one file.
fn check_sink(spec: &Node, report: &mut Report<'_>) {
    match (spec.entry("webhook"), spec.entry("file")) {
        (Some(_), Some(file)) => {
            let problem = Problem::new(Code::ConflictingFields, "a sink has `webhook` or `file`, not both");
            report.error(file.key_place, problem.hint("write two sinks"));
        }
        (None, None) => {
            let problem = Problem::new(Code::MissingField, "the sink has nowhere to tell events");
            report
                .error(spec.place, problem.hint("write `webhook: https://…` with `secret`, or `file: events.ndjson`"));
        }
        (Some(webhook), None) if spec.entry("secret").is_none() => {
            let problem = Problem::new(Code::MissingField, "a webhook needs `secret`: what it is sent is signed");
            report.error(webhook.key_place, problem.hint("write `secret: { env: VARIABLE }`"));
        }
        (None, Some(_)) => {
            if let Some(secret) = spec.entry("secret") {
                let problem = Problem::new(Code::ConflictingFields, "a file takes no `secret`");
                report.error(secret.key_place, problem.hint("remove it: lines in a file are not signed"));
            }
        }
        (Some(_), None) => {}
    }
}

fn check_price_list(spec: &Node, report: &mut Report<'_>) {
    match (spec.entry("file"), spec.entry("rows")) {
        (Some(_), Some(rows)) => {
            let problem = Problem::new(Code::ConflictingFields, "a price list has `file` or `rows`, not both");
            report.error(rows.key_place, problem.hint("remove one of the two"));
        }
        (None, None) => {
            let problem = Problem::new(Code::MissingField, "the price list has no prices");
            report.error(spec.place, problem.hint("write `file: prices.csv`, or `rows:` with the prices"));
        }
        (Some(_), None) | (None, Some(_)) => {}
    }
}

fn check_policy(spec: &Node, report: &mut Report<'_>) {
    check_exclude(spec, report);
    check_default_term(spec, report);
    let of_term = spec.path(&["extraDays", "of"]).and_then(Node::text) == Some("term");
    if let Some(entry) = spec.get("extraDays").and_then(|extra| extra.entry("proration")).filter(|_| of_term) {
        let problem = Problem::new(Code::ConflictingFields, "`of: term` takes no `proration`");
        report.error(entry.key_place, problem.hint("remove `proration`, or write `of: month`"));
    }
    // With a price list both amounts are compared with it instead.
    if let (Some((first, _)), Some((second, place)), None) = (
        currency_at(spec, &["limits", "perOrder"]),
        currency_at(spec, &["limits", "perMonth"]),
        spec.path(&["pricing", "priceList"]),
    ) && first != second
    {
        report.error(place, mismatch(second, first, "`perOrder`"));
    }
}

/// `exclude: {}` leaves out everything, which nobody means.
fn check_exclude(spec: &Node, report: &mut Report<'_>) {
    let Some(entry) = spec.get("match").and_then(|matcher| matcher.entry("exclude")) else { return };
    if matches!(&entry.value.value, Value::Map(entries) if entries.is_empty()) {
        let problem = Problem::new(Code::EmptyValue, "an empty `exclude` leaves out every resource");
        report.error(entry.key_place, problem.hint("name what to leave out, or remove the key"));
    }
}

fn check_default_term(spec: &Node, report: &mut Report<'_>) {
    let Some(default) = spec.path(&["terms", "default"]) else { return };
    let Some(term) = default.text().and_then(|text| parse_term(text).ok()) else { return };
    let allowed = match spec.path(&["terms", "allowed"]) {
        None => vec![DEFAULT_TERM],
        Some(list) => list.items().iter().filter_map(|item| parse_term(item.text()?).ok()).collect(),
    };
    if allowed.is_empty() || allowed.contains(&term) {
        return;
    }
    let written = quoted(default.text().unwrap_or_default());
    let problem = Problem::new(Code::DefaultNotAllowed, format!("the default term {written} is not among `allowed`"));
    report.error(default.place, problem.hint(format!("add {written} to `terms.allowed`, or choose one of them")));
}
