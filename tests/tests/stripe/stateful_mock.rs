//! Plain charges at stripe-stateful-mock, which holds an idempotency key to the request that it was first used for.

use crate::plugin::Plugin;
use crate::{Told, Wanted, declined, paid, start, with_key};
use renewd_tests::standins::Kind;

const CHARGES: &str = r#""mode":"charges""#;

#[test]
fn the_same_key_takes_the_money_once() {
    let Some(standin) = start(Kind::StatefulMock) else { return };
    let plugin = Plugin::new(standin.port, CHARGES);
    let wanted = Wanted::new("k1", "tok_visa");
    let Told::Taken(reference) = plugin.charge(&wanted) else { panic!("not taken") };
    assert_eq!(plugin.charge(&wanted), Told::Taken(reference.clone()), "replayed by the gateway");
    let dearer = Wanted { amount: "21.00".into(), ..wanted.clone() };
    assert!(matches!(plugin.charge(&dearer), Told::Unknown(_)), "the key belongs to another request");
    assert_eq!(paid(&standin, "k1"), 1);
    assert_eq!(plugin.find(&wanted, None), Told::Taken(reference.clone()));
    assert!(matches!(plugin.find(&dearer, None), Told::Unknown(_)), "found, with another amount");
    assert_eq!(plugin.cancel(&wanted, None), Told::Taken(reference));
    assert_eq!(plugin.find(&Wanted::new("k2", "tok_visa"), None), Told::NotFound);
}

#[test]
fn every_test_card_is_told_as_what_it_is() {
    let Some(standin) = start(Kind::StatefulMock) else { return };
    let plugin = Plugin::new(standin.port, CHARGES);
    let cards = [
        ("tok_chargeDeclined", "generic-decline"),
        ("tok_chargeDeclinedInsufficientFunds", "insufficient-funds"),
        ("tok_chargeDeclinedFraudulent", "fraudulent"),
        ("tok_chargeDeclinedIncorrectCvc", "incorrect-cvc"),
        ("tok_chargeDeclinedExpiredCard", "expired-card"),
        ("tok_chargeDeclinedProcessingError", "processing-error"),
    ];
    for (card, code) in cards {
        let wanted = Wanted::new(card, card);
        assert_eq!(plugin.charge(&wanted), declined(code), "{card}");
        assert_eq!(with_key(&standin, card), ["failed"], "{card}");
        let found = plugin.find(&wanted, None);
        assert!(matches!(found, Told::Declined(_)), "{card}: {found:?}");
    }
}

#[test]
fn trouble_at_the_gateway_is_unknown() {
    let Some(standin) = start(Kind::StatefulMock) else { return };
    let plugin = Plugin::new(standin.port, CHARGES);
    // The last is no token at all, and this gateway falls over it.
    for card in ["tok_429", "tok_500", "tok_nonexistent"] {
        let wanted = Wanted::new(card, card);
        assert!(matches!(plugin.charge(&wanted), Told::Unknown(_)), "{card}");
        assert_eq!(plugin.find(&wanted, None), Told::NotFound, "{card}");
    }
}

#[test]
fn a_saved_card_of_a_customer_is_charged() {
    let Some(standin) = start(Kind::StatefulMock) else { return };
    let plugin = Plugin::new(standin.port, CHARGES);
    let customer = standin.ask("POST", "/v1/customers", "source=tok_visa").json();
    let (id, card) = (customer["id"].as_str().unwrap(), customer["default_source"].as_str().unwrap());
    for (key, reference) in [("k1", id.to_owned()), ("k2", format!("{id}/{card}"))] {
        assert!(matches!(plugin.charge(&Wanted::new(key, &reference)), Told::Taken(_)), "{reference}");
        assert_eq!(paid(&standin, key), 1);
    }
}

#[test]
fn a_charge_is_given_back_in_parts_but_never_beyond_itself() {
    let Some(standin) = start(Kind::StatefulMock) else { return };
    let plugin = Plugin::new(standin.port, CHARGES);
    let wanted = Wanted::new("k1", "tok_visa");
    let Told::Taken(payment) = plugin.charge(&wanted) else { panic!("not taken") };
    let Told::Taken(first) = plugin.refund(&payment, "5.00", "r1") else { panic!("not given back") };
    assert_eq!(plugin.refund(&payment, "5.00", "r1"), Told::Taken(first));
    assert!(matches!(plugin.refund(&payment, "15.01", "r2"), Told::Declined(_)), "more than is left");
    assert!(matches!(plugin.refund(&payment, "15.00", "r3"), Told::Taken(_)));
    assert_eq!(plugin.refund(&payment, "1.00", "r4"), declined("charge-already-refunded"));
    let charge = standin.ask("GET", &format!("/v1/charges/{payment}"), "").json();
    assert_eq!(charge["amount_refunded"], 2000);
    assert!(matches!(plugin.find(&wanted, None), Told::Unknown(_)), "wholly given back, and not by this order");
}

#[test]
fn a_wrong_secret_takes_no_money_and_says_so() {
    let Some(standin) = start(Kind::StatefulMock) else { return };
    let plugin = Plugin::with_secret(standin.port, CHARGES, "no-such-secret");
    assert_eq!(plugin.charge(&Wanted::new("k1", "tok_visa")), declined("gateway-auth"));
    assert_eq!(paid(&standin, "k1"), 0);
}
