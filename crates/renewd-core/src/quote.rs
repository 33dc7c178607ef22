//! Quotes: what a renewal would do and cost, and why one cannot be had.
//!
//! [`prepare`] decides everything but the price; a pricing plugin then says what the prepared renewal costs, and
//! [`Prepared::priced`] puts both together.

use crate::calendar::{Alignment, Dates, DatesError, Expiry, Rules, Term, renewal_dates};
use crate::cover::Cover;
use crate::documents::{Account, AlignAsked, AlignPolicy, Days, RenewalPolicy, Windows};
use crate::ids::{AccountName, Digest, PolicyName, ResourceId};
use crate::money::{Currency, Money, MoneyError};
use crate::refusal::{Reason, Refusal};
use crate::resource::{Phase, Resource, TermEnd};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

/// How long a quote can be accepted, in hours, unless something ends it sooner.
pub const QUOTE_VALID_HOURS: i64 = 24;

/// Decimal digits of the net price per month and unit that price increases are judged by (half-even).
pub const NET_PRICE_DIGITS: u32 = 12;

/// What a person or request wants of a renewal; what is unsaid the policy decides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Wish {
    /// The term.
    pub term: Option<Term>,
    /// Whether to align, and to which day.
    pub align: AlignAsked,
    /// The one date on which all shall end.
    pub same_date: Option<SameDate>,
}

/// The target of `--same-date`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SameDate(pub NaiveDate);

/// A renewal with its dates, ready to be priced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Prepared {
    /// The resource.
    pub resource: ResourceId,
    /// Its generation, part of the renewal key.
    pub generation: u32,
    /// The payer.
    pub account: AccountName,
    /// The currency of the price.
    pub currency: Currency,
    /// The policy that decided.
    pub policy: PolicyName,
    /// Expiry and anchor before the renewal.
    pub old_end: TermEnd,
    /// Start, base, new expiry, extra days and their fraction.
    pub dates: Dates,
    /// Units.
    pub quantity: u32,
    /// Windows that the paid term will have.
    pub windows: Windows,
    /// What was asked, with the term that was decided: asked again at every attempt.
    pub wish: Wish,
}

/// One line of a price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PriceLine {
    /// What it is for, in words.
    pub description: String,
    /// `term`, `extra-days`, `discount`, or another word of the plugin's.
    pub kind: String,
    /// Units.
    pub quantity: Decimal,
    /// Price of one unit.
    pub unit_price: Decimal,
    /// Amount of the line.
    pub amount: Money,
}

/// The inputs of a price, pinned so that it can be computed again years later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PinnedPricing {
    /// Digest of the plugin's bytes.
    pub plugin: Digest,
    /// The plugin's configuration.
    pub config: serde_json::Value,
    /// The request that it was asked.
    pub request: serde_json::Value,
}

/// What a plugin says that a prepared renewal costs.
#[derive(Debug, Clone, PartialEq)]
pub struct Price {
    /// Line by line.
    pub lines: Vec<PriceLine>,
    /// What of the total buys the term itself, extra days aside, where the plugin says it.
    pub term_net: Option<Money>,
    /// The inputs of the price.
    pub pricing: PinnedPricing,
}

/// What a renewal does and costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Quote {
    /// What it does.
    #[serde(flatten)]
    pub prepared: Prepared,
    /// What it costs, line by line.
    pub lines: Vec<PriceLine>,
    /// What it costs.
    pub total: Money,
    /// Net price per month and unit, extra days aside; none without a whole month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net_per_month: Option<Decimal>,
    /// When it was made.
    pub quoted_at: DateTime<Utc>,
    /// From here on it cannot be accepted.
    pub valid_until: DateTime<Utc>,
    /// The inputs of the price.
    pub pricing: PinnedPricing,
}

