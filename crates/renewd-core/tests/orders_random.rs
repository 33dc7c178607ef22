//! Random days at the desk: whatever people, inventories, gateways and the clock do, no money is lost or doubled.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod fixtures;

use fixtures::*;
use proptest::prelude::*;
use renewd_core::decide::*;
use renewd_core::event::{Event, ImportChange};
use renewd_core::ids::{Digest, OrderId, PolicyName, RequestName};
use renewd_core::money::Money;
use renewd_core::order::{Order, OrderStatus, Origin, Outcome, Payment, Retry};
use renewd_core::resource::{Freeze, Imported};
use renewd_core::state::State;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

const PHONES: [&str; 3] = ["phone-1", "phone-2", "phone-3"];

#[derive(Debug, Clone)]
enum Command {
    TopUp { dollars: u16, reference: u8 },
    Place { phones: Vec<usize>, months: u16, request: Option<u8> },
    Adopt(usize, u8),
    Approve(usize),
    Cancel(usize),
    Pay(usize, bool),
    Answer(usize, u8),
    LateAnswer(usize, u32),
    Resolve(usize, bool),
    Die(usize),
    Import { phone: usize, days: i64 },
    PriceMoves(u16),
    Sleep { hours: u8 },
}

fn command() -> impl Strategy<Value = Command> {
    let phones = proptest::sample::subsequence(vec![0_usize, 1, 2], 1..=3);
    let months = prop_oneof![Just(1_u16), Just(3), Just(12)];
    let order = 0..6_usize;
    prop_oneof![
        2 => (0..100_u16, 0..6_u8).prop_map(|(dollars, reference)| Command::TopUp { dollars, reference }),
        5 => (phones, months, proptest::option::of(0..3_u8))
            .prop_map(|(phones, months, request)| Command::Place { phones, months, request }),
        2 => (order.clone(), 0..3_u8).prop_map(|(order, request)| Command::Adopt(order, request)),
        2 => order.clone().prop_map(Command::Approve),
        1 => order.clone().prop_map(Command::Cancel),
        5 => (order.clone(), any::<bool>()).prop_map(|(order, balance)| Command::Pay(order, balance)),
        5 => (order.clone(), 0..7_u8).prop_map(|(order, outcome)| Command::Answer(order, outcome)),
        1 => (order.clone(), 1..4_u32).prop_map(|(order, number)| Command::LateAnswer(order, number)),
        3 => (order.clone(), any::<bool>()).prop_map(|(order, taken)| Command::Resolve(order, taken)),
        1 => order.prop_map(Command::Die),
        1 => (0..3_usize, -3..40_i64).prop_map(|(phone, days)| Command::Import { phone, days }),
        1 => (0..40_u16).prop_map(Command::PriceMoves),
        2 => (0..60_u8).prop_map(|hours| Command::Sleep { hours }),
    ]
}

/// What the commands have done, counted apart from the state.
#[derive(Default)]
struct Ledger {
    topped_up: BTreeMap<String, Money>,
    by_balance: Vec<Money>,
    settled: BTreeSet<OrderId>,
    taken_keys: BTreeSet<Digest>,
    /// The orders in order of placing.
    orders: Vec<OrderId>,
}

struct Day {
    world: World,
    ledger: Ledger,
}

impl Day {
    fn new() -> Self {
        let mut world = World::new();
        world.edit_account(|account| account.limits.per_month = Some(money("300 USD")));
        world.edit_policy(|policy| {
            policy.limits.per_order = Some(money("150 USD"));
            policy.limits.price_increase = Some(renewd_core::documents::Percent(Decimal::from(50)));
        });
        Self { world, ledger: Ledger::default() }
    }

    fn run(&mut self, command: &Command) {
        let decided = self.decide(command);
        self.commit(&decided);
    }

