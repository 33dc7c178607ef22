//! What the gateway's refusals mean: which are declines, whether to try again, and which leave doubt.
//!
//! INVARIANT (only-the-gateway-declines): a decline is made here and nowhere else, from a refusal that could be read.

use crate::wire::ErrorBody;
use renewd_plugin_sdk::payment::{Decline, Retry};
use renewd_plugin_sdk::words;

/// What a word of the gateway's means for the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Nothing was taken.
    Declined(Retry),
    /// Something else may have happened under the same key or to the same payment.
    Doubt,
}

use Meaning::{Declined, Doubt};

const NEVER: Meaning = Declined(Retry::Never);
const LATER: Meaning = Declined(Retry::Later);
const OTHER: Meaning = Declined(Retry::OtherMethod);

/// Every known word, `decline_code` and `code` alike, in alphabetical order.
const MEANINGS: [(&str, Meaning); 97] = [
    ("account_closed", NEVER),
    ("account_country_invalid_address", LATER),
    ("account_invalid", LATER),
    ("amount_too_large", OTHER),
    ("amount_too_small", OTHER),
    ("api_key_expired", LATER),
    ("approve_with_id", LATER),
    ("authentication_not_handled", OTHER),
    ("authentication_required", OTHER),
    ("balance_insufficient", LATER),
    ("bank_account_declined", LATER),
    ("bank_account_unusable", NEVER),
    ("bank_account_unverified", OTHER),
    ("call_issuer", LATER),
    ("card_decline_rate_limit_exceeded", LATER),
    ("card_declined", LATER),
    ("card_not_supported", OTHER),
    ("card_velocity_exceeded", LATER),
    ("charge_already_captured", Doubt),
    ("charge_already_refunded", NEVER),
    ("charge_disputed", NEVER),
    ("charge_exceeds_source_limit", LATER),
    ("charge_exceeds_transaction_limit", OTHER),
    ("charge_exceeds_weekly_limit", LATER),
    ("charge_invalid_parameter", OTHER),
    ("charge_not_refundable", NEVER),
    ("currency_not_supported", OTHER),
    ("debit_not_authorized", NEVER),
    ("do_not_honor", LATER),
    ("do_not_try_again", NEVER),
    ("duplicate_transaction", LATER),
    ("expired_card", NEVER),
    ("fraudulent", NEVER),
    ("generic_decline", LATER),
    ("highest_risk_level", NEVER),
    ("idempotency_key_in_use", Doubt),
    ("incorrect_address", NEVER),
    ("incorrect_cvc", NEVER),
    ("incorrect_number", NEVER),
    ("incorrect_pin", OTHER),
    ("incorrect_zip", NEVER),
    ("instant_payouts_unsupported", OTHER),
    ("insufficient_funds", LATER),
    ("invalid_account", NEVER),
    ("invalid_amount", OTHER),
    ("invalid_card_type", NEVER),
    ("invalid_charge_amount", OTHER),
    ("invalid_charge_amount_no_decimal_compatible", OTHER),
    ("invalid_cvc", NEVER),
    ("invalid_expiry_month", NEVER),
    ("invalid_expiry_year", NEVER),
    ("invalid_number", NEVER),
    ("invalid_pin", OTHER),
    ("invalid_source_usage", OTHER),
    ("issuer_not_available", LATER),
    ("livemode_mismatch", LATER),
    ("lock_timeout", Doubt),
    ("lost_card", NEVER),
    ("mandate_invalid", NEVER),
    ("merchant_blacklist", NEVER),
    ("missing", OTHER),
    ("mobile_device_authentication_required", OTHER),
    ("new_account_information_available", LATER),
    ("no_account", NEVER),
    ("no_action_taken", LATER),
    ("not_permitted", LATER),
    ("offline_pin_required", OTHER),
    ("online_or_offline_pin_required", OTHER),
    ("parameter_missing", LATER),
    ("payment_intent_authentication_failure", OTHER),
    ("payment_intent_incompatible_payment_method", OTHER),
    ("payment_intent_payment_attempt_expired", LATER),
    ("payment_intent_payment_attempt_failed", LATER),
    ("payment_intent_unexpected_state", Doubt),
    ("payment_method_customer_decline", OTHER),
    ("payment_method_not_available", LATER),
    ("payment_method_provider_decline", LATER),
    ("payment_method_provider_timeout", LATER),
    ("payment_method_unactivated", OTHER),
    ("payment_method_unexpected_state", OTHER),
    ("pickup_card", NEVER),
    ("pin_try_exceeded", OTHER),
    ("processing_error", LATER),
    ("rate_limit", Doubt),
    ("reenter_transaction", LATER),
    ("resource_missing", OTHER),
    ("restricted_card", NEVER),
    ("revocation_of_all_authorizations", NEVER),
    ("revocation_of_authorization", NEVER),
    ("security_violation", LATER),
    ("service_not_allowed", OTHER),
    ("stolen_card", NEVER),
    ("stop_payment_order", NEVER),
    ("testmode_decline", OTHER),
    ("transaction_not_allowed", OTHER),
    ("try_again_later", LATER),
    ("withdrawal_count_limit_exceeded", LATER),
];

/// The kinds of error that say that the request was looked at and refused.
const REFUSING_KINDS: [&str; 3] = ["card_error", "invalid_request_error", "authentication_error"];
/// Bytes of a decline's code that the host accepts.
const CODE_MAX: usize = 64;

/// A refusal as it came.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) error: ErrorBody,
}

impl Refusal {
    /// A refusal, where the status and the kind of error agree that it is one.
    pub(crate) fn of(status: u16, error: ErrorBody) -> Option<Self> {
        let kind = error.kind.as_deref().unwrap_or_default();
        (matches!(status, 400..=404) && REFUSING_KINDS.contains(&kind)).then_some(Self { status, error })
    }

