//! The committed plugins give the expected answers through the host, the same every time, with either allocator.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test stops at once")]

mod common;

use common::{charge_ref, charge_request, component, host, price_request, record_answer, refund_request};
use renewd_plugin_host::pricing_wire::{ExtraBasis, FractionPart, PriceRequest};
use renewd_plugin_host::{
    Called, FindResult, Host, HostOptions, ItemFailure, Limits, Outcome, Quote, RefundOutcome, Retry, Scale,
};

fn aligned() -> PriceRequest {
    let fraction = [(12, 30), (8, 31)].map(|(numerator, denominator)| FractionPart { numerator, denominator });
    PriceRequest {
        extra_days: 20,
        extra_of: ExtraBasis::Month,
        extra_fraction: fraction.to_vec(),
        ..price_request("phone-1")
    }
}

fn requests() -> Vec<PriceRequest> {
    let year = PriceRequest { term: "P1Y".into(), months: 12, quantity: 10, ..price_request("phone-2") };
    let quarter = PriceRequest { term: "P3M".into(), months: 3, quantity: 3, ..price_request("phone-3") };
    let missing = PriceRequest { rows: vec![], sku: "phone.xl".into(), ..price_request("phone-4") };
    let yen = PriceRequest { currency: "JPY".into(), minor_digits: 0, ..aligned() };
    vec![aligned(), year, quarter, missing, yen]
}

const CONFIG: &str = r#"{"discount":"5%","tiers":[{"from":10,"discount":"2.5%"}]}"#;

fn quote(host: &Host) -> Called<Vec<Result<Quote, ItemFailure>>> {
    host.load_pricing(&component("price-list"), Limits::default()).unwrap().quote(CONFIG, &requests())
}

#[test]
fn the_price_list_prices_as_expected() {
    let called = quote(&host());
    let told: Vec<_> = called
        .value
        .iter()
        .map(|verdict| match verdict {
            Ok(quote) => {
                let lines: Vec<_> = quote.lines.iter().map(|line| line.amount.amount().to_string()).collect();
                format!("{} = {}", lines.join(" "), quote.total)
            }
            Err(failure) => format!("{}: {failure}", failure.code()),
        })
        .collect();
    let wanted = [
        "20.00 13.16 -1.66 = 31.50 USD",
        "2000.00 -50.00 -100.00 = 1,850.00 USD",
        "180.00 -9.00 = 171.00 USD",
        "no-price: the price list has no row for `phone.xl` with term `P1M`",
        "20 13 -1 = 32 JPY",
    ];
    assert_eq!(told, wanted);
    record_answer("price-list", &format!("{:?}", called.value));
}

#[test]
fn the_same_input_gives_the_same_answer_and_the_same_fuel() {
    let first = quote(&host());
    let plugin_host = host();
    for _ in 0..5 {
        assert_eq!(quote(&plugin_host), first);
    }
    let pooled = Host::new(&HostOptions { scale: Scale::Large, ..HostOptions::default() }).unwrap();
    assert_eq!(quote(&pooled), first, "a pool changes nothing but the time");
    let plugin = host().load_pricing(&component("price-list"), Limits::default()).unwrap();
    let singles: Vec<_> =
        requests().iter().flat_map(|request| plugin.quote(CONFIG, std::slice::from_ref(request)).value).collect();
    assert_eq!(singles, first.value, "one by one or as a batch");
}

#[test]
fn several_threads_can_call_one_plugin() {
    let pooled = Host::new(&HostOptions { scale: Scale::Large, ..HostOptions::default() }).unwrap();
    let plugin = pooled.load_pricing(&component("price-list"), Limits::default()).unwrap();
    let wanted = plugin.quote(CONFIG, &requests()).value;
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..20).for_each(|_| assert_eq!(plugin.quote(CONFIG, &requests()).value, wanted)));
        }
    });
}

#[test]
fn an_ordinary_batch_stays_far_below_its_fuel() {
    let plugin = host().load_pricing(&component("price-list"), Limits::default()).unwrap();
    let requests: Vec<_> = (0..100).map(|_| aligned()).collect();
    let called = plugin.quote(CONFIG, &requests);
    assert!(called.value.iter().all(Result::is_ok));
    assert!(called.fuel < plugin.limits().fuel(100) / 4, "{}", called.fuel);
}

#[test]
fn a_bad_configuration_is_found_with_its_places() {
    let plugin = host().load_pricing(&component("price-list"), Limits::default()).unwrap();
    let findings = plugin.check_config(r#"{"discount":5,"tierz":[]}"#).value.unwrap();
    let places: Vec<_> = findings.iter().map(|finding| (finding.pointer.as_str(), finding.code.as_str())).collect();
    assert_eq!(places, [("/tierz", "unknown-key"), ("/discount", "bad-value")]);
    let verdict = plugin.quote("[]", &[aligned()]).value.remove(0);
    assert!(matches!(verdict, Err(ItemFailure::Refused { code, .. }) if code == "bad-config"));
    record_answer("price-list findings", &format!("{findings:?}"));
}

#[test]
fn the_invoice_is_written_within_its_limit() {
    let plugin = host().load_payment(&component("invoice"), Limits::default()).unwrap();
    assert_eq!(plugin.manifest().visibility_window_seconds, 0);
    assert!(plugin.manifest().permissions.is_empty());
    let charge = |config: &str, amount: &str| plugin.charge(config, &charge_request(amount)).value;
    let paid = charge(r#"{"creditLimit":"5000 USD","netDays":30}"#, "1020.00");
    let Outcome::Succeeded { reference, amount, metadata } = &paid else { panic!("{paid:?}") };
    assert_eq!((reference.as_str(), amount.to_string().as_str()), ("INV-ord_0123456789ab-1", "1,020.00 USD"));
    assert_eq!(metadata.as_slice(), [("due".to_owned(), "2026-12-23".to_owned())]);
    let over = charge(r#"{"creditLimit":"5000 USD"}"#, "5000.01");
    assert!(
        matches!(&over, Outcome::Declined { code, retry: Retry::OtherMethod, .. } if code == "credit-limit"),
        "{over:?}"
    );
    let other = charge(r#"{"creditLimit":"5000 EUR"}"#, "1.00");
    assert!(matches!(&other, Outcome::Declined { code, .. } if code == "currency-mismatch"), "{other:?}");
    assert!(matches!(charge("[]", "1.00"), Outcome::Declined { retry: Retry::Later, .. }));
    record_answer("invoice", &format!("{paid:?} {over:?} {other:?}"));
}

#[test]
fn an_invoice_is_never_found_and_can_be_given_back() {
    let plugin = host().load_payment(&component("invoice"), Limits::default()).unwrap();
    assert_eq!(plugin.find_charge("{}", &charge_ref("20.00")).value, FindResult::NotFound);
    let refunded = plugin.refund("{}", &refund_request("20.00")).value;
    assert!(
        matches!(&refunded, RefundOutcome::Refunded { reference, .. } if reference == "CRN-ord_0123456789ab-4f3c2b1ar"),
        "{refunded:?}"
    );
    record_answer("invoice refund", &format!("{refunded:?}"));
}
