//! Events: what the journal records. The state is nothing but their sum.
//!
//! The JSON of these types is the journal's format: variants and fields are only ever added, never changed.

use crate::documents::{AccountMethod, Document, DocumentKey, DocumentKind, Windows};
use crate::ids::{AccountName, Digest, OrderId, PolicyName, RequestName, ResourceId, SinkName};
use crate::money::Money;
use crate::order::{Attempt, Hold, MonthKey, Order, Outcome, Payment, Refund, RefundResult};
use crate::refusal::Refusal;
use crate::resource::{Description, Freeze, Imported, ModeOverride, Phase, Resource, TermEnd};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A document is new or changed.
    DocumentPut {
        /// The checked document.
        document: Document,
    },
    /// A document is gone.
    DocumentRemoved {
        /// Its kind and name.
        key: DocumentKey,
    },
    /// A complete desired set took effect.
    RevisionApplied {
        /// 1, 2, …
        revision: u32,
        /// Digest over all documents.
        digest: Digest,
    },
    /// The first policy that matches a resource gave it its windows.
    #[serde(rename_all = "camelCase")]
    WindowsCaptured {
        /// The resource.
        resource: ResourceId,
        /// The policy.
        policy: PolicyName,
        /// Its windows.
        windows: Windows,
    },
    /// An inventory brought a new resource.
    ResourceAdded {
        /// The whole resource.
        resource: Box<Resource>,
    },
    /// An inventory changed a resource.
    ResourceImported {
        /// The resource.
        resource: ResourceId,
        /// What changed.
        #[serde(flatten)]
        change: Box<ImportChange>,
    },
    /// A resource cannot be renewed until somebody has looked.
    ResourceFrozen {
        /// The resource.
        resource: ResourceId,
        /// Why.
        freeze: Freeze,
    },
    /// Somebody has looked.
    ResourceThawed {
        /// The resource.
        resource: ResourceId,
    },
    /// A person or inventory chose a mode for one resource.
    ModeChosen {
        /// The resource.
        resource: ResourceId,
        /// The choice.
        #[serde(flatten)]
        chosen: ModeOverride,
    },
    /// The resource was given back to its policy.
    ModeReturned {
        /// The resource.
        resource: ResourceId,
    },
    /// An order was placed, open or held.
    OrderPlaced {
        /// The whole order.
        order: Box<Order>,
    },
    /// A request found its resources in an open order and adopted it.
    OrderAdopted {
        /// The order.
        order: OrderId,
        /// The request that it uses up as well.
        request: RequestName,
        /// What it is to be paid with from here on, where the request says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        methods: Option<Vec<AccountMethod>>,
    },
    /// A person let a held order be paid.
    OrderApproved {
        /// The order.
        order: OrderId,
        /// Why, in the person's words.
        reason: Option<String>,
    },
    /// Something was found that a person must look at before the order is paid.
    OrderHeld {
        /// The order.
        order: OrderId,
        /// What.
        hold: Hold,
        /// Epoch of the store in which the gateway was asked for earlier charges, where that is how it was found.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sought: Option<u32>,
        /// The month that it counts towards from here on, where that is what it is held for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        month: Option<MonthKey>,
    },
    /// A person canceled an order.
    OrderCanceled {
        /// The order.
        order: OrderId,
        /// Why, in the person's words.
        reason: Option<String>,
    },
    /// Nobody paid an order in time.
    OrderExpired {
        /// The order.
        order: OrderId,
    },
    /// An attempt is about to be made: durable before any plugin is called.
    AttemptStarted {
        /// The order.
        order: OrderId,
        /// The attempt, in flight.
        attempt: Box<Attempt>,
    },
    /// An attempt ended without settling the order.
    #[serde(rename_all = "camelCase")]
    AttemptEnded {
        /// The order.
        order: OrderId,
        /// The attempt's number.
        number: u32,
        /// What came of it; never `succeeded`, which is [`Event::OrderSettled`].
        result: Outcome,
        /// When to ask again whether a decline that nobody but time told was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        follow: Option<DateTime<Utc>>,
    },
    /// The gateway was asked what came of an attempt, and the answer decided nothing.
    AttemptChecked {
        /// The order.
        order: OrderId,
        /// The attempt's number.
        number: u32,
        /// What it answered, in words.
        detail: String,
        /// When to ask next; never again where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<DateTime<Utc>>,
        /// The charge that it showed for an attempt that was taken for declined.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shown: Option<String>,
    },
    /// An attempt of an order that is dead or was paid otherwise turned out to have succeeded.
    LateSuccess {
        /// The order.
        order: OrderId,
        /// The attempt's number.
        number: u32,
        /// The gateway's reference.
        reference: String,
    },
    /// Money is about to be given back: durable before any plugin is called.
    RefundStarted {
        /// The order.
        order: OrderId,
        /// The refund, in flight.
        refund: Box<Refund>,
    },
    /// A refund ended, or nobody knows.
    RefundEnded {
        /// The order.
        order: OrderId,
        /// The refund's number.
        number: u32,
        /// What came of it.
        result: RefundResult,
    },
    /// The gateway was asked again for a refund, and the answer decided nothing.
    RefundChecked {
        /// The order.
        order: OrderId,
        /// The refund's number.
        number: u32,
        /// What it answered, in words.
        detail: String,
        /// When to ask next; never again where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<DateTime<Utc>>,
    },
    /// The money is taken and the terms are extended: one record for both.
    OrderSettled {
        /// The order.
        order: OrderId,
        /// How it was paid.
        payment: Payment,
    },
    /// A person looked and found that an unknown attempt had taken nothing.
    ResolvedDeclined {
        /// The order.
        order: OrderId,
        /// The attempt's number.
        number: u32,
        /// How the person knows.
        reason: String,
    },
    /// Time moved a resource into another phase: expiring, grace, retention or, for ever, released.
    PhaseEntered {
        /// The resource.
        resource: ResourceId,
        /// The phase.
        phase: Phase,
        /// The expiry around which it lies.
        expiry: DateTime<Utc>,
    },
    /// The paid term ended and the resource goes on as pay-per-use.
    ResourceConverted {
        /// The resource.
        resource: ResourceId,
        /// The expiry at which it did.
        expiry: DateTime<Utc>,
    },
    /// The paid term ended, as its mode wants.
    ResourceEnded {
        /// The resource.
        resource: ResourceId,
        /// The expiry at which it did.
        expiry: DateTime<Utc>,
    },
    /// An automatic renewal could not be ordered, which counts as a failed attempt.
    AutoFailed {
        /// The resource.
        resource: ResourceId,
        /// The expiry that was to be extended.
        expiry: DateTime<Utc>,
        /// Why.
        refusal: Refusal,
    },
    /// Automatic renewal did its number of renewals; the resource is manual from now on.
    AutoFinished {
        /// The resource.
        resource: ResourceId,
        /// How many.
        renewals: u32,
    },
    /// Prepaid money came in.
    BalanceToppedUp {
        /// The account.
        account: AccountName,
        /// How much.
        amount: Money,
        /// The payer's reference, unique in the account.
        reference: String,
    },
    /// A sink has been told everything up to here, or could not be told more.
    EventsDelivered {
        /// The sink.
        sink: SinkName,
        /// The number of the last record that it need not be told again.
        through: u64,
        /// Why the next event could not be delivered, where it could not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failed: Option<String>,
    },
}

