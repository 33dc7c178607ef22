//! What sinks are sent: CloudEvents 1.0 in their JSON form. Fields of `data` are only ever added.

use renewd_core::money::Money;
use renewd_store::{Restored, Sequence, Store};
use serde::Serialize;

/// The store as events name it.
#[derive(Debug, Clone)]
pub(super) struct Teller {
    id: String,
    restored: Option<Restored>,
}

impl Teller {
    pub(super) fn of(store: &Store) -> Self {
        Self { id: store.id().to_string(), restored: store.restored() }
    }

    #[cfg(test)]
    pub(super) fn named(id: &str, restored: Option<Restored>) -> Self {
        Self { id: id.to_owned(), restored }
    }

    pub(super) fn source(&self) -> String {
        format!("urn:renewd:store:{}", self.id)
    }

    /// The id of the nth event (from 0) of a record.
    ///
    /// INVARIANT (same-event-same-id): it depends on nothing but the record, so an event that is delivered twice has
    /// the same id twice. A restored store goes on with numbers that its original may have used for something else,
    /// so what happened since carries the number of the restoring too.
    pub(super) fn id_of(&self, sequence: Sequence, nth: usize) -> String {
        let epoch = self.restored.map_or(0, |restored| {
            let since = restored.head.sequence < sequence;
            if since { restored.epoch } else { restored.epoch.saturating_sub(1) }
        });
        let mut id = self.id.clone();
        if epoch > 0 {
            id.push_str(&format!("-r{epoch}"));
        }
        id.push_str(&format!("-{sequence}"));
        if nth > 0 {
            id.push_str(&format!("-{}", nth.saturating_add(1)));
        }
        id
    }
}

/// One event as it is sent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct CloudEvent {
    /// First, by which a line of a file is known to be renewd's.
    pub(super) specversion: &'static str,
    pub(super) id: String,
    pub(super) source: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) subject: String,
    /// RFC 3339 in UTC.
    pub(super) time: String,
    pub(super) datacontenttype: &'static str,
    pub(super) data: Data,
}

/// What every line of a file starts with.
pub(super) const LINE_START: &str = "{\"specversion\":\"1.0\",\"id\":\"";

/// What an event tells; what does not apply is absent. Times are RFC 3339 in the account's zone.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Data {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) resource: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) order: Option<String>,
    /// `manual`, `auto`, or `request NAME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) origin: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) policy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) term: Option<String>,
    /// The expiry around which a phase lies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expiry: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) old_expiry: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) new_expiry: Option<String>,
    /// What the renewal or the order costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) total: Option<Money>,
    /// What went back, or was charged too late.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) amount: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) attempt: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refund: Option<u32>,
    /// The gateway's reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reference: Option<String>,
    /// A word for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    /// A sentence for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<String>,
    /// `never`, `later` or `other-method`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retry: Option<renewd_core::order::Retry>,
    /// The mode chosen, or `policy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) actor: Option<String>,
    /// When a choice of mode ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<String>,
    /// How many automatic renewals there were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) renewals: Option<u32>,
    /// The resources of an order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) lines: Vec<Line>,
}

/// One resource of an order.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Line {
    pub(super) resource: String,
    pub(super) policy: String,
    pub(super) term: String,
    pub(super) old_expiry: String,
    pub(super) new_expiry: String,
    pub(super) total: Money,
}