    fn decide(&mut self, command: &Command) -> Vec<Event> {
        let world = &mut self.world;
        let state = &world.state;
        // The last orders are the ones that things still happen to.
        let named = |index: &usize| self.ledger.orders.iter().rev().nth(*index).cloned();
        let why = || "looked at the gateway".to_owned();
        match command {
            Command::TopUp { dollars, reference } => {
                let amount = Money::new(Decimal::from(*dollars), "USD".parse().unwrap()).unwrap();
                top_up(state, &acme(), amount, format!("transfer-{reference}")).unwrap_or_default()
            }
            Command::Place { phones, months, request } => self.place(phones, *months, *request),
            Command::Adopt(index, request) => {
                let order = named(index).map(|order| world.order(&order));
                let Some(order) = order.filter(|order| !order.status.is_final()) else { return Vec::new() };
                let origin = fixtures::request(&format!("request-{request}"));
                if !may_adopt(state, order, &origin) {
                    return Vec::new();
                }
                adopt(order, &origin).into_iter().collect()
            }
            Command::Approve(index) => {
                named(index).and_then(|order| approve(state, &order, None, world.now).ok()).unwrap_or_default()
            }
            Command::Cancel(index) => {
                named(index).and_then(|order| cancel(state, &order, None).ok()).unwrap_or_default()
            }
            Command::Pay(index, balance) => {
                let Some(order) = named(index) else { return Vec::new() };
                let spec = world.spec(if *balance { "balance" } else { "card" });
                start_attempt(state, &order, spec, &world.requotes(&order), world.now).unwrap_or_default()
            }
            Command::Answer(index, outcome) => {
                let Some(order) = named(index).map(|order| world.order(&order)) else { return Vec::new() };
                let Some(attempt) = order.last_attempt() else { return Vec::new() };
                end_attempt(state, &order.id, attempt.number, answer(*outcome)).unwrap_or_default()
            }
            Command::LateAnswer(index, number) => {
                let Some(order) = named(index) else { return Vec::new() };
                let stale = world.order(&order).attempts.len() as u32 != *number;
                let events = end_attempt(state, &order, *number, answer(0)).unwrap_or_default();
                assert!(!stale || events.is_empty(), "an answer to attempt {number} of {order} counted");
                events
            }
            Command::Resolve(index, taken) => {
                let resolution = if *taken { Resolution::Succeeded { reference: None } } else { Resolution::Declined };
                named(index).and_then(|order| resolve(state, &order, resolution, why()).ok()).unwrap_or_default()
            }
            Command::Die(index) => named(index).and_then(|order| abandoned(world.order(&order))).into_iter().collect(),
            Command::Import { phone, days } => self.import(PHONES[*phone], *days),
            Command::PriceMoves(dollars) => {
                world.month_price = Decimal::from(*dollars);
                Vec::new()
            }
            Command::Sleep { hours } => {
                world.advance(i64::from(*hours) * 3600);
                expire_overdue(world.state.orders.values(), world.now)
            }
        }
    }

    fn place(&self, phones: &[usize], months: u16, request: Option<u8>) -> Vec<Event> {
        let wish = renewd_core::quote::Wish {
            term: Some(renewd_core::calendar::Term::from_months(months)),
            ..renewd_core::quote::Wish::default()
        };
        let quotes: Result<Vec<_>, _> =
            phones.iter().map(|phone| self.world.quote_for(PHONES[*phone], &wish)).collect();
        let Ok(quotes) = quotes else { return Vec::new() };
        let origin = request.map_or(Origin::Manual, |number| fixtures::request(&format!("request-{number}")));
        let placing = Placing { origin, ..self.world.placing(quotes) };
        place(&self.world.state, placing, self.world.now).map(|(_, events)| events).unwrap_or_default()
    }

    /// An inventory moves an expiry; never that of a resource whose payment is open.
    fn import(&self, phone: &str, days: i64) -> Vec<Event> {
        let resource = self.world.resource(phone);
        let order = resource.open_order.as_ref().map(|order| &self.world.order(order).status);
        if matches!(order, Some(OrderStatus::Paying | OrderStatus::Unknown)) {
            return Vec::new();
        }
        let date = resource.end.expiry.date + chrono::TimeDelta::days(days);
        let moved = end(&format!("{date}T23:59:59"));
        let change = ImportChange {
            end: Some(moved.clone()),
            imported: Some(Imported { end: moved, mode: None, price: None }),
            ..ImportChange::default()
        };
        vec![Event::ResourceImported { resource: id(phone), change: Box::new(change) }]
    }

    /// Applies events one by one, each also to the few rows that it says it touches.
    fn commit(&mut self, events: &[Event]) {
        for event in events {
            let before = self.world.state.clone();
            let partial = touched(&before, event);
            self.world.apply(std::slice::from_ref(event));
            self.count(&before, event);
            self.check_rows(&before, partial, event);
        }
    }

