//! Unknown keys, and the best guess at what was meant: a near spelling, or the right key in the wrong place.

use super::Report;
use crate::fields::{DOCUMENT, Field, KINDS, Kind, METADATA, field, inner};
use crate::finding::{Code, Problem, quoted};
use crate::suggest::{listed, nearest};
use crate::tree::{Entry, Node, Value};

/// How hints call the outermost mapping.
const TOP_LEVEL: &str = "top level of the document";

/// Reports every key of a mapping that is not in the table.
pub(super) fn check_keys(node: &Node, fields: &'static [Field], kind: Option<&'static Kind>, report: &mut Report<'_>) {
    let Value::Map(entries) = &node.value else { return };
    for entry in entries {
        if report.is_full() {
            return;
        }
        if field(fields, &entry.key.text).is_none() && !is_reported_already(entry) {
            let hint = meant(entry, fields, kind);
            let message = format!("unknown key {}", quoted(&entry.key.text));
            report.error(entry.key_place, Problem::new(Code::UnknownKey, message).hint(hint));
        }
    }
}

/// Merge keys and keys that are no text have had their finding from the tree.
fn is_reported_already(entry: &Entry) -> bool {
    (entry.key.plain && entry.key.text == "<<") || (!entry.key.plain && entry.key.text == "?")
}

fn meant(entry: &Entry, fields: &'static [Field], kind: Option<&'static Kind>) -> String {
    let key = entry.key.text.as_str();
    if key.starts_with(|c: char| c.is_ascii_digit()) && entry.value.text().is_none() {
        return "a comma separates fields here; write amounts without thousands separators, like `1500 USD`".to_owned();
    }
    let here = || fields.iter().filter(|field| !matches!(field.need, crate::fields::Need::NotSupported(_)));
    if let Some(path) = kind.and_then(|kind| path_in(kind, key)) {
        return if path == TOP_LEVEL {
            format!("`{key}` belongs at the {path}")
        } else {
            format!("`{key}` belongs under `{path}`")
        };
    }
    if let Some(near) = nearest(key, here().map(|field| field.name)) {
        return format!("did you mean `{near}`?");
    }
    if let Some(hint) = kind.and_then(|kind| near_elsewhere(kind, key)) {
        return hint;
    }
    let owners: Vec<&str> =
        KINDS.iter().filter(|kind| field(kind.spec, key).is_some()).map(|k| k.kind.as_str()).collect();
    if !owners.is_empty() {
        return format!("`{key}` is a field of {}", listed(&owners));
    }
    let names: Vec<&str> = here().map(|field| field.name).collect();
    if names.is_empty() { "remove it".to_owned() } else { format!("known keys here are {}", and_listed(&names)) }
}

fn and_listed(names: &[&str]) -> String {
    listed(names).replace("` or `", "` and `")
}

/// The path of the mapping in which a kind has that key.
fn path_in(kind: &'static Kind, key: &str) -> Option<String> {
    if field(&DOCUMENT, key).is_some() {
        return Some(TOP_LEVEL.to_owned());
    }
    if field(&METADATA, key).is_some() {
        return Some("metadata".to_owned());
    }
    find(kind.spec, "spec", &|field| field.name == key)
}

/// A near spelling of a key that belongs elsewhere in the kind.
fn near_elsewhere(kind: &'static Kind, key: &str) -> Option<String> {
    let mut names = Vec::new();
    collect(kind.spec, &mut names);
    let near = nearest(key, names)?;
    let path = find(kind.spec, "spec", &|field| field.name == near)?;
    Some(format!("did you mean `{near}`, which belongs under `{path}`?"))
}

fn collect(fields: &'static [Field], names: &mut Vec<&'static str>) {
    for field in fields {
        names.push(field.name);
        if let Some(below) = inner(&field.shape) {
            collect(below, names);
        }
    }
}

fn find(fields: &'static [Field], path: &str, wanted: &dyn Fn(&Field) -> bool) -> Option<String> {
    if fields.iter().any(wanted) {
        return Some(path.to_owned());
    }
    fields.iter().find_map(|field| find(inner(&field.shape)?, &format!("{path}.{}", field.name), wanted))
}
