//! What people and jobs do in a simulated world.

use crate::chance::Chance;
use crate::documents::date;
use crate::model::Wrong;
use crate::simulation::Simulation;
use crate::workshop::{Workshop, enter};
use crate::world::World;
use renewd_core::documents::{AlignAsked, LocalMoment, Mode, Pattern};
use renewd_core::ids::{AccountName, MethodName, OrderId, RequestName, ResourceId};
use renewd_core::money::Money;
use renewd_core::quote::Wish;
use renewd_core::refusal::Verdict;
use renewd_engine::view::RenewView;
use renewd_engine::{
    Allow, Desired, Engine, EngineError, ImportOptions, ModeChoice, OrderFilter, RefundWish, RenewAsk, RenewOptions,
    ResolveAsk, RunOptions, Selector, Take,
};
use rust_decimal::Decimal;
use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

thread_local! {
    /// The engine of the process that acts while another waits for a gateway. It stays in its thread.
    static OTHER: RefCell<Option<Engine>> = const { RefCell::new(None) };
}

/// Lets another process act in this world while one waits for a gateway.
pub(crate) fn let_others_act(world: &Arc<World>, engine: Engine, folder: PathBuf) {
    OTHER.set(Some(engine));
    let weak: Weak<World> = Arc::downgrade(world);
    world.set_others(Some(Box::new(move |chances| {
        weak.upgrade().map_or(String::new(), |world| act(&world, &folder, chances))
    })));
}

/// Gives the engine of the other process back.
pub(crate) fn keep_other(workshop: &mut Workshop) {
    if let Some(engine) = OTHER.take() {
        workshop.keep(engine);
    }
}

fn act(world: &Arc<World>, folder: &Path, chances: &mut Chance) -> String {
    // A gateway that is asked in a thread of its own has nobody beside it.
    let Some(engine) = OTHER.take() else { return "nobody".to_owned() };
    let engine = enter(engine, world);
    let order = engine.orders(&OrderFilter::default()).ok().and_then(|orders| {
        let ids: Vec<OrderId> = orders.into_iter().map(|order| order.order).collect();
        chances.pick(&ids).cloned()
    });
    let said = match (chances.between(0, 10), order) {
        (0..=2, Some(order)) => format!("pay {order}: {}", told(engine.pay(&order, None))),
        (3, Some(order)) => format!("cancel {order}: {}", told(engine.cancel(&order, None))),
        (4, _) => {
            let mode = chances.pick(&[Some(Mode::Auto), Some(Mode::Manual), None]).copied().flatten();
            let choice = ModeChoice { mode, reason: None, until: None };
            world.bank().fire("mode-chosen-meanwhile");
            format!("mode {mode:?}: {}", told(engine.mode(&Selector { all: true, ..Selector::default() }, &choice)))
        }
        (5 | 6, _) => apply_otherwise(world, &engine, folder, chances),
        (7, Some(order)) => {
            let ask = ResolveAsk { succeeded: false, reference: None, reason: "it looked so".to_owned() };
            world.bank().misled_of_refunds.insert(order.to_string());
            let resolved = engine.resolve(&order, &ask);
            // Whoever says so without having looked may be wrong, and then two charges stand for a while.
            if let Some(key) = resolved.as_ref().ok().and_then(|view| view.attempts.last()).map(|it| it.key.clone()) {
                world.bank().give_up(&key);
            }
            format!("resolve {order}: {}", told(resolved))
        }
        _ => format!("run: {}", told(engine.run(&RunOptions::default()))),
    };
    OTHER.set(Some(engine.restarted()));
    world.machine().disk.change_process();
    said
}

