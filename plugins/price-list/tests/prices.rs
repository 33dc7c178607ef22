//! What the plugin answers, natively: no WebAssembly needed.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test stops at once")]

use price_list::{check_config, quote};
use renewd_plugin_sdk::pricing::{ExtraBasis, FractionPart, PriceRequest, PriceRow, Rounding};

fn request(months: u32, quantity: u32, rows: &[(u32, &str)]) -> PriceRequest {
    PriceRequest {
        item: "phone-1".into(),
        sku: "phone.s".into(),
        kind: "cloud-phone".into(),
        region: "ap-1".into(),
        labels: vec![],
        quantity,
        currency: "USD".into(),
        minor_digits: 2,
        rounding: Rounding::HalfEven,
        quoted_at: "2026-11-23T10:00:00+08:00".into(),
        quoted_on: "2026-11-23".into(),
        old_expiry: "2026-11-30T23:59:59".into(),
        base: "2026-12-30T23:59:59".into(),
        new_expiry: "2026-12-30T23:59:59".into(),
        term: format!("P{months}M"),
        months,
        extra_days: 0,
        extra_of: ExtraBasis::Month,
        extra_fraction: vec![],
        rows: rows
            .iter()
            .map(|(months, price)| PriceRow {
                term: format!("P{months}M"),
                months: *months,
                unit_price: (*price).into(),
            })
            .collect(),
        metadata: vec![],
    }
}

fn with_extra(mut request: PriceRequest, of: ExtraBasis, parts: &[(u32, u32)]) -> PriceRequest {
    request.extra_days = parts.iter().map(|part| part.0).sum();
    request.extra_of = of;
    request.extra_fraction = parts
        .iter()
        .map(|(numerator, denominator)| FractionPart { numerator: *numerator, denominator: *denominator })
        .collect();
    request
}

/// Line amounts, `=`, total, `/`, the term's net share.
fn priced(config: &str, request: PriceRequest) -> String {
    match quote(config, &[request]).remove(0) {
        Ok(quote) => {
            let lines: Vec<_> = quote.lines.iter().map(|line| line.amount.as_str()).collect();
            format!("{} = {} / {}", lines.join(" "), quote.total, quote.term_net.unwrap())
        }
        Err(error) => format!("{}: {}", error.code, error.message),
    }
}

#[test]
fn the_row_of_the_term_wins_over_months_times_the_month() {
    let rows = [(1, "20.00"), (12, "200.00")];
    assert_eq!(priced("{}", request(12, 2, &rows)), "400.00 = 400.00 / 400.00");
    assert_eq!(priced("{}", request(3, 2, &rows)), "120.00 = 120.00 / 120.00");
}

#[test]
fn a_missing_row_is_named() {
    assert_eq!(
        priced("{}", request(3, 1, &[(12, "200")])),
        "no-price: the price list has no row for `phone.s` with term `P3M`, and none with `P1M`"
    );
    assert_eq!(priced("{}", request(1, 1, &[])), "no-price: the price list has no row for `phone.s` with term `P1M`");
}

#[test]
fn extra_days_are_a_share_of_a_month_or_of_the_term() {
    let rows = [(1, "20.00"), (12, "200.00")];
    assert_eq!(
        priced("{}", with_extra(request(1, 1, &rows), ExtraBasis::Month, &[(12, 30), (8, 31)])),
        "20.00 13.16 = 33.16 / 20.00"
    );
    assert_eq!(
        priced("{}", with_extra(request(12, 1, &[(12, "200.00")]), ExtraBasis::Month, &[(18, 31)])),
        "200.00 9.68 = 209.68 / 200.00"
    );
    assert_eq!(
        priced("{}", with_extra(request(12, 1, &rows), ExtraBasis::Term, &[(18, 365)])),
        "200.00 9.86 = 209.86 / 200.00"
    );
    assert_eq!(priced("{}", with_extra(request(0, 1, &rows), ExtraBasis::Month, &[(15, 30)])), "10.00 = 10.00 / 0.00");
}

