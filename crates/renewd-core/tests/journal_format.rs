//! The journal's format: every kind of event, as the JSON that journals hold for ever. `golden/events.jsonl` may get
//! new lines; a changed line means that old journals are read differently.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod fixtures;

use fixtures::*;
use renewd_core::calendar::{ConventionsName, ExtraDays, ExtraOf, LateStart, MonthEnd, Proration, RenewalDay, Until};
use renewd_core::decide::place;
use renewd_core::documents::*;
use renewd_core::event::{Event, ImportChange};
use renewd_core::ids::{Digest, OrderId, PluginName};
use renewd_core::money::Rounding;
use renewd_core::order::*;
use renewd_core::quote::{SameDate, Wish};
use renewd_core::refusal::{Reason, Refusal};
use renewd_core::resource::{AutoRecord, AutoTry, Freeze, Imported, ModeOverride, Noted, Phase, Resource, Tries};

const GOLDEN: &str = include_str!("golden/events.jsonl");

/// The kind of an event; a new variant must be added here, to `ALL` and to the golden file.
fn kind(event: &Event) -> &'static str {
    match event {
        Event::DocumentPut { .. } => "document-put",
        Event::DocumentRemoved { .. } => "document-removed",
        Event::RevisionApplied { .. } => "revision-applied",
        Event::WindowsCaptured { .. } => "windows-captured",
        Event::ResourceAdded { .. } => "resource-added",
        Event::ResourceImported { .. } => "resource-imported",
        Event::ResourceFrozen { .. } => "resource-frozen",
        Event::ResourceThawed { .. } => "resource-thawed",
        Event::ModeChosen { .. } => "mode-chosen",
        Event::ModeReturned { .. } => "mode-returned",
        Event::OrderPlaced { .. } => "order-placed",
        Event::OrderAdopted { .. } => "order-adopted",
        Event::OrderApproved { .. } => "order-approved",
        Event::OrderHeld { .. } => "order-held",
        Event::OrderCanceled { .. } => "order-canceled",
        Event::OrderExpired { .. } => "order-expired",
        Event::AttemptStarted { .. } => "attempt-started",
        Event::AttemptEnded { .. } => "attempt-ended",
        Event::AttemptChecked { .. } => "attempt-checked",
        Event::LateSuccess { .. } => "late-success",
        Event::RefundStarted { .. } => "refund-started",
        Event::RefundEnded { .. } => "refund-ended",
        Event::RefundChecked { .. } => "refund-checked",
        Event::OrderSettled { .. } => "order-settled",
        Event::ResolvedDeclined { .. } => "resolved-declined",
        Event::PhaseEntered { .. } => "phase-entered",
        Event::ResourceConverted { .. } => "resource-converted",
        Event::ResourceEnded { .. } => "resource-ended",
        Event::AutoFailed { .. } => "auto-failed",
        Event::AutoFinished { .. } => "auto-finished",
        Event::BalanceToppedUp { .. } => "balance-topped-up",
        Event::EventsDelivered { .. } => "events-delivered",
    }
}

const ALL: [&str; 32] = [
    "document-put",
    "document-removed",
    "revision-applied",
    "windows-captured",
    "resource-added",
    "resource-imported",
    "resource-frozen",
    "resource-thawed",
    "mode-chosen",
    "mode-returned",
    "order-placed",
    "order-adopted",
    "order-approved",
    "order-held",
    "order-canceled",
    "order-expired",
    "attempt-started",
    "attempt-ended",
    "attempt-checked",
    "late-success",
    "refund-started",
    "refund-ended",
    "refund-checked",
    "order-settled",
    "resolved-declined",
    "phase-entered",
    "resource-converted",
    "resource-ended",
    "auto-failed",
    "auto-finished",
    "balance-topped-up",
    "events-delivered",
];

fn order_id() -> OrderId {
    OrderId::new("ord_0123456789ab").unwrap()
}

fn put(document: Document) -> Event {
    Event::DocumentPut { document }
}

