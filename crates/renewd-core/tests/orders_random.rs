//! Random days at the desk: whatever people, inventories, gateways and the clock do, no money is lost or doubled.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod fixtures;

use chrono::{DateTime, Utc};
use fixtures::*;
use proptest::prelude::*;
use renewd_core::decide::*;
use renewd_core::documents::{Days, Mode, Windows};
use renewd_core::event::{Event, ImportChange};
use renewd_core::ids::{Digest, OrderId, PolicyName, RequestName};
use renewd_core::money::Money;
use renewd_core::order::{Order, OrderStatus, Origin, Outcome, Payment, Refund, RefundCause, RefundResult, Retry};
use renewd_core::resource::{Freeze, Imported, ModeOverride, Phase, Resource};
use renewd_core::state::State;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

const PHONES: [&str; 3] = ["phone-1", "phone-2", "phone-3"];

#[derive(Debug, Clone)]
enum Command {
    TopUp { dollars: u16, reference: u8 },
    Place { phones: Vec<usize>, months: u16, request: Option<u8>, auto: bool },
    Adopt(usize, u8),
    Approve(usize),
    Cancel(usize),
    Pay(usize, bool),
    Answer(usize, u8),
    LateAnswer(usize, u32),
    Resolve(usize, bool, bool),
    Die(usize),
    Look(usize, u32, u8),
    Earlier(usize, u8),
    Refund { order: usize, phone: usize, dollars: Option<u16> },
    RefundAnswer(usize, u8),
    RefundLook(usize, u8, bool),
    RefundDies(usize),
    RetryRefund(usize),
    Choose(usize),
    Time(u8),
    Import { phone: usize, days: i64 },
    PriceMoves(u16),
    Sleep { hours: u16 },
}

fn command() -> impl Strategy<Value = Command> {
    let phones = proptest::sample::subsequence(vec![0_usize, 1, 2], 1..=3);
    let months = prop_oneof![Just(1_u16), Just(3), Just(12)];
    let order = prop_oneof![3 => Just(0_usize), 2 => 1..5_usize];
    prop_oneof![
        2 => (0..200_u16, 0..20_u8).prop_map(|(dollars, reference)| Command::TopUp { dollars, reference }),
        5 => (phones, months, proptest::option::weighted(0.3, 0..8_u8), any::<bool>())
            .prop_map(|(phones, months, request, auto)| Command::Place { phones, months, request, auto }),
        2 => (order.clone(), 0..3_u8).prop_map(|(order, request)| Command::Adopt(order, request)),
        2 => order.clone().prop_map(Command::Approve),
        1 => order.clone().prop_map(Command::Cancel),
        5 => (order.clone(), any::<bool>()).prop_map(|(order, balance)| Command::Pay(order, balance)),
        5 => (order.clone(), 0..7_u8).prop_map(|(order, outcome)| Command::Answer(order, outcome)),
        2 => (order.clone(), 1..4_u32).prop_map(|(order, number)| Command::LateAnswer(order, number)),
        2 => (order.clone(), any::<bool>(), any::<bool>())
            .prop_map(|(order, taken, named)| Command::Resolve(order, taken, named)),
        2 => order.clone().prop_map(Command::Die),
        8 => (order.clone(), 1..4_u32, 0..12_u8).prop_map(|(order, number, seen)| Command::Look(order, number, seen)),
        1 => (order.clone(), 0..8_u8).prop_map(|(order, earlier)| Command::Earlier(order, earlier)),
        3 => (order.clone(), 0..3_usize, proptest::option::of(1..30_u16))
            .prop_map(|(order, phone, dollars)| Command::Refund { order, phone, dollars }),
        3 => (order.clone(), 0..5_u8).prop_map(|(order, result)| Command::RefundAnswer(order, result)),
        3 => (order.clone(), 0..5_u8, any::<bool>())
            .prop_map(|(order, result, holds)| Command::RefundLook(order, result, holds)),
        1 => order.clone().prop_map(Command::RefundDies),
        1 => order.prop_map(Command::RetryRefund),
        1 => (0..3_usize).prop_map(Command::Choose),
        2 => (0..4_u8).prop_map(Command::Time),
        1 => (0..3_usize, -3..40_i64).prop_map(|(phone, days)| Command::Import { phone, days }),
        1 => (0..40_u16).prop_map(Command::PriceMoves),
        3 => prop_oneof![3 => 0..60_u16, 1 => 60..600_u16].prop_map(|hours| Command::Sleep { hours }),
    ]
}

