//! Payment intents at localstripe: payments, declines, confirmation by the cardholder, refunds.

use crate::plugin::Plugin;
use crate::{Told, Wanted, declined, paid, start, with_key};
use renewd_tests::standins::{Kind, StandIn};

const CARD: &str = "pm_card_visa";
const PATH: &str = "/v1/payment_intents";

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
    assert_eq!(plugin.find(&stranger, None), Told::Taken(reference), "the same line under another key");
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
    assert_eq!(
        plugin.find(&Wanted { key: "k2".into(), ..Wanted::new("k1", CARD) }, None),
        Told::NotFound,
        "wholly given back"
    );
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
    }
}

#[test]
fn six_hundred_and_forty_payments_are_looked_through_and_a_longer_list_is_unknown_never_not_found() {
    let Some(standin) = start(Kind::LocalStripe) else { return };
    let plugin = Plugin::new(standin.port, "");
    let form = format!("amount=2000&currency=usd&payment_method={CARD}&confirm=true&metadata[renewd_key]=another");
    let missing = Wanted::new("missing", CARD);
    let pay = |count: usize| (0..count).for_each(|_| assert_eq!(standin.ask("POST", PATH, &form).status, 200));
    pay(640);
    assert_eq!(plugin.find(&missing, None), Told::NotFound);
    pay(200);
    let found = plugin.find(&missing, None);
    assert!(matches!(found, Told::Unknown(_)), "{found:?}");
}