fn full_policy() -> RenewalPolicy {
    let mut full_policy = policy();
    full_policy.matcher = Matcher {
        ids: vec![Pattern::new("phone-*")],
        accounts: vec![Pattern::new("acme")],
        kinds: vec![Pattern::new("cloud-phone")],
        skus: vec![Pattern::new("phone.large")],
        regions: vec![Pattern::new("ap-southeast-*")],
        labels: [("env".to_owned(), vec![Pattern::new("prod"), Pattern::new("test")])].into(),
        exclude: Some(Box::new(Matcher { ids: vec![Pattern::new("phone-lab-*")], ..Matcher::default() })),
    };
    full_policy.priority = -5;
    full_policy.mode = Mode::PayPerUse;
    full_policy.overrides = Overrides::Deny;
    full_policy.terms.max_ahead = Some("P3Y".parse().unwrap());
    full_policy.auto.times = Some(12);
    full_policy.auto.until = Until::Grace;
    full_policy.align = AlignPolicy::Always;
    full_policy.renewal_day = Some(RenewalDay::Day(8));
    full_policy.conventions = Some(ConventionsName::HuaweiCloud);
    full_policy.month_end = MonthEnd::EndOfMonth;
    full_policy.late_start = LateStart::FromRenewal;
    full_policy.extra_days = ExtraDays { of: ExtraOf::Term, proration: Proration::NaturalMonths };
    full_policy.rounding = Rounding::HalfUp;
    full_policy.pricing.price_list = Some("phones-2026".parse().unwrap());
    full_policy.pricing.config = serde_json::json!({ "discount": "5%", "steps": [1, 2.5, null, true] });
    full_policy.payment = Some(vec!["balance".parse().unwrap(), "card".parse().unwrap()]);
    full_policy.limits = Limits {
        per_order: Some(money("5000 USD")),
        per_month: Some(money("15000 USD")),
        price_increase: Some(Percent(decimal("10.5"))),
    };
    full_policy.on_plugin_failure = FailurePolicy::Deny;
    full_policy
}

fn documents() -> Vec<Event> {
    let mut full_account = account();
    full_account.limits = AccountLimits { per_order: Some(money("500 USD")), per_month: Some(money("20000 USD")) };
    full_account.renewal_day = Some(RenewalDay::Last);
    let plugin = Plugin {
        name: PluginName::new("stripe").unwrap(),
        file: "../plugins/dist/stripe.wasm".to_owned(),
        digest: Digest::of(b"stripe.wasm"),
        role: PluginRole::Payment,
        limits: PluginLimits { memory_bytes: Some(1 << 26), fuel: Some(u64::MAX), deadline_ms: Some(5000) },
        grants: Vec::new(),
        secrets: [].into(),
    };
    let gateway = Plugin {
        grants: vec![
            "POST https://api.stripe.com/v1/".parse().unwrap(),
            "GET http://localhost:12111/".parse().unwrap(),
        ],
        secrets: [("stripe-key".parse().unwrap(), SecretSource { env: "STRIPE_KEY".to_owned() })].into(),
        ..plugin.clone()
    };
    let request = |align, expires_before| RenewalRequest {
        name: "december".parse().unwrap(),
        matcher: Matcher::default(),
        expires_before,
        term: Some("P1M".parse().unwrap()),
        align,
        pay_with: Some("card".parse().unwrap()),
        max_total: Some(money("1500 USD")),
    };
    let local = LocalMoment::Local("2027-01-01T00:00:00".parse().unwrap());
    vec![
        put(Document::Account(account())),
        put(Document::Account(full_account)),
        put(Document::PriceList(PriceList {
            name: "phones-2026".parse().unwrap(),
            currency: "USD".parse().unwrap(),
            rows: Digest::of(b"rows"),
            row_count: 12,
        })),
        put(Document::Plugin(plugin)),
        put(Document::Plugin(gateway)),
        put(Document::PaymentMethod(PaymentMethod {
            name: "card".parse().unwrap(),
            plugin: PluginName::new("stripe").unwrap(),
            config: serde_json::json!({ "mode": "payment-intents" }),
            max_in_flight: None,
        })),
        put(Document::RenewalPolicy(Box::new(policy()))),
        put(Document::RenewalPolicy(Box::new(full_policy()))),
        put(Document::RenewalRequest(request(AlignAsked::Yes, Some(local)))),
        put(Document::RenewalRequest(request(
            AlignAsked::Day(RenewalDay::Last),
            Some(LocalMoment::Instant(at("2027-01-01T00:00:00Z"))),
        ))),
        put(Document::RenewalRequest(RenewalRequest {
            expires_before: None,
            term: None,
            pay_with: None,
            max_total: None,
            ..request(AlignAsked::Unsaid, None)
        })),
        Event::DocumentRemoved { key: DocumentKey { kind: DocumentKind::RenewalRequest, name: "december".to_owned() } },
        Event::RevisionApplied { revision: 7, digest: Digest::of(b"documents") },
    ]
}

