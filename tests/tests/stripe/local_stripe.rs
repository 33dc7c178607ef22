//! Payment intents at localstripe: payments, declines, confirmation by the cardholder, refunds.

use crate::plugin::Plugin;
use crate::{Told, Wanted, declined, paid, start, with_key};
use renewd_tests::standins::{Kind, StandIn};

const CARD: &str = "pm_card_visa";
const PATH: &str = "/v1/payment_intents";
/// A restored store asks with a time since when.
const NOW: &str = "2026-11-23T10:00:00+08:00";
const SINCE: Option<&str> = Some("2020-01-01T00:00:00Z");

/// A saved card of a new customer, as an account's document names it.
fn saved_card(standin: &StandIn, number: &str) -> String {
    let form = format!("type=card&card[number]={number}&card[exp_month]=12&card[exp_year]=2030&card[cvc]=123");
    let method = standin.ask("POST", "/v1/payment_methods", &form).json();
    let customer = standin.ask("POST", "/v1/customers", "email=it@acme.example").json();
    let (method, customer) = (method["id"].as_str().unwrap(), customer["id"].as_str().unwrap());
    let attached =
        standin.ask("POST", &format!("/v1/payment_methods/{method}/attach"), &format!("customer={customer}"));
    assert_eq!(attached.status, 200, "{}", attached.text());
    format!("{customer}/{method}")
}

#[test]
fn a_saved_card_is_charged_off_session() {
    let Some(standin) = start(Kind::LocalStripe) else { return };
    let plugin = Plugin::new(standin.port, "");
    let wanted = Wanted::new("k1", &saved_card(&standin, "4242424242424242"));
    let Told::Taken(reference) = plugin.charge(&wanted) else { panic!("not taken") };
    let intent = standin.ask("GET", &format!("/v1/payment_intents/{reference}"), "").json();
    assert_eq!((intent["amount"].as_i64(), intent["status"].as_str()), (Some(2000), Some("succeeded")));
    assert_eq!(intent["metadata"]["renewd_lines_0"], "line-of-k1");
    assert_eq!(plugin.find(&wanted, None), Told::Taken(reference.clone()));
    assert_eq!(plugin.find(&wanted, Some(&reference)), Told::Taken(reference.clone()));
    assert_eq!(plugin.cancel(&wanted, None), Told::Taken(reference.clone()), "too late");
    let stranger = Wanted { key: "k2".into(), ..wanted };
    assert_eq!(plugin.find(&stranger, None), Told::NotFound, "the same line, but another attempt's payment");
    assert_eq!(plugin.find_at(&stranger, NOW, SINCE), Told::Taken(reference), "what a restored store has to know");
    assert_eq!(plugin.find(&Wanted::new("k3", CARD), None), Told::NotFound);
    assert_eq!(plugin.cancel(&Wanted::new("k3", CARD), None), Told::NotFound);
}

#[test]
fn a_refused_card_is_declined_and_stays_declined() {
    let Some(standin) = start(Kind::LocalStripe) else { return };
    let plugin = Plugin::new(standin.port, "");
    let wanted = Wanted::new("k1", "pm_card_chargeCustomerFail");
    assert_eq!(plugin.charge(&wanted), declined("card-declined"));
    assert_eq!(with_key(&standin, "k1"), ["requires_payment_method"]);
    assert_eq!(plugin.find(&wanted, None), declined("card-declined"));
    assert_eq!(plugin.cancel(&wanted, None), Told::Canceled);
    assert_eq!(plugin.find(&wanted, None), declined("canceled"));
    let missing = Wanted::new("k2", "pm_0000000000000");
    assert_eq!(plugin.charge(&missing), declined("request-refused"));
    assert_eq!(with_key(&standin, "k2"), Vec::<String>::new());
}