/// What the commands have done, counted apart from the state.
#[derive(Default)]
struct Ledger {
    topped_up: BTreeMap<String, Money>,
    by_balance: Vec<Money>,
    to_balance: Vec<Money>,
    settled: BTreeSet<OrderId>,
    renewed: BTreeSet<Digest>,
    late: BTreeSet<(OrderId, u32)>,
    phases: BTreeSet<(String, u32, DateTime<Utc>, Phase)>,
    taken_keys: BTreeSet<Digest>,
    /// The orders in order of placing.
    orders: Vec<OrderId>,
}

struct Day {
    world: World,
    ledger: Ledger,
    /// What a journal would hold.
    journal: Vec<(DateTime<Utc>, Event)>,
    /// The state before the journal.
    first: State,
}

impl Day {
    fn new() -> Self {
        let mut world = World::new();
        world.now = at("2026-11-12T00:00:00Z");
        world.edit_account(|account| account.limits.per_month = Some(money("600 USD")));
        world.edit_policy(|policy| {
            policy.auto.times = Some(2);
            policy.windows = Windows { expiring: Days(2), grace: Days(2), retention: Days(2) };
            policy.limits.per_order = Some(money("150 USD"));
            policy.limits.price_increase = Some(renewd_core::documents::Percent(Decimal::from(50)));
        });
        let first = world.state.clone();
        Self { world, ledger: Ledger::default(), journal: Vec::new(), first }
    }

    fn run(&mut self, command: &Command) {
        let decided = self.decide(command);
        self.commit(&decided);
    }

    fn decide(&mut self, command: &Command) -> Vec<Event> {
        let world = &mut self.world;
        match command {
            Command::PriceMoves(dollars) => {
                world.month_price = Decimal::from(*dollars);
                Vec::new()
            }
            Command::Sleep { hours } => {
                world.advance(i64::from(*hours) * 3600);
                expire_overdue(world.state.orders.values(), world.now)
            }
            _ => self.by_people(command).or(self.by_gateways(command)).or(self.by_refunds(command)).unwrap_or_default(),
        }
    }

    /// The last orders are the ones that things still happen to.
    fn named(&self, index: usize) -> Option<OrderId> {
        self.ledger.orders.iter().rev().nth(index).cloned()
    }

    /// What people, inventories and `run` do.
    fn by_people(&self, command: &Command) -> Option<Vec<Event>> {
        let Self { world, .. } = self;
        let state = &world.state;
        let named = |index: &usize| self.named(*index);
        let events = match command {
            Command::TopUp { dollars, reference } => {
                let amount = Money::new(Decimal::from(*dollars), "USD".parse().unwrap()).unwrap();
                top_up(state, &acme(), amount, format!("transfer-{reference}")).unwrap_or_default()
            }
            Command::Place { phones, months, request, auto } => self.place(phones, *months, *request, *auto),
            Command::Adopt(index, request) => {
                let order = named(index).map(|order| world.order(&order));
                let Some(order) = order.filter(|order| !order.status.is_final()) else { return Some(Vec::new()) };
                let origin = fixtures::request(&format!("request-{request}"));
                if !may_adopt(state, order, &origin) {
                    return Some(Vec::new());
                }
                adopt(order, &origin, None, None)
            }
            Command::Approve(index) => {
                named(index).and_then(|order| approve(state, &order, None, world.now).ok()).unwrap_or_default()
            }
            Command::Cancel(index) => {
                named(index).and_then(|order| cancel(state, &order, None).ok()).unwrap_or_default()
            }
            Command::Pay(index, balance) => {
                let Some(order) = named(index) else { return Some(Vec::new()) };
                let spec = world.spec(if *balance { "balance" } else { "card" });
                start_attempt(state, &order, spec, &world.requotes(&order), world.now).unwrap_or_default()
            }
            Command::Resolve(index, taken, is_named) => {
                let reference = is_named.then(|| "ch_person".to_owned());
                let resolution = if *taken { Resolution::Succeeded { reference } } else { Resolution::Declined };
                named(index)
                    .and_then(|order| resolve(state, &order, resolution, "seen there".to_owned(), "p", world.now).ok())
                    .unwrap_or_default()
            }
            Command::Choose(phone) => {
                let chosen = ModeOverride { mode: Mode::Auto, actor: "ana".to_owned(), reason: None, until: None };
                vec![Event::ModeChosen { resource: id(PHONES[*phone]), chosen }]
            }
            Command::Import { phone, days } => self.import(PHONES[*phone], *days),
            Command::Time(mode) => {
                let mode = Mode::ALL[usize::from(*mode)];
                state.resources.values().flat_map(|resource| time_passes(resource, mode, world.now)).collect()
            }
            _ => return None,
        };
        Some(events)
    }