fn resources() -> Vec<Event> {
    let full = {
        let mut full = resource("phone-2", "2026-01-31T23:59:59");
        full.description.external_id = Some("i-0abc".to_owned());
        full.description.renewable = false;
        full.description.quantity = 7;
        full.generation = 3;
        full.windows = POLICY_WINDOWS;
        full.windows_captured = true;
        full.imported.mode = Some(Mode::Expire);
        full.imported.price = Some(decimal("12.50"));
        full.paid =
            [("P1M".parse().unwrap(), decimal("20")), ("P1Y".parse().unwrap(), decimal("16.666666666667"))].into();
        full.last_paid = Some(decimal("20"));
        full.chosen = Some(chosen(true));
        full.freeze = Some(Freeze::ImportConflict { detail: "two dates".to_owned() });
        full.open_order = Some(order_id());
        full
    };
    let bare = {
        let mut bare = resource("phone-1", "2026-11-20T23:59:59");
        bare.description.region = String::new();
        bare.description.labels.clear();
        bare
    };
    let change = |change| Event::ResourceImported { resource: id("phone-1"), change: Box::new(change) };
    vec![
        Event::WindowsCaptured { resource: id("phone-1"), policy: policy().name, windows: POLICY_WINDOWS },
        Event::ResourceAdded { resource: Box::new(bare.clone()) },
        Event::ResourceAdded { resource: Box::new(full) },
        change(ImportChange {
            description: Some(bare.description),
            end: Some(end("2026-12-31T00:00:00")),
            imported: Some(Imported { end: end("2026-12-31T00:00:00"), mode: Some(Mode::Manual), price: None }),
            price: true,
        }),
        change(ImportChange { end: Some(end("2026-12-31T00:00:00")), ..ImportChange::default() }),
        Event::ResourceFrozen { resource: id("phone-1"), freeze: Freeze::UnknownPayment { order: order_id() } },
        Event::ResourceFrozen {
            resource: id("phone-1"),
            freeze: Freeze::ImportConflict { detail: "two dates".to_owned() },
        },
        Event::ResourceThawed { resource: id("phone-1") },
        Event::ModeChosen { resource: id("phone-1"), chosen: chosen(true) },
        Event::ModeChosen { resource: id("phone-1"), chosen: chosen(false) },
        Event::ModeReturned { resource: id("phone-1") },
    ]
}

fn chosen(full: bool) -> ModeOverride {
    ModeOverride {
        mode: Mode::Auto,
        actor: "ana".to_owned(),
        reason: full.then(|| "wanted".to_owned()),
        until: full.then(|| at("2027-01-01T00:00:00Z")),
    }
}

fn orders() -> Vec<Event> {
    let mut world = World::new();
    let plain = world.placing(vec![world.quote("phone-1", 1)]);
    let open = place(&world.state, plain, world.now).unwrap().1.remove(0);
    world.edit_account(|account| account.limits.per_order = Some(money("1 USD")));
    let aligned = Wish { align: AlignAsked::Day(RenewalDay::Day(15)), ..Wish::default() };
    let same_date = Wish { same_date: Some(SameDate("2026-12-01".parse().unwrap())), ..Wish::default() };
    let mut quotes: Vec<_> = [("phone-2", aligned), ("phone-3", same_date)]
        .into_iter()
        .map(|(name, wish)| world.quote_for(name, &wish).unwrap())
        .collect();
    quotes[0].net_per_month = Some(decimal("16.666666666667"));
    let mut placing = world.placing(quotes);
    placing.origin = request("december");
    placing.holds = vec![Hold { reason: Reason::OverMaxTotal, detail: "more than maxTotal".to_owned() }];
    let held = place(&world.state, placing, world.now).unwrap().1.remove(0);
    let Event::OrderPlaced { order } = &open else { panic!() };
    let order = order.clone();
    let auto = Event::OrderPlaced { order: Box::new(Order { origin: Origin::Auto, ..(*order).clone() }) };
    let mut order = *order;
    order.adopted_by = vec!["december".parse().unwrap(), "january".parse().unwrap()];
    let adopted = Event::OrderPlaced { order: Box::new(order) };
    let text = |text: &str| Some(text.to_owned());
    vec![
        open,
        held,
        auto,
        Event::OrderApproved { order: order_id(), reason: text("fine") },
        Event::OrderApproved { order: order_id(), reason: None },
        Event::OrderCanceled { order: order_id(), reason: text("not needed") },
        Event::OrderCanceled { order: order_id(), reason: None },
        Event::OrderExpired { order: order_id() },
        Event::OrderAdopted { order: order_id(), request: "december".parse().unwrap(), methods: None },
        adopted,
    ]
}

