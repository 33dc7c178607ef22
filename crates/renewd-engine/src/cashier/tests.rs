//! The cashier with a gateway that watches it: how many are asked at once, what is durable when, what is never charged.

mod doubts;

use super::job::LOST_TRIES;
use crate::gateway::{Gateway, Gateways};
use crate::view::RunView;
use crate::{Allow, Clock, Desired, Engine, EngineOptions, RunOptions};
use renewd_core::documents::{IN_FLIGHT_DEFAULT, Plugin};
use renewd_core::ids::OrderId;
use renewd_core::order::OrderStatus;
use renewd_core::refusal::{Reason, Refusal, Verdict};
use renewd_plugin_host::payment_wire::{ChargeRef, ChargeRequest, RefundRef, RefundRequest};
use renewd_plugin_host::{CancelOutcome, FindRefundResult, FindResult, FoundCharge, Outcome, RefundOutcome, Retry};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Longest wait for others to ask.
const PATIENCE: Duration = Duration::from_secs(20);
const NOW: &str = "2026-11-23T09:00:00Z";

/// What the gateway answers, by method.
type Fate = fn(&ChargeRequest) -> Outcome;
/// What it says of earlier charges.
type Earlier = fn(&ChargeRef) -> FindResult;

struct Watching {
    store: PathBuf,
    fate: Fate,
    earlier: Earlier,
    now: AtomicUsize,
    most: AtomicUsize,
    /// Nobody is answered before so many have asked at once, or have had time enough to.
    gathers: AtomicUsize,
    /// Whether it says anything of earlier charges.
    finds_earlier: AtomicBool,
    /// Whether it can cancel charges, and how often it did.
    can_cancel: AtomicBool,
    cancels: AtomicUsize,
    keys: Mutex<BTreeMap<String, usize>>,
    /// What another process does to the store while the first payment is under way.
    meanwhile: Mutex<Option<fn(&Path)>>,
}

impl Gateway for Watching {
    fn charge(&self, _config: &str, request: &ChargeRequest) -> Outcome {
        let asked = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(asked, Ordering::SeqCst);
        *self.keys.lock().unwrap().entry(request.idempotency_key.clone()).or_default() += 1;
        // Another process can open the store meanwhile, and finds the intent there.
        let id: OrderId = request.order.parse().unwrap();
        let state = engine(&self.store).state_with_orders(std::slice::from_ref(&id), NOW.parse().unwrap()).unwrap();
        let order = &state.orders[&id];
        assert_eq!(order.status, OrderStatus::Paying);
        assert_eq!(order.last_attempt().unwrap().key.to_string(), request.idempotency_key);
        if let Some(act) = self.meanwhile.lock().unwrap().take() {
            act(&self.store);
        }
        let begun = Instant::now();
        while self.most.load(Ordering::SeqCst) < self.gathers.load(Ordering::SeqCst) && begun.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(40));
        self.now.fetch_sub(1, Ordering::SeqCst);
        (self.fate)(request)
    }

    fn find_charge(&self, _config: &str, charge: &ChargeRef) -> FindResult {
        if self.finds_earlier.load(Ordering::SeqCst) { (self.earlier)(charge) } else { FindResult::NotFound }
    }

    fn refund(&self, _config: &str, _request: &RefundRequest) -> RefundOutcome {
        RefundOutcome::Unknown { reason: "not asked here".to_owned() }
    }

    fn find_refund(&self, _config: &str, _refund: &RefundRef) -> FindRefundResult {
        FindRefundResult::NotFound
    }

    fn cancel(&self, _config: &str, _charge: &ChargeRef) -> CancelOutcome {
        self.cancels.fetch_add(1, Ordering::SeqCst);
        CancelOutcome::Canceled
    }

    fn visibility_seconds(&self) -> u64 {
        60
    }

    fn idempotency_seconds(&self) -> u64 {
        86_400
    }

    fn can_cancel(&self) -> bool {
        self.can_cancel.load(Ordering::SeqCst)
    }

    fn has_memory(&self) -> bool {
        true
    }
}

struct Town(BTreeMap<String, Arc<Watching>>);

impl Gateways for Town {
    fn gateway(&self, document: &Plugin) -> Result<Arc<dyn Gateway>, Refusal> {
        let found = self.0.get(document.name.as_str()).cloned();
        found
            .map(|gateway| gateway as Arc<dyn Gateway>)
            .ok_or_else(|| Refusal::new(Reason::NoPaymentMethod, "nobody answers"))
    }
}

