//! Requests that reach the gateway only in part, and looks, refunds and cancels whose replies are cut: nothing is done
//! twice, and nothing is told that the gateway did not say.

use crate::cuts::{LOCAL_STRIPE, STATEFUL_MOCK, agrees, by_key};
use crate::plugin::Plugin;
use crate::{Told, Wanted, start};
use renewd_tests::fault_proxy::{Fate, FaultProxy};
use renewd_tests::standins::Kind;
use std::collections::BTreeSet;

/// Into how many parts each request or reply is cut.
const PARTS: usize = 40;

/// Cuts at points spread over so many bytes, the first before the first byte and the last before the last.
fn spread(bytes: usize) -> impl Iterator<Item = usize> {
    (0..PARTS).map(move |part| part * (bytes - 1) / (PARTS - 1))
}

fn is_unknown(told: &Told) -> bool {
    matches!(told, Told::Unknown(_))
}

#[test]
fn a_request_of_which_only_a_part_arrives_is_unknown_and_takes_nothing() {
    for gateway in [LOCAL_STRIPE, STATEFUL_MOCK] {
        let Some(standin) = start(gateway.kind) else { continue };
        let proxy = FaultProxy::start(standin.port);
        let plugin = Plugin::new(proxy.port, gateway.config);
        let key = |number: usize| Wanted::new(&format!("key-{number:03}"), gateway.good);
        assert!(matches!(plugin.charge(&key(999)), Told::Taken(_)));
        let length = proxy.last_request_bytes();
        let mut asked = Vec::new();
        for (number, bytes) in spread(length).chain([length]).enumerate() {
            proxy.next(&[Fate::CutRequest(bytes)]);
            let told = plugin.charge(&key(number));
            assert_eq!(proxy.last_request_bytes(), length);
            assert!(is_unknown(&told), "{bytes} of {length} bytes: {told:?}");
            asked.push((key(number), bytes));
        }
        let ledger = by_key(&standin);
        for (wanted, bytes) in asked {
            let statuses = ledger.get(&wanted.key).cloned().unwrap_or_default();
            assert_eq!(statuses.len(), usize::from(bytes == length), "{:?}: {bytes} bytes", gateway.kind);
            let found = plugin.find(&wanted, None);
            assert!(agrees(&found, &statuses), "{bytes} bytes: {found:?}, and there is {statuses:?}");
        }
    }
}

#[test]
fn a_refund_of_which_a_reply_is_cut_is_unknown_and_made_once() {
    for gateway in [LOCAL_STRIPE, STATEFUL_MOCK] {
        let Some(standin) = start(gateway.kind) else { continue };
        let proxy = FaultProxy::start(standin.port);
        let plugin = Plugin::new(proxy.port, gateway.config);
        let told = plugin.charge(&Wanted::new("k1", gateway.good));
        let Told::Taken(payment) = told else { panic!("{:?}: {told:?}", gateway.kind) };
        let refund = |number: usize| plugin.refund(&payment, "0.10", &format!("r-{number:03}"));
        let find = |number: usize| plugin.find_refund(&payment, "0.10", &format!("r-{number:03}"));
        assert!(matches!(refund(999), Told::Taken(_)));
        let made_bytes = proxy.last_reply_bytes();
        let worse = [Fate::LoseReply, Fate::LoseRequest];
        let fates: Vec<Fate> = spread(made_bytes).map(Fate::Cut).chain(worse).collect();
        for (number, fate) in fates.iter().copied().enumerate() {
            assert_eq!(find(number), Told::NotFound);
            let list_bytes = proxy.last_reply_bytes();
            let look = Fate::Cut(number * (list_bytes - 1) / fates.len());
            proxy.next(&[look]);
            assert!(is_unknown(&refund(number)), "{look:?}: what was made before is not known");
            proxy.next(&[Fate::Pass, fate]);
            assert!(is_unknown(&refund(number)), "{fate:?}");
            let found = find(number);
            assert_eq!(matches!(found, Told::Taken(_)), fate != Fate::LoseRequest, "{fate:?}: {found:?}");
            let look = Fate::Cut(number * (proxy.last_reply_bytes() - 1) / fates.len());
            proxy.next(&[look]);
            assert!(is_unknown(&find(number)), "{look:?}");
            assert!(matches!(refund(number), Told::Taken(_)), "{fate:?}");
            assert!(proxy.is_spent());
        }
        let refunds = standin.ask("GET", "/v1/refunds?limit=100", "").json();
        let refunds = refunds["data"].as_array().unwrap();
        let keys: BTreeSet<&str> = refunds.iter().map(|it| it["metadata"]["renewd_key"].as_str().unwrap()).collect();
        assert_eq!((refunds.len(), keys.len()), (fates.len() + 1, fates.len() + 1), "{:?}", gateway.kind);
    }
}