    /// What gateways say, or do not say.
    fn by_gateways(&self, command: &Command) -> Option<Vec<Event>> {
        let Self { world, .. } = self;
        let state = &world.state;
        let named = |index: &usize| self.named(*index);
        let events = match command {
            Command::Answer(index, outcome) => {
                let Some(order) = named(index).map(|order| world.order(&order)) else { return Some(Vec::new()) };
                let Some(attempt) = order.last_attempt() else { return Some(Vec::new()) };
                end_attempt(state, &order.id, attempt.number, answer(*outcome), "p", world.now).unwrap_or_default()
            }
            Command::LateAnswer(index, number) => {
                let Some(order) = named(index) else { return Some(Vec::new()) };
                end_attempt(state, &order, *number, answer(0), "p", world.now).unwrap_or_default()
            }
            Command::Die(index) => named(index).and_then(|order| abandoned(world.order(&order))).into_iter().collect(),
            Command::Look(index, number, seen) => {
                let Some(order) = named(index) else { return Some(Vec::new()) };
                let look = Look {
                    order: &order,
                    number: *number,
                    seen: self.seen(&order, *seen),
                    visibility_seconds: VISIBILITY,
                    owner: "p",
                };
                reconcile(state, look, world.now).unwrap_or_default()
            }
            Command::Earlier(index, earlier) => {
                let Some(order) = named(index) else { return Some(Vec::new()) };
                let earlier = match earlier {
                    0 => Earlier::Other { detail: "other lines".to_owned() },
                    other => Earlier::Same { outcome: answer(*other), key: None },
                };
                take_earlier(state, &order, world.spec("card"), earlier, world.now).unwrap_or_default()
            }
            _ => return None,
        };
        Some(events)
    }

    /// Money on its way back.
    fn by_refunds(&self, command: &Command) -> Option<Vec<Event>> {
        let Self { world, .. } = self;
        let state = &world.state;
        let named = |index: &usize| self.named(*index);
        let events = match command {
            Command::Refund { order, phone, dollars } => {
                let Some(order) = named(order) else { return Some(Vec::new()) };
                let amount = dollars.map(|dollars| money(&format!("{dollars} USD")));
                let ask =
                    RefundAsk { resource: id(PHONES[*phone]), amount, reason: "r".to_owned(), owner: "p".to_owned() };
                refund_line(state, &order, ask, world.now).unwrap_or_default()
            }
            Command::RefundAnswer(index, result) => {
                let Some((order, number)) = named(index).and_then(|order| self.open_refund(&order)) else {
                    return Some(Vec::new());
                };
                end_refund(state, &order, number, refund_result(*result)).unwrap_or_default()
            }
            Command::RefundLook(index, result, holds) => {
                let Some((order, number)) = named(index).and_then(|order| self.open_refund(&order)) else {
                    return Some(Vec::new());
                };
                check_refund(state, &order, number, refund_result(*result), *holds, world.now).unwrap_or_default()
            }
            Command::RefundDies(index) => {
                named(index).map(|order| abandoned_refund(world.order(&order), |_| false).collect()).unwrap_or_default()
            }
            Command::RetryRefund(index) => {
                let retry = |order| retry_late_refund(state, &order, None, "p", world.now).ok().flatten();
                named(index).and_then(retry).unwrap_or_default()
            }
            _ => return None,
        };
        Some(events)
    }

