//! Exchanges that are lost, late, doubled, or cut at every part of the reply: afterwards the plugin tells the truth, and
//! no key and no line is paid twice.

use crate::plugin::Plugin;
use crate::{Told, Wanted, start};
use renewd_tests::fault_proxy::{Fate, FaultProxy};
use renewd_tests::fragment::{Fragment, forget};
use renewd_tests::standins::{Kind, SECRET, StandIn};
use renewd_tests::wire;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

/// How many replies of each gateway are cut; `RENEWD_CUTS` asks for more.
const CUTS: usize = 200;
/// How many exchanges one gateway gets: every look at one of the stand-ins reads all that it has.
const PER_ROUND: usize = 50;
/// After every so many cuts there is an exchange with another fate; those count beside the cuts.
const CUTS_PER_OTHER: usize = 9;
const OTHERS: [Fate; 4] = [Fate::LoseRequest, Fate::LoseReply, Fate::Late(Duration::from_millis(50)), Fate::Twice];

pub(crate) struct Gateway {
    pub(crate) kind: Kind,
    suite: &'static str,
    pub(crate) config: &'static str,
    pub(crate) good: &'static str,
    bad: &'static str,
}

pub(crate) const LOCAL_STRIPE: Gateway = Gateway {
    kind: Kind::LocalStripe,
    suite: "cuts-localstripe",
    config: "",
    good: "pm_card_visa",
    bad: "pm_card_chargeCustomerFail",
};
pub(crate) const STATEFUL_MOCK: Gateway = Gateway {
    kind: Kind::StatefulMock,
    suite: "cuts-stripe-stateful-mock",
    config: r#""mode":"charges""#,
    good: "tok_visa",
    bad: "tok_chargeDeclinedInsufficientFunds",
};

/// Statuses by key, as the gateway lists them.
pub(crate) fn by_key(standin: &StandIn) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    for payment in standin.ledger() {
        found.entry(text(&payment["metadata"]["renewd_key"])).or_default().push(text(&payment["status"]));
    }
    found
}

pub(crate) fn agrees(told: &Told, statuses: &[String]) -> bool {
    let paid = statuses.iter().filter(|status| *status == "succeeded").count();
    match told {
        Told::Taken(_) => paid == 1,
        Told::Declined(_) => paid == 0 && !statuses.is_empty(),
        Told::NotFound => statuses.is_empty(),
        Told::Pending(_) | Told::Action(_) | Told::Canceled | Told::Unknown(_) => false,
    }
}

fn cuts() -> usize {
    let asked = std::env::var("RENEWD_CUTS").ok();
    asked.map_or(CUTS, |text| text.parse().expect("`RENEWD_CUTS` is a count"))
}

/// What is done to one exchange.
#[derive(Debug, Clone, Copy)]
enum Plan {
    /// The cut of that number, of all that are spread evenly over the reply.
    Cut(usize),
    Other(Fate),
}

impl Plan {
    fn fate(self, reply_bytes: usize) -> Fate {
        match self {
            Self::Cut(number) => Fate::Cut(number * reply_bytes / cuts()),
            Self::Other(fate) => fate,
        }
    }
}

fn plans() -> Vec<Plan> {
    let others = OTHERS.into_iter().cycle();
    let cuts: Vec<Plan> = (0..cuts()).map(Plan::Cut).collect();
    let groups = cuts.chunks(CUTS_PER_OTHER).zip(others);
    groups.flat_map(|(cuts, other)| cuts.iter().copied().chain([Plan::Other(other)])).collect()
}

/// What came of all exchanges with one gateway.
#[derive(Debug, Default)]
struct Tally {
    cut: usize,
    others: usize,
    unknown: usize,
    lost: usize,
    doubled: usize,
}

/// An order, what was done to its exchange, and what the plugin said then.
type Disturbed = (Wanted, Fate, Told);

fn disturbed_exchanges(gateway: &Gateway) {
    forget(gateway.suite);
    let mut tally = Tally::default();
    let plans = plans();
    let rounds = plans.len().div_ceil(PER_ROUND);
    for round in 0..rounds {
        let Some(standin) = start(gateway.kind) else { return };
        let proxy = FaultProxy::start(standin.port);
        let plugin = Plugin::new(proxy.port, gateway.config);
        let numbered: Vec<(usize, Plan)> = plans.iter().copied().enumerate().skip(round).step_by(rounds).collect();
        let orders = disturbed(gateway, &plugin, &proxy, &numbered);
        tally.cut += orders.iter().filter(|(_, fate, _)| matches!(fate, Fate::Cut(_))).count();
        tally.others += orders.iter().filter(|(_, fate, _)| !matches!(fate, Fate::Cut(_))).count();
        tally.unknown += orders.iter().filter(|(.., told)| matches!(told, Told::Unknown(_))).count();
        truth_is_told(gateway, &plugin, &standin, &orders);
        count_payments(gateway, &standin, &orders, &mut tally);
    }
    let Tally { cut, others, unknown, lost, doubled } = tally;
    let note = format!(
        "replies of a stand-in that nobody here wrote, cut at points spread over all of the reply; beside them \
         {others} exchanges lost, late or doubled; {unknown} of all unknown at first"
    );
    tell(&format!("{:?}: {cut} {note}; {lost} lost, {doubled} doubled", gateway.kind));
    let [tried, lost, doubled] = [cut, lost, doubled].map(|count| count as u64);
    Fragment { suite: gateway.suite.into(), tried, lost, doubled, note, ..Fragment::default() }.write();
    assert_eq!((lost, doubled), (0, 0));
    assert!(cut >= cuts() && others >= cut / CUTS_PER_OTHER, "{cut} cuts, {others} others");
    // Every cut, and what was lost altogether: half of the others.
    assert!(unknown >= cut + others / 2 - 1, "{unknown} of {cut} cuts and {others} others were noticed");
}

