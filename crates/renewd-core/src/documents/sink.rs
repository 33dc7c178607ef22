//! Event sinks: where what happened is told to other systems.
//!
//! INVARIANT (no-secret-here): a sink names the variable that holds its key, never the key.

use super::SecretSource;
use crate::ids::SinkName;
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal),+ $(,)?) => {
        /// What an event tells: the closed list of kinds. One is never renamed and never gets another meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum EventKind { $($(#[$doc])* $name),+ }

        impl EventKind {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Their words, in the same order.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word in documents and in the type of an event.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }
        }
    };
}

kinds! {
    /// A resource was renewed: paid and extended.
    Renewed = "renewed",
    /// A payment, a refund or an automatic renewal was declined.
    Declined = "declined",
    /// Nobody knows what became of a payment or refund.
    Unknown = "unknown",
    /// An order waits for a person's approval.
    Held = "held",
    /// A resource expires soon.
    Expiring = "expiring",
    /// A resource expired and runs on for a while.
    Grace = "grace",
    /// A resource is frozen but kept.
    Retention = "retention",
    /// A resource was released for good.
    Released = "released",
    /// A resource became pay-per-use at its expiry.
    Converted = "converted",
    /// A resource ended at its expiry, as its mode wants.
    Ended = "ended",
    /// What happens to a resource at its expiry was changed.
    ModeChanged = "mode-changed",
    /// Money went back.
    Refunded = "refunded",
    /// A charge succeeded after its order was dead or paid otherwise; its money goes back.
    LateSuccess = "late-success",
    /// An order was placed.
    OrderPlaced = "order-placed",
    /// Nobody paid an order in time.
    OrderExpired = "order-expired",
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An `EventSink` document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventSink {
    /// The document's name.
    pub name: SinkName,
    /// Where events go.
    pub target: SinkTarget,
    /// The kinds that it is told, in the document's order; none: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventKind>,
}

/// Where events go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SinkTarget {
    /// An HTTP server that is sent each event.
    Webhook {
        /// Its URL: `https`, or `http` to this machine.
        url: String,
        /// Where the key of the signature comes from.
        secret: SecretSource,
    },
    /// A file that gets a line for each event.
    File {
        /// Its absolute path.
        path: String,
    },
}

impl EventSink {
    /// Whether it is told events of a kind.
    pub fn wants(&self, kind: EventKind) -> bool {
        self.events.is_empty() || self.events.contains(&kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_the_journal_holds() {
        assert_eq!(EventKind::ALL.len(), EventKind::WORDS.len());
        for (kind, word) in EventKind::ALL.iter().zip(EventKind::WORDS) {
            assert_eq!(kind.as_str(), *word);
            assert_eq!(serde_json::to_value(kind).unwrap(), serde_json::json!(word));
        }
    }

    #[test]
    fn no_list_means_all_kinds() {
        let target = SinkTarget::File { path: "/var/log/events.ndjson".to_owned() };
        let all = EventSink { name: "log".parse().unwrap(), target, events: Vec::new() };
        assert!(EventKind::ALL.iter().all(|kind| all.wants(*kind)));
        let some = EventSink { events: vec![EventKind::Held], ..all };
        assert!(some.wants(EventKind::Held) && !some.wants(EventKind::Renewed));
    }
}
