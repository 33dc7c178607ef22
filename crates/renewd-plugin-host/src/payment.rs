//! A loaded payment plugin: `charge`, `find-charge`, `refund`, `cancel`.
//!
//! INVARIANT (doubt-is-unknown): whatever goes wrong once `charge` was called is `unknown`, unless the plugin says that
//! nothing was sent and the host has indeed sent nothing.

use crate::bindings::payment as wire;
use crate::bindings::types;
use crate::call::{self, CallState, Called, Raw};
use crate::charge::{self, CancelOutcome, FindRefundResult, FindResult, RefundOutcome};
use crate::exports::{Exports, Started};
use crate::failure::{LoadError, PluginFailure};
use crate::http::{Access, Door};
use crate::limits::Limits;
use crate::manifest::{self, Finding, Manifest, Permission, Role};
use crate::outcome::{self, Asked, Outcome, Retry, asked};
use crate::payment_0_1 as old;
use crate::text::{readable, word};
use crate::version::Version;
use renewd_core::ids::Digest;
use std::sync::Arc;
use wasmtime::Store;

/// A payment plugin, ready to be called. Cheap to clone, usable from several threads.
#[derive(Clone)]
pub struct PaymentPlugin {
    inner: Arc<Inner>,
    access: Arc<Access>,
}

struct Inner {
    exports: Exports,
    digest: Digest,
    limits: Limits,
    manifest: Manifest,
    /// The manifest's permissions, shared with every call.
    asked: Arc<[Permission]>,
}

/// Why a call gave no answer of its own.
struct NoAnswer {
    code: String,
    message: String,
    /// The plugin and the host agree that nothing has left the machine.
    not_sent: bool,
}