/// Written past the test harness, which would swallow it.
fn tell(line: &str) {
    _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// One round of charges, every fifth with a card that is refused.
fn disturbed(gateway: &Gateway, plugin: &Plugin, proxy: &FaultProxy, numbered: &[(usize, Plan)]) -> Vec<Disturbed> {
    // All keys are equally long, and with them all replies.
    let lengths = [("key-good", gateway.good), ("key-evil", gateway.bad)].map(|(key, card)| {
        let told = plugin.charge(&Wanted::new(key, card));
        assert!(!matches!(told, Told::Unknown(_)), "{told:?}");
        proxy.last_reply_bytes()
    });
    let mut orders = Vec::new();
    for (index, (number, plan)) in numbered.iter().enumerate() {
        let bad = index % 5 == 4;
        let card = if bad { gateway.bad } else { gateway.good };
        let wanted = Wanted::new(&format!("key-{:04}", number + 1), card);
        let fate = plan.fate(lengths[usize::from(bad)]);
        proxy.next(&[fate]);
        let told = plugin.charge(&wanted);
        assert!(proxy.is_spent());
        if let Fate::Cut(bytes) = fate {
            let length = proxy.last_reply_bytes();
            assert!(bytes < length, "nothing was cut off: {bytes} of {length} bytes");
            assert!(matches!(told, Told::Unknown(_)), "{bytes} of {length} bytes: {told:?}");
        }
        orders.push((wanted, fate, told));
    }
    orders
}

/// What was said at once and what is found later agree with the gateway's own list; what is missing is paid anew.
fn truth_is_told(gateway: &Gateway, plugin: &Plugin, standin: &StandIn, orders: &[Disturbed]) {
    let ledger = by_key(standin);
    let none = Vec::new();
    for (wanted, fate, told) in orders {
        let statuses = ledger.get(&wanted.key).unwrap_or(&none);
        let certain = !matches!(told, Told::Unknown(_));
        assert!(!certain || agrees(told, statuses), "{fate:?}: told {told:?}, and there is {statuses:?}");
        let found = plugin.find(wanted, None);
        assert!(agrees(&found, statuses), "{fate:?}: found {found:?}, and there is {statuses:?}");
        if found == Told::NotFound {
            let again = Wanted { key: format!("{}-again", wanted.key), ..wanted.clone() };
            let told = plugin.charge(&again);
            assert_eq!(matches!(told, Told::Taken(_)), wanted.reference == gateway.good, "{told:?}");
        }
    }
}

/// How often each line was paid, as the gateway has it.
fn count_payments(gateway: &Gateway, standin: &StandIn, orders: &[Disturbed], tally: &mut Tally) {
    let mut paid: BTreeMap<String, usize> = BTreeMap::new();
    for payment in standin.ledger().iter().filter(|payment| payment["status"] == "succeeded") {
        let line = payment["metadata"]["renewd_lines_0"].as_str().unwrap();
        *paid.entry(line.to_owned()).or_default() += 1;
    }
    for (order, fate, _) in orders {
        let wanted = usize::from(order.reference == gateway.good);
        let paid = paid.get(&order.line).copied().unwrap_or(0);
        tally.lost += wanted.saturating_sub(paid);
        tally.doubled += paid.saturating_sub(wanted);
        if paid != wanted {
            tell(&format!("{fate:?}: paid {paid} times: {order:?}"));
        }
    }
}

#[test]
fn two_hundred_cut_intents_are_told_truly_and_paid_once() {
    disturbed_exchanges(&LOCAL_STRIPE);
}

#[test]
fn two_hundred_cut_charges_are_told_truly_and_paid_once() {
    disturbed_exchanges(&STATEFUL_MOCK);
}

#[test]
fn a_search_that_is_cut_anywhere_is_unknown_and_never_not_found() {
    for gateway in [LOCAL_STRIPE, STATEFUL_MOCK] {
        let Some(standin) = start(gateway.kind) else { continue };
        let proxy = FaultProxy::start(standin.port);
        let plugin = Plugin::new(proxy.port, gateway.config);
        let there = Wanted::new("there", gateway.good);
        assert!(matches!(plugin.charge(&there), Told::Taken(_)));
        let taken = plugin.find(&there, None);
        assert!(matches!(taken, Told::Taken(_)));
        let length = proxy.last_reply_bytes();
        for number in 0..=60 {
            let cut = Fate::Cut(number * length / 60);
            for fates in [[cut, cut], [Fate::Pass, cut]] {
                proxy.next(&fates);
                let found = plugin.find(&there, None);
                assert!(found == taken || matches!(found, Told::Unknown(_)), "{fates:?}: {found:?}");
                proxy.next(&fates);
                let missing = plugin.find(&Wanted::new("missing", gateway.good), None);
                let whole = number == 60;
                assert!(
                    matches!(missing, Told::Unknown(_)) || whole && missing == Told::NotFound,
                    "{fates:?}: {missing:?}"
                );
            }
        }
        proxy.next(&[]);
    }
}

#[test]
fn a_request_that_reaches_the_gateway_twice_is_paid_once_where_keys_are_held() {
    let Some(standin) = start(Kind::StatefulMock) else { return };
    let proxy = FaultProxy::start(standin.port);
    let plugin = Plugin::new(proxy.port, STATEFUL_MOCK.config);
    for number in 0..20 {
        proxy.next(&[Fate::AskTwice]);
        let wanted = Wanted::new(&format!("key-{number}"), STATEFUL_MOCK.good);
        assert!(matches!(plugin.charge(&wanted), Told::Taken(_)));
        assert_eq!(crate::paid(&standin, &wanted.key), 1);
    }
}

#[test]
fn a_reply_that_comes_too_late_is_unknown_and_the_money_is_found() {
    let Some(standin) = start(Kind::StatefulMock) else { return };
    let proxy = FaultProxy::start(standin.port);
    let plugin = Plugin::impatient(proxy.port, STATEFUL_MOCK.config, Duration::from_millis(500));
    let wanted = Wanted::new("k1", STATEFUL_MOCK.good);
    proxy.next(&[Fate::Late(Duration::from_secs(2))]);
    let told = plugin.charge(&wanted);
    assert!(matches!(told, Told::Unknown(_)), "{told:?}");
    assert!(matches!(plugin.find(&wanted, None), Told::Taken(_)));
    assert_eq!(crate::paid(&standin, "k1"), 1);
}

#[test]
fn the_gateway_gets_the_secret_and_the_plugin_never_had_it() {
    for gateway in [LOCAL_STRIPE, STATEFUL_MOCK] {
        let Some(standin) = start(gateway.kind) else { continue };
        let proxy = FaultProxy::start(standin.port);
        let plugin = Plugin::new(proxy.port, gateway.config);
        let (told, remembered) = plugin.charge_remembered(&Wanted::new("k1", gateway.good));
        assert!(matches!(told, Told::Taken(_)), "{told:?}");
        let heads = proxy.heads();
        let sent = wire::header(&heads[0], "authorization").unwrap();
        assert_eq!(sent, format!("Bearer {SECRET}"));
        assert!(!heads[0].contains("{{"));
        assert!(remembered.contains("{{secret:stripe-key}}") && !remembered.contains(SECRET), "{remembered}");
    }
}

/// Without the version, an account's own default decides what the objects look like.
#[test]
fn every_request_names_the_version_of_the_api() {
    for gateway in [LOCAL_STRIPE, STATEFUL_MOCK] {
        let Some(standin) = start(gateway.kind) else { continue };
        let proxy = FaultProxy::start(standin.port);
        let plugin = Plugin::new(proxy.port, gateway.config);
        let wanted = Wanted::new("k1", gateway.good);
        let Told::Taken(payment) = plugin.charge(&wanted) else { panic!("not taken") };
        plugin.find(&wanted, None);
        plugin.find(&wanted, Some(&payment));
        plugin.find_at(&wanted, "2026-11-23T10:00:00+08:00", Some("2020-01-01T00:00:00Z"));
        plugin.cancel(&wanted, Some(&payment));
        plugin.refund(&payment, "5.00", "r1");
        plugin.find_refund(&payment, "5.00", "r1");
        plugin.charge(&Wanted::new("k2", gateway.bad));
        if gateway.kind == Kind::LocalStripe {
            standin.ask("POST", "/v1/payment_intents", "amount=2000&currency=usd&metadata[renewd_key]=k3");
            assert_eq!(plugin.cancel(&Wanted::new("k3", gateway.good), None), Told::Canceled);
        }
        let heads = proxy.heads();
        assert!(heads.len() >= 9, "{heads:?}");
        for head in heads {
            assert_eq!(wire::header(&head, "stripe-version"), Some("2024-06-20"), "{head}");
        }
    }
}