/// Decides everything about a renewal but its price.
///
/// # Errors
/// The reason why the resource cannot be renewed so, with a hint for the person who asked.
pub fn prepare(
    resource: &Resource,
    cover: &Cover<'_>,
    account: &Account,
    wish: &Wish,
    now: DateTime<Utc>,
) -> Result<Prepared, Refusal> {
    check_renewable(resource, now)?;
    let policy = covering(cover)?;
    check_currency(policy, account)?;
    let alignment = alignment(policy, account, wish)?;
    let term = wished_term(policy, wish)?;
    let rules = Rules {
        month_end: policy.month_end,
        late_start: policy.late_start,
        extra: policy.extra_days,
        max_ahead: policy.terms.max_ahead,
    };
    let dates = renewal_dates(&resource.end.expiry, resource.end.anchor, term, &alignment, &rules, Some(now))
        .map_err(|error| dates_refusal(&error))?;
    Ok(Prepared {
        resource: resource.id.clone(),
        generation: resource.generation,
        account: account.name.clone(),
        currency: account.currency,
        policy: policy.name.clone(),
        old_end: resource.end.clone(),
        dates,
        quantity: resource.description.quantity,
        windows: policy.windows,
        wish: Wish { term: Some(term), ..wish.clone() },
    })
}

fn check_renewable(resource: &Resource, now: DateTime<Utc>) -> Result<(), Refusal> {
    if resource.converted.is_some() {
        return Err(Refusal::new(Reason::Converted, "it is pay-per-use since its expiry")
            .hint("make it prepaid again at its vendor, then import its new expiry"));
    }
    if resource.phase(now) == Phase::Released {
        let released = resource.phase_changes().released;
        let zone = resource.end.expiry.zone;
        return Err(Refusal::new(
            Reason::Released,
            format!("its retention ended on {}", released.with_timezone(&zone).format("%Y-%m-%d %H:%M")),
        ));
    }
    if !resource.description.renewable {
        return Err(Refusal::new(Reason::NotRenewable, "its inventory says that it cannot be renewed"));
    }
    if let Some(freeze) = &resource.freeze {
        return Err(frozen_refusal(freeze));
    }
    Ok(())
}

/// The refusal of a frozen resource, naming the command that thaws it.
pub fn frozen_refusal(freeze: &crate::resource::Freeze) -> Refusal {
    let hint = match freeze {
        crate::resource::Freeze::UnknownPayment { order } => {
            format!(
                "`renewd run` asks the gateway again; or find out there, then `renewd orders resolve {order} --as succeeded|declined --reason TEXT`"
            )
        }
        crate::resource::Freeze::Refunding { order } => format!("`renewd run` asks again; `renewd show {order}` tells"),
        crate::resource::Freeze::ImportConflict { .. } => {
            "import again with `--take inventory` or `--take store`".to_owned()
        }
    };
    Refusal::new(Reason::Frozen, freeze.to_string()).hint(hint)
}

/// The one policy of a resource.
///
/// # Errors
/// There is none, or several of the same priority.
pub fn covering<'a>(cover: &Cover<'a>) -> Result<&'a RenewalPolicy, Refusal> {
    match cover {
        Cover::Policy(policy) => Ok(policy),
        Cover::None => Err(Refusal::new(Reason::NoPolicy, "no policy matches it")
            .hint("write a RenewalPolicy that matches it, then `renewd apply`")),
        Cover::Conflict(names) => {
            let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
            Err(Refusal::new(
                Reason::PolicyConflict,
                format!("the policies {} match it with the same priority", names.join(", ")),
            )
            .hint("give one of them a higher `priority`"))
        }
    }
}

fn check_currency(policy: &RenewalPolicy, account: &Account) -> Result<(), Refusal> {
    let limits = [policy.limits.per_order, policy.limits.per_month];
    match limits.into_iter().flatten().find(|limit| limit.currency() != account.currency) {
        None => Ok(()),
        Some(limit) => Err(Refusal::new(
            Reason::CurrencyMismatch,
            format!(
                "policy {} has limits in {}, but account {} pays in {}",
                policy.name,
                limit.currency(),
                account.name,
                account.currency
            ),
        )
        .hint("give the accounts of each currency a policy of their own")),
    }
}

