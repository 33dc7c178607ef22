//! The tables themselves.

use super::{Field, Need, Shape, Target};
use renewd_core::calendar::{ConventionsName, ExtraOf, LateStart, MonthEnd, Proration, Until};
use renewd_core::documents::{DocumentKind, EventKind, IN_FLIGHT_MAX, PluginRole};

/// A kind of document with its fields.
#[derive(Debug)]
pub struct Kind {
    /// The kind.
    pub kind: DocumentKind,
    /// The fields of `spec`.
    pub spec: &'static [Field],
    /// One sentence for editors.
    pub about: &'static str,
}

/// The table of a kind.
pub fn kind_of(word: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.kind.as_str() == word)
}

const fn required(name: &'static str, shape: Shape, about: &'static str) -> Field {
    Field { name, shape, need: Need::Required, about }
}

const fn optional(name: &'static str, shape: Shape, about: &'static str) -> Field {
    Field { name, shape, need: Need::Optional, about }
}

/// Kinds that are planned but that this version does not carry out.
pub const NOT_SUPPORTED_KINDS: [&str; 1] = ["PolicyTest"];

/// The fields of every document; `kind` and `spec` are checked by themselves.
pub static DOCUMENT: [Field; 4] = [
    optional("apiVersion", Shape::Words(&["renewd/v1"]), "Always `renewd/v1`; needed in the first document of a file."),
    required("kind", Shape::Text, "What the document declares."),
    required("metadata", Shape::Map(&METADATA), "The document's name."),
    required("spec", Shape::Map(&[]), "What is declared."),
];

/// The fields of `metadata`.
pub static METADATA: [Field; 1] = [required("name", Shape::Name, "The name, unique among documents of the kind.")];

/// All kinds.
pub static KINDS: [Kind; 7] = [
    Kind { kind: DocumentKind::Account, spec: &ACCOUNT, about: "Who owns resources and pays for them." },
    Kind { kind: DocumentKind::PriceList, spec: &PRICE_LIST, about: "Prices by sku and term." },
    Kind {
        kind: DocumentKind::Plugin,
        spec: &PLUGIN,
        about: "A pricing or payment plugin: a sandboxed Wasm component.",
    },
    Kind {
        kind: DocumentKind::PaymentMethod,
        spec: &PAYMENT_METHOD,
        about: "A payment plugin with its configuration.",
    },
    Kind { kind: DocumentKind::RenewalPolicy, spec: &POLICY, about: "Which resources are renewed how." },
    Kind { kind: DocumentKind::RenewalRequest, spec: &REQUEST, about: "A declared wish to renew a selection once." },
    Kind {
        kind: DocumentKind::EventSink,
        spec: &EVENT_SINK,
        about: "Where what happened is told: a webhook or a file.",
    },
];

static ACCOUNT: [Field; 5] = [
    required("timeZone", Shape::Zone, "IANA time zone of the account's dates."),
    required("currency", Shape::Currency, "ISO 4217 currency of every quote and order."),
    optional("renewalDay", Shape::RenewalDay, "The unified day of the month on which resources expire."),
    optional(
        "paymentMethods",
        Shape::List(&Shape::Map(&ACCOUNT_METHOD)),
        "Methods in the order in which they are tried.",
    ),
    optional("limits", Shape::Map(&ACCOUNT_LIMITS), "Limits over all lines of the account."),
];

static ACCOUNT_METHOD: [Field; 2] = [
    required("method", Shape::Ref(Target::Method), "A `PaymentMethod` document, or the built-in `balance`."),
    optional("reference", Shape::Text, "What the gateway knows the account by, for instance a stored card."),
];

static ACCOUNT_LIMITS: [Field; 2] = [
    optional("perOrder", Shape::Money, "Largest total of one order; above it the order is held."),
    optional("perMonth", Shape::Money, "Largest sum in one calendar month of the account's zone."),
];

static PRICE_LIST: [Field; 3] = [
    required("currency", Shape::Currency, "ISO 4217 currency of every row."),
    optional("file", Shape::File, "CSV with the columns sku, term, price, from, until."),
    optional("rows", Shape::List(&Shape::Map(&PRICE_ROW)), "The rows, in place of a file."),
];

/// The fields of an inline price row, and the columns of a price file.
pub static PRICE_ROW: [Field; 5] = [
    required("sku", Shape::Text, "What is sold."),
    required("term", Shape::Term, "The term that the price is for."),
    required("price", Shape::Decimal, "Price of one unit for the whole term, without currency."),
    optional("from", Shape::Date, "First local date of a quote that the price holds for."),
    optional("until", Shape::Date, "First local date of a quote that the price no longer holds for."),
];