fn attempts() -> Vec<Event> {
    let started = |name: &str, config| Event::AttemptStarted {
        order: order_id(),
        attempt: Box::new(Attempt {
            number: 1,
            method: method(name),
            key: Digest::of(b"key"),
            plugin: (name == "card").then(|| Digest::of(b"card.wasm")),
            config,
            document: None,
            sought: None,
            owner: "1234-5678".to_owned(),
            started_at: at("2026-11-01T00:00:00Z"),
            outcome: Outcome::InFlight,
            checks: 0,
            next_check: None,
            shown: None,
        }),
    };
    let ended = |result| Event::AttemptEnded { order: order_id(), number: 1, result, follow: None };
    let declined = |retry| ended(Outcome::declined("card_declined", "no money", retry));
    let settled = |payment| Event::OrderSettled { order: order_id(), payment };
    let resolved = |reference: Option<&str>| {
        let reference = reference.map(str::to_owned);
        settled(Payment::Resolved { attempt: 2, reference, reason: "seen there".to_owned() })
    };
    vec![
        started("balance", serde_json::Value::Null),
        started("card", serde_json::json!({ "mode": "payment-intents" })),
        declined(Retry::Never),
        declined(Retry::Later),
        declined(Retry::OtherMethod),
        ended(Outcome::unknown("no answer")),
        ended(Outcome::Pending { reference: "pi_1".to_owned() }),
        ended(Outcome::RequiresAction {
            url: "https://bank.example/1".to_owned(),
            expires: at("2026-11-02T00:00:00Z"),
            reference: None,
        }),
        ended(Outcome::PriceMoved { actual: money("21.00 USD") }),
        ended(Outcome::Succeeded { reference: "pi_1".to_owned() }),
        ended(Outcome::InFlight),
        settled(Payment::Nothing),
        settled(Payment::Attempt { attempt: 2, reference: "pi_1".to_owned() }),
        resolved(Some("pi_1")),
        resolved(None),
        Event::ResolvedDeclined { order: order_id(), number: 1, reason: "nothing there".to_owned() },
        Event::BalanceToppedUp { account: acme(), amount: money("50 USD"), reference: "transfer 1".to_owned() },
        Event::BalanceToppedUp { account: acme(), amount: money("5000 JPY"), reference: "振込".to_owned() },
    ]
}