/// Somebody else applies documents of their own.
fn apply_otherwise(world: &World, engine: &Engine, folder: &Path, chances: &mut Chance) -> String {
    let Some(mut declared) = world.declared() else { return "nothing to apply".to_owned() };
    let what = declared.edit(world.now(), chances);
    if fs::write(folder.join("all.yaml"), declared.yaml()).is_err() {
        return "bug: documents cannot be written".to_owned();
    }
    world.bank().fire("documents-edited-meanwhile");
    let desired = Desired { directory: Some(folder.to_owned()), resources: None };
    let applied =
        engine.plan(&desired).and_then(|planned| engine.apply(planned, &Allow { removals: true, grants: true }));
    format!("{what} changes: {}", told(applied))
}

fn told<T>(result: Result<T, EngineError>) -> String {
    result.map_or_else(|error| error.to_string(), |_| "done".to_owned())
}

/// The kinds of step, by weight.
const STEPS: &[(u64, Step)] = &[
    (30, Step::Run),
    (12, Step::Renew),
    (6, Step::Guarded),
    (6, Step::Pay),
    (3, Step::Cancel),
    (6, Step::Approve),
    (4, Step::Resolve),
    (11, Step::Refund),
    (9, Step::TopUp),
    (5, Step::Mode),
    (8, Step::Edit),
    (5, Step::Import),
    (4, Step::Again),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Run,
    Renew,
    Guarded,
    Pay,
    Cancel,
    Approve,
    Resolve,
    Refund,
    TopUp,
    Mode,
    Edit,
    Import,
    Again,
}

impl Simulation {
    /// The store is made: documents, an inventory, perhaps some money.
    pub(crate) fn begin(&mut self) -> Result<(), Wrong> {
        self.arm_soon();
        self.apply()?;
        self.import(&ImportOptions::default())?;
        self.calm = true;
        if self.auditor.model.expiries.is_empty() {
            self.fire("begun-again");
            self.apply()?;
            self.import(&ImportOptions::default())?;
        }
        if self.chances.percent(70) {
            self.top_up()?;
        }
        if self.auditor.model.expiries.is_empty() {
            return Err(format!("bug: the world is empty: {:?}", self.trace));
        }
        self.calm = false;
        Ok(())
    }

    /// One step of somebody.
    pub(crate) fn step(&mut self) -> Result<(), Wrong> {
        match self.chances.weighted(STEPS).unwrap_or(Step::Run) {
            Step::Run => self.run(),
            Step::Renew => self.renew(None),
            Step::Guarded => self.renew_guarded(),
            Step::Pay => self.of_order("pay", |engine, id| engine.pay(id, None).map(|_| ())),
            Step::Cancel => {
                self.of_order("cancel", |engine, id| engine.cancel(id, Some("not wanted".to_owned())).map(|_| ()))
            }
            Step::Approve => self.approve(),
            Step::Resolve => self.resolve(),
            Step::Refund => self.refund(),
            Step::TopUp => self.top_up(),
            Step::Mode => self.choose_mode(),
            Step::Edit => {
                let what = self.declared.edit(self.world.now(), &mut self.chances);
                self.say(format!("{what} changes"));
                self.fire(match what {
                    "what has a price" => "price-missing-or-back",
                    "the gateway of each card" => "method-moved",
                    _ => "documents-edited",
                });
                self.apply()
            }
            Step::Import => {
                if self.chances.percent(50) {
                    let ordered = self.ordered();
                    self.declared.move_expiry(&ordered, self.world.now(), &mut self.chances);
                }
                self.import(&ImportOptions::default())
            }
            Step::Again => {
                self.fire("command-repeated");
                self.run()?;
                self.run()
            }
        }
    }

    /// Resources that wait in an order: those of presumed declines first.
    fn ordered(&self) -> Vec<String> {
        let open = self.auditor.model.orders.values().filter(|order| !order.closed);
        let (tried, untried): (Vec<_>, Vec<_>) = open.partition(|order| !order.tries.is_empty());
        let from = if tried.is_empty() { untried } else { tried };
        from.iter().flat_map(|order| &order.lines).map(|line| line.resource.clone()).collect()
    }