    /// What a gateway may say of an order's charge, in all its ways.
    fn seen(&self, order: &OrderId, number: u8) -> Seen {
        match number {
            0..=5 => self.world.found(order, answer(number)),
            6 => self.world.found(order, Outcome::PriceMoved { actual: money("1 USD") }),
            7 => Seen::Canceled,
            8 => Seen::CannotTell { detail: "no answer".to_owned() },
            9 => {
                let Seen::Found(charge) = self.world.found(order, succeeded()) else { panic!() };
                Seen::Found(FoundCharge { amount: money("1 USD"), ..charge })
            }
            _ => Seen::NotFound,
        }
    }

    fn open_refund(&self, order: &OrderId) -> Option<(OrderId, u32)> {
        let mut refunds = self.world.order(order).refunds.iter();
        let open = refunds.find(|refund| !refund.outcome.is_final())?;
        Some((order.clone(), open.number))
    }

    fn place(&self, phones: &[usize], months: u16, request: Option<u8>, auto: bool) -> Vec<Event> {
        let wish = renewd_core::quote::Wish {
            term: Some(renewd_core::calendar::Term::from_months(months)),
            ..renewd_core::quote::Wish::default()
        };
        let quotes: Result<Vec<_>, _> =
            phones.iter().map(|phone| self.world.quote_for(PHONES[*phone], &wish)).collect();
        let Ok(quotes) = quotes else { return Vec::new() };
        let unasked = if auto { Origin::Auto } else { Origin::Manual };
        let origin = request.map_or(unasked, |number| fixtures::request(&format!("request-{number}")));
        let placing = Placing { origin, ..self.world.placing(quotes) };
        place(&self.world.state, placing, self.world.now).map(|(_, events)| events).unwrap_or_default()
    }

