//! What people declare in a simulated world: documents and an inventory, drawn from the seed and changed by the way.

use crate::chance::Chance;
use chrono::{DateTime, Days, NaiveDate};
use std::fmt::Write as _;

const ZONES: [&str; 6] =
    ["Asia/Singapore", "Europe/Paris", "America/New_York", "UTC", "Australia/Lord_Howe", "America/Santiago"];

/// An account.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) name: String,
    zone: &'static str,
    pub(crate) currency: &'static str,
    day: &'static str,
    methods: Vec<&'static str>,
    month_limit: Option<i64>,
}

/// A renewal policy.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    name: &'static str,
    matches: &'static str,
    priority: u32,
    pub(crate) mode: &'static str,
    term: &'static str,
    charge_before: i64,
    charge_at: &'static str,
    pub(crate) times: Option<i64>,
    until: &'static str,
    align: &'static str,
    month_end: &'static str,
    late_start: &'static str,
    grace: i64,
    retention: i64,
    order_limit: Option<i64>,
    increase: Option<i64>,
    on_failure: &'static str,
}

/// A resource of the inventory.
#[derive(Debug, Clone)]
pub(crate) struct Thing {
    pub(crate) id: String,
    pub(crate) account: String,
    sku: &'static str,
    quantity: i64,
    tier: &'static str,
    expiry: String,
    mode: &'static str,
}

/// Everything that is declared.
#[derive(Debug, Clone)]
pub(crate) struct Declared {
    pub(crate) accounts: Vec<Account>,
    pub(crate) policies: Vec<Policy>,
    pub(crate) things: Vec<Thing>,
    prices: Vec<(&'static str, i64)>,
    /// What has no price for the time being, so that the pricing plugin fails.
    unpriced: Option<&'static str>,
    /// The cards are at each other's gateway.
    moved: bool,
    /// Whether methods may move to another gateway at all.
    pub(crate) may_move: bool,
    pub(crate) request: Option<(String, String)>,
}

impl Account {
    fn new(name: &str, chances: &mut Chance) -> Self {
        let mut methods = vec!["balance", "card-a", "card-b"];
        if chances.percent(80) {
            methods.rotate_left(1);
        }
        if chances.percent(30) {
            methods.swap(1, 2);
        }
        if chances.percent(25) {
            methods.truncate(2);
        }
        if methods == ["balance"] {
            methods.push("card-a");
        }
        Self {
            name: name.to_owned(),
            zone: chances.pick(&ZONES).copied().unwrap_or("UTC"),
            currency: chances.word(&["USD", "USD", "EUR"]),
            day: chances.word(&["1", "15", "28", "last"]),
            methods,
            month_limit: chances.percent(15).then(|| chances.between(40, 400)),
        }
    }

    fn yaml(&self, to: &mut String) {
        let methods: Vec<String> = self
            .methods
            .iter()
            .map(|method| match *method {
                "balance" => "{ method: balance }".to_owned(),
                other => format!("{{ method: {other}-{}, reference: pm-{} }}", self.currency.to_lowercase(), self.name),
            })
            .collect();
        let limits = self.month_limit.map(|sum| format!(", limits: {{ perMonth: {sum} {} }}", self.currency));
        let _ = writeln!(
            to,
            "---\napiVersion: renewd/v1\nkind: Account\nmetadata: {{ name: {} }}\nspec: {{ timeZone: {}, currency: {}, renewalDay: {}, paymentMethods: [ {} ]{} }}",
            self.name,
            self.zone,
            self.currency,
            self.day,
            methods.join(", "),
            limits.unwrap_or_default(),
        );
    }
}

impl Policy {
    fn new(name: &'static str, matches: &'static str, priority: u32, chances: &mut Chance) -> Self {
        let mut policy = Self {
            name,
            matches,
            priority,
            mode: "auto",
            term: "P1M",
            charge_before: 7,
            charge_at: "03:00",
            times: None,
            until: "retention",
            align: "on-request",
            month_end: "anchor",
            late_start: "from-expiry",
            grace: chances.between(1, 15),
            retention: chances.between(3, 15),
            order_limit: None,
            increase: None,
            on_failure: "hold",
        };
        policy.edit(chances);
        policy.edit(chances);
        policy
    }