    fn write(&mut self, name: &str, text: &str) -> Result<std::path::PathBuf, Wrong> {
        let path = self.folder.join(name);
        fs::write(&path, text).map_err(|error| format!("bug: {error}"))?;
        Ok(path)
    }

    pub(crate) fn apply(&mut self) -> Result<(), Wrong> {
        self.world.declare(&self.declared);
        let text = self.declared.yaml();
        let path = self.write("all.yaml", &text)?;
        let desired = Desired { directory: path.parent().map(std::path::Path::to_owned), resources: None };
        let applied = self.command("apply", |engine| {
            let planned = engine.plan(&desired)?;
            engine.apply(planned, &Allow { removals: true, grants: true })
        })?;
        if applied.is_some() || !self.calm {
            return Ok(());
        }
        Err(format!("bug: documents are refused: {}", self.trace.join("\n")))
    }

    pub(crate) fn import(&mut self, options: &ImportOptions) -> Result<(), Wrong> {
        let text = self.declared.inventory();
        let path = self.write("fleet.csv", &text)?;
        let options = options.clone();
        self.command("import", |engine| engine.import(&path, &options))?;
        Ok(())
    }

    pub(crate) fn run(&mut self) -> Result<(), Wrong> {
        let group = self.chances.percent(25);
        let most = (!self.calm && self.chances.percent(12)).then(|| Decimal::from(self.chances.between(5, 70)));
        let max_charge: Vec<Money> = most.map_or(Vec::new(), |most| {
            ["USD", "EUR"].iter().filter_map(|currency| Money::new(most, currency.parse().ok()?).ok()).collect()
        });
        let tick = self.world.bank().tick();
        let acts = self.world.bank().acts;
        let view = self.command("run", |engine| engine.run(&RunOptions { group, max_charge }))?;
        if let Some(most) = most {
            self.fire("max-charge");
            let over = self.world.bank().asked_since(tick).into_iter().find(|(_, sum)| most < *sum);
            // What others pay meanwhile is not this run's.
            if let Some((currency, sum)) = over.filter(|_| acts == self.world.bank().acts) {
                return Err(format!("over-max-charge: a run charges {sum} {currency}, and may charge {most}"));
            }
        }
        view.map_or(Ok(()), |view| self.check_answer(&view.renewals))
    }

    /// What a command answered must be so.
    fn check_answer(&mut self, view: &RenewView) -> Result<(), Wrong> {
        for item in view.items.iter().filter(|item| item.verdict == Verdict::Renewed) {
            let order = item.order.as_ref().and_then(|id| self.auditor.model.orders.get(id.as_str()));
            if order.is_none_or(|order| order.settled.is_none()) {
                return Err(format!("answered-untruly: {} is said to be renewed by {:?}", item.resource, item.order));
            }
        }
        Ok(())
    }

    fn selector(&mut self) -> Selector {
        let ids: Vec<String> = self.declared.things.iter().map(|thing| thing.id.clone()).collect();
        match self.chances.pick(&ids) {
            Some(id) if self.chances.percent(60) => {
                Selector { ids: vec![Pattern::new(id.clone())], ..Selector::default() }
            }
            Some(_) | None => Selector { all: true, ..Selector::default() },
        }
    }

