//! Charges that may still succeed, and what people change while one is under way.

use super::*;
use crate::running::PricedDue;
use crate::view::OrderView;
use crate::{ModeChoice, OrderFilter, RenewAsk, RenewOptions, ResolveAsk, Selector};
use renewd_core::documents::{Mode, Pattern};
use renewd_core::ids::MethodName;

fn gives_no_answer(_request: &ChargeRequest) -> Outcome {
    Outcome::Unknown { reason: "no answer".to_owned(), reference: None }
}

fn found(charge: &ChargeRef, outcome: Outcome) -> FindResult {
    FindResult::Found(FoundCharge {
        reference: "pi_1".to_owned(),
        amount: format!("{} {}", charge.amount, charge.currency).parse().unwrap(),
        outcome,
        line_keys: charge.line_keys.clone(),
        key: Some(charge.idempotency_key.clone()),
        order: None,
    })
}

fn at(world: &World, now: &str) -> Engine {
    let mut engine = world.engine();
    engine.options.clock = Clock::Fixed(now.parse().unwrap());
    engine
}

fn only(id: &str) -> Selector {
    Selector { ids: vec![Pattern::new(id)], ..Selector::default() }
}

fn turn_off(engine: &Engine, id: &str) {
    engine.mode(&only(id), &ModeChoice { mode: Some(Mode::Manual), reason: None, until: None }).unwrap();
}

fn orders(world: &World) -> Vec<OrderView> {
    world.engine().orders(&OrderFilter { all: true, ..OrderFilter::default() }).unwrap()
}

/// The order that waits for its turn.
fn waiting(store: &Path) -> OrderView {
    let placed = OrderFilter { statuses: vec!["placed".to_owned()], ..OrderFilter::default() };
    engine(store).orders(&placed).unwrap().remove(0)
}

/// A person had said that nothing was taken; the gateway's decline was then believed, although its cardholder could still
/// confirm the charge, and nobody asked for it again.
#[test]
fn a_decline_that_follows_a_doubted_one_is_believed_once_the_charge_is_canceled() {
    let shows = |charge: &ChargeRef| found(charge, declined());
    let alone = DOCUMENTS.replace(", { method: second }", "");
    let world = World::of(&alone, 1, (gives_no_answer, shows), (takes, knows_nothing));
    world.north.can_cancel.store(true, Ordering::SeqCst);
    world.north.finds_earlier.store(false, Ordering::SeqCst);
    world.run(&RunOptions::default());
    let order = orders(&world).remove(0).order;
    let declined = ResolveAsk { succeeded: false, reference: None, reason: "not on the statement".to_owned() };
    world.engine().resolve(&order, &declined).unwrap();
    world.north.finds_earlier.store(true, Ordering::SeqCst);
    for now in ["2026-11-23T11:00:00Z", "2026-11-23T18:00:00Z"] {
        at(&world, now).run(&RunOptions::default()).unwrap();
        assert_eq!(world.north.cancels.load(Ordering::SeqCst), 1, "{now}");
    }
    assert_eq!((charges(&world.north), orders(&world)[0].attempts.len()), (1, 1));
}

/// One of two resources was turned to manual renewal; the other was ordered anew and charged beside the charge that the
/// gateway still worked on.
#[test]
fn what_is_due_in_an_order_waits_while_its_gateway_works_on_a_charge() {
    let works = |charge: &ChargeRef| found(charge, Outcome::Pending { reference: "pi_1".to_owned() });
    let world = World::new(2, (gives_no_answer, works), (declines, knows_nothing));
    let together = RunOptions { group: true, ..RunOptions::default() };
    world.north.finds_earlier.store(false, Ordering::SeqCst);
    world.run(&together);
    at(&world, "2026-11-23T11:00:00Z").run(&together).unwrap();
    assert_eq!(orders(&world)[0].attempts.len(), 2, "not found, and the second method declined");
    world.north.finds_earlier.store(true, Ordering::SeqCst);
    at(&world, "2026-11-23T13:00:00Z").run(&together).unwrap();
    turn_off(&at(&world, "2026-11-23T14:00:00Z"), "vm-01");
    at(&world, "2026-11-24T12:00:00Z").run(&together).unwrap();
    let orders = orders(&world);
    assert_eq!(orders.iter().map(|order| order.status.as_str()).collect::<Vec<_>>(), ["placed"], "{orders:#?}");
    assert_eq!((charges(&world.north), charges(&world.south)), (1, 1));
}

