//! Raw documents to checked ones: names typed, defaults filled in, conventions resolved.
//!
//! Runs only when nothing stands in the way. A value that is refused here although the checks passed it would be a
//! gap between the two; it comes back as a problem, never as a panic.

use crate::check::DEFAULT_TERM;
use crate::finding::{Code, Problem};
use crate::raw::{
    RawAccount, RawAlign, RawAuto, RawDocument, RawEventSink, RawExtraDays, RawMatch, RawPatterns, RawPaymentMethod,
    RawPlugin, RawPolicy, RawPriceList, RawRequest, RawTerms, RawTimes, RawWindows,
};
use crate::values::{
    parse_bytes, parse_currency, parse_days, parse_grant, parse_millis, parse_moment, parse_money, parse_percent,
    parse_secret_name, parse_term, parse_time, parse_variable, parse_web_url, parse_zone,
};
use renewd_core::calendar::{Conventions, ExtraDays, ExtraOf, conventions};
use renewd_core::documents::{
    Account, AccountLimits, AccountMethod, AlignAsked, AutoSettings, Days, Document, EventSink, Limits, Matcher,
    Pattern, PaymentMethod, Plugin, PluginLimits, PriceList, Pricing, RenewalPolicy, RenewalRequest, SecretSource,
    SinkTarget, Terms, Windows,
};
use renewd_core::ids::Digest;
use std::collections::BTreeMap;
use std::str::FromStr;

type Checked<T> = Result<T, Problem>;

/// Applies a reader to a value that may be absent.
fn maybe<T>(text: Option<&str>, read: impl FnOnce(&str) -> Checked<T>) -> Checked<Option<T>> {
    text.map(read).transpose()
}

fn name<T: FromStr>(text: &str) -> Checked<T> {
    text.parse().map_err(|_| Problem::new(Code::BadName, format!("{} is not a name", crate::finding::quoted(text))))
}

pub(crate) fn account(raw: RawDocument<RawAccount>) -> Checked<Document> {
    let spec = raw.spec;
    let methods = spec.payment_methods.into_iter();
    Ok(Document::Account(Account {
        name: name(&raw.metadata.name)?,
        time_zone: parse_zone(&spec.time_zone)?,
        currency: parse_currency(&spec.currency)?,
        renewal_day: spec.renewal_day,
        payment_methods: methods
            .map(|raw| Ok(AccountMethod { method: name(&raw.method)?, reference: raw.reference }))
            .collect::<Checked<_>>()?,
        limits: AccountLimits {
            per_order: maybe(spec.limits.per_order.as_deref(), parse_money)?,
            per_month: maybe(spec.limits.per_month.as_deref(), parse_money)?,
        },
    }))
}

pub(crate) fn price_list(raw: RawDocument<RawPriceList>, (rows, row_count): (Digest, usize)) -> Checked<Document> {
    Ok(Document::PriceList(PriceList {
        name: name(&raw.metadata.name)?,
        currency: parse_currency(&raw.spec.currency)?,
        rows,
        row_count: u32::try_from(row_count).unwrap_or(u32::MAX),
    }))
}

pub(crate) fn plugin(raw: RawDocument<RawPlugin>, digest: Digest) -> Checked<Document> {
    let RawPlugin { file, role, limits, grants, secrets } = raw.spec;
    let limits = PluginLimits {
        memory_bytes: maybe(limits.memory.as_deref(), parse_bytes)?,
        fuel: limits.fuel,
        deadline_ms: maybe(limits.deadline.as_deref(), parse_millis)?,
    };
    let grants = grants.iter().map(|text| parse_grant(text)).collect::<Checked<_>>()?;
    let secret = |(key, raw): (String, crate::raw::RawSecret)| {
        let env = parse_variable(&raw.env)?.to_owned();
        Ok((name(parse_secret_name(&key)?)?, SecretSource { env }))
    };
    let secrets = secrets.into_iter().map(secret).collect::<Checked<_>>()?;
    Ok(Document::Plugin(Plugin { name: name(&raw.metadata.name)?, file, digest, role, limits, grants, secrets }))
}

pub(crate) fn payment_method(raw: RawDocument<RawPaymentMethod>) -> Checked<Document> {
    Ok(Document::PaymentMethod(PaymentMethod {
        name: name(&raw.metadata.name)?,
        plugin: name(&raw.spec.plugin)?,
        config: raw.spec.config,
        max_in_flight: raw.spec.max_in_flight,
    }))
}

pub(crate) fn policy(raw: RawDocument<RawPolicy>) -> Checked<Document> {
    let spec = raw.spec;
    let base = conventions(spec.conventions);
    let payment = spec.payment.map(|methods| methods.iter().map(|text| name(text)).collect::<Checked<_>>());
    Ok(Document::RenewalPolicy(Box::new(RenewalPolicy {
        name: name(&raw.metadata.name)?,
        matcher: matcher(spec.matcher),
        priority: spec.priority,
        mode: spec.mode,
        overrides: spec.overrides,
        terms: terms(&spec.terms)?,
        auto: auto(&spec.auto, base)?,
        align: spec.align,
        renewal_day: spec.renewal_day,
        conventions: spec.conventions,
        month_end: spec.month_end.unwrap_or(base.month_end),
        late_start: spec.late_start.unwrap_or(base.late_start),
        extra_days: extra_days(&spec.extra_days, base),
        rounding: spec.rounding,
        windows: windows(&spec.windows)?,
        pricing: Pricing {
            plugin: name(&spec.pricing.plugin)?,
            price_list: maybe(spec.pricing.price_list.as_deref(), name)?,
            config: spec.pricing.config,
        },
        payment: payment.transpose()?,
        limits: Limits {
            per_order: maybe(spec.limits.per_order.as_deref(), parse_money)?,
            per_month: maybe(spec.limits.per_month.as_deref(), parse_money)?,
            price_increase: maybe(spec.limits.price_increase.as_deref(), parse_percent)?,
        },
        on_plugin_failure: spec.on_plugin_failure,
    })))
}