#[test]
fn the_cardholder_confirms_on_the_merchants_page() {
    let Some(standin) = start(Kind::LocalStripe) else { return };
    let card = saved_card(&standin, "4000002500003155");
    let plugin = Plugin::new(standin.port, r#""confirmPage":"https://shop.example/confirm?p={reference}""#);
    let wanted = Wanted::new("k1", &card);
    let Told::Action(url) = plugin.charge(&wanted) else { panic!("no page") };
    let reference = url.strip_prefix("https://shop.example/confirm?p=").unwrap();
    assert_eq!(plugin.find(&wanted, None), Told::Action(url.clone()));
    let intent = standin.ask("GET", &format!("/v1/payment_intents/{reference}"), "").json();
    let form = format!("client_secret={}&success=true", intent["client_secret"].as_str().unwrap());
    let confirmed = standin.ask("POST", &format!("/v1/payment_intents/{reference}/_authenticate"), &form);
    assert_eq!(confirmed.status, 200, "{}", confirmed.text());
    assert_eq!(plugin.find(&wanted, Some(reference)), Told::Taken(reference.to_owned()));

    let late = Wanted::new("k2", &card);
    assert!(matches!(plugin.charge(&late), Told::Action(_)));
    assert_eq!(plugin.cancel(&late, None), Told::Canceled);
    assert_eq!(plugin.find(&late, None), declined("canceled"));
}

/// A failed confirmation is a decline that the cardholder may still turn into a payment: canceling ends that.
#[test]
fn a_failed_confirmation_can_be_tried_again_until_it_is_canceled() {
    let Some(standin) = start(Kind::LocalStripe) else { return };
    let plugin = Plugin::new(standin.port, r#""confirmPage":"https://shop.example/confirm?p={reference}""#);
    let wanted = Wanted::new("k1", &saved_card(&standin, "4000002500003155"));
    let Told::Action(url) = plugin.charge(&wanted) else { panic!("no page") };
    let reference = url.strip_prefix("https://shop.example/confirm?p=").unwrap();
    let intent = standin.ask("GET", &format!("{PATH}/{reference}"), "").json();
    let form = format!("client_secret={}&success=false", intent["client_secret"].as_str().unwrap());
    standin.ask("POST", &format!("{PATH}/{reference}/_authenticate"), &form);
    assert_eq!(with_key(&standin, "k1"), ["requires_payment_method"]);
    assert_eq!(plugin.find(&wanted, None), declined("payment-intent-authentication-failure"));
    assert_eq!(plugin.cancel(&wanted, Some(reference)), Told::Canceled);
    assert_eq!(with_key(&standin, "k1"), ["canceled"]);
}

#[test]
fn an_intent_that_nobody_refused_is_pending_until_it_is_canceled() {
    let Some(standin) = start(Kind::LocalStripe) else { return };
    let plugin = Plugin::new(standin.port, "");
    let cases = [
        ("none", "", "requires_payment_method"),
        ("some", "&payment_method=pm_card_visa", "requires_confirmation"),
        ("held", "&payment_method=pm_card_visa&capture_method=manual&confirm=true", "requires_capture"),
    ];
    for (key, more, status) in cases {
        let form = format!("amount=2000&currency=usd&metadata[renewd_key]={key}{more}");
        let made = standin.ask("POST", PATH, &form).json();
        let (reference, wanted) = (made["id"].as_str().unwrap().to_owned(), Wanted::new(key, CARD));
        assert_eq!(with_key(&standin, key), [status]);
        assert_eq!(plugin.find(&wanted, None), Told::Pending(reference.clone()), "{status}");
        assert_eq!(plugin.cancel(&wanted, Some(&reference)), Told::Canceled, "{status}");
        assert_eq!(with_key(&standin, key), ["canceled"]);
    }
}

#[test]
fn of_a_payment_that_was_given_back_in_part_only_the_rest_counts() {
    for (kind, settings, card) in
        [(Kind::LocalStripe, "", CARD), (Kind::StatefulMock, r#""mode":"charges""#, "tok_visa")]
    {
        let Some(standin) = start(kind) else { continue };
        let plugin = Plugin::new(standin.port, settings);
        // The tests' refunds are made for the line of `k1`; for the other payment they are a stranger's.
        for (key, anew) in [("k1", Told::NotFound), ("k2", Told::Unknown("worth less".into()))] {
            let wanted = Wanted::new(key, card);
            let Told::Taken(payment) = plugin.charge(&wanted) else { panic!("not taken") };
            assert!(matches!(plugin.refund(&payment, "5.00", &format!("r-{key}")), Told::Taken(_)));
            let restored = Wanted { key: format!("{key}-anew"), ..wanted.clone() };
            let found = plugin.find_at(&restored, NOW, SINCE);
            assert_eq!(std::mem::discriminant(&found), std::mem::discriminant(&anew), "{kind:?} {key}: {found:?}");
            let rest = Wanted { amount: "15.00".into(), ..restored };
            let found = plugin.find_at(&rest, NOW, SINCE);
            assert_eq!(found, if key == "k1" { Told::NotFound } else { Told::Taken(payment) }, "{kind:?}");
            assert!(matches!(plugin.find(&wanted, None), Told::Unknown(_)), "{kind:?} {key}");
        }
    }
}

#[test]
fn a_cardholder_whom_nobody_can_reach_is_not_waited_for() {
    let Some(standin) = start(Kind::LocalStripe) else { return };
    let plugin = Plugin::new(standin.port, "");
    let wanted = Wanted::new("k1", &saved_card(&standin, "4000002500003155"));
    assert_eq!(plugin.charge(&wanted), declined("authentication-required"));
    assert_eq!(with_key(&standin, "k1"), ["canceled"]);
}

#[test]
fn refunds_are_made_once_for_each_key() {
    let Some(standin) = start(Kind::LocalStripe) else { return };
    let plugin = Plugin::new(standin.port, "");
    let Told::Taken(payment) = plugin.charge(&Wanted::new("k1", CARD)) else { panic!("not taken") };
    let Told::Taken(first) = plugin.refund(&payment, "5.00", "r1") else { panic!("not given back") };
    assert_eq!(
        plugin.refund(&payment, "5.00", "r1"),
        Told::Taken(first.clone()),
        "this gateway knows no idempotency keys"
    );
    let Told::Taken(rest) = plugin.refund(&payment, "15.00", "r2") else { panic!("not given back") };
    let made = standin.ask("GET", "/v1/refunds?limit=100", "").json()["data"].as_array().unwrap().len();
    assert_eq!((made, first == rest), (2, false));
    let own = Wanted::new("k1", CARD);
    let found = plugin.find(&own, None);
    assert!(matches!(&found, Told::Unknown(why) if why.contains("given back")), "{found:?}");
    assert_eq!(plugin.find_at(&own, NOW, SINCE), declined("refunded"));
    assert_eq!(plugin.find_at(&Wanted { key: "k2".into(), ..own }, NOW, SINCE), Told::NotFound, "wholly given back");
    assert!(matches!(plugin.refund("pi_00000000000000", "5.00", "r3"), Told::Declined(_)));
}

#[test]
fn a_wrong_secret_takes_no_money_and_says_so() {
    let Some(standin) = start(Kind::LocalStripe) else { return };
    let plugin = Plugin::with_secret(standin.port, "", "no-such-secret");
    let wanted = Wanted::new("k1", CARD);
    assert_eq!(plugin.charge(&wanted), declined("gateway-auth"));
    assert!(matches!(plugin.find(&wanted, None), Told::Unknown(_)));
    assert_eq!(paid(&standin, "k1"), 0);
}

/// A store that was restored from an old backup does not know the payment, its order or its key, only what it is about to
/// renew; and it asks months later.
#[test]
fn a_restored_store_finds_an_old_payment_by_its_line_alone() {
    for (kind, settings, card) in
        [(Kind::LocalStripe, "", CARD), (Kind::StatefulMock, r#""mode":"charges""#, "tok_visa")]
    {
        let Some(standin) = start(kind) else { continue };
        let plugin = Plugin::new(standin.port, settings);
        let lost = Wanted::new("lost", card);
        let Told::Taken(reference) = plugin.charge(&lost) else { panic!("not taken") };
        let (later, before) = ("2099-03-01T10:00:00Z", Some("2020-01-01T00:00:00Z"));
        let anew = Wanted { key: "anew".into(), ..lost.clone() };
        assert_eq!(plugin.find_at(&anew, later, before), Told::Taken(reference.clone()), "{kind:?}");
        let another = Wanted::new("another", card);
        assert_eq!(plugin.find_at(&another, later, before), Told::NotFound, "{kind:?}");
        assert!(matches!(plugin.refund(&reference, "20.00", "r1"), Told::Taken(_)));
        assert_eq!(plugin.find_at(&anew, later, before), Told::NotFound, "{kind:?}: wholly given back");
        assert_eq!(plugin.find_at(&lost, later, before), declined("refunded"), "{kind:?}: the key is used up");
    }
}

/// The first attempt of an order was declined, the second was paid; then the store was lost. Asked for the first, the
/// plugin told only that it had been declined, and the line was charged again.
#[test]
fn a_restored_store_finds_the_attempt_that_was_paid_behind_one_that_was_declined() {
    for (kind, settings, cards) in [
        (Kind::LocalStripe, "", ["pm_card_chargeCustomerFail", CARD]),
        (Kind::StatefulMock, r#""mode":"charges""#, ["tok_chargeDeclined", "tok_visa"]),
    ] {
        let Some(standin) = start(kind) else { continue };
        let plugin = Plugin::new(standin.port, settings);
        let first = Wanted::new("attempt-1", cards[0]);
        let second = Wanted { key: "attempt-2".into(), reference: cards[1].into(), ..first.clone() };
        assert!(matches!(plugin.charge(&first), Told::Declined(_)));
        assert!(matches!(plugin.find_at(&first, NOW, SINCE), Told::Declined(_)));
        let Told::Taken(reference) = plugin.charge(&second) else { panic!("not taken") };
        assert_eq!(plugin.find_at(&first, NOW, SINCE), Told::Taken(reference), "{kind:?}");
        assert!(matches!(plugin.find(&first, None), Told::Declined(_)), "{kind:?}: of itself, it stays declined");
    }
}

/// With pages of 20, forty of them at most, these were more than could be looked through, and nothing could be charged.
#[test]
fn more_than_eight_hundred_payments_are_looked_through() {
    let Some(standin) = start(Kind::LocalStripe) else { return };
    let plugin = Plugin::new(standin.port, "");
    let form = format!("amount=2000&currency=usd&payment_method={CARD}&confirm=true&metadata[renewd_key]=another");
    let missing = Wanted::new("missing", CARD);
    (0..840).for_each(|_| assert_eq!(standin.ask("POST", PATH, &form).status, 200));
    assert_eq!(plugin.find(&missing, None), Told::NotFound);
    assert_eq!(plugin.find_at(&missing, NOW, SINCE), Told::NotFound);
}
