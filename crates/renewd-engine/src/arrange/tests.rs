//! From quotes to orders: adoption, grouping, the bound of lines, and `maxTotal`.

use super::{Arrangement, Ask, arrange};
use crate::fixtures::*;
use renewd_core::calendar::Term;
use renewd_core::documents::Pattern;
use renewd_core::event::Event;
use renewd_core::money::Money;
use renewd_core::order::{OrderStatus, Origin};
use renewd_core::quote::{Quote, Wish};
use renewd_core::refusal::Reason;

fn ask(world: &World) -> Ask {
    Ask { origin: Origin::Manual, pay_with: None, max_total: None, now: world.now, next_sequence: 100 }
}

fn quotes(world: &World, names: &[&str]) -> Vec<Quote> {
    names.iter().map(|name| world.quote(name, 1)).collect()
}

/// Arranges in the world itself.
fn arranged(world: &mut World, quotes: &[Quote], ask: &Ask) -> Arrangement {
    let mut state = world.state.clone();
    let arrangement = arrange(&mut state, quotes, ask);
    world.apply(&arrangement.events);
    assert_eq!(world.state, state, "the events say all that was applied");
    arrangement
}

fn seats(world: &mut World, count: usize) -> Vec<Quote> {
    let names: Vec<String> = (0..count).map(|number| format!("seat-{number:03}")).collect();
    for name in &names {
        let resource = Box::new(resource(name, "2026-11-20T23:59:59"));
        world.apply(&[Event::ResourceAdded { resource }]);
    }
    names.iter().map(|name| world.quote(name, 1)).collect()
}

#[test]
fn a_selection_becomes_orders_of_at_most_100_lines_with_ids_of_their_own() {
    for (count, expected) in [(1, vec![1]), (100, vec![100]), (101, vec![100, 1]), (250, vec![100, 100, 50])] {
        let mut world = World::new();
        let quotes = seats(&mut world, count);
        let ask = ask(&world);
        let arrangement = arranged(&mut world, &quotes, &ask);
        let lines: Vec<usize> = arrangement.placed.iter().map(|order| order.lines.len()).collect();
        assert_eq!(lines, expected);
        let mut ids: Vec<_> = arrangement.placed.iter().map(|order| &order.id).collect();
        ids.dedup();
        assert_eq!(ids.len(), expected.len());
    }
}

/// The second order of a selection counts towards the same month as the first.
#[test]
fn each_order_of_a_selection_counts_towards_the_limits_of_the_next() {
    let mut world = World::new();
    world.edit_account(|account| account.limits.per_month = Some(money("2000 USD")));
    let quotes = seats(&mut world, 101);
    let ask = ask(&world);
    let arrangement = arranged(&mut world, &quotes, &ask);
    let held: Vec<bool> = arrangement.placed.iter().map(|order| order.status == OrderStatus::Held).collect();
    assert_eq!(held, [false, true], "100 cost exactly 2,000.00 USD");
}

#[test]
fn soonest_expiry_comes_first_and_method_lists_are_kept_apart() {
    let mut world = World::new();
    let mut other = policy();
    other.name = "by-card".parse().unwrap();
    other.priority = 1;
    other.matcher.ids = vec![Pattern::new("phone-3")];
    other.payment = Some(vec!["card".parse().unwrap()]);
    world.set_policy(other);
    world.edit_resource("phone-2", |resource| resource.end = end("2026-11-10T23:59:59"));
    let quotes = quotes(&world, &["phone-1", "phone-2", "phone-3"]);
    let ask = ask(&world);
    let arrangement = arranged(&mut world.clone(), &quotes, &ask);
    let shown: Vec<(Vec<String>, Vec<String>)> = arrangement
        .placed
        .iter()
        .map(|order| {
            let methods = order.methods.iter().map(|method| method.method.to_string()).collect();
            (methods, order.lines.iter().map(|line| line.prepared.resource.to_string()).collect())
        })
        .collect();
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let expected =
        [(texts(&["balance", "card"]), texts(&["phone-2", "phone-1"])), (texts(&["card"]), texts(&["phone-3"]))];
    assert_eq!(shown, expected);
    assert_eq!(arrangement.placed[1].methods[0].reference.as_deref(), Some("pm_card"), "the account's reference");

    let with_card = Ask { pay_with: Some("card".parse().unwrap()), ..ask };
    assert_eq!(arranged(&mut world, &quotes, &with_card).placed.len(), 1, "one method asked for is one list");
}

