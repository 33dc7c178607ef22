//! The configuration: which API is spoken, where, and what happens when a cardholder has to confirm.

use renewd_plugin_sdk::config::{self, Findings, Object};
use renewd_plugin_sdk::types::Finding;

const KEYS: [&str; 7] =
    ["actionHours", "apiBase", "confirmPage", "description", "mode", "paymentMethodTypes", "returnUrl"];
const API_BASE: &str = "https://api.stripe.com";
const MODES: &str = "`payment-intents` or `charges`";
/// Stands for the payment's reference in `confirmPage`.
pub(crate) const REFERENCE: &str = "{reference}";
/// Stands for the order in `description`.
pub(crate) const ORDER: &str = "{order}";
const ACTION_HOURS: u32 = 24;
const ACTION_HOURS_MAX: u32 = 7 * 24;
const METHOD_TYPES_MAX: usize = 10;
const DESCRIPTION_MAX: usize = 300;

/// Which of Stripe's two ways to take money is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// `/v1/payment_intents`: knows confirmation by the cardholder.
    PaymentIntents,
    /// `/v1/charges`: for gateways that have nothing else.
    Charges,
}

/// A checked configuration.
#[derive(Debug)]
pub struct Settings {
    pub(crate) mode: Mode,
    /// Scheme, host and port, without a slash at its end.
    pub(crate) api_base: String,
    /// Where the gateway sends a cardholder after the confirmation on its own page.
    pub(crate) return_url: Option<String>,
    /// A page of the merchant's that confirms a payment for which the gateway names none.
    pub(crate) confirm_page: Option<String>,
    /// For how long a confirmation is waited for.
    pub(crate) action_hours: u32,
    /// What a payment intent may be paid with.
    pub(crate) method_types: Vec<String>,
    pub(crate) description: Option<String>,
}

impl Settings {
    /// Reads a JSON text.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its JSON Pointer.
    pub fn read(text: &str) -> Result<Self, Vec<Finding>> {
        let mut findings = Findings::default();
        match read(text, &mut findings) {
            Some(settings) if findings.is_empty() => Ok(settings),
            _ => Err(findings.into_vec()),
        }
    }
}

fn read(text: &str, findings: &mut Findings) -> Option<Settings> {
    let value = config::parse(text, findings)?;
    let top = Object::new(&value, "", &KEYS, findings)?;
    let mode = mode(&top, findings);
    let settings = Settings {
        mode,
        api_base: api_base(&top, findings),
        return_url: address(&top, "returnUrl", "https://example.com/paid", findings),
        confirm_page: confirm_page(&top, findings),
        action_hours: top.whole("actionHours", 1, ACTION_HOURS_MAX, findings).unwrap_or(ACTION_HOURS),
        method_types: method_types(&top, findings),
        description: description(&top, findings),
    };
    if mode == Mode::Charges {
        refuse_intent_settings(&top, findings);
    }
    Some(settings)
}

fn mode(top: &Object<'_>, findings: &mut Findings) -> Mode {
    match top.text("mode", findings) {
        None | Some("payment-intents") => Mode::PaymentIntents,
        Some("charges") => Mode::Charges,
        Some(other) => {
            wrong(findings, "/mode", other, MODES, &format!("write {MODES}"));
            Mode::PaymentIntents
        }
    }
}

fn api_base(top: &Object<'_>, findings: &mut Findings) -> String {
    let Some(text) = top.text("apiBase", findings) else { return API_BASE.to_owned() };
    if !is_base(text) {
        let hint = "write it like `https://api.stripe.com`, and grant `GET` and `POST` for it and `/v1/`";
        let wanted = "the address of an API: https (or http on this machine) and a host, no path";
        wrong(findings, "/apiBase", text, wanted, hint);
    }
    text.trim_end_matches('/').to_owned()
}

fn confirm_page(top: &Object<'_>, findings: &mut Findings) -> Option<String> {
    let page = address(top, "confirmPage", "https://example.com/confirm?payment={reference}", findings)?;
    if !page.contains(REFERENCE) {
        let wanted = "a page that is told the payment with `{reference}`";
        wrong(findings, "/confirmPage", &page, wanted, "put `{reference}` where the page expects the payment");
    }
    Some(page)
}

fn method_types(top: &Object<'_>, findings: &mut Findings) -> Vec<String> {
    let Some(types) = top.texts("paymentMethodTypes", findings) else { return vec!["card".to_owned()] };
    let word = |text: &&str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    for (index, bad) in types.iter().enumerate().filter(|(_, text)| !word(text)) {
        let pointer = format!("/paymentMethodTypes/{index}");
        wrong(findings, &pointer, bad, "the name of a kind of payment method", "write it like `card` or `sepa_debit`");
    }
    if types.is_empty() || types.len() > METHOD_TYPES_MAX {
        let message = format!("`paymentMethodTypes` has {} entries", types.len());
        findings.error(
            "/paymentMethodTypes",
            "bad-value",
            message,
            "name between 1 and 10 kinds, or leave it out for `card`",
        );
    }
    types.into_iter().map(str::to_owned).collect()
}

fn description(top: &Object<'_>, findings: &mut Findings) -> Option<String> {
    let text = top.text("description", findings)?;
    if text.len() > DESCRIPTION_MAX || text.chars().any(char::is_control) {
        wrong(
            findings,
            "/description",
            text,
            "one line of at most 300 bytes",
            "shorten it; `{order}` stands for the order",
        );
    }
    Some(text.to_owned())
}

fn refuse_intent_settings(top: &Object<'_>, findings: &mut Findings) {
    for key in ["actionHours", "confirmPage", "paymentMethodTypes", "returnUrl"].into_iter().filter(|key| top.has(key))
    {
        let message = format!("`{key}` has no effect with `mode: charges`");
        findings.error(&format!("/{key}"), "no-effect", message, "leave it out, or use `mode: payment-intents`");
    }
}

/// An `https` address of the merchant's.
fn address(top: &Object<'_>, key: &str, example: &str, findings: &mut Findings) -> Option<String> {
    let text = top.text(key, findings)?;
    let host = text.strip_prefix("https://").map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    if !host.is_some_and(is_host) || !text.bytes().all(|b| b.is_ascii_graphic()) {
        wrong(findings, &format!("/{key}"), text, "an https address", &format!("write it like `{example}`"));
    }
    Some(text.to_owned())
}

/// `https://host[:port]`, or `http` where the host is this machine. No path: the plugin may only reach `/v1/`.
fn is_base(text: &str) -> bool {
    let (scheme, rest) = text.split_once("://").unwrap_or_default();
    let host = rest.strip_suffix('/').unwrap_or(rest);
    let name = if host.ends_with(']') { host } else { host.rsplit_once(':').map_or(host, |(name, _)| name) };
    let here = matches!(name, "localhost" | "127.0.0.1" | "[::1]");
    is_host(host) && (scheme == "https" || scheme == "http" && here)
}

/// A host name or address with an optional port, in lower case.
fn is_host(text: &str) -> bool {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !text.ends_with(']') => (name, port),
        _ => (text, "443"),
    };
    let port_fits = port.parse::<u16>().is_ok_and(|number| number > 0) && port.bytes().all(|b| b.is_ascii_digit());
    let inner = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let name_fits = match inner {
        Some(address) => !address.is_empty() && address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':'),
        None => {
            !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-')
        }
    };
    port_fits && name_fits
}

fn wrong(findings: &mut Findings, pointer: &str, text: &str, wanted: &str, hint: &str) {
    let shown: String = text.chars().take(60).collect();
    findings.error(pointer, "bad-value", format!("`{shown}` is not {wanted}"), hint);
}