    fn renew(&mut self, request: Option<(RequestName, Selector)>) -> Result<(), Wrong> {
        let align = match self.chances.between(0, 3) {
            0 => AlignAsked::Yes,
            1 => AlignAsked::No,
            _ => AlignAsked::Unsaid,
        };
        let term = self.chances.word(&["", "P1M", "P3M"]).parse().ok();
        let pay_with = match self.chances.between(0, 5) {
            0 => MethodName::new("card-a-usd").ok(),
            1 => MethodName::new("balance").ok(),
            _ => None,
        };
        let twice = self.chances.percent(10);
        let (pay_later, atomic) = (self.chances.percent(15), self.chances.percent(15));
        let (request, selector) = match request {
            Some((name, selector)) => (Some(name), selector),
            None => (None, self.selector()),
        };
        // A person looks at the quote for a while.
        let wait = if self.chances.percent(12) { self.chances.between(600, 2 * 86_400) } else { 0 };
        if 0 < wait {
            self.fire("quote-waits");
        }
        let world = Arc::clone(&self.world);
        let ask = RenewAsk { wish: Wish { term, align, same_date: None }, pay_with, request };
        let options = RenewOptions { pay_later, atomic };
        let answer = self.command("renew", |engine| {
            let quoted = engine.quote(&selector, &ask)?;
            world.advance(wait);
            engine.renew(quoted, &options)
        })?;
        if let Some(view) = &answer {
            self.check_answer(view)?;
        }
        if twice {
            self.fire("command-repeated");
            let answer = self.command("renew again", |engine| {
                let quoted = engine.quote(&selector, &ask)?;
                engine.renew(quoted, &options)
            })?;
            return answer.map_or(Ok(()), |view| self.check_answer(&view));
        }
        Ok(())
    }

    /// A job in CI: what expires before a date is renewed once under that date.
    fn renew_guarded(&mut self) -> Result<(), Wrong> {
        let day = date(self.world.now(), self.chances.between(3, 30));
        let Ok(name) = RequestName::new(format!("expiring-before/{day}")) else { return Ok(()) };
        let before =
            day.parse().ok().map(|date: chrono::NaiveDate| LocalMoment::Local(date.and_time(chrono::NaiveTime::MIN)));
        let selector = Selector { expires_before: before, ..Selector::default() };
        self.fire("request-guard");
        self.renew(Some((name.clone(), selector)))?;
        self.renew(Some((name, Selector { all: true, ..Selector::default() })))
    }

    fn pick_order(&mut self) -> Option<OrderId> {
        let open: Vec<&String> =
            self.auditor.model.orders.iter().filter(|(_, order)| !order.closed).map(|(id, _)| id).collect();
        let all: Vec<&String> = self.auditor.model.orders.keys().collect();
        let from = if self.chances.percent(80) && !open.is_empty() { open } else { all };
        self.chances.pick(&from).and_then(|id| OrderId::new(id.as_str()).ok())
    }

    fn of_order(
        &mut self,
        name: &str,
        act: impl FnOnce(&Engine, &OrderId) -> Result<(), EngineError>,
    ) -> Result<(), Wrong> {
        let Some(id) = self.pick_order() else { return Ok(()) };
        self.command(&format!("{name} {id}"), |engine| act(engine, &id))?;
        Ok(())
    }

    fn approve(&mut self) -> Result<(), Wrong> {
        let held: Vec<String> = self
            .auditor
            .model
            .orders
            .iter()
            .filter(|(_, order)| order.held && !order.closed)
            .map(|(id, _)| id.clone())
            .collect();
        let Some(id) = self.chances.pick(&held).and_then(|id| OrderId::new(id.as_str()).ok()) else {
            return self.of_order("pay", |engine, id| engine.pay(id, None).map(|_| ()));
        };
        if self.chances.percent(40) {
            self.fire("held-order-paid");
            self.command(&format!("pay {id}"), |engine| engine.pay(&id, None))?;
        }
        self.fire("held-order-approved");
        self.command(&format!("approve {id}"), |engine| engine.approve(&id, None))?;
        Ok(())
    }