#[test]
fn a_cancel_of_which_a_reply_is_cut_is_unknown_and_done_by_the_next() {
    let Some(standin) = start(Kind::LocalStripe) else { return };
    let proxy = FaultProxy::start(standin.port);
    let plugin = Plugin::new(proxy.port, LOCAL_STRIPE.config);
    let open = |number: usize| {
        let key = format!("key-{number:03}");
        let form = format!("amount=2000&currency=usd&payment_method=pm_card_visa&metadata[renewd_key]={key}");
        let made = standin.ask("POST", "/v1/payment_intents", &form).json();
        (Wanted::new(&key, LOCAL_STRIPE.good), made["id"].as_str().unwrap().to_owned())
    };
    let (wanted, reference) = open(999);
    assert_eq!(plugin.cancel(&wanted, Some(&reference)), Told::Canceled);
    let length = proxy.last_reply_bytes();
    let worse = [Fate::LoseReply, Fate::LoseRequest];
    for (number, fate) in spread(length).map(Fate::Cut).chain(worse).enumerate() {
        let (wanted, reference) = open(number);
        let cancel = || plugin.cancel(&wanted, Some(&reference));
        // The look before it: nothing was canceled.
        proxy.next(&[fate]);
        assert!(is_unknown(&cancel()), "{fate:?}");
        assert_eq!(plugin.find(&wanted, Some(&reference)), Told::Pending(reference.clone()), "{fate:?}");
        proxy.next(&[Fate::Pass, fate]);
        assert!(is_unknown(&cancel()), "{fate:?}");
        let found = plugin.find(&wanted, Some(&reference));
        let canceled = matches!(&found, Told::Declined(code) if code == "canceled");
        assert_eq!(canceled, fate != Fate::LoseRequest, "{fate:?}: {found:?}");
        assert_eq!(cancel(), Told::Canceled, "{fate:?}");
        assert_eq!(crate::with_key(&standin, &wanted.key), ["canceled"], "{fate:?}");
    }
}

/// In the mode that knows no canceling, only looking tells.
#[test]
fn a_cancel_that_only_looks_is_unknown_where_its_reply_is_cut() {
    let Some(standin) = start(Kind::StatefulMock) else { return };
    let proxy = FaultProxy::start(standin.port);
    let plugin = Plugin::new(proxy.port, STATEFUL_MOCK.config);
    let wanted = Wanted::new("k1", STATEFUL_MOCK.good);
    let Told::Taken(reference) = plugin.charge(&wanted) else { panic!("not taken") };
    let taken = Told::Taken(reference.clone());
    assert_eq!(plugin.cancel(&wanted, Some(&reference)), taken);
    for bytes in spread(proxy.last_reply_bytes()) {
        proxy.next(&[Fate::Cut(bytes)]);
        assert!(is_unknown(&plugin.cancel(&wanted, Some(&reference))), "{bytes}");
    }
    assert_eq!(plugin.cancel(&wanted, Some(&reference)), taken);
}

#[test]
fn a_look_by_reference_that_is_cut_anywhere_is_unknown() {
    for gateway in [LOCAL_STRIPE, STATEFUL_MOCK] {
        let Some(standin) = start(gateway.kind) else { continue };
        let proxy = FaultProxy::start(standin.port);
        let plugin = Plugin::new(proxy.port, gateway.config);
        let wanted = Wanted::new("k1", gateway.good);
        let Told::Taken(reference) = plugin.charge(&wanted) else { panic!("not taken") };
        let before = proxy.heads().len();
        let taken = plugin.find(&wanted, Some(&reference));
        assert_eq!(taken, Told::Taken(reference.clone()));
        let exchanges = proxy.heads().len() - before;
        let length = proxy.last_reply_bytes();
        for at in 0..exchanges {
            for bytes in spread(length) {
                let mut fates = vec![Fate::Pass; at];
                fates.push(Fate::Cut(bytes));
                proxy.next(&fates);
                let found = plugin.find(&wanted, Some(&reference));
                assert!(is_unknown(&found), "{:?}: {bytes} of {length} bytes: {found:?}", gateway.kind);
                assert!(proxy.is_spent());
            }
        }
        assert_eq!(plugin.find(&wanted, Some(&reference)), taken);
    }
}