impl PaymentPlugin {
    /// The functions of the interface in a version.
    pub(crate) fn functions(version: Version) -> &'static [&'static str] {
        match version {
            Version::V0_1_0 => &["describe", "check-config", "charge", "find-charge", "refund", "cancel"],
            Version::V1_0_0 => {
                &["describe", "check-config", "charge", "find-charge", "refund", "find-refund", "cancel"]
            }
        }
    }

    pub(crate) fn new(exports: Exports, digest: Digest, limits: Limits) -> Result<Self, LoadError> {
        let raw = call::run(&exports, &limits, 0, Door::closed(), |store, plugin| match check_types(store, plugin) {
            Ok(()) => plugin.call(store, "describe", ()).map(Ok),
            Err(error) => Ok(Err(format!("{error:#}"))),
        });
        let raw: types::Manifest = raw.value.map_err(LoadError::Describe)?.map_err(LoadError::Interface)?;
        let manifest = manifest::manifest(raw, Role::Payment, &limits).map_err(LoadError::Manifest)?;
        let asked = manifest.permissions.clone().into();
        Ok(Self { inner: Arc::new(Inner { exports, digest, limits, manifest, asked }), access: Arc::default() })
    }

    /// The same plugin with what it may send. As loaded it may send nothing.
    #[must_use]
    pub fn with_access(&self, access: Access) -> Self {
        Self { inner: Arc::clone(&self.inner), access: Arc::new(access) }
    }

    fn door(&self) -> Door {
        Door::new(Arc::clone(&self.access), Arc::clone(&self.inner.asked))
    }

    /// Digest of the component's bytes.
    pub fn digest(&self) -> &Digest {
        &self.inner.digest
    }

    /// The world that it was built for, such as `renewd:plugin/payment-plugin@1.0.0`.
    pub fn world(&self) -> String {
        self.inner.exports.version.name("payment-plugin")
    }

    /// What the plugin says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.inner.manifest
    }

    /// The limits it runs under.
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// Asks the plugin to judge its configuration, a JSON text. No findings: it can be used.
    pub fn check_config(&self, config: &str) -> Called<Result<Vec<Finding>, PluginFailure>> {
        let raw = call::run(&self.inner.exports, &self.inner.limits, 0, Door::closed(), |store, plugin| {
            plugin.call(store, "check-config", (config,))
        });
        raw.map(|answer| {
            let checked = manifest::findings(answer?, &self.inner.limits);
            checked.map_err(|what| PluginFailure::InvalidOutput { what })
        })
    }

    /// Asks for the money. A refusal before anything was sent is a decline to be tried later; all other trouble is unknown.
    pub fn charge(&self, config: &str, request: &wire::ChargeRequest) -> Called<Outcome> {
        let asked = match asked(&request.amount, &request.currency, &self.inner.limits) {
            Ok(asked) => asked,
            Err(fault) => {
                return Called::uncalled(Outcome::Declined {
                    code: "invalid-request".to_owned(),
                    message: fault.to_string(),
                    retry: Retry::Never,
                    not_before: None,
                });
            }
        };
        let raw =
            call::run(&self.inner.exports, &self.inner.limits, request.lines.len(), self.door(), |store, plugin| {
                plugin.call(store, "charge", (config, request))
            });
        self.settle(raw, asked, outcome::outcome, |none| match none.not_sent {
            true => Outcome::Declined { code: none.code, message: none.message, retry: Retry::Later, not_before: None },
            false => Outcome::Unknown { reason: none.message, reference: None },
        })
    }

    /// Asks the gateway what became of a charge.
    pub fn find_charge(&self, config: &str, charge: &wire::ChargeRef) -> Called<FindResult> {
        let asked = match asked(&charge.amount, &charge.currency, &self.inner.limits) {
            Ok(asked) => asked,
            Err(fault) => return Called::uncalled(FindResult::Unknown { reason: fault.to_string() }),
        };
        let raw =
            call::run(&self.inner.exports, &self.inner.limits, charge.line_keys.len(), self.door(), |store, plugin| {
                find(store, plugin, config, charge)
            });
        self.settle(raw, asked, charge::found, |none| FindResult::Unknown { reason: none.message })
    }

    /// Gives money back.
    pub fn refund(&self, config: &str, request: &wire::RefundRequest) -> Called<RefundOutcome> {
        let asked = match asked(&request.amount, &request.currency, &self.inner.limits) {
            Ok(asked) => asked,
            Err(fault) => {
                return Called::uncalled(RefundOutcome::Declined {
                    code: "invalid-request".to_owned(),
                    message: fault.to_string(),
                    retry: Retry::Never,
                    not_before: None,
                });
            }
        };
        let raw = call::run(&self.inner.exports, &self.inner.limits, 1, self.door(), |store, plugin| {
            give_back(store, plugin, config, request)
        });
        self.settle(raw, asked, charge::refunded, |none| match none.not_sent {
            true => RefundOutcome::Declined {
                code: none.code,
                message: none.message,
                retry: Retry::Later,
                not_before: None,
            },
            false => RefundOutcome::Unknown { reason: none.message },
        })
    }

    /// Asks the gateway what became of a refund. A plugin built for 0.1.0 cannot tell.
    pub fn find_refund(&self, config: &str, refund: &wire::RefundRef) -> Called<FindRefundResult> {
        let unknown = |reason: String| FindRefundResult::Unknown { reason };
        if self.inner.exports.version == Version::V0_1_0 {
            let reason = "the plugin was built for version 0.1.0, which cannot look for refunds";
            return Called::uncalled(unknown(reason.to_owned()));
        }
        let asked = match asked(&refund.amount, &refund.currency, &self.inner.limits) {
            Ok(asked) => asked,
            Err(fault) => return Called::uncalled(unknown(fault.to_string())),
        };
        let raw = call::run(&self.inner.exports, &self.inner.limits, 1, self.door(), |store, plugin| {
            plugin.call(store, "find-refund", (config, refund))
        });
        self.settle(raw, asked, charge::found_refund, |none| unknown(none.message))
    }

    /// Stops a charge that waits for a person.
    pub fn cancel(&self, config: &str, charge: &wire::ChargeRef) -> Called<CancelOutcome> {
        let asked = match asked(&charge.amount, &charge.currency, &self.inner.limits) {
            Ok(asked) => asked,
            Err(fault) => return Called::uncalled(CancelOutcome::Unknown { reason: fault.to_string() }),
        };
        let raw =
            call::run(&self.inner.exports, &self.inner.limits, charge.line_keys.len(), self.door(), |store, plugin| {
                cancel(store, plugin, config, charge)
            });
        self.settle(raw, asked, charge::canceled, |none| CancelOutcome::Unknown { reason: none.message })
    }

    /// INVARIANT (doubt-is-unknown): decided here for every call.
    fn settle<'a, T, U>(
        &'a self,
        raw: Raw<Result<T, wire::PaymentError>>,
        asked: Asked<'a>,
        check: impl FnOnce(T, Asked<'a>) -> U,
        without: impl FnOnce(NoAnswer) -> U,
    ) -> Called<U> {
        let requests_sent = raw.requests_sent;
        raw.map(|answer| match answer {
            Ok(Ok(answer)) => check(answer, asked),
            Ok(Err(error)) => without(no_answer(error, requests_sent, &self.inner.limits)),
            Err(failure) => {
                without(NoAnswer { code: failure.code().to_owned(), message: failure.to_string(), not_sent: false })
            }
        })
    }
}