pub(crate) fn request(raw: RawDocument<RawRequest>) -> Checked<Document> {
    let spec = raw.spec;
    Ok(Document::RenewalRequest(RenewalRequest {
        name: name(&raw.metadata.name)?,
        matcher: matcher(spec.matcher),
        expires_before: maybe(spec.expires_before.as_deref(), parse_moment)?,
        term: maybe(spec.term.as_deref(), parse_term)?,
        align: match spec.align {
            None => AlignAsked::Unsaid,
            Some(RawAlign::Switch(true)) => AlignAsked::Yes,
            Some(RawAlign::Switch(false)) => AlignAsked::No,
            Some(RawAlign::Day(day)) => AlignAsked::Day(day),
        },
        pay_with: maybe(spec.pay_with.as_deref(), name)?,
        max_total: maybe(spec.max_total.as_deref(), parse_money)?,
    }))
}

/// `path` is the absolute one of `file`, where there is one.
pub(crate) fn event_sink(raw: RawDocument<RawEventSink>, path: Option<&str>) -> Checked<Document> {
    let RawEventSink { webhook, secret, events, .. } = raw.spec;
    let target = match (webhook, secret, path) {
        (Some(url), Some(secret), None) => SinkTarget::Webhook {
            url: parse_web_url(&url)?.to_string(),
            secret: SecretSource { env: parse_variable(&secret.env)?.to_owned() },
        },
        (None, None, Some(path)) => SinkTarget::File { path: path.to_owned() },
        _ => return Err(Problem::new(Code::MissingField, "a sink is a webhook with its secret, or a file")),
    };
    Ok(Document::EventSink(EventSink { name: name(&raw.metadata.name)?, target, events }))
}

fn matcher(raw: RawMatch) -> Matcher {
    let patterns = |texts: Vec<String>| texts.into_iter().map(Pattern::new).collect::<Vec<_>>();
    let labels: BTreeMap<String, Vec<Pattern>> = raw
        .labels
        .into_iter()
        .map(|(key, values)| match values {
            RawPatterns::One(value) => (key, vec![Pattern::new(value)]),
            RawPatterns::Several(values) => (key, patterns(values)),
        })
        .collect();
    Matcher {
        ids: patterns(raw.ids),
        accounts: patterns(raw.accounts),
        kinds: patterns(raw.kinds),
        skus: patterns(raw.skus),
        regions: patterns(raw.regions),
        labels,
        exclude: raw.exclude.map(|exclude| Box::new(matcher(*exclude))),
    }
}

fn terms(raw: &RawTerms) -> Checked<Terms> {
    let allowed = match &raw.allowed {
        Some(texts) => texts.iter().map(|text| parse_term(text)).collect::<Checked<Vec<_>>>()?,
        None => vec![DEFAULT_TERM],
    };
    let default = maybe(raw.default.as_deref(), parse_term)?.or(allowed.first().copied()).unwrap_or(DEFAULT_TERM);
    Ok(Terms { allowed, default, max_ahead: maybe(raw.max_ahead.as_deref(), parse_term)? })
}

fn auto(raw: &RawAuto, base: &Conventions) -> Checked<AutoSettings> {
    let base = base.auto;
    Ok(AutoSettings {
        charge_before: maybe(raw.charge_before.as_deref(), parse_days)?.unwrap_or(Days(base.charge_before_days)),
        charge_at: maybe(raw.charge_at.as_deref(), parse_time)?.unwrap_or(base.charge_at),
        times: match &raw.times {
            None => None,
            Some(RawTimes::Count(count)) => Some(*count),
            Some(RawTimes::Word(word)) if word == "unlimited" => None,
            Some(RawTimes::Word(word)) => return Err(Problem::new(Code::BadNumber, crate::finding::quoted(word))),
        },
        retry: maybe(raw.retry.as_deref(), parse_days)?.unwrap_or(Days(base.retry_days)),
        until: raw.until.unwrap_or(base.until),
    })
}

/// Under `of: term` the proration means nothing and is left at the conventions'.
fn extra_days(raw: &RawExtraDays, base: &Conventions) -> ExtraDays {
    let of: ExtraOf = raw.of.unwrap_or(base.extra.of);
    ExtraDays { of, proration: raw.proration.unwrap_or(base.extra.proration) }
}

fn windows(raw: &RawWindows) -> Checked<Windows> {
    let base = Windows::default();
    Ok(Windows {
        expiring: maybe(raw.expiring.as_deref(), parse_days)?.unwrap_or(base.expiring),
        grace: maybe(raw.grace.as_deref(), parse_days)?.unwrap_or(base.grace),
        retention: maybe(raw.retention.as_deref(), parse_days)?.unwrap_or(base.retention),
    })
}
