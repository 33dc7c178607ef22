//! The configuration: `discount`, `discounts`, `tiers`, `minimum`.

use renewd_plugin_sdk::config::{self, Amount, Findings, Object};
use renewd_plugin_sdk::exact::Exact;
use renewd_plugin_sdk::types::Finding;

const KEYS: [&str; 4] = ["discount", "discounts", "minimum", "tiers"];
const DISCOUNT_KEYS: [&str; 6] = ["amount", "from", "name", "percent", "skus", "until"];
const TIER_KEYS: [&str; 2] = ["discount", "from"];

/// A checked configuration.
#[derive(Debug, Default)]
pub struct Settings {
    /// In the configuration's order, the shorthand first.
    pub(crate) discounts: Vec<Discount>,
    /// From the smallest quantity up.
    pub(crate) tiers: Vec<Tier>,
    pub(crate) minimum: Option<Amount>,
}

/// What a discount takes off.
#[derive(Debug)]
pub(crate) enum Off {
    /// A share of the list price.
    Share(Exact),
    /// An amount for each quote.
    Fixed(Amount),
}

/// A discount, and when and for what it holds.
#[derive(Debug)]
pub(crate) struct Discount {
    pub(crate) name: Option<String>,
    pub(crate) off: Off,
    /// First day.
    pub(crate) from: Option<String>,
    /// The day after the last.
    pub(crate) until: Option<String>,
    /// Globs; none means every sku.
    pub(crate) skus: Option<Vec<String>>,
}

/// A discount from a quantity on.
#[derive(Debug)]
pub(crate) struct Tier {
    pub(crate) from: u32,
    pub(crate) share: Exact,
}

impl Settings {
    /// Reads a JSON text.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its JSON Pointer.
    pub fn read(text: &str) -> Result<Self, Vec<Finding>> {
        let mut findings = Findings::default();
        let settings = read(text, &mut findings).unwrap_or_default();
        if findings.is_empty() { Ok(settings) } else { Err(findings.into_vec()) }
    }
}

fn read(text: &str, findings: &mut Findings) -> Option<Settings> {
    let value = config::parse(text, findings)?;
    let top = Object::new(&value, "", &KEYS, findings)?;
    let shorthand = top.percent("discount", findings);
    let shorthand =
        shorthand.map(|share| Discount { name: None, off: Off::Share(share), from: None, until: None, skus: None });
    let mut discounts: Vec<Discount> = shorthand.into_iter().collect();
    for (pointer, entry) in top.list("discounts", findings) {
        discounts.extend(
            Object::new(entry, &pointer, &DISCOUNT_KEYS, findings).and_then(|object| discount(&object, findings)),
        );
    }
    let mut tiers: Vec<Tier> = Vec::new();
    for (pointer, entry) in top.list("tiers", findings) {
        let tier = Object::new(entry, &pointer, &TIER_KEYS, findings).and_then(|object| tier(&object, findings));
        let Some(tier) = tier else { continue };
        if tiers.last().is_some_and(|last| last.from >= tier.from) {
            findings.error(
                &format!("{pointer}/from"),
                "bad-order",
                format!("the tier from {} does not follow a smaller one", tier.from),
                "list the tiers from the smallest quantity up",
            );
        }
        tiers.push(tier);
    }
    Some(Settings { discounts, tiers, minimum: top.amount("minimum", findings) })
}

fn discount(object: &Object<'_>, findings: &mut Findings) -> Option<Discount> {
    let (share, amount) = (object.percent("percent", findings), object.amount("amount", findings));
    if object.has("percent") == object.has("amount") {
        let message = "a discount has either a percentage or an amount".to_owned();
        findings.error(object.pointer(), "one-of", message, "give one of `percent` and `amount`");
        return None;
    }
    let (from, until) = (object.date("from", findings), object.date("until", findings));
    if let (Some(from), Some(until)) = (from, until)
        && from >= until
    {
        findings.error(
            &format!("{}/until", object.pointer()),
            "bad-order",
            format!("`{until}` is not after `{from}`"),
            "`until` is the day after the last",
        );
    }
    Some(Discount {
        name: object.text("name", findings).map(str::to_owned),
        off: share.map(Off::Share).or(amount.map(Off::Fixed))?,
        from: from.map(str::to_owned),
        until: until.map(str::to_owned),
        skus: object.texts("skus", findings).map(|skus| skus.into_iter().map(str::to_owned).collect()),
    })
}

fn tier(object: &Object<'_>, findings: &mut Findings) -> Option<Tier> {
    for key in TIER_KEYS.iter().filter(|key| !object.has(key)) {
        findings.error(
            object.pointer(),
            "missing-key",
            format!("the tier has no `{key}`"),
            "write `{ from: 10, discount: 5% }`",
        );
    }
    let (from, share) = (object.whole("from", 1, u32::MAX, findings), object.percent("discount", findings));
    Some(Tier { from: from?, share: share? })
}
