//! The complete set of checked documents, with places and with the bytes that belong to them.
//!
//! A set exists only when no finding stands in the way.

use crate::finding::{Finding, Place, Problem};
use crate::tree::Node;
use renewd_core::documents::{
    Account, Document, DocumentKey, DocumentKind, EventSink, PaymentMethod, Plugin, PriceList, PriceRow, RenewalPolicy,
    RenewalRequest,
};
use renewd_core::ids::Digest;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A document with where it stands.
#[derive(Debug, Clone)]
pub struct Placed<T> {
    /// The document.
    pub value: T,
    /// The file, as findings name it.
    pub file: String,
    /// Where the document starts.
    pub place: Place,
    pub(crate) node: Arc<Node>,
}

impl<T> Placed<T> {
    /// The place that a JSON pointer into the document names, such as `/spec/pricing/config/discount`; for something
    /// missing, the nearest place above it.
    pub fn place_of(&self, pointer: &str) -> Place {
        self.node.place_of(pointer)
    }

    /// A problem as a finding at the place that a JSON pointer names.
    pub fn finding(&self, pointer: &str, problem: Problem) -> Finding {
        problem.at(&self.file, self.place_of(pointer))
    }
}

/// All documents of a tree.
#[derive(Debug, Clone, Default)]
pub struct DocumentSet {
    /// The documents by kind and name.
    pub documents: BTreeMap<DocumentKey, Placed<Document>>,
    /// Plugin bytes, and price rows as JSON, by digest.
    pub attachments: BTreeMap<Digest, Vec<u8>>,
}

macro_rules! typed {
    ($($(#[$doc:meta])* $all:ident, $one:ident: $kind:ident -> $type:ty),+ $(,)?) => {
        impl DocumentSet {
            $(
                $(#[$doc])*
                pub fn $all(&self) -> impl Iterator<Item = &$type> {
                    self.documents.values().filter_map(|placed| match &placed.value {
                        Document::$kind(it) => Some(as_plain(it)),
                        _ => None,
                    })
                }

                /// The one of that name.
                pub fn $one(&self, name: &str) -> Option<&$type> {
                    match &self.get(DocumentKind::$kind, name)?.value {
                        Document::$kind(it) => Some(as_plain(it)),
                        _ => None,
                    }
                }
            )+
        }
    };
}

/// Takes a box off where there is one.
fn as_plain<T: ?Sized>(it: &impl std::borrow::Borrow<T>) -> &T {
    it.borrow()
}

typed! {
    /// All accounts, by name.
    accounts, account: Account -> Account,
    /// All price lists, by name.
    price_lists, price_list: PriceList -> PriceList,
    /// All plugins, by name.
    plugins, plugin: Plugin -> Plugin,
    /// All payment methods, by name; the built-in `balance` is none of them.
    payment_methods, payment_method: PaymentMethod -> PaymentMethod,
    /// All policies, by name.
    policies, policy: RenewalPolicy -> RenewalPolicy,
    /// All requests, by name.
    requests, request: RenewalRequest -> RenewalRequest,
    /// All sinks, by name.
    event_sinks, event_sink: EventSink -> EventSink,
}

impl DocumentSet {
    /// The document of that kind and name.
    pub fn get(&self, kind: DocumentKind, name: &str) -> Option<&Placed<Document>> {
        self.documents.get(&DocumentKey { kind, name: name.to_owned() })
    }

    /// The rows of a price list; none if the list is not of this set.
    pub fn price_rows(&self, list: &PriceList) -> Option<Vec<PriceRow>> {
        serde_json::from_slice(self.attachments.get(&list.rows)?).ok()
    }

    /// The bytes of a plugin; none if the plugin is not of this set.
    pub fn plugin_bytes(&self, plugin: &Plugin) -> Option<&[u8]> {
        self.attachments.get(&plugin.digest).map(Vec::as_slice)
    }
}
