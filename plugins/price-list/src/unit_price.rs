//! What one unit costs for a term, and what one month costs for extra days, from the rows of the price list.

use crate::too_large;
use renewd_plugin_sdk::exact::Exact;
use renewd_plugin_sdk::pricing::{ExtraBasis, PriceError, PriceRequest, PriceRow};
use renewd_plugin_sdk::words::price_error;

/// The price of one unit for the request's term: its own row, or else its months times the row of one month.
pub(crate) fn of_term(request: &PriceRequest) -> Result<Exact, PriceError> {
    if request.months == 0 {
        return Ok(Exact::ZERO);
    }
    if let Some(row) = row(request, request.months) {
        return price(row);
    }
    let month = row(request, 1).ok_or_else(|| missing(request))?;
    price(month)?.times(Exact::whole(request.months.into())).ok_or_else(too_large)
}

/// The price of one unit that the extra days are a share of.
pub(crate) fn of_extra_days(request: &PriceRequest) -> Result<Exact, PriceError> {
    match request.extra_of {
        ExtraBasis::Term => of_term(request),
        ExtraBasis::Month => match row(request, 1) {
            Some(month) => price(month),
            None if request.months == 0 => Err(missing(request)),
            None => of_term(request)?.over(Exact::whole(request.months.into())).ok_or_else(too_large),
        },
    }
}

fn row(request: &PriceRequest, months: u32) -> Option<&PriceRow> {
    request.rows.iter().find(|row| row.months == months)
}

fn price(row: &PriceRow) -> Result<Exact, PriceError> {
    let price = Exact::parse(&row.unit_price).filter(|price| !price.is_negative());
    price.ok_or_else(|| {
        price_error(
            "bad-price",
            format!("the price `{}` is not a plain decimal of at least zero", row.unit_price),
            None,
        )
    })
}

fn missing(request: &PriceRequest) -> PriceError {
    let sku = &request.sku;
    let message = match request.months {
        0 | 1 => format!("the price list has no row for `{sku}` with term `P1M`"),
        _ => format!("the price list has no row for `{sku}` with term `{}`, and none with `P1M`", request.term),
    };
    price_error("no-price", message, Some(format!("add a row for `{sku}` that holds on {}", request.quoted_on)))
}
