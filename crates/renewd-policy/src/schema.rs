//! The JSON Schema of the documents, for editors.
//!
//! Made from the same tables as the checker ([`crate::fields`]), so the two cannot drift. It is a help while typing;
//! only the checker decides.

use crate::fields::{DOCUMENT, Field, KINDS, Kind, METADATA, Need, Shape, Target};
use serde_json::{Map, Value, json};

/// The schema of one document, JSON Schema draft 2020-12.
pub fn schema() -> Value {
    let kinds: Vec<&str> = KINDS.iter().map(|kind| kind.kind.as_str()).collect();
    let about: Vec<String> = KINDS.iter().map(|kind| format!("{}: {}", kind.kind, kind.about)).collect();
    let mut properties = Map::new();
    for field in &DOCUMENT {
        let value = match field.name {
            "kind" => json!({ "enum": kinds, "description": about.join(" ") }),
            "metadata" => object(&METADATA, field.about),
            "spec" => json!({ "type": "object", "description": field.about }),
            _ => described(shape(&field.shape), field.about),
        };
        properties.insert(field.name.to_owned(), value);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:renewd:documents:v1",
        "title": "renewd document",
        "type": "object",
        "properties": properties,
        "required": required(&DOCUMENT),
        "additionalProperties": false,
        "allOf": KINDS.iter().map(branch).collect::<Vec<_>>(),
    })
}

fn branch(kind: &Kind) -> Value {
    let mut spec = object(kind.spec, kind.about);
    let has = |name: &str| kind.spec.iter().any(|field| field.name == name);
    let either = match (has("rows"), has("webhook")) {
        (true, _) => Some(json!([{ "required": ["file"] }, { "required": ["rows"] }])),
        (_, true) => Some(json!([
            { "required": ["file"], "not": { "required": ["secret"] } },
            { "required": ["webhook", "secret"] },
        ])),
        (false, false) => None,
    };
    if let (Some(either), Value::Object(map)) = (either, &mut spec) {
        map.insert("oneOf".to_owned(), either);
    }
    json!({
        "if": { "properties": { "kind": { "const": kind.kind.as_str() } }, "required": ["kind"] },
        "then": { "properties": { "spec": spec } },
    })
}

fn required(fields: &[Field]) -> Vec<&'static str> {
    fields.iter().filter(|field| field.need == Need::Required).map(|field| field.name).collect()
}

fn object(fields: &'static [Field], about: &str) -> Value {
    let supported = fields.iter().filter(|field| !matches!(field.need, Need::NotSupported(_)));
    let properties: Map<String, Value> =
        supported.map(|field| (field.name.to_owned(), described(shape(&field.shape), field.about))).collect();
    let mut object = json!({
        "type": "object",
        "description": about,
        "properties": properties,
        "additionalProperties": false,
    });
    if let (Value::Object(map), needed) = (&mut object, required(fields))
        && !needed.is_empty()
    {
        map.insert("required".to_owned(), json!(needed));
    }
    object
}

fn described(mut value: Value, about: &str) -> Value {
    if let Value::Object(map) = &mut value {
        map.insert("description".to_owned(), json!(about));
    }
    value
}

/// Text of a form that a pattern can tell.
fn text(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": pattern })
}

/// The schema of a value.
fn shape(shape: &'static Shape) -> Value {
    match shape {
        Shape::Name | Shape::Ref(Target::Plugin(_) | Target::PriceList | Target::Method) => text(r"^[^\s*,;]{1,200}$"),
        Shape::Text | Shape::File | Shape::Pattern => json!({ "type": "string", "minLength": 1 }),
        Shape::Words(words) => json!({ "enum": words }),
        Shape::Money => text(r"^\d+(\.\d+)? +[A-Z]{3}$"),
        Shape::Currency => text("^[A-Z]{3}$"),
        Shape::Zone => json!({ "type": "string", "examples": ["Asia/Shanghai", "Europe/Berlin", "UTC"] }),
        Shape::RenewalDay => renewal_day(),
        Shape::Days(0) => text(r"^\d{1,4}d$"),
        Shape::Days(_) => text(r"^0*[1-9]\d{0,3}d$"),
        Shape::Time => text(r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$"),
        Shape::Term => text(r"^(P(\d+Y)?(\d+M)?|\d+ (months?|years?))$"),
        Shape::Percent => text(r"^\d+(\.\d+)?%$"),
        Shape::Bytes => text(r"^\d+ *(B|KiB|MiB|GiB)$"),
        Shape::Millis => text(r"^\d+m?s$"),
        Shape::Integer(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Shape::Times => json!({ "oneOf": [{ "const": "unlimited" }, { "type": "integer", "minimum": 1 }] }),
        Shape::Decimal => json!({ "oneOf": [{ "type": "number", "minimum": 0 }, text(r"^\d+(\.\d+)?$")] }),
        Shape::Date => text(r"^\d{4}-\d{2}-\d{2}$"),
        Shape::Moment => text(r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?$"),
        Shape::AlignAsked => json!({ "oneOf": [{ "type": "boolean" }, renewal_day()] }),
        Shape::List(item) => {
            let item = match item {
                Shape::Map(fields) => object(fields, "One item."),
                other => self::shape(other),
            };
            json!({ "type": "array", "items": item, "minItems": 1, "uniqueItems": true })
        }
        Shape::Map(fields) => object(fields, ""),
        Shape::Grant => text(r"^(GET|HEAD|POST|PUT|PATCH|DELETE) https?://[a-z0-9.\-:\[\]]+(/[^?#]*)?$"),
        Shape::Variable => text("^[A-Z_][A-Z0-9_]*$"),
        Shape::WebUrl => text(r"^https?://[a-z0-9.\-:\[\]]+([/?][^#]*)?$"),
        Shape::SecretSource(fields) => object(fields, ""),
        Shape::Secrets(source) => json!({
            "type": "object",
            "minProperties": 1,
            "propertyNames": text(r"^[A-Za-z0-9._-]{1,128}$"),
            "additionalProperties": self::shape(source),
        }),
        Shape::Labels => json!({
            "type": "object",
            "minProperties": 1,
            "additionalProperties": { "oneOf": [
                { "type": "string", "minLength": 1 },
                { "type": "array", "items": { "type": "string", "minLength": 1 }, "minItems": 1 },
            ] },
        }),
        Shape::Config => json!({ "type": "object" }),
    }
}

fn renewal_day() -> Value {
    json!({ "oneOf": [{ "type": "integer", "minimum": 1, "maximum": 28 }, { "const": "last" }] })
}
