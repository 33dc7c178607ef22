//! Lists and mappings against the shape that their field has; single values are in [`super::scalars`].

use super::keys::check_keys;
use super::scalars::{check_scalar, plain_text};
use super::{Reference, Report, missing};
use crate::fields::{Field, Kind, Need, Shape, field};
use crate::finding::{Code, Place, Problem, quoted};
use crate::limits::CONFIG_DIGITS_MAX;
use crate::suggest::nearest;
use crate::tree::scalar::Plain;
use crate::tree::{Entry, Node, Value};
use crate::values;
use std::collections::HashMap;

/// How many keys of one mapping are looked at as misspellings of a missing one.
const ENTRIES_COMPARED_MAX: usize = 64;

/// Checks a mapping: unknown, missing and unsupported keys, then each value.
pub(super) fn check_map(
    node: &Node,
    at: Place,
    name: &str,
    fields: &'static [Field],
    kind: Option<&'static Kind>,
    report: &mut Report<'_>,
) {
    let Value::Map(entries) = &node.value else { return };
    check_keys(node, fields, kind, report);
    for wanted in fields.iter().filter(|field| field.need == Need::Required) {
        if node.entry(wanted.name).is_none() && !is_misspelt(entries, fields, wanted.name) {
            report.error(at, missing(wanted.name, format!("`{name}` needs it: {}", lower_first(wanted.about))));
        }
    }
    for entry in entries {
        let Some(known) = field(fields, &entry.key.text) else { continue };
        if let Need::NotSupported(instead) = known.need {
            let message = format!("`{}` is not supported in this version", known.name);
            report.error(entry.key_place, Problem::new(Code::NotSupported, message).hint(instead));
            continue;
        }
        check_value(&entry.value, entry.anchor_place(), known.name, &known.shape, kind, report);
    }
}

/// Whether an unknown key is so near that it has been told what it should be; one cause is one finding.
fn is_misspelt(entries: &[Entry], fields: &'static [Field], wanted: &str) -> bool {
    let unknown = entries.iter().take(ENTRIES_COMPARED_MAX).map(|entry| entry.key.text.as_str());
    let mut unknown = unknown.filter(|key| field(fields, key).is_none());
    unknown.any(|key| nearest(key, fields.iter().map(|field| field.name)) == Some(wanted))
}

/// The first letter small, unless it begins an abbreviation.
fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    if text.chars().nth(1).is_some_and(char::is_uppercase) {
        return text.trim_end_matches('.').to_owned();
    }
    let first = chars.next().map(|c| c.to_lowercase().to_string()).unwrap_or_default();
    format!("{first}{}", chars.as_str().trim_end_matches('.'))
}

fn check_value(
    node: &Node,
    at: Place,
    name: &str,
    shape: &'static Shape,
    kind: Option<&'static Kind>,
    report: &mut Report<'_>,
) {
    if report.is_full() {
        return;
    }
    match (shape, &node.value) {
        (_, Value::Scalar(scalar)) if scalar.is_null() => {
            let problem = Problem::new(Code::EmptyValue, format!("`{name}` has no value"));
            report.error(at, problem.hint("write a value, or remove the key"));
        }
        (Shape::Map(fields), Value::Map(_)) => check_map(node, at, name, fields, kind, report),
        (Shape::List(item), Value::List(items)) => check_list(items, at, name, item, kind, report),
        (Shape::Labels, Value::Map(entries)) => check_labels(entries, at, name, report),
        (Shape::Secrets(source), Value::Map(entries)) => check_secrets(entries, at, name, (source, kind), report),
        (Shape::SecretSource(fields), Value::Map(_)) => check_map(node, at, name, fields, kind, report),
        (Shape::SecretSource(_), _) => report.error(at, secret_itself()),
        (Shape::Config, Value::Map(_)) => check_config(node, at, report),
        (Shape::Map(_) | Shape::Secrets(_) | Shape::List(_) | Shape::Labels | Shape::Config, _) => {
            report.error(at, wrong_type(node, name, shape));
        }
        (_, Value::List(_) | Value::Map(_)) => report.error(at, wrong_type(node, name, shape)),
        (_, Value::Scalar(scalar)) => match check_scalar(scalar, name, shape) {
            Ok(Some(target)) => {
                let reference =
                    Reference { target, name: scalar.text.clone(), file: report.file.to_owned(), place: node.place };
                report.references.push(reference);
            }
            Ok(None) => {}
            Err(problem) => report.error(at, problem),
        },
    }
}

fn wrong_type(node: &Node, name: &str, shape: &'static Shape) -> Problem {
    let is = match &node.value {
        Value::Scalar(_) => "a single value",
        Value::List(_) => "a list",
        Value::Map(_) => "a mapping",
    };
    let (wanted, mut hint) = match shape {
        Shape::List(_) => ("a list", "write it like `[first, second]`".to_owned()),
        Shape::Map(_) | Shape::Secrets(_) | Shape::Labels | Shape::Config => {
            ("a mapping", "write it like `{ key: value }`".to_owned())
        }
        _ => ("a single value", "write one value".to_owned()),
    };
    match (shape, node.text().map(quoted)) {
        (Shape::List(_), Some(text)) => hint = format!("write `[{}]`", text.trim_matches('`')),
        (Shape::Map(fields), Some(text)) => {
            let mut needed = fields.iter().filter(|field| field.need == Need::Required);
            if let (Some(only), None) = (needed.next(), needed.next()) {
                hint = format!("write `{{ {}: {} }}`", only.name, text.trim_matches('`'));
            }
        }
        _ => {}
    }
    Problem::new(Code::WrongType, format!("`{name}` is {is}, not {wanted}")).hint(hint)
}