    fn count(&mut self, before: &State, event: &Event) {
        match event {
            Event::BalanceToppedUp { amount, reference, .. } => {
                assert!(
                    self.ledger.topped_up.insert(reference.clone(), *amount).is_none(),
                    "{reference} counted twice"
                );
            }
            Event::OrderPlaced { order } => {
                assert!(!self.ledger.orders.contains(&order.id), "{} placed twice", order.id);
                self.ledger.orders.push(order.id.clone());
            }
            Event::OrderSettled { order, payment } => self.settled(before, order, payment),
            _ => {}
        }
    }

    fn settled(&mut self, before: &State, id: &OrderId, payment: &Payment) {
        assert!(self.ledger.settled.insert(id.clone()), "{id} settled twice");
        let order = &before.orders[id];
        for line in &order.lines {
            let (old, new) =
                (&before.resources[&line.prepared.resource], self.world.resource(line.prepared.resource.as_str()));
            assert!(line.prepared.extends(old), "{id} settled and could not extend {}", old.id);
            assert_eq!(new.end, line.prepared.new_end(), "{id} did not extend {}", old.id);
            assert!(old.end.expiry.instant() < new.end.expiry.instant());
        }
        let number = match payment {
            Payment::Nothing => {
                assert!(order.total.is_zero(), "{id} was free");
                return;
            }
            Payment::Attempt { attempt, .. } | Payment::Resolved { attempt, .. } => *attempt,
        };
        let attempt = order.attempts.iter().find(|attempt| attempt.number == number).unwrap();
        assert_eq!(attempt.key, order.payment_key(number));
        assert!(self.ledger.taken_keys.insert(attempt.key), "one key took money twice");
        if attempt.method.method.is_balance() {
            self.ledger.by_balance.push(order.total);
        }
    }

    /// A state of only the touched rows comes to the same, and no other row has changed.
    fn check_rows(&self, before: &State, mut partial: State, event: &Event) {
        partial.apply(self.world.now, event);
        let after = &self.world.state;
        let order = event.order().and_then(|id| before.orders.get(id));
        let touches: BTreeSet<_> = event.touches_with(order).into_iter().collect();
        for key in before.keys().iter().chain(&after.keys()) {
            if touches.contains(key) {
                assert_eq!(partial.row_json(key), after.row_json(key), "{key:?} by {event:?}");
            } else {
                assert_eq!(before.row_json(key), after.row_json(key), "{key:?} by {event:?}");
            }
        }
    }

    fn check(&self) {
        self.check_balance();
        self.check_resources();
        self.check_months();
        self.check_uses();
        self.check_attempts();
    }

    fn check_balance(&self) {
        let usd = "USD".parse().unwrap();
        let paid_in = Money::sum(usd, self.ledger.topped_up.values().copied()).unwrap();
        let paid_out = Money::sum(usd, self.ledger.by_balance.iter().copied()).unwrap();
        assert_eq!(self.world.balance(), paid_in.minus(paid_out).unwrap());
        assert!(!self.world.balance().is_negative());
    }

    fn check_resources(&self) {
        let state = &self.world.state;
        let open: BTreeSet<OrderId> =
            state.orders.values().filter(|order| !order.status.is_final()).map(|order| order.id.clone()).collect();
        assert_eq!(state.meta.open_orders, open);
        for resource in state.resources.values() {
            let orders: Vec<&Order> = state
                .orders
                .values()
                .filter(|order| open.contains(&order.id) && order.line(&resource.id).is_some())
                .collect();
            assert!(orders.len() <= 1, "{} is in {} open orders", resource.id, orders.len());
            assert_eq!(resource.open_order.as_ref(), orders.first().map(|order| &order.id));
            let unknown = orders.first().filter(|order| order.status == OrderStatus::Unknown);
            let freeze = unknown.map(|order| Freeze::UnknownPayment { order: order.id.clone() });
            assert_eq!(resource.freeze, freeze, "{}", resource.id);
        }
    }

    fn check_months(&self) {
        type Sums = BTreeMap<(String, Option<PolicyName>), Money>;
        let mut expected = Sums::new();
        let mut found = Sums::new();
        let zero = money("0 USD");
        for order in self.world.state.orders.values() {
            if matches!(order.status, OrderStatus::Held | OrderStatus::Canceled { .. } | OrderStatus::Expired { .. }) {
                continue;
            }
            for line in &order.lines {
                for policy in [None, Some(line.prepared.policy.clone())] {
                    let sum = expected.entry((order.month.as_str().to_owned(), policy)).or_insert(zero);
                    *sum = sum.plus(line.total).unwrap();
                }
            }
        }
        for book in self.world.state.books.values() {
            for (month, sums) in &book.months {
                found.extend(sums.total.values().map(|sum| ((month.as_str().to_owned(), None), *sum)));
                for (policy, sums) in &sums.by_policy {
                    found.extend(sums.values().map(|sum| ((month.as_str().to_owned(), Some(policy.clone())), *sum)));
                }
            }
        }
        expected.retain(|_, sum| !sum.is_zero());
        found.retain(|_, sum| !sum.is_zero());
        assert_eq!(found, expected);
    }

