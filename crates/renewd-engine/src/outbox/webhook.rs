//! Webhooks: each event is one POST, delivered when a 2xx comes back whole, and at no other time.

use super::signature::{HEADER, Key};
use chrono::{DateTime, Utc};
use renewd_core::web::WebUrl;
use renewd_plugin_host::Network;
use std::time::Duration;

/// One event in structured mode.
const CONTENT_TYPE: &str = "application/cloudevents+json; charset=utf-8";

/// A webhook that can be sent to.
pub(super) struct Webhook {
    pub(super) network: Network,
    pub(super) url: WebUrl,
    pub(super) key: Key,
    /// Wall time of one delivery.
    pub(super) deadline: Duration,
}

impl Webhook {
    /// Sends one event.
    ///
    /// # Errors
    /// One sentence. Nobody knows whether the event arrived, so it is sent again.
    pub(super) fn send(&self, body: &str, at: DateTime<Utc>) -> Result<(), String> {
        let signature = self.key.sign(at, body.as_bytes())?;
        let headers = [("content-type", CONTENT_TYPE), (HEADER, signature.as_str())];
        let status = self.network.post(&self.url, &headers, body.as_bytes().to_vec(), self.deadline)?;
        match status {
            200..=299 => Ok(()),
            300..=399 => Err(format!("the server answered {status}, and a redirect is not followed")),
            _ => Err(format!("the server answered {status}")),
        }
    }
}