static PLUGIN: [Field; 5] = [
    required("file", Shape::File, "The Wasm component, relative to this file."),
    required("role", Shape::Words(&["pricing", "payment"]), "What the plugin is for."),
    optional("limits", Shape::Map(&PLUGIN_LIMITS), "Limits that differ from the defaults."),
    optional("grants", Shape::List(&Shape::Grant), "HTTP requests that a payment plugin may send: method and URL."),
    optional(
        "secrets",
        Shape::Secrets(&Shape::Map(&SECRET)),
        "Secrets that a payment plugin may name, and where they come from.",
    ),
];

static SECRET: [Field; 1] =
    [required("env", Shape::Variable, "The environment variable that holds it when it is needed.")];

static PLUGIN_LIMITS: [Field; 3] = [
    optional("memory", Shape::Bytes, "Total memory of one call, like `64MiB`."),
    optional("fuel", Shape::Integer(1, i64::MAX), "Fuel of one call, beside the fuel per item."),
    optional("deadline", Shape::Millis, "Wall-clock time of one call, like `500ms` or `2s`."),
];

static PAYMENT_METHOD: [Field; 3] = [
    required("plugin", Shape::Ref(Target::Plugin(PluginRole::Payment)), "The payment plugin that collects."),
    optional("config", Shape::Config, "The plugin's own configuration."),
    optional("maxInFlight", Shape::Integer(1, IN_FLIGHT_MAX as i64), "Most payments at once; default 16."),
];

static POLICY: [Field; 18] = [
    required("match", Shape::Map(&MATCH), "Which resources: keys and, values or; `{}` is everything."),
    optional(
        "priority",
        Shape::Integer(i32::MIN as i64, i32::MAX as i64),
        "The highest priority wins whole; default 0.",
    ),
    required("mode", Shape::Words(&["manual", "auto", "pay-per-use", "expire"]), "What happens at the expiry."),
    optional(
        "overrides",
        Shape::Words(&["allow", "deny"]),
        "Whether a person's choice on one resource wins; default allow.",
    ),
    optional("terms", Shape::Map(&TERMS), "The terms that can be bought; default one month."),
    optional("auto", Shape::Map(&AUTO), "When automatic renewals are charged."),
    optional(
        "align",
        Shape::Words(&["on-request", "always", "never"]),
        "Whether renewals move to the renewal day; default on-request.",
    ),
    optional("renewalDay", Shape::RenewalDay, "The day to align to, in place of the account's."),
    optional("conventions", Shape::Words(ConventionsName::WORDS), "Named defaults for the fields that follow."),
    optional("monthEnd", Shape::Words(MonthEnd::WORDS), "What happens to a day that a month does not have."),
    optional("lateStart", Shape::Words(LateStart::WORDS), "Where a late renewal starts."),
    optional("extraDays", Shape::Map(&EXTRA_DAYS), "How the days up to the renewal day are priced."),
    optional("rounding", Shape::Words(&["half-even", "half-up"]), "The one rounding of a price; default half-even."),
    optional("windows", Shape::Map(&WINDOWS), "The periods around an expiry."),
    required("pricing", Shape::Map(&PRICING), "Who says what a renewal costs."),
    optional("payment", Shape::List(&Shape::Ref(Target::Method)), "Methods in order, in place of the account's."),
    optional("limits", Shape::Map(&LIMITS), "Limits over the policy's own lines."),
    optional(
        "onPluginFailure",
        Shape::Words(&["hold", "deny"]),
        "What an automatic renewal does when a plugin fails; default hold.",
    ),
];

static MATCH: [Field; 7] = [
    optional("ids", PATTERNS, "Resource ids."),
    optional("accounts", PATTERNS, "Account names."),
    optional("kinds", PATTERNS, "Kinds of resource."),
    optional("skus", PATTERNS, "Skus."),
    optional("regions", PATTERNS, "Regions."),
    optional("labels", Shape::Labels, "Labels: each key with one of its values."),
    optional("exclude", Shape::Map(&EXCLUDE), "What is left out again."),
];

static EXCLUDE: [Field; 6] = [
    optional("ids", PATTERNS, "Resource ids."),
    optional("accounts", PATTERNS, "Account names."),
    optional("kinds", PATTERNS, "Kinds of resource."),
    optional("skus", PATTERNS, "Skus."),
    optional("regions", PATTERNS, "Regions."),
    optional("labels", Shape::Labels, "Labels: each key with one of its values."),
];

