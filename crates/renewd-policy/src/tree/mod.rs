//! A YAML document as a tree in which every key and value knows its place.
//!
//! This tree is where findings come from. It never interprets a value: what a scalar means is for
//! [`scalar`] and for the field it stands in.

mod build;
pub mod scalar;
mod text;

pub use build::{Parsed, parse};
pub use text::{Decoded, decode};

use crate::finding::Place;

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it starts.
    pub place: Place,
    /// What it is.
    pub value: Value,
}

/// A scalar, list or mapping.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Text, number, boolean, null.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the order of the text; keys are unique.
    Map(Vec<Entry>),
}

/// A scalar as written.
#[derive(Debug, Clone, PartialEq)]
pub struct Scalar {
    /// The text, escapes and folding done.
    pub text: String,
    /// Whether it is written without quotes and not as a block.
    pub plain: bool,
}

/// One key with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key's text.
    pub key: Scalar,
    /// The key's place.
    pub key_place: Place,
    /// The value.
    pub value: Node,
}

impl Node {
    /// The entry of a key, if this is a mapping that has it.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|entry| entry.key.text == key),
            Value::Scalar(_) | Value::List(_) => None,
        }
    }

    /// The value of a key, if this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The value below several keys.
    pub fn path(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The text, if this is a scalar that is not null.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar) if !scalar.is_null() => Some(&scalar.text),
            Value::Scalar(_) | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// The items, if this is a list; none otherwise.
    pub fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            Value::Scalar(_) | Value::Map(_) => &[],
        }
    }

    /// How many scalars, lists and mappings there are, this one included; keys count too.
    pub fn count(&self) -> usize {
        match &self.value {
            Value::Scalar(_) => 1,
            Value::List(items) => items.iter().fold(1, |sum, item| sum.saturating_add(item.count())),
            Value::Map(entries) => {
                entries.iter().fold(1, |sum, entry| sum.saturating_add(1).saturating_add(entry.value.count()))
            }
        }
    }

    /// How deep lists and mappings are nested.
    pub fn depth(&self) -> usize {
        let inner = match &self.value {
            Value::Scalar(_) => return 0,
            Value::List(items) => items.iter().map(Self::depth).max(),
            Value::Map(entries) => entries.iter().map(|entry| entry.value.depth()).max(),
        };
        inner.unwrap_or(0).saturating_add(1)
    }

    /// The place that a JSON pointer names: the key of the last part that exists, so that a pointer to something
    /// missing gives the place where it is missing.
    pub fn place_of(&self, pointer: &str) -> Place {
        let mut node = self;
        let mut place = self.place;
        for part in pointer.split('/').skip(1) {
            let part = part.replace("~1", "/").replace("~0", "~");
            let next = match &node.value {
                Value::Map(_) => node.entry(&part).map(|entry| (&entry.value, entry.anchor_place())),
                Value::List(items) => {
                    part.parse::<usize>().ok().and_then(|index| items.get(index)).map(|item| (item, item.place))
                }
                Value::Scalar(_) => None,
            };
            let Some((inner, at)) = next else { break };
            (node, place) = (inner, at);
        }
        place
    }
}

impl Entry {
    /// Where findings about the value point: the value if it is a scalar that is written, else the key.
    pub fn anchor_place(&self) -> Place {
        match &self.value.value {
            Value::Scalar(scalar) if !(scalar.plain && scalar.text.is_empty()) => self.value.place,
            Value::Scalar(_) | Value::List(_) | Value::Map(_) => self.key_place,
        }
    }
}