    /// An inventory moves an expiry, even where a payment is open: such a charge must go back.
    fn import(&self, phone: &str, days: i64) -> Vec<Event> {
        let resource = self.world.resource(phone);
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
            self.journal.push((self.world.now, event.clone()));
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
            Event::LateSuccess { order, number, .. } => {
                assert!(self.ledger.late.insert((order.clone(), *number)), "{order} was late twice");
            }
            Event::RefundEnded { order, number, result: RefundResult::Refunded { .. } } => {
                let order = &before.orders[order];
                let refund = order.refunds.iter().find(|refund| refund.number == *number).unwrap();
                if order.attempt(refund.attempt).unwrap().method.method.is_balance() {
                    self.ledger.to_balance.push(refund.amount);
                }
            }
            Event::PhaseEntered { resource, phase, expiry } => {
                let generation = before.resources[resource].generation;
                let entered = (resource.to_string(), generation, *expiry, *phase);
                assert!(self.ledger.phases.insert(entered), "{resource} entered {phase} twice");
            }
            Event::ResourceConverted { resource, .. } => {
                let row = &before.resources[resource];
                assert!(row.open_order.is_none() && row.freeze.is_none() && row.converted.is_none());
            }
            Event::AutoFinished { resource, renewals } => {
                assert_eq!((*renewals, before.resources[resource].auto.renewals), (2, 2));
            }
            _ => {}
        }
        for (id, row) in &before.resources {
            assert!(row.generation <= self.world.state.resources[id].generation, "the generation of {id} fell");
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
            assert!(self.ledger.renewed.insert(line.prepared.renewal_key()), "{} was renewed twice", old.id);
        }
        let number = match payment {
            Payment::Nothing => {
                assert!(order.total.is_zero(), "{id} was free");
                return;
            }
            Payment::Attempt { attempt, .. } | Payment::Resolved { attempt, .. } => *attempt,
        };
        let attempt = order.attempts.iter().find(|attempt| attempt.number == number).unwrap();
        assert!((1..=1_000).any(|count| attempt.key == order.payment_key(count)), "{id} was paid with a foreign key");
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
        self.check_refunds();
    }

    fn check_balance(&self) {
        let usd = "USD".parse().unwrap();
        let paid_in = Money::sum(usd, self.ledger.topped_up.values().copied()).unwrap();
        let paid_out = Money::sum(usd, self.ledger.by_balance.iter().copied()).unwrap();
        let back = Money::sum(usd, self.ledger.to_balance.iter().copied()).unwrap();
        assert_eq!(self.world.balance(), paid_in.minus(paid_out).unwrap().plus(back).unwrap());
        assert!(!self.world.balance().is_negative());
    }

    fn check_resources(&self) {
        let state = &self.world.state;
        let open: BTreeSet<OrderId> =
            state.orders.values().filter(|order| !order.status.is_final()).map(|order| order.id.clone()).collect();
        let live = state.orders.values().filter(|order| order.is_live()).map(|order| order.id.clone());
        assert_eq!(state.live, live.collect());
        for resource in state.resources.values() {
            let orders: Vec<&Order> = state
                .orders
                .values()
                .filter(|order| open.contains(&order.id) && order.line(&resource.id).is_some())
                .collect();
            assert!(orders.len() <= 1, "{} is in {} open orders", resource.id, orders.len());
            assert_eq!(resource.open_order.as_ref(), orders.first().map(|order| &order.id));
            let unknown = orders.first().filter(|order| order.status == OrderStatus::Unknown);
            let unknown = unknown.map(|order| Freeze::UnknownPayment { order: order.id.clone() });
            let freeze = unknown.or(self.refunding(resource));
            assert_eq!(resource.freeze, freeze, "{}", resource.id);
        }
    }

    /// Frozen by the refund that may take its last renewal back.
    fn refunding(&self, resource: &Resource) -> Option<Freeze> {
        let refunding = |order: &&Order| {
            let open = |refund: &Refund| refund.line() == Some(&resource.id) && !refund.outcome.is_final();
            !order.is_undone(&resource.id) && order.refunds.iter().any(open)
        };
        let orders: Vec<&Order> = self.world.state.orders.values().filter(refunding).collect();
        assert!(orders.len() <= 1, "two refunds of {} could undo it", resource.id);
        orders.first().map(|order| Freeze::Refunding { order: order.id.clone() })
    }

    /// Money that was taken has bought something, or goes back; never more goes back than was taken.
    fn check_refunds(&self) {
        for order in self.world.state.orders.values() {
            for attempt in &order.attempts {
                let of_attempt = || order.refunds.iter().filter(|refund| refund.attempt == attempt.number);
                let pays = order.paid_by().is_some_and(|paid| paid.number == attempt.number);
                let taken = matches!(attempt.outcome, Outcome::Succeeded { .. });
                assert_eq!(
                    taken && !pays,
                    of_attempt().any(|refund| refund.cause == RefundCause::LateSuccess),
                    "{order:?}"
                );
                let may_be_back = of_attempt().filter(|it| !matches!(it.outcome, RefundResult::Declined { .. }));
                let back = Money::sum(order.total.currency(), may_be_back.map(|refund| refund.amount)).unwrap();
                assert!(back.compare(order.total).unwrap().is_le(), "{back} of {} went back", order.total);
            }
            let keys: BTreeSet<Digest> = order.refunds.iter().map(|refund| refund.key).collect();
            assert_eq!(keys.len(), order.refunds.len(), "a refund key was used twice");
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
                assert!(
                    (last && !order.status.is_final()) || !attempt.is_undecided(),
                    "attempt {} of {} was left under way",
                    attempt.number,
                    order.id
                );
            }
            let keys: BTreeSet<Digest> = order.attempts.iter().map(|attempt| attempt.key).collect();
            assert_eq!(keys.len(), order.attempts.len(), "a key was used twice in {}", order.id);
            let outcome = order.last_attempt().map(|attempt| &attempt.outcome);
            assert_eq!(order.status == OrderStatus::Paying, outcome == Some(&Outcome::InFlight));
            let unknown = matches!(outcome, Some(Outcome::Unknown { .. }));
            assert_eq!(order.status == OrderStatus::Unknown, unknown);
            let pending = matches!(outcome, Some(Outcome::Pending { .. } | Outcome::RequiresAction { .. }));
            assert_eq!(order.status == OrderStatus::Pending, pending);
            let asked = order.attempts.iter().filter(|attempt| attempt.next_check.is_some());
            assert!(asked.clone().all(|it| it.is_undecided() || matches!(it.outcome, Outcome::Declined { .. })));
            assert!(
                order
                    .attempts
                    .iter()
                    .all(|it| it.next_check.is_some() || !it.is_undecided() || it.outcome == Outcome::InFlight)
            );
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

fn refund_result(number: u8) -> RefundResult {
    match number {
        0 => gone_back(),
        1 => RefundResult::Declined { code: "no".to_owned(), message: "no".to_owned() },
        2 => RefundResult::Pending { refund_reference: "re".to_owned() },
        3 => RefundResult::InFlight,
        _ => refund_unknown(),
    }
}

fn answer(number: u8) -> Outcome {
    let declined = |retry| Outcome::declined("no", "no", retry);
    match number {
        0 | 1 => Outcome::Succeeded { reference: "ch".to_owned() },
        2 => declined(Retry::Later),
        3 => declined(Retry::Never),
        4 => pending(),
        5 => requires_action(),
        _ => unknown(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_money_is_lost_or_doubled(commands in proptest::collection::vec(command(), 1..120)) {
        let mut day = Day::new();
        for command in &commands {
            day.run(command);
            day.check();
        }
        let mut rebuilt = day.first;
        for (at, event) in &day.journal {
            rebuilt.apply(*at, event);
        }
        prop_assert_eq!(&rebuilt, &day.world.state, "the state is the sum of its events");
        let mut reread = State::default();
        for key in day.world.state.keys() {
            reread.put_row_json(&key, day.world.state.row_json(&key).as_deref()).unwrap();
        }
        prop_assert_eq!(&reread, &day.world.state, "rows are read back as they were written");
    }
}

/// What the random days must have seen happen, to prove anything about it.
fn rare(event: &Event) -> Option<&'static str> {
    match event {
        Event::LateSuccess { .. } => Some("late success"),
        Event::RefundStarted { refund, .. } if refund.line().is_some() => Some("refund of a line"),
        Event::AttemptChecked { next: None, .. } => Some("believed"),
        Event::ResourceConverted { .. } => Some("converted"),
        Event::ResourceEnded { .. } => Some("ended"),
        Event::AutoFinished { .. } => Some("auto finished"),
        Event::PhaseEntered { phase: Phase::Grace, .. } => Some("grace"),
        Event::PhaseEntered { phase: Phase::Released, .. } => Some("released"),
        _ => None,
    }
}

/// The random days do reach every end of an order; otherwise they would prove little.
#[test]
fn random_days_reach_every_status() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen: BTreeSet<&'static str> = BTreeSet::new();
    for _ in 0..200 {
        let commands = proptest::collection::vec(command(), 120).new_tree(&mut runner).unwrap().current();
        let mut day = Day::new();
        for command in &commands {
            day.run(command);
            let orders = || day.world.state.orders.values();
            seen.extend(orders().map(|order| order.status.as_str()));
            seen.extend(orders().flat_map(|order| order.refunds.iter().map(|refund| refund.outcome.as_str())));
            seen.extend(day.journal.iter().filter_map(|(_, event)| rare(event)));
        }
    }
    let all = [
        "auto finished",
        "believed",
        "canceled",
        "converted",
        "declined",
        "ended",
        "expired",
        "grace",
        "held",
        "late success",
        "paying",
        "pending",
        "placed",
        "refund of a line",
        "refund-unknown",
        "refunded",
        "refunding",
        "released",
        "settled",
        "unknown",
    ];
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), all);
}