fn alignment(policy: &RenewalPolicy, account: &Account, wish: &Wish) -> Result<Alignment, Refusal> {
    let denied = |what: &str| Err(Refusal::new(Reason::AlignDenied, format!("policy {} {what}", policy.name)));
    if let Some(SameDate(date)) = wish.same_date {
        return match policy.align {
            AlignPolicy::Never => denied("never aligns"),
            AlignPolicy::OnRequest | AlignPolicy::Always => Ok(Alignment::SameDate(date)),
        };
    }
    let to_day = || match policy.renewal_day.or(account.renewal_day) {
        Some(day) => Ok(Alignment::Day(day)),
        None => Err(Refusal::new(
            Reason::AlignDenied,
            format!("neither policy {} nor account {} has a renewal day", policy.name, account.name),
        )
        .hint("set `renewalDay` in the account, or name a day with `--align=DAY`")),
    };
    match (policy.align, wish.align) {
        (AlignPolicy::OnRequest | AlignPolicy::Never, AlignAsked::Unsaid | AlignAsked::No) => Ok(Alignment::None),
        (AlignPolicy::OnRequest, AlignAsked::Yes) | (AlignPolicy::Always, AlignAsked::Unsaid | AlignAsked::Yes) => {
            to_day()
        }
        (AlignPolicy::OnRequest | AlignPolicy::Always, AlignAsked::Day(day)) => Ok(Alignment::Day(day)),
        (AlignPolicy::Always, AlignAsked::No) => denied("always aligns"),
        (AlignPolicy::Never, AlignAsked::Yes | AlignAsked::Day(_)) => denied("never aligns"),
    }
}

fn wished_term(policy: &RenewalPolicy, wish: &Wish) -> Result<Term, Refusal> {
    let term = wish.term.unwrap_or(policy.terms.default);
    if wish.same_date.is_some() || policy.terms.allowed.contains(&term) {
        return Ok(term);
    }
    let allowed: Vec<String> = policy.terms.allowed.iter().map(ToString::to_string).collect();
    Err(Refusal::new(Reason::TermNotAllowed, format!("policy {} does not sell {term}", policy.name))
        .hint(format!("choose one of {}", allowed.join(", "))))
}

fn dates_refusal(error: &DatesError) -> Refusal {
    let reason = match error {
        DatesError::PastExpiry { .. } | DatesError::DateInPast { .. } => Reason::PastExpiry,
        DatesError::TooFarAhead { .. } => Reason::TooFarAhead,
        DatesError::AlreadyThere => Reason::AlreadyThere,
        DatesError::LaterThanDate { .. } => Reason::LaterThanDate,
        DatesError::OutOfRange | DatesError::AnchorMismatch { .. } => Reason::DateOutOfRange,
    };
    let refusal = Refusal::new(reason, error.to_string());
    match error.hint() {
        Some(hint) => refusal.hint(hint),
        None => refusal,
    }
}

impl Prepared {
    /// The prepared renewal with its price.
    ///
    /// # Errors
    /// A line in another currency, or a sum that is too large.
    pub fn priced(
        self,
        resource: &Resource,
        policy: &RenewalPolicy,
        price: Price,
        now: DateTime<Utc>,
    ) -> Result<Quote, MoneyError> {
        let Price { lines, term_net, pricing } = price;
        let total = Money::sum(self.currency, lines.iter().map(|line| line.amount))?;
        let net_per_month = net_per_month(&self, &lines, total, term_net);
        let valid_until = valid_until(resource, policy, now);
        Ok(Quote { prepared: self, lines, total, net_per_month, quoted_at: now, valid_until, pricing })
    }