    /// Changes some fields.
    fn edit(&mut self, chances: &mut Chance) {
        self.mode = chances.word(&[
            "auto",
            "auto",
            "auto",
            "auto",
            "auto",
            "auto",
            "manual",
            "auto",
            "manual",
            "expire",
            "pay-per-use",
        ]);
        self.term = chances.word(&["P1M", "P1M", "P1M", "P1M", "P3M", "P1Y"]);
        self.charge_before = chances.between(0, 10);
        self.charge_at = chances.word(&["03:00", "00:00", "02:30", "23:59"]);
        self.times = chances.percent(15).then(|| chances.between(1, 2));
        self.until = chances.word(&["retention", "grace", "retention", "expiry"]);
        self.align = chances.word(&["on-request", "always", "never"]);
        self.month_end = chances.word(&["anchor", "clamp", "end-of-month"]);
        self.late_start = chances.word(&["from-expiry", "from-expiry", "from-renewal"]);
        self.order_limit = chances.percent(15).then(|| chances.between(15, 120));
        self.increase = chances.percent(15).then(|| chances.between(1, 10));
        self.on_failure = chances.word(&["hold", "deny"]);
    }

    fn yaml(&self, list: &str, currency: &str, to: &mut String) {
        let mut limits = Vec::new();
        limits.extend(self.order_limit.map(|sum| format!("perOrder: {sum} {currency}")));
        limits.extend(self.increase.map(|percent| format!("priceIncrease: {percent}%")));
        let times = self.times.map_or("unlimited".to_owned(), |times| times.to_string());
        let _ = writeln!(
            to,
            "---\napiVersion: renewd/v1\nkind: RenewalPolicy\nmetadata: {{ name: {name}-{account} }}\nspec:\n  match: {{ accounts: [{account}]{matches} }}\n  priority: {priority}\n  mode: {mode}\n  terms: {{ allowed: [P1M, P3M, P1Y], default: {term} }}\n  auto: {{ chargeBefore: {before}d, chargeAt: \"{at}\", times: {times}, retry: 1d, until: {until} }}\n  align: {align}\n  monthEnd: {month_end}\n  lateStart: {late}\n  windows: {{ expiring: 7d, grace: {grace}d, retention: {retention}d }}\n  pricing: {{ plugin: price-list, priceList: list-{lower} }}\n  limits: {{ {limits} }}\n  onPluginFailure: {failure}",
            name = self.name,
            account = list,
            matches = self.matches,
            priority = self.priority,
            mode = self.mode,
            term = self.term,
            before = self.charge_before,
            at = self.charge_at,
            until = self.until,
            align = self.align,
            month_end = self.month_end,
            late = self.late_start,
            grace = self.grace,
            retention = self.retention,
            lower = currency.to_lowercase(),
            limits = limits.join(", "),
            failure = self.on_failure,
        );
    }
}

impl Declared {
    /// What is declared at the beginning; `now` is a second since 1970.
    pub(crate) fn new(now: i64, chances: &mut Chance) -> Self {
        let mut accounts = vec![Account::new("acme", chances)];
        if chances.percent(30) {
            accounts.push(Account::new("bolt", chances));
        }
        let mut policies = vec![Policy::new("all", "", 1, chances)];
        if chances.percent(40) {
            policies.push(Policy::new("gold", ", labels: { tier: gold }", 10, chances));
        }
        let count = chances.between(2, 5);
        let things = (1..=count)
            .map(|number| Thing {
                id: format!("r{number}"),
                account: chances.pick(&accounts).map(|it| it.name.clone()).unwrap_or_default(),
                sku: chances.word(&["small", "large", "small", "large", "small", "large", "free"]),
                quantity: chances.between(1, 3),
                tier: chances.word(&["gold", "silver"]),
                expiry: expiry(now, chances),
                mode: chances.word(&["", "", "", "", "auto", "manual"]),
            })
            .collect();
        let prices = vec![("small", 980), ("large", 2450), ("free", 0)];
        Self { accounts, policies, things, prices, unpriced: None, moved: false, may_move: false, request: None }
    }

    /// Changes a policy, a price or an account's methods, or adds a request.
    pub(crate) fn edit(&mut self, now: i64, chances: &mut Chance) -> &'static str {
        match chances.between(0, 8) {
            0 | 1 => {
                let index = usize::try_from(chances.between(0, 1)).unwrap_or_default();
                if let Some(policy) = self.policies.get_mut(index) {
                    policy.edit(chances);
                }
                "a policy"
            }
            2 => {
                for (_, cents) in &mut self.prices {
                    *cents += *cents * chances.between(-5, 12) / 100;
                }
                "prices"
            }
            3 => {
                for account in &mut self.accounts {
                    account.methods.rotate_left(1);
                }
                "the order of methods"
            }
            4 => {
                self.unpriced = match self.unpriced {
                    Some(_) => None,
                    None => Some(chances.word(&["small", "large"])),
                };
                "what has a price"
            }
            5 if self.may_move => {
                self.moved = !self.moved;
                "the gateway of each card"
            }
            _ => {
                let date = date(now, chances.between(5, 40));
                let name = format!("wish-{}", chances.between(1, 4));
                self.request = Some((name, date));
                "a request"
            }
        }
    }

