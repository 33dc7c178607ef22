//! The built plugin inside the host, with the grants and the secret that a `Plugin` document would give it.

use crate::{Told, Wanted};
use renewd_plugin_host::payment_wire::{ChargeLine, ChargeRef, ChargeRequest, RefundRef, RefundRequest};
use renewd_plugin_host::{
    Access, CancelOutcome, FindRefundResult, FindResult, Host, HostOptions, Limits, Network, Outcome, PaymentPlugin,
    RefundOutcome, Secrets,
};
use renewd_tests::repository::root;
use renewd_tests::standins::SECRET;
use std::sync::OnceLock;
use std::time::Duration;

/// A plugin that speaks to one port of this machine.
pub(crate) struct Plugin {
    plugin: PaymentPlugin,
    config: String,
}

impl Plugin {
    /// A plugin with the secret that the gateways take, and with settings beside the gateway's address.
    pub(crate) fn new(port: u16, settings: &str) -> Self {
        Self::with_secret(port, settings, SECRET)
    }

    /// A plugin with another secret.
    pub(crate) fn with_secret(port: u16, settings: &str, secret: &str) -> Self {
        Self::granted(loaded(), port, settings, secret)
    }

    /// A plugin whose host waits for a reply no longer than that.
    pub(crate) fn impatient(port: u16, settings: &str, deadline: Duration) -> Self {
        Self::limited(port, settings, Limits { http_deadline: deadline, ..Limits::default() })
    }

    /// A plugin with other limits.
    pub(crate) fn limited(port: u16, settings: &str, limits: Limits) -> Self {
        Self::granted(&load(limits), port, settings, SECRET)
    }