/// What an inventory changed about a resource; absent parts stay.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportChange {
    /// The new description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// The new expiry and anchor; the generation rises where the expiry moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<TermEnd>,
    /// The new base of the three-way merge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<Imported>,
    /// Forget what was paid at each term, because the inventory gave a new price.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub price: bool,
}

impl ImportChange {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A use of a request for a resource: at most one renewal, for ever.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UseKey {
    /// The request.
    pub request: RequestName,
    /// The resource.
    pub resource: ResourceId,
}

/// Names one row of the state.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RowKey {
    /// Counters.
    Meta,
    /// A document.
    Document(DocumentKey),
    /// A resource.
    Resource(ResourceId),
    /// An order.
    Order(OrderId),
    /// The mark of an order that somebody still has to look after.
    Live(OrderId),
    /// An account's balance and monthly sums.
    Book(AccountName),
    /// A use of a request.
    Use(UseKey),
    /// A top-up by its reference.
    TopUp(AccountName, String),
    /// How far a sink has been told.
    Sink(SinkName),
}

impl RowKey {
    /// The names of all trees, in the order in which they are written.
    pub const TREES: [&'static str; 9] =
        ["meta", "documents", "resources", "orders", "live", "books", "uses", "topups", "sinks"];

    /// The tree that the row lives in.
    pub fn tree(&self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Document(_) => "documents",
            Self::Resource(_) => "resources",
            Self::Order(_) => "orders",
            Self::Live(_) => "live",
            Self::Book(_) => "books",
            Self::Use(_) => "uses",
            Self::TopUp(..) => "topups",
            Self::Sink(_) => "sinks",
        }
    }