/// Automatic renewal was turned off while the first method was asked; it declined, and the second was charged.
#[test]
fn no_next_method_is_charged_after_automatic_renewal_was_turned_off() {
    let world = World::new(1, (declines, knows_nothing), (takes, knows_nothing));
    *world.north.meanwhile.lock().unwrap() = Some(|store| turn_off(&engine(store), "vm-00"));
    let view = world.run(&RunOptions::default());
    assert_eq!((charges(&world.north), charges(&world.south)), (1, 0), "{view:#?}");
}

/// A request named another method for an order that was priced already and waited for a free place.
#[test]
fn an_order_is_paid_with_the_methods_that_a_request_has_chosen_meanwhile() {
    let world = World::allowing(Some(1), 2, (takes, knows_nothing), (takes, knows_nothing));
    *world.north.meanwhile.lock().unwrap() = Some(|store| {
        // Until then the second order is priced.
        std::thread::sleep(Duration::from_millis(500));
        let waiting = waiting(store).lines.remove(0).resource;
        let (pay_with, request) = (Some("second".parse().unwrap()), Some("again".parse().unwrap()));
        let ask = RenewAsk { pay_with, request, ..RenewAsk::default() };
        let quoted = engine(store).quote(&only(waiting.as_str()), &ask).unwrap();
        engine(store).renew(quoted, &RenewOptions { pay_later: true, ..RenewOptions::default() }).unwrap();
    });
    let view = world.run(&RunOptions::default());
    assert_eq!((charges(&world.north), charges(&world.south)), (1, 1), "{view:#?}");
}

/// A run counted what another process had charged meanwhile, and so told of more than it may charge itself.
#[test]
fn a_run_tells_of_what_it_has_charged_itself() {
    let world = World::allowing(Some(1), 2, (takes, knows_nothing), (takes, knows_nothing));
    *world.north.meanwhile.lock().unwrap() = Some(|store| {
        let (account, amount) = ("acme".parse().unwrap(), "10 USD".parse().unwrap());
        engine(store).topup(&account, amount, "wire-1".to_owned()).unwrap();
        engine(store).pay(&waiting(store).order, Some(MethodName::balance())).unwrap();
    });
    let view = world.run(&RunOptions::default());
    assert_eq!((charges(&world.north), charges(&world.south)), (1, 0), "{view:#?}");
    assert!(orders(&world).iter().all(|order| order.status == "settled"));
    assert_eq!(view.charged.values().map(ToString::to_string).collect::<Vec<_>>(), ["10.00 USD"]);
}

/// A run that had priced what was due said that there was no such resource, or ordered it although it was turned off.
#[test]
fn what_was_renewed_or_turned_off_while_it_was_priced_is_not_ordered() {
    let world = World::new(3, (takes, knows_nothing), (takes, knows_nothing));
    let slow = world.engine();
    let PricedDue { quotes, refused, failed } = slow.price_due(slow.now()).unwrap();
    assert_eq!((quotes.len(), refused.len(), failed.len()), (3, 0, 0));
    turn_off(&world.engine(), "vm-01");
    world.run(&RunOptions::default());
    let ordered = slow.place_due(quotes, failed, None, slow.now()).unwrap();
    assert!(ordered.placed.is_empty() && ordered.refused.is_empty() && ordered.adopted.is_empty());
    assert_eq!((orders(&world).len(), charges(&world.north)), (2, 2));
}
