//! A loaded payment plugin: `charge`, `find-charge`, `refund`, `cancel`.
//!
//! INVARIANT (doubt-is-unknown): whatever goes wrong once `charge` was called is `unknown`, unless the plugin says that
//! nothing was sent and the host has indeed sent nothing.

use crate::bindings::PaymentPluginPre;
use crate::bindings::payment as wire;
use crate::call::{self, CallState, Called, Raw};
use crate::charge::{self, CancelOutcome, FindResult, RefundOutcome};
use crate::failure::{LoadError, PluginFailure};
use crate::http::{Access, Door};
use crate::limits::Limits;
use crate::manifest::{self, Finding, Manifest, Permission, Role};
use crate::outcome::{self, Asked, Outcome, Retry, asked};
use crate::text::{readable, word};
use renewd_core::ids::Digest;
use std::sync::Arc;

/// A payment plugin, ready to be called. Cheap to clone, usable from several threads.
#[derive(Clone)]
pub struct PaymentPlugin {
    inner: Arc<Inner>,
    access: Arc<Access>,
}

struct Inner {
    pre: PaymentPluginPre<CallState>,
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
    pub(crate) fn new(pre: PaymentPluginPre<CallState>, digest: Digest, limits: Limits) -> Result<Self, LoadError> {
        let raw = call::run(&pre, &limits, 0, Door::closed(), |store, plugin| {
            plugin.renewd_plugin_payment().call_describe(store)
        });
        let raw = raw.value.map_err(LoadError::Describe)?;
        let manifest = manifest::manifest(raw, Role::Payment, &limits).map_err(LoadError::Manifest)?;
        let asked = manifest.permissions.clone().into();
        Ok(Self { inner: Arc::new(Inner { pre, digest, limits, manifest, asked }), access: Arc::default() })
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
        let raw = call::run(&self.inner.pre, &self.inner.limits, 0, Door::closed(), |store, plugin| {
            plugin.renewd_plugin_payment().call_check_config(store, config)
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
        let raw = call::run(&self.inner.pre, &self.inner.limits, request.lines.len(), self.door(), |store, plugin| {
            plugin.renewd_plugin_payment().call_charge(store, config, request)
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
            call::run(&self.inner.pre, &self.inner.limits, charge.line_keys.len(), self.door(), |store, plugin| {
                plugin.renewd_plugin_payment().call_find_charge(store, config, charge)
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
        let raw = call::run(&self.inner.pre, &self.inner.limits, 1, self.door(), |store, plugin| {
            plugin.renewd_plugin_payment().call_refund(store, config, request)
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

    /// Stops a charge that waits for a person.
    pub fn cancel(&self, config: &str, charge: &wire::ChargeRef) -> Called<CancelOutcome> {
        let asked = match asked(&charge.amount, &charge.currency, &self.inner.limits) {
            Ok(asked) => asked,
            Err(fault) => return Called::uncalled(CancelOutcome::Unknown { reason: fault.to_string() }),
        };
        let raw =
            call::run(&self.inner.pre, &self.inner.limits, charge.line_keys.len(), self.door(), |store, plugin| {
                plugin.renewd_plugin_payment().call_cancel(store, config, charge)
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