#[test]
fn an_account_without_methods_is_refused() {
    let mut world = World::new();
    world.edit_account(|account| account.payment_methods.clear());
    let quotes = quotes(&world, &["phone-1"]);
    let ask = ask(&world);
    let arrangement = arranged(&mut world, &quotes, &ask);
    assert_eq!(arrangement.refused[0].1.reason, Reason::NoPaymentMethod);
    assert!(arrangement.placed.is_empty() && arrangement.events.is_empty());
}

#[test]
fn an_open_order_is_adopted_where_all_its_lines_are_selected_alike() {
    // lines of the open order, what is selected, months, whether it is held; adopted, refused, newly placed
    for (ordered, selected, months, held, adopted, refused, placed) in [
        (&["phone-1"][..], &["phone-1"][..], 1, false, 1, 0, 0),
        (&["phone-1"], &["phone-1", "phone-2"], 1, false, 1, 0, 1),
        (&["phone-1", "phone-2"], &["phone-2", "phone-1"], 1, false, 1, 0, 0),
        (&["phone-1", "phone-2"], &["phone-1"], 1, false, 0, 1, 0),
        (&["phone-1", "phone-2"], &["phone-1", "phone-3"], 1, false, 0, 1, 1),
        (&["phone-1"], &["phone-1"], 3, false, 0, 1, 0),
        (&["phone-1"], &["phone-1"], 1, true, 1, 0, 0),
    ] {
        let case = format!("{ordered:?} {selected:?} {months} {held}");
        let mut world = World::new();
        if held {
            world.edit_account(|account| account.limits.per_order = Some(money("1 USD")));
        }
        let order = world.place(ordered);
        let quotes: Vec<Quote> = selected.iter().map(|name| world.quote(name, months)).collect();
        let ask = ask(&world);
        let arrangement = arranged(&mut world, &quotes, &ask);
        assert_eq!(arrangement.adopted.len(), adopted, "{case}");
        assert_eq!(arrangement.placed.len(), placed, "{case}");
        let reasons: Vec<Reason> = arrangement.refused.iter().map(|(_, refusal)| refusal.reason).collect();
        assert_eq!(reasons, vec![Reason::OpenOrder; refused], "{case}");
        let status = &world.order(&order).status;
        assert_eq!(*status == OrderStatus::Held, held, "{case}: adopting never releases a hold");
    }
}

#[test]
fn another_new_expiry_or_an_order_being_paid_is_not_adopted() {
    let mut world = World::new();
    world.place(&["phone-1"]);
    let wish = Wish { align: renewd_core::documents::AlignAsked::Yes, ..Wish::default() };
    let aligned = world.quote_for("phone-1", &wish).unwrap();
    let ask_now = ask(&world);
    assert!(arranged(&mut world, &[aligned], &ask_now).adopted.is_empty());

    let mut world = World::new();
    let order = world.place(&["phone-1"]);
    world.pay(&order, "card").unwrap();
    let again = quotes(&world, &["phone-1"]);
    let arrangement = arranged(&mut world, &again, &ask_now);
    assert!(arrangement.adopted.is_empty());
    assert_eq!(arrangement.refused[0].1.reason, Reason::OpenOrder);
}

