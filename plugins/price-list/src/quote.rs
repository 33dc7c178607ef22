//! One quote: term, extra days, discounts, minimum; exact until the rounding at the end.

use crate::settings::Settings;
use crate::{discounts, too_large, unit_price};
use renewd_plugin_sdk::exact::{Exact, Rounded, Rounding};
use renewd_plugin_sdk::lines::{fraction, settle};
use renewd_plugin_sdk::pricing::{LineKind, PriceError, PriceLine, PriceQuote, PriceRequest};
use renewd_plugin_sdk::words::price_error;

/// Decimals of a unit price, which is for reading only.
const UNIT_PRICE_DIGITS: u32 = 10;

/// A line before rounding.
struct Draft {
    description: String,
    kind: LineKind,
    quantity: u32,
    unit_price: Exact,
    amount: Exact,
}

pub(crate) fn quote(settings: &Settings, request: &PriceRequest) -> Result<PriceQuote, PriceError> {
    let term = term_line(request)?;
    let extra = extra_line(request)?;
    let term_gross = term.as_ref().map_or(Exact::ZERO, |line| line.amount);
    let extra_gross = extra.as_ref().map_or(Exact::ZERO, |line| line.amount);
    let gross = term_gross.plus(extra_gross).ok_or_else(too_large)?;
    let mut drafts: Vec<Draft> = term.into_iter().chain(extra).collect();
    for taken in discounts::on(gross, settings, request)? {
        let amount = Exact::ZERO.minus(taken.amount).ok_or_else(too_large)?;
        drafts.push(Draft {
            description: taken.description,
            kind: LineKind::Discount,
            quantity: 1,
            unit_price: amount,
            amount,
        });
    }
    let rounding = Rounding::from(request.rounding);
    let exact: Vec<Exact> = drafts.iter().map(|draft| draft.amount).collect();
    let (amounts, net) = settle(&exact, rounding, request.minor_digits).ok_or_else(too_large)?;
    let mut lines =
        drafts.into_iter().zip(amounts).map(|(draft, amount)| line(draft, amount)).collect::<Result<Vec<_>, _>>()?;
    let total = match lift(settings, request, net)? {
        Some((lift, total)) => {
            lines.push(lift);
            total
        }
        None => net,
    };
    let term_net = share(total, term_gross, gross, rounding)?;
    Ok(PriceQuote {
        currency: request.currency.clone(),
        lines,
        total: total.to_string(),
        term_net: Some(term_net.to_string()),
        metadata: Vec::new(),
    })
}

fn term_line(request: &PriceRequest) -> Result<Option<Draft>, PriceError> {
    if request.months == 0 {
        return Ok(None);
    }
    let unit_price = unit_price::of_term(request)?;
    let amount = unit_price.times(Exact::whole(request.quantity.into())).ok_or_else(too_large)?;
    let description = format!("{} for {}", request.sku, request.term);
    Ok(Some(Draft { description, kind: LineKind::Term, quantity: request.quantity, unit_price, amount }))
}

fn extra_line(request: &PriceRequest) -> Result<Option<Draft>, PriceError> {
    if request.extra_days == 0 {
        return Ok(None);
    }
    let bad = || price_error("bad-fraction", "the extra days have no usable fraction", None);
    let share = fraction(&request.extra_fraction).filter(|share| !share.is_zero()).ok_or_else(bad)?;
    let unit_price = unit_price::of_extra_days(request)?.times(share).ok_or_else(too_large)?;
    let amount = unit_price.times(Exact::whole(request.quantity.into())).ok_or_else(too_large)?;
    let parts: Vec<String> =
        request.extra_fraction.iter().map(|part| format!("{}/{}", part.numerator, part.denominator)).collect();
    let days = if request.extra_days == 1 { "day" } else { "days" };
    let description = format!("{} extra {days} ({})", request.extra_days, parts.join(" + "));
    Ok(Some(Draft { description, kind: LineKind::ExtraDays, quantity: request.quantity, unit_price, amount }))
}

/// The line that lifts a total below the minimum charge, and the lifted total.
fn lift(settings: &Settings, request: &PriceRequest, net: Rounded) -> Result<Option<(PriceLine, Rounded)>, PriceError> {
    let Some(minimum) = &settings.minimum else {
        return Ok(None);
    };
    if minimum.currency != request.currency {
        let message = format!("a minimum charge in {} does not fit a price in {}", minimum.currency, request.currency);
        return Err(price_error("currency-mismatch", message, None));
    }
    let total = minimum.value.round(request.rounding.into(), request.minor_digits).ok_or_else(too_large)?;
    if net.minor >= total.minor {
        return Ok(None);
    }
    let amount = Rounded { minor: total.minor.checked_sub(net.minor).ok_or_else(too_large)?, digits: total.digits };
    let exact = amount.exact().ok_or_else(too_large)?;
    let draft = Draft {
        description: format!("minimum charge {total} {}", minimum.currency),
        kind: LineKind::Minimum,
        quantity: 1,
        unit_price: exact,
        amount: exact,
    };
    Ok(Some((line(draft, amount)?, total)))
}

/// The term's part of the total, in proportion to its list price.
fn share(total: Rounded, term: Exact, gross: Exact, rounding: Rounding) -> Result<Rounded, PriceError> {
    if gross.is_zero() {
        return Ok(total);
    }
    let part = total
        .exact()
        .and_then(|total| total.times(term.over(gross)?))
        .and_then(|part| part.round(rounding, total.digits));
    part.ok_or_else(too_large)
}

fn line(draft: Draft, amount: Rounded) -> Result<PriceLine, PriceError> {
    Ok(PriceLine {
        description: draft.description,
        kind: draft.kind,
        quantity: draft.quantity,
        unit_price: draft.unit_price.readable(UNIT_PRICE_DIGITS).ok_or_else(too_large)?,
        amount: amount.to_string(),
        metadata: Vec::new(),
    })
}
