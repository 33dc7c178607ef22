//! What a payment carries at the gateway so that it can be recognised for ever: its key, its order, its lines.

use crate::form::Form;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use std::fmt;

/// Only metadata of this beginning is written or read.
const OURS: &str = "renewd_";
const KEY: &str = "renewd_key";
const ORDER: &str = "renewd_order";
const ATTEMPT: &str = "renewd_attempt";
const ACCOUNT: &str = "renewd_account";
const REASON: &str = "renewd_reason";
/// Line keys, several in one value: there are at most 50 values for up to 100 lines.
const LINES: &str = "renewd_lines_";
/// Most bytes that the gateway keeps of one value.
const VALUE_MAX: usize = 500;
/// Most values of lines; with the others it stays under the gateway's 50.
const LINE_VALUES_MAX: usize = 40;

/// The line keys do not fit into what the gateway keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooManyLines;

/// What is written on a payment or refund.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Labels<'a> {
    pub(crate) key: &'a str,
    pub(crate) order: &'a str,
    pub(crate) account: &'a str,
}

impl Labels<'_> {
    /// Adds them to a form.
    pub(crate) fn add_to(&self, form: &mut Form) {
        add(form, KEY, self.key);
        add(form, ORDER, self.order);
        add(form, ACCOUNT, self.account);
    }
}

/// Adds the number of the attempt.
pub(crate) fn add_attempt(form: &mut Form, attempt: u32) {
    add(form, ATTEMPT, &attempt.to_string());
}

/// Adds why money goes back.
pub(crate) fn add_reason(form: &mut Form, reason: &str) {
    if !reason.is_empty() {
        add(form, REASON, reason);
    }
}

/// Adds the keys of the lines.
pub(crate) fn add_lines<'a>(form: &mut Form, keys: impl Iterator<Item = &'a str>) -> Result<(), TooManyLines> {
    let mut values: Vec<String> = Vec::new();
    for key in keys {
        if key.is_empty() || key.len() > VALUE_MAX || key.contains(' ') {
            return Err(TooManyLines);
        }
        match values.last_mut() {
            Some(value) if value.len().saturating_add(key.len()) < VALUE_MAX => {
                value.push(' ');
                value.push_str(key);
            }
            _ => values.push(key.to_owned()),
        }
    }
    if values.len() > LINE_VALUES_MAX {
        return Err(TooManyLines);
    }
    for (index, value) in values.iter().enumerate() {
        add(form, &format!("{LINES}{index}"), value);
    }
    Ok(())
}

fn add(form: &mut Form, name: &str, value: &str) {
    let mut end = value.len().min(VALUE_MAX);
    while !value.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    form.add(&format!("metadata[{name}]"), value.get(..end).unwrap_or_default());
}

/// The metadata of an object at the gateway, as far as it is ours.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Metadata(Vec<(String, String)>);

impl Metadata {
    /// The idempotency key that the object was made with.
    pub(crate) fn key(&self) -> Option<&str> {
        self.get(KEY)
    }

    /// The order that it belongs to.
    pub(crate) fn order(&self) -> Option<&str> {
        self.get(ORDER)
    }

    /// The keys of its lines.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(name, _)| name.starts_with(LINES)).flat_map(|(_, value)| value.split_ascii_whitespace())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MetadataVisitor)
    }
}

struct MetadataVisitor;

/// Other people's metadata may be of any shape; ours is texts.
impl<'de> Visitor<'de> for MetadataVisitor {
    type Value = Metadata;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("metadata")
    }

    fn visit_unit<E>(self) -> Result<Metadata, E> {
        Ok(Metadata::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metadata, A::Error> {
        let mut pairs = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if name.starts_with(OURS) {
                pairs.push((name, map.next_value::<String>()?));
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Metadata(pairs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_lines_fit() {
        let keys: Vec<String> = (0..100).map(|number| format!("{number:064x}")).collect();
        let mut form = Form::default();
        add_lines(&mut form, keys.iter().map(String::as_str)).unwrap();
        assert_eq!(form.as_str().matches("metadata").count(), 15);
        let long = vec!["k".repeat(500); 41];
        assert_eq!(add_lines(&mut form, long.iter().map(String::as_str)), Err(TooManyLines));
        assert_eq!(add_lines(&mut form, ["a b"].into_iter()), Err(TooManyLines));
    }

    #[test]
    fn only_our_metadata_is_read() {
        let text = r#"{"renewd_key":"k","other":{"deep":[1]},"renewd_lines_0":"a b","renewd_lines_1":"c"}"#;
        let metadata: Metadata = serde_json::from_str(text).unwrap();
        assert_eq!(metadata.key(), Some("k"));
        assert_eq!(metadata.lines().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(serde_json::from_str::<Metadata>("null").unwrap(), Metadata::default());
        assert!(serde_json::from_str::<Metadata>("[]").is_err());
        assert!(serde_json::from_str::<Metadata>(r#"{"renewd_key":1}"#).is_err());
    }

    #[test]
    fn values_are_cut_between_characters() {
        let mut form = Form::default();
        add_reason(&mut form, &"é".repeat(300));
        assert!(form.as_str().ends_with("%C3%A9") && form.as_str().matches("%C3%A9").count() == 250);
    }
}
