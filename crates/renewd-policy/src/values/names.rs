//! Names, currencies and time zones.

use crate::finding::{Code, Problem, quoted};
use crate::suggest::nearest;
use chrono_tz::{TZ_VARIANTS, Tz};
use renewd_core::ids::AccountName;
use renewd_core::money::Currency;

/// Currencies that people most likely mean; only for hints.
const COMMON_CURRENCIES: [&str; 48] = [
    "USD", "EUR", "GBP", "JPY", "CNY", "SGD", "HKD", "INR", "AUD", "CAD", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK",
    "HUF", "RON", "BGN", "ISK", "TRY", "ILS", "AED", "SAR", "QAR", "KWD", "EGP", "ZAR", "NGN", "KES", "BRL", "MXN",
    "ARS", "CLP", "COP", "PEN", "KRW", "TWD", "THB", "VND", "IDR", "MYR", "PHP", "PKR", "BDT", "LKR", "NZD", "UAH",
];

/// Checks a name: the rules are those of [`renewd_core::ids`].
///
/// # Errors
/// The text is empty, too long, or has a character that a name cannot have.
pub fn parse_name(text: &str) -> Result<&str, Problem> {
    match AccountName::new(text) {
        Ok(_) => Ok(text),
        Err(error) => Err(Problem::new(Code::BadName, shortened(&error.to_string()))
            .hint("use letters, digits and `-`, for instance `phones-production`")),
    }
}

/// Messages of the core repeat the user's text whole; a name may be a megabyte long.
fn shortened(message: &str) -> String {
    let mut short: String = message.chars().take(200).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if message.chars().nth(200).is_some() {
        short.push('…');
    }
    short
}

/// Reads a currency code.
///
/// # Errors
/// The code is not one of ISO 4217.
pub fn parse_currency(text: &str) -> Result<Currency, Problem> {
    let problem = || {
        let message = format!("{} is not an ISO 4217 currency", quoted(text));
        let hint = currency_meant(text).map_or_else(
            || "use a three-letter code such as `USD`, `EUR` or `CNY`".to_owned(),
            |code| format!("did you mean `{code}`?"),
        );
        Problem::new(Code::UnknownCurrency, message).hint(hint)
    };
    text.parse().map_err(|_| problem())
}

fn currency_meant(text: &str) -> Option<String> {
    let upper = text.to_ascii_uppercase();
    if upper.parse::<Currency>().is_ok() {
        return Some(upper);
    }
    let alias = match upper.as_str() {
        "RMB" | "YUAN" | "CNH" => Some("CNY"),
        "DOLLAR" | "DOLLARS" | "US$" | "$" => Some("USD"),
        "EURO" | "EUROS" | "€" => Some("EUR"),
        "POUND" | "POUNDS" | "£" => Some("GBP"),
        "YEN" | "¥" => Some("JPY"),
        _ => None,
    };
    alias.or_else(|| nearest(&upper, COMMON_CURRENCIES)).map(str::to_owned)
}

/// Reads an IANA time zone.
///
/// # Errors
/// The zone is unknown.
pub fn parse_zone(text: &str) -> Result<Tz, Problem> {
    text.parse().map_err(|_| {
        let message = format!("{} is not a time zone", quoted(text));
        let hint = zone_meant(text).map_or_else(
            || "use a name of the IANA time zone database such as `Asia/Shanghai` or `UTC`".to_owned(),
            |zone| format!("did you mean `{zone}`?"),
        );
        Problem::new(Code::UnknownZone, message).hint(hint)
    })
}

/// A city alone is meant as its zone; otherwise the nearest spelling.
fn zone_meant(text: &str) -> Option<&'static str> {
    let wanted = text.replace(' ', "_");
    let city = TZ_VARIANTS.iter().map(|zone| zone.name()).find(|name| {
        let city = name.rsplit('/').next().unwrap_or(name);
        name.eq_ignore_ascii_case(&wanted) || city.eq_ignore_ascii_case(&wanted)
    });
    let plain = !text.starts_with("UTC") && !text.starts_with("GMT");
    city.or_else(|| if plain { nearest(text, TZ_VARIANTS.iter().map(|zone| zone.name())) } else { None })
}
