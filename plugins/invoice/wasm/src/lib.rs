//! The WebAssembly shim of the invoice plugin: it only passes on.

use renewd_plugin_sdk::payment::{
    CancelOutcome, ChargeRef, ChargeRequest, ChargeStatus, Guest, Outcome, PaymentError, RefundOutcome, RefundRef,
    RefundRequest, RefundStatus,
};
use renewd_plugin_sdk::types::{Finding, Manifest};

struct Plugin;

impl Guest for Plugin {
    fn describe() -> Manifest {
        invoice::describe()
    }

    fn check_config(config: String) -> Vec<Finding> {
        invoice::check_config(&config)
    }

    fn charge(config: String, request: ChargeRequest) -> Result<Outcome, PaymentError> {
        invoice::charge(&config, &request)
    }

    fn find_charge(_config: String, _charge: ChargeRef) -> Result<ChargeStatus, PaymentError> {
        Ok(invoice::find_charge())
    }

    fn refund(_config: String, request: RefundRequest) -> Result<RefundOutcome, PaymentError> {
        Ok(invoice::refund(&request))
    }

    fn find_refund(_config: String, _refund: RefundRef) -> Result<RefundStatus, PaymentError> {
        Ok(invoice::find_refund())
    }

    fn cancel(_config: String, _charge: ChargeRef) -> Result<CancelOutcome, PaymentError> {
        Ok(invoice::cancel())
    }
}

renewd_plugin_sdk::export_payment!(Plugin);