#[test]
fn percentages_add_up_and_fixed_amounts_come_after() {
    let rows = [(1, "20.00")];
    let config = r#"{"discount":"5%","tiers":[{"from":2,"discount":"1%"},{"from":10,"discount":"5%"}],"discounts":[{"amount":"5.00 USD"}]}"#;
    assert_eq!(priced(config, request(1, 1, &rows)), "20.00 -1.00 -5.00 = 14.00 / 14.00");
    assert_eq!(priced(config, request(1, 10, &rows)), "200.00 -10.00 -10.00 -5.00 = 175.00 / 175.00");
    assert_eq!(priced(r#"{"discounts":[{"amount":"50 USD"}]}"#, request(1, 1, &rows)), "20.00 -20.00 = 0.00 / 0.00");
    assert_eq!(
        priced(r#"{"discounts":[{"amount":"5 EUR"}]}"#, request(1, 1, &rows)),
        "currency-mismatch: a discount in EUR does not fit a price in USD"
    );
}

#[test]
fn a_discount_holds_from_its_first_day_to_the_day_before_until() {
    let rows = [(1, "20.00")];
    for (from, until, total) in [
        ("2026-11-23", "2026-11-24", "18.00"),
        ("2026-11-24", "2026-12-01", "20.00"),
        ("2026-11-01", "2026-11-23", "20.00"),
    ] {
        let config =
            format!(r#"{{"discounts":[{{"percent":"10%","from":"{from}","until":"{until}","skus":["phone.*"]}}]}}"#);
        assert!(priced(&config, request(1, 1, &rows)).contains(&format!("= {total} ")), "{from}");
    }
}

#[test]
fn the_residual_stays_on_the_last_line() {
    let third = with_extra(request(1, 1, &[(1, "10.00")]), ExtraBasis::Month, &[(10, 30)]);
    assert_eq!(priced(r#"{"discount":"33.3%"}"#, third), "10.00 3.33 -4.44 = 8.89 / 6.67");
    let mut yen = with_extra(request(1, 3, &[(1, "100")]), ExtraBasis::Month, &[(1, 7)]);
    (yen.currency, yen.minor_digits) = ("JPY".into(), 0);
    assert_eq!(priced("{}", yen), "300 43 = 343 / 300");
}

#[test]
fn a_total_below_the_minimum_is_lifted() {
    assert_eq!(priced(r#"{"minimum":"10.00 USD"}"#, request(1, 1, &[(1, "7.50")])), "7.50 2.50 = 10.00 / 10.00");
    assert_eq!(priced(r#"{"minimum":"10.00 USD"}"#, request(1, 1, &[(1, "10.00")])), "10.00 = 10.00 / 10.00");
}

#[test]
fn every_mistake_in_the_configuration_has_its_place() {
    let config = r#"{"discuont":"5%","discount":5,"discounts":[{"percent":"5%","amount":"1 USD"},{"percent":"0%"},{"amount":"5","until":"2026-02-30"}],"tiers":[{"from":10,"discount":"5%"},{"from":5,"discount":"1%"},{"from":0}],"minimum":"ten"}"#;
    let found: Vec<_> =
        check_config(config).into_iter().map(|finding| format!("{} {}", finding.pointer, finding.code)).collect();
    let wanted = [
        "/discuont unknown-key",
        "/discount bad-value",
        "/discounts/0 one-of",
        "/discounts/1/percent bad-value",
        "/discounts/2/amount bad-value",
        "/discounts/2/until bad-value",
        "/tiers/1/from bad-order",
        "/tiers/2 missing-key",
        "/tiers/2/from bad-value",
        "/minimum bad-value",
    ];
    assert_eq!(found, wanted);
    assert_eq!(check_config("[]").len(), 1);
    assert_eq!(check_config("nonsense").len(), 1);
    assert!(check_config(r#"{"discount":"5%"}"#).is_empty());
}
