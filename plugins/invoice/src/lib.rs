//! Payment on account: the order goes on an invoice, within a credit limit. No network: what it answers is all there is.
//!
//! The same charge always gives the same reference, so a repeated call can never make a second invoice.

mod settings;

pub use settings::Settings;

use renewd_plugin_sdk::date;
use renewd_plugin_sdk::exact::Exact;
use renewd_plugin_sdk::payment::{
    CancelOutcome, ChargeRequest, ChargeStatus, Decline, Outcome, PaymentError, RefundOutcome, RefundRequest,
    RefundStatus, Retry, Success,
};
use renewd_plugin_sdk::types::{Finding, Manifest, Role};
use renewd_plugin_sdk::words::{decline, error_detail};

/// What the plugin says of itself.
pub fn describe() -> Manifest {
    Manifest {
        name: "invoice".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        role: Role::Payment,
        permissions: Vec::new(),
        idempotency_window_seconds: u64::from(u32::MAX),
        visibility_window_seconds: 0,
        capabilities: ["refund", "partial-refund", "cancel"].map(str::to_owned).to_vec(),
        metadata: Vec::new(),
    }
}

/// Everything that is wrong with a configuration.
pub fn check_config(config: &str) -> Vec<Finding> {
    Settings::read(config).err().unwrap_or_default()
}

/// Puts the order on an invoice, or declines it.
///
/// # Errors
/// The configuration or the request cannot be used; nothing was sent.
pub fn charge(config: &str, request: &ChargeRequest) -> Result<Outcome, PaymentError> {
    let settings = usable(config)?;
    let amount = Exact::parse(&request.amount)
        .ok_or_else(|| refusal("bad-amount", format!("`{}` is not an amount", request.amount)))?;
    if let Some(decline) = over_limit(&settings, amount, request) {
        return Ok(Outcome::Declined(decline));
    }
    let day = date::parse(&request.requested_on)
        .ok_or_else(|| refusal("bad-date", format!("`{}` is not a date", request.requested_on)))?;
    let due = date::format(day.saturating_add(settings.net_days.into()));
    Ok(Outcome::Succeeded(Success {
        reference: format!("INV-{}-{}", request.order, request.attempt),
        amount: request.amount.clone(),
        currency: request.currency.clone(),
        metadata: vec![("due".to_owned(), due)],
    }))
}

/// Nothing is kept outside of renewd, so there is never a charge to find.
pub fn find_charge() -> ChargeStatus {
    ChargeStatus::NotFound
}

/// Writes a credit note.
pub fn refund(request: &RefundRequest) -> RefundOutcome {
    let key: String = request.idempotency_key.chars().filter(char::is_ascii_alphanumeric).take(12).collect();
    RefundOutcome::Refunded(Success {
        reference: format!("CRN-{}-{key}", request.order),
        amount: request.amount.clone(),
        currency: request.currency.clone(),
        metadata: vec![("invoice".to_owned(), request.reference.clone())],
    })
}

/// Nothing is kept outside of renewd: the credit note of a key is always the same one, so writing it again is harmless.
pub fn find_refund() -> RefundStatus {
    RefundStatus::NotFound
}

/// An invoice never waits for a person, so there is nothing that could still succeed.
pub fn cancel() -> CancelOutcome {
    CancelOutcome::Canceled
}

fn over_limit(settings: &Settings, amount: Exact, request: &ChargeRequest) -> Option<Decline> {
    let limit = settings.credit_limit.as_ref()?;
    if limit.currency != request.currency {
        let message = format!("the credit limit is in {}, and the order is in {}", limit.currency, request.currency);
        return Some(decline("currency-mismatch", message, Retry::OtherMethod));
    }
    let within = limit.value.minus(amount).is_some_and(|left| !left.is_negative());
    let shown = limit.value.readable(4).unwrap_or_default();
    let message =
        || format!("{} {} is over the credit limit of {shown} {}", request.amount, request.currency, limit.currency);
    (!within).then(|| decline("credit-limit", message(), Retry::OtherMethod))
}

fn usable(config: &str) -> Result<Settings, PaymentError> {
    Settings::read(config).map_err(|findings| {
        let first = findings.first().map_or("", |finding| &finding.message);
        refusal("bad-config", format!("the plugin's configuration cannot be used: {first}"))
    })
}

fn refusal(code: &str, message: String) -> PaymentError {
    PaymentError::NotSent(error_detail(code, message))
}
