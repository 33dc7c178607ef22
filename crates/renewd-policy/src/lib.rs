//! YAML documents to checked values, or to findings with places.
//!
//! [`load_dir`] reads a tree of documents and reports everything that is wrong with it at once. The spanned tree
//! ([`tree`]) is the source of findings; serde_yaml deserialises only a text without findings, and only if it reads
//! that text alike. This crate never renders findings, never opens a store and never runs a plugin.

mod agree;
mod assemble;
mod check;
mod code;
pub mod fields;
pub mod finding;
pub mod limits;
mod load;
pub mod lock;
mod raw;
mod schema;
mod set;
mod sources;
mod suggest;
pub mod tree;
pub mod values;

pub use check::prices::field_place as csv_field_place;
pub use finding::{Code, Finding, Findings, Place, Problem, Severity};
pub use load::{Loaded, load_dir, load_texts};
pub use lock::{Lock, LockDifference, LockEntry, LockError, compare};
pub use schema::schema;
pub use set::{DocumentSet, Placed};
pub use sources::Sources;
pub use suggest::{did_you_mean, nearest};
pub use values::{parse_bytes, parse_days, parse_money, parse_percent};