    /// The row's key in its tree: its parts joined by a zero byte, which no name has.
    pub fn key_bytes(&self) -> Vec<u8> {
        let parts: Vec<&str> = match self {
            Self::Meta => vec!["meta"],
            Self::Document(key) => vec![key.kind.as_str(), &key.name],
            Self::Resource(id) => vec![id.as_str()],
            Self::Order(id) | Self::Live(id) => vec![id.as_str()],
            Self::Book(name) => vec![name.as_str()],
            Self::Use(key) => vec![key.request.as_str(), key.resource.as_str()],
            Self::TopUp(account, reference) => vec![account.as_str(), reference],
            Self::Sink(name) => vec![name.as_str()],
        };
        parts.join("\0").into_bytes()
    }
}

/// What the history is kept by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Subject {
    /// A document of any kind.
    Document(DocumentKey),
    /// A resource.
    Resource(ResourceId),
    /// An order.
    Order(OrderId),
    /// An account's money.
    Account(AccountName),
    /// A request.
    Request(RequestName),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document(key) => write!(f, "document {} {}", key.kind, key.name),
            Self::Resource(id) => write!(f, "resource {id}"),
            Self::Order(id) => write!(f, "order {id}"),
            Self::Account(name) => write!(f, "account {name}"),
            Self::Request(name) => write!(f, "request {name}"),
        }
    }
}

impl Event {
    /// The rows whose keys the event names itself. Events about an order also touch the rows that the order names:
    /// see [`Event::touches_with`].
    pub fn touches(&self) -> Vec<RowKey> {
        match self {
            Self::DocumentPut { document } => vec![RowKey::Document(document.key())],
            Self::DocumentRemoved { key } => {
                let sink =
                    (key.kind == DocumentKind::EventSink).then(|| SinkName::new(key.name.as_str()).ok()).flatten();
                sink.map(RowKey::Sink).into_iter().chain([RowKey::Document(key.clone())]).collect()
            }
            Self::RevisionApplied { .. } => vec![RowKey::Meta],
            Self::WindowsCaptured { resource, .. }
            | Self::ResourceImported { resource, .. }
            | Self::ResourceFrozen { resource, .. }
            | Self::ResourceThawed { resource }
            | Self::ModeChosen { resource, .. }
            | Self::ModeReturned { resource }
            | Self::PhaseEntered { resource, .. }
            | Self::ResourceConverted { resource, .. }
            | Self::ResourceEnded { resource, .. }
            | Self::AutoFailed { resource, .. }
            | Self::AutoFinished { resource, .. } => vec![RowKey::Resource(resource.clone())],
            Self::ResourceAdded { resource } => vec![RowKey::Resource(resource.id.clone())],
            Self::OrderPlaced { order } => order.rows(),
            Self::OrderAdopted { order, .. }
            | Self::OrderApproved { order, .. }
            | Self::OrderHeld { order, .. }
            | Self::OrderCanceled { order, .. }
            | Self::OrderExpired { order }
            | Self::AttemptStarted { order, .. }
            | Self::AttemptEnded { order, .. }
            | Self::AttemptChecked { order, .. }
            | Self::LateSuccess { order, .. }
            | Self::RefundStarted { order, .. }
            | Self::RefundEnded { order, .. }
            | Self::RefundChecked { order, .. }
            | Self::OrderSettled { order, .. }
            | Self::ResolvedDeclined { order, .. } => vec![RowKey::Order(order.clone())],
            Self::BalanceToppedUp { account, reference, .. } => {
                vec![RowKey::Book(account.clone()), RowKey::TopUp(account.clone(), reference.clone())]
            }
            Self::EventsDelivered { sink, .. } => vec![RowKey::Sink(sink.clone())],
        }
    }

