//! Gateways as the engine asks them: through a payment plugin, or whatever a simulator puts in its place.
//!
//! An attempt pins the plugin's document and configuration, so that it is asked for later where it was made.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::shelf::Blobs;
use renewd_core::documents::{Document, DocumentKey, DocumentKind, PaymentMethod, Plugin};
use renewd_core::ids::MethodName;
use renewd_core::refusal::{Reason, Refusal};
use renewd_core::state::State;
use renewd_plugin_host::payment_wire::{ChargeRef, ChargeRequest, RefundRef, RefundRequest};
use renewd_plugin_host::{CancelOutcome, FindRefundResult, FindResult, Outcome, PaymentPlugin, RefundOutcome};
use std::sync::Arc;

/// What can be asked of a gateway. Every doubt is `unknown`, never a decline.
pub trait Gateway: Send + Sync {
    /// Asks for the money.
    fn charge(&self, config: &str, request: &ChargeRequest) -> Outcome;
    /// Asks what became of a charge.
    fn find_charge(&self, config: &str, charge: &ChargeRef) -> FindResult;
    /// Gives money back.
    fn refund(&self, config: &str, request: &RefundRequest) -> RefundOutcome;
    /// Asks what became of a refund.
    fn find_refund(&self, config: &str, refund: &RefundRef) -> FindRefundResult;
    /// Stops a charge that waits for a person.
    fn cancel(&self, config: &str, charge: &ChargeRef) -> CancelOutcome;
    /// Seconds for which a charge may exist before it can be found.
    fn visibility_seconds(&self) -> u64;
    /// Seconds for which the gateway remembers an idempotency key.
    fn idempotency_seconds(&self) -> u64;
    /// Whether anybody but this store can know of charges made through it.
    fn has_memory(&self) -> bool;
    /// Whether a charge that took no money yet can be stopped.
    fn can_cancel(&self) -> bool;
}

impl Gateway for PaymentPlugin {
    fn charge(&self, config: &str, request: &ChargeRequest) -> Outcome {
        Self::charge(self, config, request).value
    }

    fn find_charge(&self, config: &str, charge: &ChargeRef) -> FindResult {
        Self::find_charge(self, config, charge).value
    }

    fn refund(&self, config: &str, request: &RefundRequest) -> RefundOutcome {
        Self::refund(self, config, request).value
    }

    fn find_refund(&self, config: &str, refund: &RefundRef) -> FindRefundResult {
        Self::find_refund(self, config, refund).value
    }

    fn cancel(&self, config: &str, charge: &ChargeRef) -> CancelOutcome {
        Self::cancel(self, config, charge).value
    }

    fn visibility_seconds(&self) -> u64 {
        self.manifest().visibility_window_seconds
    }

    fn idempotency_seconds(&self) -> u64 {
        self.manifest().idempotency_window_seconds
    }

    /// A plugin that asks for no requests reaches nobody who could remember.
    fn has_memory(&self) -> bool {
        !self.manifest().permissions.is_empty()
    }

    fn can_cancel(&self) -> bool {
        self.manifest().capabilities.iter().any(|capability| capability == "cancel")
    }
}

/// Where gateways come from.
pub trait Gateways: Send + Sync {
    /// The gateway of a plugin's document, or why it cannot be asked now.
    fn gateway(&self, document: &Plugin) -> Result<Arc<dyn Gateway>, Refusal>;
}

impl Engine {
    /// The gateway of a plugin's document, or why it cannot be asked now.
    pub(crate) fn gateway(
        &self,
        document: &Plugin,
        blobs: &dyn Blobs,
    ) -> Result<Result<Arc<dyn Gateway>, Refusal>, EngineError> {
        if let Some(gateways) = &self.gateways {
            return Ok(gateways.gateway(document));
        }
        let loaded = self.shelf.payment_by_digest(&document.digest, &document.limits, blobs)?;
        let refuse = |message| Refusal::new(Reason::NoPaymentMethod, format!("plugin {}: {message}", document.name));
        let equipped = loaded.map_err(refuse).and_then(|loaded| self.equipped(document, &loaded));
        Ok(equipped.map(|plugin| Arc::new(plugin) as Arc<dyn Gateway>))
    }
}

/// A method's document and that of its plugin.
pub(crate) fn payment_documents<'a>(
    state: &'a State,
    name: &MethodName,
) -> Result<(&'a PaymentMethod, &'a Plugin), Refusal> {
    let missing = || {
        Refusal::new(Reason::NoPaymentMethod, format!("there is no payment method `{name}` with a plugin"))
            .hint("pay with another method, or apply a PaymentMethod document of that name")
    };
    let key = DocumentKey { kind: DocumentKind::PaymentMethod, name: name.to_string() };
    let Some(Document::PaymentMethod(method)) = state.documents.get(&key) else { return Err(missing()) };
    let key = DocumentKey { kind: DocumentKind::Plugin, name: method.plugin.to_string() };
    match state.documents.get(&key) {
        Some(Document::Plugin(plugin)) => Ok((method, plugin)),
        _ => Err(missing()),
    }
}