const PATTERNS: Shape = Shape::List(&Shape::Pattern);

static TERMS: [Field; 3] = [
    optional("allowed", Shape::List(&Shape::Term), "Terms that may be chosen; default one month."),
    optional("default", Shape::Term, "The term where none is chosen; default the first allowed one."),
    optional("maxAhead", Shape::Term, "How far after now the end of the whole months may lie."),
];

static AUTO: [Field; 5] = [
    optional("chargeBefore", Shape::Days(0), "Days before the expiry, like `7d`."),
    optional("chargeAt", Shape::Time, "Local time of day, in quotes, like `\"03:00\"`."),
    optional(
        "times",
        Shape::Times,
        "Settled automatic renewals after which the mode becomes manual; default unlimited.",
    ),
    optional("retry", Shape::Days(1), "Days between two tries, like `1d`."),
    optional("until", Shape::Words(Until::WORDS), "Tries end when this period ends."),
];

static EXTRA_DAYS: [Field; 2] = [
    optional("of", Shape::Words(ExtraOf::WORDS), "What the extra days are a fraction of; default month."),
    optional("proration", Shape::Words(Proration::WORDS), "Which fraction of a month; not with `of: term`."),
];

static WINDOWS: [Field; 3] = [
    optional("expiring", Shape::Days(0), "Days before the expiry; default 7d."),
    optional("grace", Shape::Days(0), "Days after the expiry in which it runs on; default 15d."),
    optional("retention", Shape::Days(0), "Days after grace in which it is frozen but kept; default 15d."),
];

static PRICING: [Field; 3] = [
    required("plugin", Shape::Ref(Target::Plugin(PluginRole::Pricing)), "The pricing plugin."),
    optional("priceList", Shape::Ref(Target::PriceList), "The price list whose rows the plugin is given."),
    optional("config", Shape::Config, "The plugin's own configuration."),
];

static LIMITS: [Field; 3] = [
    optional("perOrder", Shape::Money, "Largest sum of the policy's lines in one order."),
    optional("perMonth", Shape::Money, "Largest sum in one calendar month of the account's zone."),
    optional("priceIncrease", Shape::Percent, "Largest rise of the price per month and unit, like `10%`."),
];

static REQUEST: [Field; 6] = [
    required("match", Shape::Map(&MATCH), "Which resources: keys and, values or."),
    optional("expiresBefore", Shape::Moment, "Only resources that expire before; a bare date is 00:00:00 local."),
    optional("term", Shape::Term, "The term; each policy's default without it."),
    optional("align", Shape::AlignAsked, "`true`, `false`, or a day for this renewal only."),
    optional("payWith", Shape::Ref(Target::Method), "The one method to pay with."),
    optional("maxTotal", Shape::Money, "Over this total the request's orders are held."),
];

static EVENT_SINK: [Field; 4] = [
    optional("webhook", Shape::WebUrl, "The URL that is sent each event; `http` for this machine only."),
    optional("secret", Shape::SecretSource(&SECRET), "The key that signs what a webhook is sent."),
    optional("file", Shape::File, "The file that gets a line for each event, relative to this file."),
    optional("events", Shape::List(&Shape::Words(EventKind::WORDS)), "The kinds that are told; default all."),
];

#[cfg(test)]
mod tests {
    use super::*;
    use renewd_core::documents::{AlignPolicy, FailurePolicy, Mode, Overrides};
    use renewd_core::money::Rounding;
    use serde::de::DeserializeOwned;

    fn all_read<T: DeserializeOwned>(fields: &[Field], name: &str) {
        let Some(Field { shape: Shape::Words(words), .. }) = super::super::field(fields, name) else {
            panic!("{name} has no words");
        };
        for word in *words {
            assert!(serde_json::from_value::<T>(serde_json::json!(word)).is_ok(), "{name}: {word}");
        }
    }

    #[test]
    fn words_of_the_tables_are_words_of_the_model() {
        all_read::<Mode>(&POLICY, "mode");
        all_read::<Overrides>(&POLICY, "overrides");
        all_read::<AlignPolicy>(&POLICY, "align");
        all_read::<Rounding>(&POLICY, "rounding");
        all_read::<FailurePolicy>(&POLICY, "onPluginFailure");
        all_read::<PluginRole>(&PLUGIN, "role");
        assert_eq!(KINDS.each_ref().map(|kind| kind.kind), DocumentKind::ALL);
    }
}
