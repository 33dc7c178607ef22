//! Keys of rows back from the bytes under which the index keeps them.

use renewd_core::documents::{Document, DocumentKey};
use renewd_core::event::{RowKey, UseKey};
use renewd_core::ids::{AccountName, OrderId, RequestName, ResourceId, SinkName};

/// The trees, by name. A test asserts that these are all the trees that the core has.
pub(super) mod tree {
    pub(crate) const META: &str = "meta";
    pub(crate) const DOCUMENTS: &str = "documents";
    pub(crate) const RESOURCES: &str = "resources";
    pub(crate) const ORDERS: &str = "orders";
    pub(crate) const LIVE: &str = "live";
    pub(crate) const BOOKS: &str = "books";
    pub(crate) const USES: &str = "uses";
    pub(crate) const TOPUPS: &str = "topups";
    pub(crate) const SINKS: &str = "sinks";
}

/// The row of this tree and key; none if they are not those of a row.
pub(super) fn row_key(tree: &str, key: &[u8], content: &[u8]) -> Option<RowKey> {
    let text = std::str::from_utf8(key).ok()?;
    let parts = text.split_once('\0');
    match tree {
        tree::META => Some(RowKey::Meta),
        tree::DOCUMENTS => document_key(content).map(RowKey::Document),
        tree::RESOURCES => ResourceId::new(text).ok().map(RowKey::Resource),
        tree::ORDERS => OrderId::new(text).ok().map(RowKey::Order),
        tree::LIVE => OrderId::new(text).ok().map(RowKey::Live),
        tree::BOOKS => AccountName::new(text).ok().map(RowKey::Book),
        tree::USES => {
            let (request, resource) = parts?;
            let request = RequestName::new(request).ok()?;
            Some(RowKey::Use(UseKey { request, resource: ResourceId::new(resource).ok()? }))
        }
        tree::TOPUPS => {
            let (account, reference) = parts?;
            Some(RowKey::TopUp(AccountName::new(account).ok()?, reference.to_owned()))
        }
        tree::SINKS => SinkName::new(text).ok().map(RowKey::Sink),
        _ => None,
    }
}

fn document_key(content: &[u8]) -> Option<DocumentKey> {
    serde_json::from_slice::<Document>(content).ok().map(|document| document.key())
}