    /// The decline that it is; `None` where doubt remains.
    pub(crate) fn decline(&self) -> Option<Decline> {
        match self.status {
            401 => Some(words::decline(
                "gateway-auth",
                "the gateway does not accept the secret `stripe-key`",
                Retry::Later,
            )),
            403 => Some(words::decline(
                "gateway-forbidden",
                "the secret `stripe-key` may not do this at the gateway",
                Retry::Later,
            )),
            402 => decline_of(&self.error, "card-declined"),
            _ => decline_of(&self.error, "request-refused"),
        }
    }

    /// Whether the cardholder has to confirm first.
    pub(crate) fn wants_cardholder(&self) -> bool {
        self.status == 402 && wants_cardholder(&self.error)
    }
}

/// Whether the bank wants the cardholder to confirm.
pub(crate) fn wants_cardholder(error: &ErrorBody) -> bool {
    let wants = |word: &Option<String>| word.as_deref() == Some("authentication_required");
    wants(&error.code) || wants(&error.decline_code)
}

/// The decline that an error body describes, with a code of ours where it has none; `None` where doubt remains.
pub(crate) fn decline_of(error: &ErrorBody, without_code: &str) -> Option<Decline> {
    let words: Vec<&str> = [&error.decline_code, &error.code].into_iter().filter_map(|word| word.as_deref()).collect();
    if words.iter().any(|word| meaning(word) == Some(Doubt)) {
        return None;
    }
    let retry = match words.iter().find_map(|word| meaning(word)) {
        Some(Declined(retry)) => retry,
        Some(Doubt) => return None,
        None => Retry::Later,
    };
    let advised = error.advice_code.as_deref() == Some("do_not_try_again");
    let code = words.iter().find_map(|word| kebab(word)).unwrap_or_else(|| without_code.to_owned());
    let what =
        error.param.as_deref().and_then(kebab).map_or_else(String::new, |param| format!(" ({})", spaced(&param)));
    let message = format!("the gateway refused: {}{what}", spaced(&code));
    Some(words::decline(&code, message, if advised { Retry::Never } else { retry }))
}

/// A decline for a charge that failed and of which only one word is known.
pub(crate) fn decline_of_word(word: Option<&str>, without_code: &str) -> Option<Decline> {
    decline_of(&ErrorBody { decline_code: word.map(str::to_owned), ..ErrorBody::default() }, without_code)
}

fn meaning(word: &str) -> Option<Meaning> {
    MEANINGS.iter().find(|(known, _)| *known == word).map(|(_, meaning)| *meaning)
}

/// The word as renewd writes codes; `None` where it is no plain word.
fn kebab(word: &str) -> Option<String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    let fits = !word.is_empty() && word.len() <= CODE_MAX && word.bytes().all(plain);
    fits.then(|| word.replace('_', "-").to_ascii_lowercase())
}

fn spaced(code: &str) -> String {
    code.replace('-', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: &str, code: &str, decline_code: &str) -> ErrorBody {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        ErrorBody { kind: some(kind), code: some(code), decline_code: some(decline_code), ..ErrorBody::default() }
    }

    #[test]
    fn the_table_is_sorted_and_every_word_is_one() {
        assert!(MEANINGS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for (word, wanted) in MEANINGS {
            let decline = decline_of_word(Some(word), "x");
            match wanted {
                Declined(retry) => {
                    assert_eq!(decline.map(|it| (it.code, it.retry)), Some((word.replace('_', "-"), retry)))
                }
                Doubt => assert_eq!(decline, None, "{word}"),
            }
        }
    }

    #[test]
    fn the_issuers_word_goes_before_the_gateways() {
        let cases = [
            ("card_declined", "insufficient_funds", "insufficient-funds", Retry::Later),
            ("card_declined", "stolen_card", "stolen-card", Retry::Never),
            ("card_declined", "transaction_not_allowed", "transaction-not-allowed", Retry::OtherMethod),
            ("card_declined", "some_new_word", "some-new-word", Retry::Later),
            ("card_declined", "no word!", "card-declined", Retry::Later),
            ("", "", "x", Retry::Later),
        ];
        for (code, decline_code, wanted, retry) in cases {
            let decline = decline_of(&error("card_error", code, decline_code), "x").unwrap();
            assert_eq!((decline.code.as_str(), decline.retry), (wanted, retry));
        }
        let advised =
            ErrorBody { advice_code: Some("do_not_try_again".into()), ..error("card_error", "", "do_not_honor") };
        assert_eq!(decline_of(&advised, "x").unwrap().retry, Retry::Never);
    }

    #[test]
    fn only_refusals_are_refusals() {
        for status in [400, 401, 402, 403, 404] {
            assert!(Refusal::of(status, error("invalid_request_error", "", "")).is_some());
            for kind in ["", "api_error", "idempotency_error", "rate_limit_error", "api_connection_error", "new_error"]
            {
                assert!(Refusal::of(status, error(kind, "card_declined", "")).is_none(), "{status} {kind}");
            }
        }
        for status in [100, 200, 301, 405, 408, 409, 424, 425, 429, 500, 502, 503, 504] {
            assert!(Refusal::of(status, error("card_error", "card_declined", "")).is_none(), "{status}");
        }
    }

    #[test]
    fn a_bad_key_is_no_decline_of_the_card() {
        let refusal = |status| Refusal::of(status, error("invalid_request_error", "", "")).unwrap().decline().unwrap();
        assert_eq!((refusal(401).code.as_str(), refusal(401).retry), ("gateway-auth", Retry::Later));
        assert_eq!((refusal(403).code.as_str(), refusal(403).retry), ("gateway-forbidden", Retry::Later));
    }
}