fn engine(store: &Path) -> Engine {
    Engine::new(EngineOptions {
        store: store.to_owned(),
        wait: Duration::from_secs(30),
        command: "test".to_owned(),
        clock: Clock::Fixed(NOW.parse().unwrap()),
        progress: None,
        notice: None,
    })
}

fn restore(store: &Path) {
    let backup = store.with_file_name("backup");
    engine(store).store_backup(&backup).unwrap();
    std::fs::remove_dir_all(store).unwrap();
    engine(store).store_restore(&backup).unwrap();
}

/// Applies the documents with something else in the place of a text.
fn apply_with(store: &Path, text: &str, other: &str) {
    let policies = store.with_file_name("policies");
    let file = policies.join("all.yaml");
    let changed = std::fs::read_to_string(&file).unwrap().replace(text, other);
    std::fs::write(file, changed).unwrap();
    let engine = engine(store);
    let planned = engine.plan(&Desired { directory: Some(policies), resources: None }).unwrap();
    engine.apply(planned, &Allow::default()).unwrap();
}

const DOCUMENTS: &str = "\
apiVersion: renewd/v1
kind: Account
metadata: { name: acme }
spec: { timeZone: Asia/Singapore, currency: USD, paymentMethods: [ { method: first }, { method: second } ] }
---
apiVersion: renewd/v1
kind: PriceList
metadata: { name: prices }
spec: { currency: USD, rows: [ { sku: vm.small, term: P1M, price: \"10.00\" } ] }
---
apiVersion: renewd/v1
kind: RenewalPolicy
metadata: { name: machines }
spec:
  match: {}
  mode: auto
  terms: { allowed: [P1M], default: P1M }
  pricing: { plugin: price-list, priceList: prices }
---
apiVersion: renewd/v1
kind: Plugin
metadata: { name: price-list }
spec: { file: price-list.wasm, role: pricing }
---
apiVersion: renewd/v1
kind: Plugin
metadata: { name: north }
spec: { file: invoice.wasm, role: payment }
---
apiVersion: renewd/v1
kind: Plugin
metadata: { name: south }
spec: { file: invoice.wasm, role: payment, limits: { fuel: 20000000 } }
---
apiVersion: renewd/v1
kind: PaymentMethod
metadata: { name: first }
spec: { plugin: north, config: { netDays: 30 } }
---
apiVersion: renewd/v1
kind: PaymentMethod
metadata: { name: second }
spec: { plugin: south, config: { netDays: 30 } }
";

struct World {
    folder: tempfile::TempDir,
    north: Arc<Watching>,
    south: Arc<Watching>,
}

impl World {
    fn new(machines: usize, north: (Fate, Earlier), south: (Fate, Earlier)) -> Self {
        Self::of(DOCUMENTS, machines, north, south)
    }

    /// The first method says how many payments it allows at once.
    fn allowing(in_flight: Option<u16>, machines: usize, north: (Fate, Earlier), south: (Fate, Earlier)) -> Self {
        let told = in_flight.map_or(String::new(), |most| format!(" maxInFlight: {most},"));
        Self::of(&DOCUMENTS.replace("plugin: north,", &format!("plugin: north,{told}")), machines, north, south)
    }

    fn of(documents: &str, machines: usize, north: (Fate, Earlier), south: (Fate, Earlier)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        let gateway = |(fate, earlier): (Fate, Earlier)| {
            let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let gathers = AtomicUsize::new(0);
            let (finds_earlier, can_cancel) = (AtomicBool::new(true), AtomicBool::new(false));
            let cancels = AtomicUsize::new(0);
            let (keys, meanwhile) = (Mutex::default(), Mutex::default());
            Arc::new(Watching {
                store: store.clone(),
                fate,
                earlier,
                now,
                most,
                gathers,
                finds_earlier,
                can_cancel,
                cancels,
                keys,
                meanwhile,
            })
        };
        let world = Self { north: gateway(north), south: gateway(south), folder };
        let policies = world.folder.path().join("policies");
        std::fs::create_dir_all(&policies).unwrap();
        std::fs::write(policies.join("all.yaml"), documents).unwrap();
        let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/dist");
        for plugin in ["price-list.wasm", "invoice.wasm"] {
            std::fs::copy(dist.join(plugin), policies.join(plugin)).unwrap();
        }
        let mut fleet = "id,account,kind,sku,quantity,labels,region,expiry,renewable\n".to_owned();
        for number in 0..machines {
            fleet += &format!("vm-{number:02},acme,vm,vm.small,1,,,2026-11-28T12:00:{number:02},true\n");
        }
        std::fs::write(world.folder.path().join("fleet.csv"), fleet).unwrap();
        let engine = engine(&store);
        let resources = Some(world.folder.path().join("fleet.csv"));
        let planned = engine.plan(&Desired { directory: Some(policies), resources }).unwrap();
        engine.apply(planned, &Allow::default()).unwrap();
        world
    }

    /// A backup of the store takes its place.
    fn restore(&self) {
        restore(&self.folder.path().join("store"));
    }

    fn run(&self, options: &RunOptions) -> RunView {
        self.engine().run(options).unwrap()
    }

    fn engine(&self) -> Engine {
        let mut engine = engine(&self.folder.path().join("store"));
        let town = [("north".to_owned(), self.north.clone()), ("south".to_owned(), self.south.clone())];
        engine.gateways = Some(Arc::new(Town(town.into())));
        engine
    }
}

fn takes(request: &ChargeRequest) -> Outcome {
    let amount = format!("{} {}", request.amount, request.currency).parse().unwrap();
    Outcome::Succeeded { reference: format!("pay-{}", request.idempotency_key), amount, metadata: Vec::new() }
}

fn declines(_request: &ChargeRequest) -> Outcome {
    declined()
}

fn declined() -> Outcome {
    let (code, message) = ("card-declined".to_owned(), "no".to_owned());
    Outcome::Declined { code, message, retry: Retry::Later, not_before: None }
}

fn knows_nothing(_charge: &ChargeRef) -> FindResult {
    FindResult::NotFound
}

fn knows(charge: &ChargeRef, amount: &str) -> FindResult {
    knows_as(charge, amount, format!("pay-last-week-{}", charge.order))
}

fn knows_as(charge: &ChargeRef, amount: &str, reference: String) -> FindResult {
    let amount = format!("{amount} {}", charge.currency).parse().unwrap();
    FindResult::Found(FoundCharge {
        reference: reference.clone(),
        amount,
        outcome: Outcome::Succeeded { reference, amount, metadata: Vec::new() },
        line_keys: charge.line_keys.clone(),
        key: None,
        order: None,
    })
}

fn lost_attempt(charge: &ChargeRef) -> FindResult {
    FindResult::Found(FoundCharge {
        reference: "lost".to_owned(),
        amount: format!("{} {}", charge.amount, charge.currency).parse().unwrap(),
        outcome: declined(),
        line_keys: charge.line_keys.clone(),
        key: Some(charge.idempotency_key.clone()),
        order: None,
    })
}

fn count(view: &RunView, verdict: Verdict) -> usize {
    view.renewals.items.iter().filter(|item| item.verdict == verdict).count()
}

fn charges(gateway: &Watching) -> usize {
    let keys = gateway.keys.lock().unwrap();
    assert!(keys.values().all(|times| *times == 1), "a key was charged twice: {keys:?}");
    keys.len()
}

#[test]
fn as_many_are_asked_at_once_as_a_method_allows_and_none_twice() {
    for (told, allowed) in [(None, IN_FLIGHT_DEFAULT), (Some(1), 1), (Some(3), 3), (Some(30), 30)] {
        let world = World::allowing(told, 40, (takes, knows_nothing), (takes, knows_nothing));
        world.north.gathers.store(allowed.into(), Ordering::SeqCst);
        let view = world.run(&RunOptions::default());
        assert_eq!(count(&view, Verdict::Renewed), 40, "{view:#?}");
        assert_eq!(charges(&world.north), 40);
        assert_eq!(charges(&world.south), 0);
        assert_eq!(world.north.most.load(Ordering::SeqCst), usize::from(allowed));
        assert_eq!(world.run(&RunOptions::default()).renewals.items.len(), 0, "the next run has nothing to do");
    }
}

/// An order that is priced and waits for a free place, as the last visit has left it.
#[test]
fn what_another_process_writes_between_two_visits_is_seen() {
    let world = World::allowing(Some(1), 6, (takes, knows_nothing), (takes, knows_nothing));
    *world.north.meanwhile.lock().unwrap() = Some(|store| {
        let filter = crate::OrderFilter { statuses: vec!["placed".to_owned()], ..crate::OrderFilter::default() };
        let placed = engine(store).orders(&filter).unwrap();
        assert_eq!(placed.len(), 5);
        let last =
            placed.iter().find(|order| order.lines.iter().any(|line| line.resource.as_str() == "vm-05")).unwrap();
        engine(store).cancel(&last.order, None).unwrap();
    });
    let view = world.run(&RunOptions::default());
    assert_eq!(count(&view, Verdict::Renewed), 5, "{view:#?}");
    assert_eq!(charges(&world.north), 5);
}

/// A price rises while orders that were priced before wait for a free place: nobody has agreed to it.
#[test]
fn what_was_priced_before_a_price_rose_is_not_charged_at_the_old_one() {
    let world = World::allowing(Some(1), 6, (takes, knows_nothing), (takes, knows_nothing));
    *world.north.meanwhile.lock().unwrap() = Some(|store| apply_with(store, "10.00", "12.00"));
    let view = world.run(&RunOptions::default());
    assert_eq!((count(&view, Verdict::Renewed), count(&view, Verdict::Refused)), (1, 5), "{view:#?}");
    let mut refused = view.renewals.items.iter().filter(|item| item.verdict == Verdict::Refused);
    assert!(refused.all(|item| item.reason == Some(Reason::PriceChanged)), "{view:#?}");
    assert_eq!(charges(&world.north), 1);
    assert_eq!(count(&world.run(&RunOptions::default()), Verdict::Renewed), 5, "ordered anew, as the hint says");
}

#[test]
fn a_declined_order_goes_on_with_the_next_method() {
    let world = World::new(20, (declines, knows_nothing), (takes, knows_nothing));
    let view = world.run(&RunOptions::default());
    assert_eq!(count(&view, Verdict::Renewed), 20, "{view:#?}");
    assert_eq!((charges(&world.north), charges(&world.south)), (20, 20));
}

#[test]
fn what_every_method_declines_is_told_and_not_asked_again_at_once() {
    let world = World::new(3, (declines, knows_nothing), (declines, knows_nothing));
    assert_eq!(count(&world.run(&RunOptions::default()), Verdict::Declined), 3);
    let again = world.run(&RunOptions::default());
    assert_eq!(again.renewals.items.len(), 0, "{again:#?}");
    assert_eq!((charges(&world.north), charges(&world.south)), (3, 3));
}

/// The soonest expiries come first, and what is not charged leaves no mark.
#[test]
fn no_more_is_charged_than_a_run_may() {
    let world = World::new(10, (takes, knows_nothing), (takes, knows_nothing));
    let view = world.run(&RunOptions { max_charge: vec!["45 USD".parse().unwrap()], group: false });
    assert_eq!((count(&view, Verdict::Renewed), count(&view, Verdict::Refused)), (4, 6), "{view:#?}");
    let left = view.renewals.items.iter().filter(|item| item.verdict == Verdict::Refused);
    let left: Vec<(&str, Option<Reason>)> = left.map(|item| (item.resource.as_str(), item.reason)).collect();
    let later: Vec<String> = (4..10).map(|number| format!("vm-{number:02}")).collect();
    assert_eq!(left, later.iter().map(|id| (id.as_str(), Some(Reason::OverMaxCharge))).collect::<Vec<_>>());
    assert_eq!(charges(&world.north), 4);
    assert_eq!(count(&world.run(&RunOptions::default()), Verdict::Renewed), 6);
}

#[test]
fn a_currency_that_the_run_may_not_charge_is_not_charged() {
    let world = World::new(2, (takes, knows_nothing), (takes, knows_nothing));
    let view = world.run(&RunOptions { max_charge: vec!["100 EUR".parse().unwrap()], group: false });
    assert_eq!(count(&view, Verdict::Refused), 2);
    assert_eq!(charges(&world.north), 0);
}

/// A store that is new does not know what another one has charged.
#[test]
fn a_charge_that_the_gateway_knows_already_pays_the_order_without_another() {
    let world = World::new(3, (takes, |charge| knows(charge, &charge.amount)), (takes, knows_nothing));
    let view = world.run(&RunOptions::default());
    assert_eq!(count(&view, Verdict::Renewed), 3, "{view:#?}");
    assert_eq!(charges(&world.north), 0);
}

/// A gateway that names one charge for whatever it is asked about: one payment pays one order.
#[test]
fn one_charge_that_a_gateway_knows_pays_one_order() {
    let one = |charge: &ChargeRef| knows_as(charge, &charge.amount, "pay-last-week".to_owned());
    let world = World::new(3, (takes, one), (takes, knows_nothing));
    let view = world.run(&RunOptions::default());
    assert_eq!((count(&view, Verdict::Renewed), count(&view, Verdict::Held)), (1, 2), "{view:#?}");
    assert_eq!((charges(&world.north), charges(&world.south)), (0, 0));
}

/// The lost payment may have been at another gateway than the one that would be asked to pay now.
#[test]
fn every_gateway_of_the_order_is_asked_for_earlier_charges() {
    let world = World::new(3, (takes, knows_nothing), (takes, |charge| knows(charge, &charge.amount)));
    let view = world.run(&RunOptions::default());
    assert_eq!(count(&view, Verdict::Renewed), 3, "{view:#?}");
    assert_eq!((charges(&world.north), charges(&world.south)), (0, 0));
}

/// Somebody may have named another method for the payment that a restored store has lost.
#[test]
fn a_restored_store_asks_gateways_that_the_account_does_not_list() {
    let documents = DOCUMENTS.replace(", { method: second }", "");
    for (restored, charged) in [(false, 2), (true, 0)] {
        let paid = (takes as Fate, (|charge| knows(charge, &charge.amount)) as Earlier);
        let world = World::of(&documents, 2, (takes, knows_nothing), paid);
        if restored {
            world.restore();
        }
        let view = world.run(&RunOptions::default());
        assert_eq!(count(&view, Verdict::Renewed), 2, "{view:#?}");
        assert_eq!((charges(&world.north), charges(&world.south)), (charged, 0));
    }
}

#[test]
fn a_charge_of_another_total_holds_the_order() {
    let world = World::new(3, (takes, |charge| knows(charge, "9.99")), (takes, knows_nothing));
    let view = world.run(&RunOptions::default());
    assert_eq!(count(&view, Verdict::Held), 3, "{view:#?}");
    let reasons = view.renewals.items.iter().map(|item| item.reason);
    assert!(reasons.eq([Some(Reason::ChargeFound); 3]));
    assert_eq!((charges(&world.north), charges(&world.south)), (0, 0));
}

/// Each line was paid by a charge of its own, and a gateway shows one at a time.
#[test]
fn who_approves_an_order_reads_of_every_charge_that_its_gateways_have() {
    let one_by_one = |charge: &ChargeRef| {
        let Some(first) = charge.line_keys.first() else { return FindResult::NotFound };
        let one = ChargeRef { line_keys: vec![first.clone()], ..charge.clone() };
        knows_as(&one, "10.00", format!("north-{}", charge.line_keys.len()))
    };
    let world = World::new(3, (takes, one_by_one), (takes, |charge| knows_as(charge, "5.00", "south".to_owned())));
    let view = world.run(&RunOptions { group: true, ..RunOptions::default() });
    assert_eq!(count(&view, Verdict::Held), 3, "{view:#?}");
    let id = view.renewals.orders.first().unwrap().order.clone().unwrap();
    let state = world.engine().state_with_orders(std::slice::from_ref(&id), NOW.parse().unwrap()).unwrap();
    let told = &state.orders[&id].holds.last().unwrap().detail;
    for reference in ["`north-3`", "`north-2`", "`north-1`", "`south`"] {
        assert!(told.contains(reference), "{told}");
    }
    assert_eq!((charges(&world.north), charges(&world.south)), (0, 0));
}

/// A lost attempt under the key of the next one took nothing, and another charge of these lines is there as well: the next
/// attempt has a key of its own, so what the gateway keeps under the first one is no answer to it.
#[test]
fn a_lost_attempt_that_took_nothing_is_put_down_although_another_charge_is_there() {
    let both = |charge: &ChargeRef| match charge.line_keys.as_slice() {
        [first, _, ..] => {
            knows_as(&ChargeRef { line_keys: vec![first.clone()], ..charge.clone() }, "10.00", "one".to_owned())
        }
        _ if charge.attempt == 1 => lost_attempt(charge),
        _ => FindResult::NotFound,
    };
    let world = World::new(2, (takes, both), (takes, knows_nothing));
    let view = world.run(&RunOptions { group: true, ..RunOptions::default() });
    assert_eq!(count(&view, Verdict::Held), 2, "{view:#?}");
    let id = view.renewals.orders.first().unwrap().order.clone().unwrap();
    let state = world.engine().state_with_orders(std::slice::from_ref(&id), NOW.parse().unwrap()).unwrap();
    let order = &state.orders[&id];
    assert_eq!(order.attempts.len(), 1);
    assert!(order.holds.last().unwrap().detail.contains("`one`"), "{:?}", order.holds);
    assert_eq!((charges(&world.north), charges(&world.south)), (0, 0));
}

/// A gateway that has a declined charge under whatever key it is asked for would be asked for ever.
#[test]
fn a_gateway_that_tells_of_lost_attempts_without_end_is_asked_so_many_times() {
    let world = World::new(1, (takes, lost_attempt), (takes, knows_nothing));
    let view = world.run(&RunOptions::default());
    let items: Vec<_> = view.renewals.items.iter().map(|item| (item.verdict, item.reason)).collect();
    assert_eq!(items, [(Verdict::Refused, Some(Reason::PaymentUnknown))], "{view:#?}");
    let orders = world.engine().orders(&crate::OrderFilter { all: true, ..crate::OrderFilter::default() }).unwrap();
    assert_eq!(orders.iter().map(|order| order.attempts.len()).collect::<Vec<_>>(), [LOST_TRIES]);
    assert_eq!((charges(&world.north), charges(&world.south)), (0, 0));
}

/// What the first charge of a test was made under.
static FIRST_KEY: Mutex<Option<String>> = Mutex::new(None);

/// The documents changed after a gateway had shown an earlier charge; asked a second time, it denied it, and the order was
/// charged again.
#[test]
fn what_a_gateway_has_shown_stays_true_when_the_order_is_priced_again() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let shows_once = |charge: &ChargeRef| match ASKED.fetch_add(1, Ordering::SeqCst) {
        1 => knows(charge, "10.00"),
        _ => FindResult::NotFound,
    };
    let alone = DOCUMENTS.replace(", { method: second }", "");
    let one_by_one = alone.replace("plugin: north,", "plugin: north, maxInFlight: 1,");
    let world = World::of(&one_by_one, 2, (takes, shows_once), (takes, knows_nothing));
    *world.north.meanwhile.lock().unwrap() = Some(|store| {
        // Until then the second order is priced, and waits for the place of the first.
        std::thread::sleep(Duration::from_millis(500));
        apply_with(store, "rows: [", "rows: [ { sku: vm.large, term: P1M, price: \"20.00\" },");
    });
    let view = world.run(&RunOptions::default());
    assert_eq!(count(&view, Verdict::Renewed), 2, "{view:#?}");
    assert_eq!((charges(&world.north), ASKED.load(Ordering::SeqCst)), (1, 2));
}

/// A charge was taken for declined, and its gateway shows it after a restore. A person who pays with a method that the
/// order does not list had the process ask for it again and again.
#[test]
fn an_attempt_that_the_search_finds_again_is_asked_for_once() {
    let lost = |request: &ChargeRequest| {
        let mut first = FIRST_KEY.lock().unwrap();
        if first.is_some() {
            return declined();
        }
        *first = Some(request.idempotency_key.clone());
        Outcome::Unknown { reason: "no answer".to_owned(), reference: None }
    };
    let works = |charge: &ChargeRef| {
        let Some(_) = &charge.since else { return FindResult::NotFound };
        FindResult::Found(FoundCharge {
            reference: "under-way".to_owned(),
            amount: format!("{} {}", charge.amount, charge.currency).parse().unwrap(),
            outcome: Outcome::Pending { reference: "under-way".to_owned() },
            line_keys: charge.line_keys.clone(),
            key: FIRST_KEY.lock().unwrap().clone(),
            order: None,
        })
    };
    let world = World::of(&DOCUMENTS.replace(", { method: second }", ""), 1, (lost, works), (takes, knows_nothing));
    let at = |now: &str| {
        let mut engine = world.engine();
        engine.options.clock = Clock::Fixed(now.parse().unwrap());
        engine
    };
    world.north.finds_earlier.store(false, Ordering::SeqCst);
    for now in [NOW, "2026-11-23T11:00:00Z", "2026-11-24T12:00:00Z"] {
        at(now).run(&RunOptions::default()).unwrap();
    }
    let order = world.engine().orders(&crate::OrderFilter::default()).unwrap().remove(0);
    assert_eq!((order.status.as_str(), order.attempts.len()), ("placed", 2), "{order:#?}");
    world.restore();
    world.north.finds_earlier.store(true, Ordering::SeqCst);
    let paid = at("2026-11-24T13:00:00Z").pay(&order.order, Some("second".parse().unwrap())).unwrap();
    assert_eq!(paid.items[0].verdict, Verdict::Pending, "{paid:#?}");
    assert_eq!((charges(&world.north), charges(&world.south)), (2, 0));
}

/// What was priced, and asked about, in the store before says nothing of what the restored one has lost.
#[test]
fn a_store_that_is_restored_between_two_visits_asks_anew_for_earlier_charges() {
    static RESTORED: AtomicBool = AtomicBool::new(false);
    static ASKED_ANEW: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let notes = |charge: &ChargeRef| {
        if RESTORED.load(Ordering::SeqCst) {
            ASKED_ANEW.lock().unwrap().insert(charge.order.clone());
        }
        FindResult::NotFound
    };
    let world = World::allowing(Some(1), 6, (takes, notes), (takes, knows_nothing));
    *world.north.meanwhile.lock().unwrap() = Some(|store| {
        // The process that pays stays the owner of what it does.
        let (owners, kept) = (store.join("inflight"), store.with_file_name("owners"));
        std::fs::rename(&owners, &kept).unwrap();
        restore(store);
        std::fs::rename(&kept, &owners).unwrap();
        RESTORED.store(true, Ordering::SeqCst);
    });
    // A visit that finds no store in that moment ends the run; the next one goes on.
    if world.engine().run(&RunOptions::default()).is_err() {
        world.run(&RunOptions::default());
    }
    let orders = world.engine().orders(&crate::OrderFilter { all: true, ..crate::OrderFilter::default() }).unwrap();
    assert!(5 <= orders.iter().filter(|order| order.status == "settled").count(), "{orders:#?}");
    assert_eq!(charges(&world.north), 6);
    assert!(5 <= ASKED_ANEW.lock().unwrap().len(), "{ASKED_ANEW:?}: all but the one that was being charged");
}

/// The run fails while gateways are asked: what they say is written down all the same.
#[test]
fn what_gateways_have_taken_is_known_although_the_run_fails() {
    let world = World::new(40, (takes, knows_nothing), (takes, knows_nothing));
    *world.north.meanwhile.lock().unwrap() = Some(|store| std::fs::remove_dir_all(store.join("blobs")).unwrap());
    let failed = world.engine().run(&RunOptions::default());
    assert!(failed.is_err(), "{failed:#?}");
    let orders = world.engine().orders(&crate::OrderFilter { all: true, ..crate::OrderFilter::default() }).unwrap();
    let paid = orders.iter().filter(|order| order.status == "settled").count();
    assert!((1..40).contains(&paid), "{paid}");
    assert_eq!(paid, charges(&world.north));
}

#[test]
fn nothing_is_charged_where_nobody_can_tell_of_earlier_charges() {
    let world = World::new(
        2,
        (takes, |_| FindResult::Unknown { reason: "the gateway is down".to_owned() }),
        (takes, knows_nothing),
    );
    let view = world.run(&RunOptions::default());
    let reasons: Vec<_> = view.renewals.items.iter().map(|item| (item.verdict, item.reason)).collect();
    assert_eq!(reasons, [(Verdict::Refused, Some(Reason::PaymentUnknown)); 2], "{view:#?}");
    assert_eq!((charges(&world.north), charges(&world.south)), (0, 0));
}

#[test]
fn due_resources_of_an_account_can_share_an_order() {
    let world = World::new(5, (takes, knows_nothing), (takes, knows_nothing));
    let view = world.run(&RunOptions { group: true, ..RunOptions::default() });
    assert_eq!((count(&view, Verdict::Renewed), view.renewals.orders.len()), (5, 1));
    assert_eq!(charges(&world.north), 1);
}