    /// The compare-and-set key of this renewal: hash(resource, generation, expiry being extended).
    pub fn renewal_key(&self) -> Digest {
        let expiry = self.old_end.expiry.instant().timestamp().to_be_bytes();
        Digest::of_parts([
            b"renewal".as_slice(),
            self.resource.as_str().as_bytes(),
            &self.generation.to_be_bytes(),
            &if crate::planted::is("key-without-expiry") { [0; 8] } else { expiry },
        ])
    }

    /// What a gateway is told about this line, the same in every store: hash(account, resource, expiry being extended).
    pub fn line_key(&self) -> Digest {
        let expiry = self.old_end.expiry.instant().timestamp().to_be_bytes();
        Digest::of_parts([
            b"line".as_slice(),
            self.account.as_str().as_bytes(),
            self.resource.as_str().as_bytes(),
            &if crate::planted::is("line-key-without-expiry") { [0; 8] } else { expiry },
        ])
    }

    /// Whether a resource still stands where this renewal would extend it from.
    pub fn extends(&self, resource: &Resource) -> bool {
        let stands =
            resource.generation == self.generation && resource.end.expiry.instant() == self.old_end.expiry.instant();
        stands || crate::planted::is("no-compare-and-set")
    }

    /// The new expiry.
    pub fn new_expiry(&self) -> &Expiry {
        &self.dates.new_expiry
    }

    /// The expiry and anchor that a resource has once this renewal is paid.
    pub fn new_end(&self) -> TermEnd {
        TermEnd { expiry: self.dates.new_expiry, anchor: self.dates.anchor_after }
    }
}

/// The part of a total that pays for whole months, per month and unit: what the plugin says, else the total with
/// discounts and fees spread over the term and the extra days in proportion to their prices. Rounded half-even to [`NET_PRICE_DIGITS`].
fn net_per_month(prepared: &Prepared, lines: &[PriceLine], total: Money, term_net: Option<Money>) -> Option<Decimal> {
    let sum = |kind: &str| {
        lines
            .iter()
            .filter(|line| line.kind == kind)
            .try_fold(Decimal::ZERO, |sum, line| sum.checked_add(line.amount.amount()))
    };
    let (term, extra) = (sum("term")?, sum("extra-days")?);
    let both = term.checked_add(extra)?;
    let share = if let Some(net) = term_net {
        net.amount()
    } else if extra.is_zero() || both.is_zero() {
        total.amount()
    } else {
        total.amount().checked_mul(term)?.checked_div(both)?
    };
    let months = Decimal::from(prepared.dates.term.months());
    let units = Decimal::from(prepared.quantity);
    let net = share.checked_div(months)?.checked_div(units)?;
    Some(net.round_dp_with_strategy(NET_PRICE_DIGITS, RoundingStrategy::MidpointNearestEven).normalize())
}

/// A quote holds for 24 h, until the phase changes, and for a late resource that starts from the renewal until the
/// next instant at its anchor time (DESIGN section 7).
fn valid_until(resource: &Resource, policy: &RenewalPolicy, now: DateTime<Utc>) -> DateTime<Utc> {
    let day = now.checked_add_signed(TimeDelta::hours(QUOTE_VALID_HOURS)).unwrap_or(now);
    let phase = resource.phase_changes().next_after(now).unwrap_or(day);
    let sooner = day.min(phase);
    if policy.late_start == crate::calendar::LateStart::FromRenewal && resource.phase(now).is_late() {
        return sooner.min(next_at_anchor_time(&resource.end.expiry, now));
    }
    sooner
}

fn next_at_anchor_time(expiry: &Expiry, now: DateTime<Utc>) -> DateTime<Utc> {
    let today = now.with_timezone(&expiry.zone).date_naive();
    [Days(0), Days(1)]
        .into_iter()
        .filter_map(|days| today.checked_add_days(chrono::Days::new(days.0.into())))
        .map(|date| expiry.with_date(date).instant())
        .find(|instant| now < *instant)
        .unwrap_or(now)
}
