//! Whether serde_yaml reads a text exactly as the spanned tree does.
//!
//! INVARIANT (readers): what is deserialised is what was checked. This is the runtime side of it; a text that is read
//! in two ways is refused, even where every single value looked clean.

use crate::tree::scalar::Plain;
use crate::tree::{Node, Scalar, Value};
use serde::Deserialize as _;
use serde_yaml::Value as Yaml;

/// Where and why the two readers differ.
pub(crate) struct Disagreement {
    /// The JSON pointer into the document, and the document's number among the non-empty ones.
    pub(crate) at: Option<(usize, String)>,
    /// The line and column that serde_yaml names, if it could not read the text.
    pub(crate) line_column: Option<(usize, usize)>,
}

/// The positions, among all documents that serde_yaml sees, of those that the tree has.
///
/// # Errors
/// The two readers differ.
pub(crate) fn agree(text: &str, documents: &[&Node]) -> Result<Vec<usize>, Disagreement> {
    let mut positions = Vec::new();
    for (position, document) in serde_yaml::Deserializer::from_str(text).enumerate() {
        let value = Yaml::deserialize(document).map_err(|error| Disagreement {
            at: None,
            line_column: error.location().map(|location| (location.line(), location.column())),
        })?;
        if value.is_null() {
            continue;
        }
        let number = positions.len();
        let differs = match documents.get(number) {
            Some(node) => difference(node, &value, &mut Vec::new()),
            None => Some(String::new()),
        };
        if let Some(pointer) = differs {
            return Err(Disagreement { at: Some((number, pointer)), line_column: None });
        }
        positions.push(position);
    }
    if positions.len() == documents.len() { Ok(positions) } else { Err(Disagreement { at: None, line_column: None }) }
}

/// The JSON pointer of the first difference.
fn difference(node: &Node, yaml: &Yaml, path: &mut Vec<String>) -> Option<String> {
    let differs = |path: &[String]| Some(path.iter().map(|part| format!("/{part}")).collect::<String>());
    match (&node.value, yaml) {
        (Value::List(items), Yaml::Sequence(values)) if items.len() == values.len() => {
            items.iter().zip(values).enumerate().find_map(|(index, (item, value))| {
                path.push(index.to_string());
                let found = difference(item, value, path);
                path.pop();
                found
            })
        }
        (Value::Map(entries), Yaml::Mapping(values)) if entries.len() == values.len() => {
            entries.iter().zip(values).find_map(|(entry, (key, value))| {
                path.push(entry.key.text.replace('~', "~0").replace('/', "~1"));
                let found =
                    if same_scalar(&entry.key, key) { difference(&entry.value, value, path) } else { differs(path) };
                path.pop();
                found
            })
        }
        (Value::Scalar(scalar), value) if same_scalar(scalar, value) => None,
        _ => differs(path),
    }
}

/// Whether both readers see the same in one scalar.
pub(crate) fn same_scalar(scalar: &Scalar, yaml: &Yaml) -> bool {
    match (scalar.reading(), yaml) {
        (Plain::Null, Yaml::Null) => true,
        (Plain::Bool(one), Yaml::Bool(other)) => one == *other,
        (Plain::Integer, Yaml::Number(number)) => number.to_string() == scalar.text,
        (Plain::Decimal, Yaml::Number(number)) => {
            number.as_f64().zip(scalar.text.parse().ok()).is_some_and(|(one, other): (f64, f64)| one == other)
        }
        (Plain::Text, Yaml::String(text)) => *text == scalar.text,
        _ => false,
    }
}
