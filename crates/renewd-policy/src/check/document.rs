//! One document: `apiVersion`, `kind`, `metadata`, then `spec` by the kind's table.

use super::keys::check_keys;
use super::rules::check_rules;
use super::{Report, missing};
use crate::fields::{DOCUMENT, KINDS, Kind, METADATA, NOT_SUPPORTED_KINDS, kind_of};
use crate::finding::{Code, Place, Problem, quoted};
use crate::suggest::nearest;
use crate::tree::{Node, Value};
use renewd_core::documents::DocumentKind;

/// The one accepted `apiVersion`.
const API_VERSION: &str = "renewd/v1";

/// What a document says it is, as far as that could be read.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    pub(crate) kind: DocumentKind,
    pub(crate) name: Option<(String, Place)>,
    /// Where the document starts.
    pub(crate) place: Place,
}

/// Checks a document; `api_version_said` carries over from earlier documents of the file.
pub(crate) fn check_document(node: &Node, api_version_said: &mut bool, report: &mut Report<'_>) -> Option<Header> {
    if !matches!(node.value, Value::Map(_)) {
        let problem = Problem::new(Code::WrongType, "a document is a mapping with `kind`, `metadata` and `spec`")
            .hint("start it with `apiVersion: renewd/v1` and `kind: …`");
        report.error(node.place, problem);
        return None;
    }
    check_api_version(node, api_version_said, report);
    let kind = check_kind(node, report);
    check_keys(node, &DOCUMENT, kind, report);
    let name = check_metadata(node, kind, report);
    let kind = kind?;
    check_spec(node, kind, report);
    Some(Header { kind: kind.kind, name, place: node.place })
}

fn check_api_version(node: &Node, said: &mut bool, report: &mut Report<'_>) {
    let hint = format!("write `apiVersion: {API_VERSION}`");
    match node.entry("apiVersion") {
        Some(entry) if entry.value.text() == Some(API_VERSION) => {}
        Some(entry) => {
            let given = entry.value.text().map_or_else(|| "this".to_owned(), quoted);
            let message = format!("{given} is not a version of these documents");
            report.error(entry.anchor_place(), Problem::new(Code::ApiVersion, message).hint(hint));
        }
        None if *said => {}
        None => report.error(node.place, Problem::new(Code::ApiVersion, "`apiVersion` is missing").hint(hint)),
    }
    // Once is enough to say, also where it is missing or wrong.
    *said = true;
}

fn check_kind(node: &Node, report: &mut Report<'_>) -> Option<&'static Kind> {
    let words: Vec<&str> = KINDS.iter().map(|kind| kind.kind.as_str()).collect();
    let Some(entry) = node.entry("kind") else {
        report.error(node.place, missing("kind", format!("write one of {}", crate::suggest::listed(&words))));
        return None;
    };
    let place = entry.anchor_place();
    let Some(word) = entry.value.text() else {
        let problem = Problem::new(Code::EmptyValue, "`kind` has no value")
            .hint(format!("write one of {}", crate::suggest::listed(&words)));
        report.error(place, problem);
        return None;
    };
    let found = kind_of(word);
    if found.is_none() {
        report.error(place, unknown_kind(word, &words));
    }
    found
}

fn unknown_kind(word: &str, words: &[&str]) -> Problem {
    if NOT_SUPPORTED_KINDS.contains(&word) {
        let message = format!("kind {} is not supported in this version", quoted(word));
        return Problem::new(Code::NotSupported, message).hint("remove the document");
    }
    let hint = match nearest(word, words.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            match words.iter().find(|known| !word.is_empty() && known.to_lowercase().contains(&word.to_lowercase())) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("use {}", crate::suggest::listed(words)),
            }
        }
    };
    Problem::new(Code::UnknownKind, format!("{} is not a kind of document", quoted(word))).hint(hint)
}

fn check_metadata(node: &Node, kind: Option<&'static Kind>, report: &mut Report<'_>) -> Option<(String, Place)> {
    let Some(entry) = node.entry("metadata") else {
        report.error(node.place, missing("metadata", "write `metadata: { name: … }`".to_owned()));
        return None;
    };
    if !matches!(entry.value.value, Value::Map(_)) {
        let hint = match entry.value.text() {
            Some(text) => format!("write `metadata: {{ name: {} }}`", quoted(text).trim_matches('`')),
            None => "write `metadata: { name: … }`".to_owned(),
        };
        report.error(entry.anchor_place(), Problem::new(Code::WrongType, "`metadata` is not a mapping").hint(hint));
        return None;
    }
    super::shapes::check_map(&entry.value, entry.key_place, "metadata", &METADATA, kind, report);
    let name = entry.value.get("name")?;
    let text = name.text()?;
    if kind.is_some_and(|kind| kind.kind == DocumentKind::PaymentMethod) && text == "balance" {
        let problem = Problem::new(Code::BadName, "`balance` is the built-in prepaid method and needs no document")
            .hint("choose another name, or remove the document");
        report.error(name.place, problem);
    }
    Some((text.to_owned(), name.place))
}

fn check_spec(node: &Node, kind: &'static Kind, report: &mut Report<'_>) {
    let Some(entry) = node.entry("spec") else {
        report.error(node.place, missing("spec", "write `spec:` with the fields of the document below it".to_owned()));
        return;
    };
    if !matches!(entry.value.value, Value::Map(_)) {
        let problem = Problem::new(Code::WrongType, "`spec` is not a mapping")
            .hint("write the fields below it, indented by two spaces");
        report.error(entry.anchor_place(), problem);
        return;
    }
    super::shapes::check_map(&entry.value, entry.key_place, "spec", kind.spec, Some(kind), report);
    check_rules(kind.kind, &entry.value, report);
}