    fn granted(loaded: &PaymentPlugin, port: u16, settings: &str, secret: &str) -> Self {
        let base = format!("http://127.0.0.1:{port}");
        let grants = ["GET", "POST"].map(|method| format!("{method} {base}/v1/").parse().unwrap()).to_vec();
        let secrets = Secrets::new([("stripe-key", secret)]).unwrap();
        let plugin = loaded.with_access(Access { grants, secrets, network: Network::direct() });
        let comma = if settings.is_empty() { "" } else { "," };
        Self { plugin, config: format!(r#"{{"apiBase":"{base}"{comma}{settings}}}"#) }
    }

    pub(crate) fn charge(&self, wanted: &Wanted) -> Told {
        told(self.plugin.charge(&self.config, &request(wanted)).value)
    }

    /// A charge with everything that the host remembers of it: what was sent and answered, and what the plugin logged.
    pub(crate) fn charge_remembered(&self, wanted: &Wanted) -> (Told, String) {
        let called = self.plugin.charge(&self.config, &request(wanted));
        let remembered = format!("{:?} {:?} {:?}", called.recording, called.log, called.value);
        (told(called.value), remembered)
    }

    pub(crate) fn find(&self, wanted: &Wanted, reference: Option<&str>) -> Told {
        match self.plugin.find_charge(&self.config, &charge_ref(wanted, reference)).value {
            FindResult::Found(found) => told(found.outcome),
            FindResult::NotFound => Told::NotFound,
            FindResult::Unknown { reason } => Told::Unknown(reason),
        }
    }

    pub(crate) fn cancel(&self, wanted: &Wanted, reference: Option<&str>) -> Told {
        match self.plugin.cancel(&self.config, &charge_ref(wanted, reference)).value {
            CancelOutcome::Canceled => Told::Canceled,
            CancelOutcome::Charged { reference, .. } => Told::Taken(reference),
            CancelOutcome::Pending { reference } => Told::Pending(reference),
            CancelOutcome::NotFound => Told::NotFound,
            CancelOutcome::Unknown { reason } => Told::Unknown(reason),
        }
    }

    /// Asks at another time, and since when where the store was lost.
    pub(crate) fn find_at(&self, wanted: &Wanted, at: &str, since: Option<&str>) -> Told {
        let charge = ChargeRef { requested_at: at.into(), since: since.map(str::to_owned), ..charge_ref(wanted, None) };
        match self.plugin.find_charge(&self.config, &charge).value {
            FindResult::Found(found) => told(found.outcome),
            FindResult::NotFound => Told::NotFound,
            FindResult::Unknown { reason } => Told::Unknown(reason),
        }
    }

    pub(crate) fn refund(&self, reference: &str, amount: &str, key: &str) -> Told {
        given_back(self.plugin.refund(&self.config, &refund_request(reference, amount, key)).value)
    }

    pub(crate) fn find_refund(&self, reference: &str, amount: &str, key: &str) -> Told {
        let request = refund_request(reference, amount, key);
        let refund = RefundRef {
            order: request.order,
            account: request.account,
            reference: request.reference,
            refund_reference: None,
            currency: request.currency,
            minor_digits: request.minor_digits,
            amount: request.amount,
            idempotency_key: request.idempotency_key,
            asked_at: request.requested_at.clone(),
            requested_at: request.requested_at,
            metadata: vec![],
        };
        match self.plugin.find_refund(&self.config, &refund).value {
            FindRefundResult::Found { refund } => given_back(refund),
            FindRefundResult::NotFound => Told::NotFound,
            FindRefundResult::Unknown { reason } => Told::Unknown(reason),
        }
    }
}

/// Compiled once for all tests.
fn loaded() -> &'static PaymentPlugin {
    static PLUGIN: OnceLock<PaymentPlugin> = OnceLock::new();
    PLUGIN.get_or_init(|| load(Limits::default()))
}

fn load(limits: Limits) -> PaymentPlugin {
    let bytes = std::fs::read(root().join("plugins/dist/stripe.wasm")).unwrap();
    Host::new(&HostOptions::default()).unwrap().load_payment(&bytes, limits).unwrap()
}

fn given_back(outcome: RefundOutcome) -> Told {
    match outcome {
        RefundOutcome::Refunded { reference, .. } => Told::Taken(reference),
        RefundOutcome::Declined { code, .. } => Told::Declined(code),
        RefundOutcome::Pending { reference } => Told::Pending(reference),
        RefundOutcome::Unknown { reason } => Told::Unknown(reason),
    }
}

fn told(outcome: Outcome) -> Told {
    match outcome {
        Outcome::Succeeded { reference, .. } => Told::Taken(reference),
        Outcome::Declined { code, .. } => Told::Declined(code),
        Outcome::Pending { reference } => Told::Pending(reference),
        Outcome::RequiresAction { url, .. } => Told::Action(url),
        Outcome::PriceMoved { actual } => panic!("no gateway names another price: {actual}"),
        Outcome::Unknown { reason, .. } => Told::Unknown(reason),
    }
}

fn request(wanted: &Wanted) -> ChargeRequest {
    ChargeRequest {
        order: format!("ord_{}", wanted.key),
        attempt: 1,
        account: "acme-asia".into(),
        method_reference: Some(wanted.reference.clone()),
        currency: "USD".into(),
        minor_digits: 2,
        amount: wanted.amount.clone(),
        idempotency_key: wanted.key.clone(),
        requested_at: "2026-11-23T10:00:00+08:00".into(),
        requested_on: "2026-11-23".into(),
        lines: vec![ChargeLine {
            item: "phone-1".into(),
            external_id: None,
            description: "phone.s for P1M".into(),
            old_expiry: "2026-11-30T23:59:59".into(),
            new_expiry: "2026-12-30T23:59:59".into(),
            term: "P1M".into(),
            amount: wanted.amount.clone(),
            key: wanted.line.clone(),
        }],
        metadata: vec![],
    }
}

fn charge_ref(wanted: &Wanted, reference: Option<&str>) -> ChargeRef {
    let request = request(wanted);
    ChargeRef {
        order: request.order,
        attempt: request.attempt,
        account: request.account,
        method_reference: request.method_reference,
        idempotency_key: request.idempotency_key,
        currency: request.currency,
        minor_digits: request.minor_digits,
        amount: request.amount,
        requested_at: request.requested_at,
        asked_at: "2026-11-23T10:05:00+08:00".into(),
        since: None,
        reference: reference.map(str::to_owned),
        line_keys: vec![wanted.line.clone()],
        metadata: vec![],
    }
}

fn refund_request(reference: &str, amount: &str, key: &str) -> RefundRequest {
    RefundRequest {
        order: "ord_1".into(),
        account: "acme-asia".into(),
        reference: reference.into(),
        currency: "USD".into(),
        minor_digits: 2,
        amount: amount.into(),
        idempotency_key: key.into(),
        requested_at: "2026-11-24T10:00:00+08:00".into(),
        reason: "ordered twice".into(),
        line_keys: vec!["line-of-k1".into()],
        metadata: vec![],
    }
}