/// An order that a request finds uses it up as well, so that its resource is not renewed twice.
#[test]
fn a_request_uses_itself_up_with_the_orders_that_it_adopts() {
    for (placed_by, asked_by, requests) in [
        (request("december"), request("december"), vec!["december"]),
        (request("december"), request("january"), vec!["december", "january"]),
        (Origin::Manual, request("december"), vec!["december"]),
        (Origin::Auto, request("december"), vec!["december"]),
        (request("december"), Origin::Manual, vec!["december"]),
        (Origin::Auto, Origin::Manual, vec![]),
    ] {
        let case = format!("{placed_by} asked by {asked_by}");
        let mut world = World::new();
        let quotes = quotes(&world, &["phone-1"]);
        let first = Ask { origin: placed_by, ..ask(&world) };
        let order = arranged(&mut world, &quotes, &first).placed[0].id.clone();
        let second = Ask { origin: asked_by, next_sequence: 200, ..ask(&world) };
        for _ in 0..2 {
            let arrangement = arranged(&mut world, &quotes, &second);
            assert_eq!((arrangement.adopted.len(), arrangement.placed.len()), (1, 0), "{case}");
        }
        world.pay(&order, "card").unwrap();
        world.answer(&order, succeeded()).unwrap();
        for name in ["december", "january"] {
            let used = requests.contains(&name).then_some(true);
            assert_eq!(world.is_used_up(name, "phone-1"), used, "{case}: {name}");
        }
    }
}

/// A request whose order a person had canceled adopted another's order, was paid, and would have been free again.
#[test]
fn a_request_that_is_used_up_adopts_nothing() {
    let mut world = World::new();
    let quotes = quotes(&world, &["phone-1"]);
    let december = Ask { origin: request("december"), ..ask(&world) };
    let canceled = arranged(&mut world, &quotes, &december).placed[0].id.clone();
    world.cancel(&canceled).unwrap();
    world.place(&["phone-1"]);
    let arrangement = arranged(&mut world, &quotes, &december);
    assert!(arrangement.adopted.is_empty() && arrangement.events.is_empty());
    assert_eq!(arrangement.refused[0].1.reason, Reason::AlreadyRenewed);
    assert_eq!(world.is_used_up("december", "phone-1"), Some(true));
}

#[test]
fn max_total_holds_every_order_of_the_request_when_their_sum_exceeds_it() {
    for (max_total, held) in [("2020.00 USD", false), ("2019.99 USD", true), ("99999 EUR", true)] {
        let mut world = World::new();
        let quotes = seats(&mut world, 101);
        let ask = Ask { max_total: Some(max_total.parse::<Money>().unwrap()), ..ask(&world) };
        let arrangement = arranged(&mut world, &quotes, &ask);
        assert_eq!(arrangement.placed.len(), 2);
        for order in &arrangement.placed {
            let reasons: Vec<Reason> = order.holds.iter().map(|hold| hold.reason).collect();
            assert_eq!(reasons, if held { vec![Reason::OverMaxTotal] } else { vec![] }, "{max_total}");
        }
    }
}

#[test]
fn each_quote_that_cannot_be_accepted_is_refused_by_itself() {
    let mut world = World::new();
    let mut quotes = quotes(&world, &["phone-1", "phone-2", "phone-3"]);
    quotes[0].prepared.generation = 7;
    quotes[1].valid_until = world.now;
    let ask = ask(&world);
    let arrangement = arranged(&mut world, &quotes, &ask);
    let reasons: Vec<Reason> = arrangement.refused.iter().map(|(_, refusal)| refusal.reason).collect();
    assert_eq!(reasons, [Reason::ExpiryMoved, Reason::StaleQuote]);
    assert_eq!(arrangement.placed[0].lines.len(), 1);
    assert_eq!(arrangement.placed[0].lines[0].prepared.dates.term, Term::from_months(1));
}

/// A quote file that names a resource twice gives no order in which it is paid twice.
#[test]
fn a_resource_named_twice_is_refused() {
    let mut world = World::new();
    let quotes = quotes(&world, &["phone-1", "phone-1"]);
    let ask = ask(&world);
    let arrangement = arranged(&mut world, &quotes, &ask);
    assert!(arrangement.placed.iter().all(|order| order.lines.len() == 1), "{:?}", arrangement.placed);
    assert!(!arrangement.refused.is_empty());
}
