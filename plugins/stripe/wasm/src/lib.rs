//! The WebAssembly shim of the stripe plugin: it only passes on, with the host's `http.send` as the way out.

use renewd_plugin_sdk::payment::http::{self, HttpError, Request, Response};
use renewd_plugin_sdk::payment::{
    CancelOutcome, ChargeRef, ChargeRequest, ChargeStatus, Guest, Outcome, PaymentError, RefundOutcome, RefundRef,
    RefundRequest, RefundStatus,
};
use renewd_plugin_sdk::types::{Finding, Manifest};

struct Plugin;

struct Host;

impl stripe::Http for Host {
    fn send(&mut self, request: &Request) -> Result<Response, HttpError> {
        http::send(request)
    }
}

impl Guest for Plugin {
    fn describe() -> Manifest {
        stripe::describe()
    }

    fn check_config(config: String) -> Vec<Finding> {
        stripe::check_config(&config)
    }

    fn charge(config: String, request: ChargeRequest) -> Result<Outcome, PaymentError> {
        stripe::charge(&mut Host, &config, &request)
    }

    fn find_charge(config: String, charge: ChargeRef) -> Result<ChargeStatus, PaymentError> {
        stripe::find_charge(&mut Host, &config, &charge)
    }

    fn refund(config: String, request: RefundRequest) -> Result<RefundOutcome, PaymentError> {
        stripe::refund(&mut Host, &config, &request)
    }

    fn find_refund(config: String, refund: RefundRef) -> Result<RefundStatus, PaymentError> {
        stripe::find_refund(&mut Host, &config, &refund)
    }

    fn cancel(config: String, charge: ChargeRef) -> Result<CancelOutcome, PaymentError> {
        stripe::cancel(&mut Host, &config, &charge)
    }
}

renewd_plugin_sdk::export_payment!(Plugin);
