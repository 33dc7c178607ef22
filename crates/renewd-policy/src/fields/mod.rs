//! What a document may say: every kind's fields as data.
//!
//! INVARIANT (one table): the checker, the "did you mean" hints and the JSON Schema all read these tables, so a field
//! that is here is checked and described, and one that is not here is refused. No rule that looks at two fields
//! belongs here.

mod tables;

pub use tables::{DOCUMENT, KINDS, Kind, METADATA, NOT_SUPPORTED_KINDS, PRICE_ROW, kind_of};

use renewd_core::documents::PluginRole;

/// One key of a mapping.
#[derive(Debug)]
pub struct Field {
    /// The key.
    pub name: &'static str,
    /// What its value is.
    pub shape: Shape,
    /// Whether it must be there.
    pub need: Need,
    /// One sentence for editors.
    pub about: &'static str,
}

/// Whether a key must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It must.
    Required,
    /// It may.
    Optional,
    /// It must not: this version does not enforce it. The text says what that means.
    NotSupported(&'static str),
}

/// What a document's name is looked up as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A `Plugin` with that role.
    Plugin(PluginRole),
    /// A `PriceList`.
    PriceList,
    /// A `PaymentMethod`, or `balance`.
    Method,
}

/// What a value is.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// A name that the document gives itself.
    Name,
    /// The name of another document.
    Ref(Target),
    /// Any text.
    Text,
    /// A path relative to the file.
    File,
    /// A text in which `*` spans any characters.
    Pattern,
    /// One of these words.
    Words(&'static [&'static str]),
    /// `20000 USD`.
    Money,
    /// `USD`.
    Currency,
    /// `Asia/Shanghai`.
    Zone,
    /// 1 to 28 or `last`.
    RenewalDay,
    /// `7d`, at least so many.
    Days(u32),
    /// `"03:00"`.
    Time,
    /// `P1M`.
    Term,
    /// `10%`.
    Percent,
    /// `64MiB`.
    Bytes,
    /// `500ms`.
    Millis,
    /// A whole number in a range.
    Integer(i64, i64),
    /// `unlimited` or a whole number from 1.
    Times,
    /// A price without currency.
    Decimal,
    /// `2027-01-01`.
    Date,
    /// A date, local time or instant.
    Moment,
    /// `true`, `false`, or a renewal day.
    AlignAsked,
    /// A list that is not empty.
    List(&'static Shape),
    /// A mapping with known keys.
    Map(&'static [Field]),
    /// A mapping of texts to a pattern or a list of patterns.
    Labels,
    /// `POST https://api.example.com/v1/`.
    Grant,
    /// The name of an environment variable.
    Variable,
    /// A mapping of names that the document chooses to where each secret comes from.
    Secrets(&'static Shape),
    /// Where one secret comes from: a mapping with known keys.
    SecretSource(&'static [Field]),
    /// `https://hooks.example.com/renewd`.
    WebUrl,
    /// Anything that JSON can say: a plugin's own configuration.
    Config,
}

/// Looks a key up.
pub fn field<'a>(fields: &'a [Field], name: &str) -> Option<&'a Field> {
    fields.iter().find(|field| field.name == name)
}

/// The fields below a field, if it is a mapping or a list of mappings.
pub fn inner(shape: &'static Shape) -> Option<&'static [Field]> {
    match shape {
        Shape::Map(fields) | Shape::SecretSource(fields) => Some(fields),
        Shape::List(item) | Shape::Secrets(item) => inner(item),
        _ => None,
    }
}