    /// A person looks at the gateway, and mostly sees what is there.
    fn resolve(&mut self) -> Result<(), Wrong> {
        let Some(id) = self.pick_order() else { return Ok(()) };
        let order = self.auditor.model.orders.get(id.as_str()).filter(|order| !order.closed);
        let last = order.and_then(|order| Some((order.tries.values().last()?.clone(), order.goes_back())));
        let Some((last, goes_back)) = last else { return Ok(()) };
        self.world.bank().pass(self.world.now());
        let charge = self.world.bank().by_key(&last.gateway, &last.key).cloned();
        let taken = charge.as_ref().is_some_and(|it| it.state == crate::bank::ChargeState::Captured);
        let undecided = charge.as_ref().is_some_and(|it| it.may_have_moved() && !taken);
        let errs = self.world.profile.people_err && self.chances.percent(30);
        // While money goes back, a word about the order is one about that money.
        if (undecided || goes_back) && !errs {
            return Ok(());
        }
        if goes_back {
            self.world.bank().misled_of_refunds.insert(id.to_string());
        }
        let succeeded = taken != errs;
        if errs {
            self.fire("person-errs");
            if succeeded {
                self.world.bank().misled.insert(id.to_string());
            }
        }
        let reference = charge.filter(|_| taken).map(|it| it.reference);
        let ask = ResolveAsk { succeeded, reference, reason: "seen at the gateway".to_owned() };
        self.command(&format!("resolve {id} as succeeded: {succeeded}"), |engine| engine.resolve(&id, &ask))?;
        Ok(())
    }

    fn refund(&mut self) -> Result<(), Wrong> {
        let settled: Vec<String> =
            self.auditor.model.orders.iter().filter(|(_, it)| it.settled.is_some()).map(|(id, _)| id.clone()).collect();
        let Some(id) = self.chances.pick(&settled).and_then(|id| OrderId::new(id.as_str()).ok()) else {
            return Ok(());
        };
        let lines = self.auditor.model.orders.get(id.as_str()).map(|order| order.lines.clone()).unwrap_or_default();
        let mut lines: Vec<ResourceId> =
            lines.iter().filter_map(|line| ResourceId::new(line.resource.as_str()).ok()).collect();
        let several = 1 < lines.len() && self.chances.percent(35);
        if several {
            lines.truncate(usize::try_from(self.chances.between(2, 3)).unwrap_or(2));
            self.fire("refund-of-several-lines");
        } else {
            lines = self.chances.pick(&lines).cloned().into_iter().collect();
        }
        let currency = self.chances.word(&["USD", "EUR"]);
        let sum = self.chances.word(&["1.50", "1.50", "60.00"]);
        let amount =
            (!several && self.chances.percent(35)).then(|| format!("{sum} {currency}").parse::<Money>().ok()).flatten();
        let wish = RefundWish { resources: lines, amount, reason: "not used".to_owned() };
        self.fire("refund-asked");
        self.command(&format!("refund {id}"), |engine| engine.refund(&id, &wish))?;
        Ok(())
    }

    pub(crate) fn top_up(&mut self) -> Result<(), Wrong> {
        let Some(account) = self.chances.pick(&self.declared.accounts).cloned() else { return Ok(()) };
        let amount = format!("{}.00 {}", self.chances.between(5, 90), account.currency);
        if self.chances.percent(70) {
            self.topups += 1;
        }
        let reference = format!("wire-{}", self.topups);
        let (Ok(name), Ok(amount)) = (AccountName::new(account.name.as_str()), amount.parse::<Money>()) else {
            return Ok(());
        };
        self.command(&format!("top up {name} {amount} as {reference}"), |engine| {
            engine.topup(&name, amount, reference.clone())
        })?;
        Ok(())
    }

    fn choose_mode(&mut self) -> Result<(), Wrong> {
        let selector = self.selector();
        let mode = self
            .chances
            .pick(&[Some(Mode::Auto), Some(Mode::Auto), Some(Mode::Manual), Some(Mode::Expire), None])
            .copied()
            .flatten();
        let choice = ModeChoice { mode, reason: None, until: None };
        self.fire("mode-chosen");
        self.command(&format!("mode {mode:?}"), |engine| engine.mode(&selector, &choice))?;
        Ok(())
    }

    /// Settles every conflict between the inventory and the store.
    pub(crate) fn settle_conflicts(&mut self) -> Result<(), Wrong> {
        self.import(&ImportOptions { take: Some(Take::Store), ..ImportOptions::default() })
    }
}