    /// Takes away what limits, times and modes would keep from being renewed.
    pub(crate) fn ease(&mut self) {
        for policy in &mut self.policies {
            (policy.order_limit, policy.increase) = (None, None);
        }
        for account in &mut self.accounts {
            account.month_limit = None;
        }
        self.unpriced = None;
    }

    /// Another expiry in the inventory, as if somebody had renewed or corrected it elsewhere.
    /// Rather one of these than any.
    pub(crate) fn move_expiry(&mut self, rather: &[String], now: i64, chances: &mut Chance) {
        let index = usize::try_from(chances.between(0, 4)).unwrap_or_default();
        let directed = chances.percent(70);
        let wanted = chances.pick(rather).filter(|_| directed);
        let index = wanted.and_then(|id| self.things.iter().position(|thing| thing.id == *id)).unwrap_or(index);
        if let Some(thing) = self.things.get_mut(index) {
            thing.expiry = expiry(now, chances);
        }
    }

    /// All documents, as one YAML text.
    pub(crate) fn yaml(&self) -> String {
        let mut text = String::from(
            "apiVersion: renewd/v1\nkind: Plugin\nmetadata: { name: price-list }\nspec: { file: ../plugins/price-list.wasm, role: pricing }\n",
        );
        for gate in ["gate-a", "gate-b"] {
            let _ = writeln!(
                text,
                "---\napiVersion: renewd/v1\nkind: Plugin\nmetadata: {{ name: {gate} }}\nspec: {{ file: ../plugins/invoice.wasm, role: payment }}"
            );
        }
        for currency in ["USD", "EUR"] {
            let gates = if self.moved { ["gate-b", "gate-a"] } else { ["gate-a", "gate-b"] };
            for (card, gate) in ["card-a", "card-b"].into_iter().zip(gates) {
                let _ = writeln!(
                    text,
                    "---\napiVersion: renewd/v1\nkind: PaymentMethod\nmetadata: {{ name: {card}-{} }}\nspec: {{ plugin: {gate}, config: {{ creditLimit: \"9000 {currency}\", netDays: 30 }} }}",
                    currency.to_lowercase()
                );
            }
            let priced = self.prices.iter().filter(|(sku, _)| self.unpriced != Some(sku));
            let rows: Vec<String> = priced.map(|(sku, cents)| rows(sku, *cents)).collect();
            let _ = writeln!(
                text,
                "---\napiVersion: renewd/v1\nkind: PriceList\nmetadata: {{ name: list-{} }}\nspec:\n  currency: {currency}\n  rows:\n{}",
                currency.to_lowercase(),
                rows.concat()
            );
        }
        for account in &self.accounts {
            account.yaml(&mut text);
            for policy in &self.policies {
                policy.yaml(&account.name, account.currency, &mut text);
            }
        }
        if let Some((name, before)) = &self.request {
            let _ = writeln!(
                text,
                "---\napiVersion: renewd/v1\nkind: RenewalRequest\nmetadata: {{ name: {name} }}\nspec: {{ match: {{}}, expiresBefore: {before}, term: P1M }}"
            );
        }
        text
    }

    /// The inventory, as CSV.
    pub(crate) fn inventory(&self) -> String {
        let mut text = String::from("id,account,kind,sku,quantity,region,labels,expiry,mode\n");
        for thing in &self.things {
            let _ = writeln!(
                text,
                "{},{},vm,{},{},eu-1,tier={},{},{}",
                thing.id, thing.account, thing.sku, thing.quantity, thing.tier, thing.expiry, thing.mode
            );
        }
        text
    }
}

fn rows(sku: &str, cents: i64) -> String {
    let price = |cents: i64| format!("{}.{:02}", cents / 100, cents % 100);
    [("P1M", cents), ("P3M", cents * 3), ("P1Y", cents * 10)]
        .iter()
        .map(|(term, cents)| format!("    - {{ sku: {sku}, term: {term}, price: \"{}\" }}\n", price(*cents)))
        .collect()
}

/// The UTC date so many days after a second.
pub(crate) fn date(now: i64, days: i64) -> String {
    let today = DateTime::from_timestamp(now, 0).map(|now| now.date_naive()).unwrap_or(NaiveDate::MIN);
    let moved = if days < 0 {
        today.checked_sub_days(Days::new(days.unsigned_abs()))
    } else {
        today.checked_add_days(Days::new(days.unsigned_abs()))
    };
    moved.unwrap_or(today).to_string()
}

fn expiry(now: i64, chances: &mut Chance) -> String {
    let date = date(now, chances.between(-6, 24));
    match chances.between(0, 3) {
        0 => format!("{date}T02:30:00"),
        1 => format!("{date}T00:00:00"),
        _ => date,
    }
}