/// Payments that are pending, asked for again, late or given back.
fn later_answers() -> Vec<Event> {
    let Some(Event::DocumentPut { document: Document::Plugin(plugin) }) = documents().into_iter().nth(3) else {
        panic!("the fourth document is a plugin")
    };
    let attempt = Attempt {
        number: 2,
        method: method("card"),
        key: Digest::of(b"key"),
        plugin: Some(Digest::of(b"card.wasm")),
        config: serde_json::Value::Null,
        owner: "1234-5678".to_owned(),
        document: Some(Box::new(plugin)),
        sought: Some(3),
        started_at: at("2026-11-01T00:00:00Z"),
        outcome: Outcome::InFlight,
        checks: 2,
        next_check: Some(at("2026-11-01T01:00:00Z")),
        shown: None,
    };
    let ended = |result, follow| Event::AttemptEnded { order: order_id(), number: 1, result, follow };
    let checked =
        |next| Event::AttemptChecked { order: order_id(), number: 1, detail: "not yet".to_owned(), next, shown: None };
    let hold = Hold { reason: Reason::ChargeFound, detail: "another total".to_owned() };
    let not_before = Outcome::Declined {
        code: "try_later".to_owned(),
        message: "tomorrow".to_owned(),
        retry: Retry::Later,
        not_before: Some(at("2026-11-02T00:00:00Z")),
    };
    let unknown = Outcome::Unknown { detail: "no answer".to_owned(), reference: Some("pi_1".to_owned()) };
    vec![
        Event::AttemptStarted { order: order_id(), attempt: Box::new(attempt) },
        Event::OrderHeld { order: order_id(), hold: hold.clone(), sought: Some(3), month: None },
        Event::OrderHeld { order: order_id(), hold, sought: None, month: None },
        ended(not_before, None),
        ended(requires_action(), None),
        ended(unknown, None),
        ended(Outcome::declined("not-found", "not there", Retry::Later), Some(at("2026-11-01T01:00:00Z"))),
        checked(Some(at("2026-11-01T01:00:00Z"))),
        checked(None),
        Event::LateSuccess { order: order_id(), number: 1, reference: "pi_1".to_owned() },
    ]
}

fn refunds() -> Vec<Event> {
    let started = |cause, checks, next_check| Event::RefundStarted {
        order: order_id(),
        refund: Box::new(Refund {
            number: 1,
            cause,
            attempt: 2,
            reference: "pi_1".to_owned(),
            amount: money("20 USD"),
            key: Digest::of(b"refund"),
            reason: "not needed".to_owned(),
            owner: "1234-5678".to_owned(),
            started_at: at("2026-11-01T00:00:00Z"),
            outcome: RefundResult::InFlight,
            checks,
            next_check,
        }),
    };
    let ended = |result| Event::RefundEnded { order: order_id(), number: 1, result };
    let checked = |next| Event::RefundChecked { order: order_id(), number: 1, detail: "not yet".to_owned(), next };
    vec![
        started(RefundCause::Line { resource: id("phone-1") }, 0, None),
        started(RefundCause::LateSuccess, 1, Some(at("2026-11-01T01:00:00Z"))),
        ended(RefundResult::InFlight),
        ended(gone_back()),
        ended(RefundResult::Declined { code: "expired".to_owned(), message: "too late".to_owned() }),
        ended(RefundResult::Pending { refund_reference: "re_1".to_owned() }),
        ended(refund_unknown()),
        checked(Some(at("2026-11-01T01:00:00Z"))),
        checked(None),
        Event::ResourceFrozen { resource: id("phone-1"), freeze: Freeze::Refunding { order: order_id() } },
    ]
}

/// What time and automatic renewal do to resources.
fn time() -> Vec<Event> {
    let expiry = at("2026-11-20T15:59:59Z");
    let phase = |phase| Event::PhaseEntered { resource: id("phone-1"), phase, expiry };
    let refusal = Refusal::new(Reason::PricingFailed, "no price");
    let mut full = resource("phone-1", "2026-11-20T23:59:59");
    full.imported_generation = 2;
    full.sought = Some(3);
    full.tries = Some(Tries { generation: 1, expiry, count: 2 });
    full.auto = AutoRecord { renewals: 4, tried: Some(AutoTry { expiry, at: expiry, refused: vec![method("card")] }) };
    full.noted = Some(Noted { expiry, phase: Phase::Grace });
    full.converted = Some(expiry);
    let tried = AutoTry { expiry, at: expiry, refused: Vec::new() };
    let bare =
        Resource { auto: AutoRecord { renewals: 0, tried: Some(tried) }, ..resource("phone-1", "2026-11-20T23:59:59") };
    vec![
        Event::ResourceAdded { resource: Box::new(full) },
        Event::ResourceAdded { resource: Box::new(bare) },
        phase(Phase::Active),
        phase(Phase::Expiring),
        phase(Phase::Grace),
        phase(Phase::Retention),
        phase(Phase::Released),
        Event::ResourceConverted { resource: id("phone-1"), expiry },
        Event::ResourceEnded { resource: id("phone-1"), expiry },
        Event::AutoFailed { resource: id("phone-1"), expiry, refusal: refusal.clone().hint("look there") },
        Event::AutoFailed { resource: id("phone-1"), expiry, refusal },
        Event::AutoFinished { resource: id("phone-1"), renewals: 12 },
    ]
}