type Answer<T> = Result<T, wire::PaymentError>;

fn no_answer(error: wire::PaymentError, requests_sent: u32, limits: &Limits) -> NoAnswer {
    let (detail, claims_not_sent) = match error {
        wire::PaymentError::NotSent(detail) => (detail, true),
        wire::PaymentError::Unknown(detail) => (detail, false),
    };
    match (word(detail.code, "error/code"), readable(detail.message, "error/message", limits)) {
        (Ok(code), Ok(message)) => NoAnswer { code, message, not_sent: claims_not_sent && requests_sent == 0 },
        (Err(fault), _) | (_, Err(fault)) => {
            NoAnswer { code: "plugin-invalid-output".to_owned(), message: fault.to_string(), not_sent: false }
        }
    }
}

fn check_types(store: &mut Store<CallState>, plugin: &Started<'_>) -> wasmtime::Result<()> {
    plugin.has::<(), types::Manifest>(store, "describe")?;
    plugin.has::<(&str,), Vec<types::Finding>>(store, "check-config")?;
    plugin.has::<(&str, &wire::ChargeRequest), Answer<wire::Outcome>>(store, "charge")?;
    match plugin.version() {
        Version::V0_1_0 => {
            plugin.has::<(&str, old::ChargeRef<'_>), Answer<wire::ChargeStatus>>(store, "find-charge")?;
            plugin.has::<(&str, old::RefundRequest<'_>), Answer<wire::RefundOutcome>>(store, "refund")?;
            plugin.has::<(&str, old::ChargeRef<'_>), Answer<old::CancelOutcome>>(store, "cancel")
        }
        Version::V1_0_0 => {
            plugin.has::<(&str, &wire::ChargeRef), Answer<wire::ChargeStatus>>(store, "find-charge")?;
            plugin.has::<(&str, &wire::RefundRequest), Answer<wire::RefundOutcome>>(store, "refund")?;
            plugin.has::<(&str, &wire::RefundRef), Answer<wire::RefundStatus>>(store, "find-refund")?;
            plugin.has::<(&str, &wire::ChargeRef), Answer<wire::CancelOutcome>>(store, "cancel")
        }
    }
}

fn find(
    store: &mut Store<CallState>,
    plugin: &Started<'_>,
    config: &str,
    charge: &wire::ChargeRef,
) -> wasmtime::Result<Answer<wire::ChargeStatus>> {
    match plugin.version() {
        Version::V0_1_0 => plugin.call(store, "find-charge", (config, old::ChargeRef::of(charge))),
        Version::V1_0_0 => plugin.call(store, "find-charge", (config, charge)),
    }
}

fn give_back(
    store: &mut Store<CallState>,
    plugin: &Started<'_>,
    config: &str,
    request: &wire::RefundRequest,
) -> wasmtime::Result<Answer<wire::RefundOutcome>> {
    match plugin.version() {
        Version::V0_1_0 => plugin.call(store, "refund", (config, old::RefundRequest::of(request))),
        Version::V1_0_0 => plugin.call(store, "refund", (config, request)),
    }
}

fn cancel(
    store: &mut Store<CallState>,
    plugin: &Started<'_>,
    config: &str,
    charge: &wire::ChargeRef,
) -> wasmtime::Result<Answer<wire::CancelOutcome>> {
    match plugin.version() {
        Version::V0_1_0 => {
            let answer =
                plugin.call::<_, Answer<old::CancelOutcome>>(store, "cancel", (config, old::ChargeRef::of(charge)))?;
            Ok(answer.map(Into::into))
        }
        Version::V1_0_0 => plugin.call(store, "cancel", (config, charge)),
    }
}
