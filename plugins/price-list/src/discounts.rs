//! Which discounts hold for a request, and what each takes off.

use crate::settings::{Discount, Off, Settings};
use crate::too_large;
use renewd_plugin_sdk::exact::Exact;
use renewd_plugin_sdk::pricing::{PriceError, PriceRequest};
use renewd_plugin_sdk::words::price_error;

/// One discount line before rounding; the amount is not negative.
pub(crate) struct Taken {
    pub(crate) description: String,
    pub(crate) amount: Exact,
}

/// The discounts on `gross`, percentages first, together never more than `gross`.
pub(crate) fn on(gross: Exact, settings: &Settings, request: &PriceRequest) -> Result<Vec<Taken>, PriceError> {
    let mut left = gross;
    let mut taken = Vec::new();
    for (description, wanted) in shares(gross, settings, request)?.into_iter().chain(fixed(settings, request)?) {
        let after = left.minus(wanted).ok_or_else(too_large)?;
        let amount = if after.is_negative() { left } else { wanted };
        left = left.minus(amount).ok_or_else(too_large)?;
        if !amount.is_zero() {
            taken.push(Taken { description, amount });
        }
    }
    Ok(taken)
}

fn shares(gross: Exact, settings: &Settings, request: &PriceRequest) -> Result<Vec<(String, Exact)>, PriceError> {
    let tier = settings.tiers.iter().rfind(|tier| tier.from <= request.quantity);
    let tier = tier.map(|tier| (format!("quantity discount from {}", tier.from), tier.share));
    let holding = settings.discounts.iter().filter(|discount| holds(discount, request));
    let shares = holding.filter_map(|discount| match &discount.off {
        Off::Share(share) => Some((name(discount), *share)),
        Off::Fixed(_) => None,
    });
    let priced = |(name, share): (String, Exact)| {
        let percent = share.times(Exact::whole(100)).and_then(|percent| percent.readable(4)).ok_or_else(too_large)?;
        Ok((format!("{name} {percent}%"), gross.times(share).ok_or_else(too_large)?))
    };
    tier.into_iter().chain(shares).map(priced).collect()
}

fn fixed(settings: &Settings, request: &PriceRequest) -> Result<Vec<(String, Exact)>, PriceError> {
    let mut fixed = Vec::new();
    for discount in settings.discounts.iter().filter(|discount| holds(discount, request)) {
        let Off::Fixed(amount) = &discount.off else { continue };
        if amount.currency != request.currency {
            let message = format!("a discount in {} does not fit a price in {}", amount.currency, request.currency);
            return Err(price_error(
                "currency-mismatch",
                message,
                Some("restrict it with `skus`, or use a percentage".to_owned()),
            ));
        }
        fixed.push((name(discount), amount.value));
    }
    Ok(fixed)
}

fn name(discount: &Discount) -> String {
    discount.name.clone().unwrap_or_else(|| "discount".to_owned())
}

/// ISO dates of one length compare as texts.
fn holds(discount: &Discount, request: &PriceRequest) -> bool {
    let today = request.quoted_on.as_str();
    let begun = discount.from.as_deref().is_none_or(|from| from <= today);
    let open = discount.until.as_deref().is_none_or(|until| today < until);
    begun && open && discount.skus.as_ref().is_none_or(|skus| skus.iter().any(|glob| matches(glob, &request.sku)))
}

/// `*` spans any characters.
fn matches(glob: &str, text: &str) -> bool {
    let Some((start, rest)) = glob.split_once('*') else {
        return glob == text;
    };
    let Some(mut text) = text.strip_prefix(start) else {
        return false;
    };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return text.ends_with(part);
        }
        match text.split_once(part) {
            Some((_, after)) => text = after,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn globs_span_any_characters() {
        for (glob, text) in
            [("a*", "abc"), ("*", ""), ("*c", "abc"), ("a*b*c", "a1b2c"), ("abc", "abc"), ("a**c", "ac")]
        {
            assert!(matches(glob, text), "{glob} {text}");
        }
        for (glob, text) in [("a*", "b"), ("abc", "abcd"), ("a*b*c", "acb"), ("*c", "cd")] {
            assert!(!matches(glob, text), "{glob} {text}");
        }
    }
}