    /// A request is used up for a resource exactly where an order settled or was canceled, and by one order only.
    fn check_uses(&self) {
        let mut expected: BTreeMap<(RequestName, String), (OrderId, bool)> = BTreeMap::new();
        for order in self.world.state.orders.values() {
            if matches!(order.status, OrderStatus::Expired { .. }) {
                continue;
            }
            for (request, line) in order.requests().flat_map(|it| order.lines.iter().map(move |line| (it, line))) {
                let key = (request.clone(), line.prepared.resource.to_string());
                let before = expected.insert(key, (order.id.clone(), order.status.is_final()));
                assert_eq!(before, None, "{request} was used twice for {}", line.prepared.resource);
            }
        }
        let uses = self.world.state.uses.iter();
        let found: BTreeMap<_, _> = uses
            .map(|(key, used)| ((key.request.clone(), key.resource.to_string()), (used.order.clone(), used.done)))
            .collect();
        assert_eq!(found, expected);
    }

    fn check_attempts(&self) {
        for order in self.world.state.orders.values() {
            for (index, attempt) in order.attempts.iter().enumerate() {
                assert_eq!(attempt.number as usize, index + 1);
                let last = index + 1 == order.attempts.len();
                let under_way = matches!(attempt.outcome, Outcome::InFlight | Outcome::Unknown { .. });
                assert!(last || !under_way, "attempt {} of {} was left under way", attempt.number, order.id);
            }
            let keys: BTreeSet<Digest> = order.attempts.iter().map(|attempt| attempt.key).collect();
            assert_eq!(keys.len(), order.attempts.len(), "a key was used twice in {}", order.id);
            let outcome = order.last_attempt().map(|attempt| &attempt.outcome);
            assert_eq!(order.status == OrderStatus::Paying, outcome == Some(&Outcome::InFlight));
            let unknown = matches!(outcome, Some(Outcome::Unknown { .. }));
            assert_eq!(order.status == OrderStatus::Unknown, unknown);
        }
    }
}

/// Only the rows that the event says it touches.
fn touched(state: &State, event: &Event) -> State {
    let mut partial = State::default();
    let order = event.order().and_then(|id| state.orders.get(id));
    for key in event.touches_with(order) {
        partial.put_row_json(&key, state.row_json(&key).as_deref()).unwrap();
    }
    partial
}

fn answer(number: u8) -> Outcome {
    let declined = |retry| Outcome::Declined { code: "no".to_owned(), message: "no".to_owned(), retry };
    match number {
        0 | 1 => Outcome::Succeeded { reference: "ch".to_owned() },
        2 => declined(Retry::Later),
        3 => declined(Retry::Never),
        4 => Outcome::Pending { reference: "ch".to_owned() },
        _ => Outcome::Unknown { detail: "no answer".to_owned() },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_money_is_lost_or_doubled(commands in proptest::collection::vec(command(), 1..60)) {
        let mut day = Day::new();
        for command in &commands {
            day.run(command);
            day.check();
        }
        let mut reread = State::default();
        for key in day.world.state.keys() {
            reread.put_row_json(&key, day.world.state.row_json(&key).as_deref()).unwrap();
        }
        prop_assert_eq!(&reread, &day.world.state, "rows are read back as they were written");
    }
}

/// The random days do reach every end of an order; otherwise they would prove little.
#[test]
fn random_days_reach_every_status() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen: BTreeSet<&'static str> = BTreeSet::new();
    for _ in 0..100 {
        let commands = proptest::collection::vec(command(), 60).new_tree(&mut runner).unwrap().current();
        let mut day = Day::new();
        for command in &commands {
            day.run(command);
            seen.extend(day.world.state.orders.values().map(|order| order.status.as_str()));
        }
    }
    let all = ["canceled", "expired", "held", "paying", "placed", "settled", "unknown"];
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), all);
}