    /// The order whose rows the event also touches, where it does not carry the order itself.
    pub fn order(&self) -> Option<&OrderId> {
        match self {
            Self::OrderAdopted { order, .. }
            | Self::OrderApproved { order, .. }
            | Self::OrderHeld { order, .. }
            | Self::OrderCanceled { order, .. }
            | Self::OrderExpired { order }
            | Self::AttemptStarted { order, .. }
            | Self::AttemptEnded { order, .. }
            | Self::AttemptChecked { order, .. }
            | Self::LateSuccess { order, .. }
            | Self::RefundStarted { order, .. }
            | Self::RefundEnded { order, .. }
            | Self::RefundChecked { order, .. }
            | Self::OrderSettled { order, .. }
            | Self::ResolvedDeclined { order, .. } => Some(order),
            Self::DocumentPut { .. }
            | Self::DocumentRemoved { .. }
            | Self::RevisionApplied { .. }
            | Self::WindowsCaptured { .. }
            | Self::ResourceAdded { .. }
            | Self::ResourceImported { .. }
            | Self::ResourceFrozen { .. }
            | Self::ResourceThawed { .. }
            | Self::ModeChosen { .. }
            | Self::ModeReturned { .. }
            | Self::OrderPlaced { .. }
            | Self::PhaseEntered { .. }
            | Self::ResourceConverted { .. }
            | Self::ResourceEnded { .. }
            | Self::AutoFailed { .. }
            | Self::AutoFinished { .. }
            | Self::BalanceToppedUp { .. }
            | Self::EventsDelivered { .. } => None,
        }
    }

    /// All rows that applying the event may read or write, given the order that [`Event::order`] names.
    pub fn touches_with(&self, order: Option<&Order>) -> Vec<RowKey> {
        let mut rows = self.touches();
        if let Some(order) = order {
            rows.extend(order.rows());
            if let Self::OrderAdopted { request, .. } = self {
                rows.extend(use_rows(order, request));
            }
            rows.sort();
            rows.dedup();
        }
        rows
    }

    /// What the event is about, for the history. `order` is the order that [`Event::order`] names.
    pub fn subjects(&self, order: Option<&Order>) -> Vec<Subject> {
        let mut subjects: BTreeSet<Subject> = BTreeSet::new();
        if let Self::OrderPlaced { order } = self {
            order_subjects(order, &mut subjects);
        }
        if let Some(order) = order {
            order_subjects(order, &mut subjects);
        }
        if let Self::OrderAdopted { request, .. } = self {
            subjects.insert(Subject::Request(request.clone()));
        }
        for row in self.touches() {
            match row {
                RowKey::Document(key) => subjects.insert(Subject::Document(key)),
                RowKey::Resource(id) => subjects.insert(Subject::Resource(id)),
                RowKey::Order(id) => subjects.insert(Subject::Order(id)),
                RowKey::TopUp(account, _) => subjects.insert(Subject::Account(account)),
                RowKey::Meta | RowKey::Live(_) | RowKey::Book(_) | RowKey::Use(_) | RowKey::Sink(_) => false,
            };
        }
        subjects.into_iter().collect()
    }
}

impl Order {
    /// All rows that events about the order may read or write.
    pub fn rows(&self) -> Vec<RowKey> {
        let mut rows =
            vec![RowKey::Order(self.id.clone()), RowKey::Live(self.id.clone()), RowKey::Book(self.account.clone())];
        rows.extend(self.lines.iter().map(|line| RowKey::Resource(line.prepared.resource.clone())));
        rows.extend(self.requests().flat_map(|request| use_rows(self, request)));
        rows
    }
}

fn use_rows(order: &Order, request: &RequestName) -> Vec<RowKey> {
    let row = |resource: &ResourceId| RowKey::Use(UseKey { request: request.clone(), resource: resource.clone() });
    order.lines.iter().map(|line| row(&line.prepared.resource)).collect()
}

fn order_subjects(order: &Order, subjects: &mut BTreeSet<Subject>) {
    subjects.insert(Subject::Order(order.id.clone()));
    subjects.insert(Subject::Account(order.account.clone()));
    subjects.extend(order.requests().cloned().map(Subject::Request));
    subjects.extend(order.lines.iter().map(|line| Subject::Resource(line.prepared.resource.clone())));
}