fn sinks() -> Vec<Event> {
    let sink = |target, events| put(Document::EventSink(EventSink { name: "told".parse().unwrap(), target, events }));
    let webhook = SinkTarget::Webhook {
        url: "https://hooks.example.com/renewd".to_owned(),
        secret: SecretSource { env: "HOOK_KEY".to_owned() },
    };
    let delivered = |failed: Option<&str>| Event::EventsDelivered {
        sink: "told".parse().unwrap(),
        through: 4711,
        failed: failed.map(str::to_owned),
    };
    vec![
        sink(webhook, EventKind::ALL.to_vec()),
        sink(SinkTarget::File { path: "/srv/events.ndjson".to_owned() }, Vec::new()),
        Event::DocumentRemoved { key: DocumentKey { kind: DocumentKind::EventSink, name: "told".to_owned() } },
        delivered(None),
        delivered(Some("the server answered 500")),
    ]
}

/// What an order is paid with by the request that adopted it, and the month that it is counted in when it is paid.
fn judged_later() -> Vec<Event> {
    let hold = Hold { reason: Reason::OverMonthLimit, detail: "20 USD beside 20 USD".to_owned() };
    let month = Some(MonthKey::of(at("2026-12-01T00:00:00Z"), chrono_tz::UTC));
    vec![
        Event::OrderAdopted {
            order: order_id(),
            request: "december".parse().unwrap(),
            methods: Some(vec![method("card")]),
        },
        Event::OrderHeld { order: order_id(), hold, sought: None, month },
        Event::AttemptChecked {
            order: order_id(),
            number: 1,
            detail: "it succeeded, and attempt 2 is not decided".to_owned(),
            next: Some(at("2026-11-01T01:00:00Z")),
            shown: Some("ch_1".to_owned()),
        },
    ]
}

fn events() -> Vec<Event> {
    [documents(), resources(), orders(), attempts(), later_answers(), refunds(), time(), sinks(), judged_later()]
        .concat()
}

#[test]
fn every_event_is_read_back_as_it_was_written() {
    for event in events() {
        let text = serde_json::to_string(&event).unwrap();
        let again: Event = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(again, event, "{text}");
        assert_eq!(serde_json::to_string(&again).unwrap(), text);
        let value = serde_json::to_value(&event).unwrap();
        assert_eq!(value["event"], kind(&event));
    }
}

#[test]
fn every_kind_of_event_is_here() {
    let events = events();
    for name in ALL {
        assert!(events.iter().any(|event| kind(event) == name), "{name} is missing");
    }
}

/// `UPDATE_EXPECT=1` writes the file anew; only added lines are harmless.
#[test]
fn journals_hold_exactly_the_golden_lines() {
    let lines: Vec<String> = events().iter().map(|event| serde_json::to_string(event).unwrap()).collect();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/events.jsonl");
        std::fs::write(path, lines.join("\n") + "\n").unwrap();
        return;
    }
    let golden: Vec<&str> = GOLDEN.lines().collect();
    for (number, (line, golden)) in lines.iter().zip(&golden).enumerate() {
        assert_eq!(line, golden, "line {}", number + 1);
    }
    assert_eq!(lines.len(), golden.len());
}

#[test]
fn golden_lines_are_read_as_the_events_they_were() {
    for (line, event) in GOLDEN.lines().zip(events()) {
        let read: Event = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(read, event, "{line}");
    }
}

/// Journals of this version lack the fields that later versions add; those must have defaults.
#[test]
fn optional_fields_may_be_absent() {
    for line in [
        r#"{"event":"order-approved","order":"ord_1","reason":null}"#,
        r#"{"event":"resource-imported","resource":"phone-1"}"#,
        r#"{"event":"mode-chosen","resource":"phone-1","mode":"auto","actor":"ana"}"#,
        r#"{"event":"order-settled","order":"ord_1","payment":{"paid":"nothing"}}"#,
    ] {
        let event: Event = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        let again: Event = serde_json::from_str(&serde_json::to_string(&event).unwrap()).unwrap();
        assert_eq!(again, event);
    }
}