fn check_list(
    items: &[Node],
    at: Place,
    name: &str,
    item: &'static Shape,
    kind: Option<&'static Kind>,
    report: &mut Report<'_>,
) {
    if items.is_empty() {
        let problem = Problem::new(Code::EmptyList, format!("`{name}` is an empty list"));
        report.error(at, problem.hint("name at least one, or remove the key"));
    }
    let mut seen: HashMap<String, Place> = HashMap::new();
    for node in items {
        check_value(node, node.place, name, item, kind, report);
        let Some(identity) = identity(node) else { continue };
        if let Some(first) = seen.get(&identity) {
            let message =
                format!("{} stands twice in `{name}`: here and at {}:{}", quoted(&identity), first.line, first.column);
            report.error(node.place, Problem::new(Code::DuplicateItem, message).hint("remove one of the two"));
        } else {
            seen.insert(identity, node.place);
        }
    }
}

/// What makes a list item the same as another: its text (terms by length), or method and reference.
fn identity(node: &Node) -> Option<String> {
    if let Some(text) = node.text() {
        return Some(values::parse_term(text).map_or_else(|_| text.to_owned(), |term| term.to_string()));
    }
    let method = node.get("method")?.text()?;
    let reference = node.get("reference").and_then(Node::text);
    Some(reference.map_or_else(|| method.to_owned(), |reference| format!("{method} with {reference}")))
}

fn check_labels(entries: &[Entry], at: Place, name: &str, report: &mut Report<'_>) {
    if entries.is_empty() {
        let problem = Problem::new(Code::EmptyList, format!("`{name}` is empty and selects nothing in particular"));
        report.error(at, problem.hint("name at least one label, or remove the key"));
    }
    for entry in entries {
        check_free_key(entry, report);
        let values = entry.value.items();
        if matches!(entry.value.value, Value::List(_)) {
            check_list(values, entry.key_place, &entry.key.text, &Shape::Pattern, None, report);
        } else {
            check_value(&entry.value, entry.anchor_place(), &entry.key.text, &Shape::Pattern, None, report);
        }
    }
}

/// Names that the document chooses, each with where its secret comes from.
///
/// A value that stands where its source belongs may be the secret itself, so no message repeats it.
fn check_secrets(
    entries: &[Entry],
    at: Place,
    name: &str,
    (source, kind): (&'static Shape, Option<&'static Kind>),
    report: &mut Report<'_>,
) {
    if entries.is_empty() {
        let problem = Problem::new(Code::EmptyList, format!("`{name}` is empty"));
        report.error(at, problem.hint("name at least one secret, or remove the key"));
    }
    for entry in entries {
        check_free_key(entry, report);
        if let Err(problem) = values::parse_secret_name(&entry.key.text) {
            report.error(entry.key_place, problem);
        }
        if matches!(entry.value.value, Value::Map(_)) {
            check_value(&entry.value, entry.anchor_place(), &entry.key.text, source, kind, report);
        } else {
            report.error(entry.anchor_place(), secret_itself());
        }
    }
}

/// What stands where the source of a secret belongs may be the secret, so it is not repeated.
fn secret_itself() -> Problem {
    Problem::new(Code::WrongType, "a secret never stands in a document, only where it comes from")
        .hint("write `{ env: VARIABLE }`, and change the secret if it stood here")
}

/// A key that the user chooses must be text to every reader.
fn check_free_key(entry: &Entry, report: &mut Report<'_>) {
    if entry.key.plain && entry.key.text == "<<" {
        return;
    }
    if let Err(problem) = plain_text(&entry.key, "a key") {
        report.error(entry.key_place, problem);
    }
}

fn check_config(node: &Node, at: Place, report: &mut Report<'_>) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| check_config(item, item.place, report)),
        Value::Map(entries) => {
            for entry in entries {
                check_free_key(entry, report);
                check_config(&entry.value, entry.anchor_place(), report);
            }
        }
        Value::Scalar(scalar) => {
            let digits = scalar.text.bytes().filter(u8::is_ascii_digit).count();
            let number = matches!(scalar.reading(), Plain::Integer | Plain::Decimal);
            if let Some(problem) = scalar.ambiguity() {
                report.error(at, problem);
            } else if scalar.plain && scalar.text.is_empty() {
                let problem = Problem::new(Code::EmptyValue, "a configuration value is left empty");
                report.error(at, problem.hint("write a value, or `null` if nothing is meant"));
            } else if number && digits > CONFIG_DIGITS_MAX {
                let message = format!("{} has too many digits to be kept exactly", quoted(&scalar.text));
                report.error(at, Problem::new(Code::BadNumber, message).hint("put it in quotes"));
            }
        }
    }
}
