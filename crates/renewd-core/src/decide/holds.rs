//! Limits: which of them an order would exceed, so that it is held for a person.

use crate::documents::{Account, Percent, RenewalPolicy};
use crate::ids::PolicyName;
use crate::money::Money;
use crate::order::{Hold, MonthKey};
use crate::quote::Quote;
use crate::refusal::Reason;
use crate::state::{MonthSum, State};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// The holds of an order made of some quotes in a month. A policy's limits count its own lines, an account's all.
pub fn limit_holds(state: &State, account: &Account, quotes: &[Quote], month: &MonthKey) -> Vec<Hold> {
    if crate::planted::is("limits-unchecked") {
        return Vec::new();
    }
    let nothing = MonthSum::default();
    let so_far = state.books.get(&account.name).and_then(|book| book.months.get(month)).unwrap_or(&nothing);
    let mut holds = Vec::new();
    let total = sum(account, quotes.iter());
    let month_so_far = so_far.total.get(account.currency.code()).copied();
    let whose = format!("account {}", account.name);
    holds.extend(over_order(&whose, total, account.limits.per_order));
    holds.extend(over_month(&whose, month, month_so_far, total, account.limits.per_month));
    for (name, lines) in by_policy(quotes) {
        let Some(policy) = state.policies().find(|policy| policy.name == *name) else { continue };
        let total = sum(account, lines.iter().copied());
        let whose = format!("policy {name}");
        let month_so_far = so_far.by_policy.get(name).and_then(|sums| sums.get(account.currency.code())).copied();
        holds.extend(over_order(&whose, total, policy.limits.per_order));
        holds.extend(over_month(&whose, month, month_so_far, total, policy.limits.per_month));
        holds.extend(lines.iter().filter_map(|line| price_increase(state, policy, line)));
    }
    holds
}

fn by_policy(quotes: &[Quote]) -> BTreeMap<&PolicyName, Vec<&Quote>> {
    let mut groups: BTreeMap<&PolicyName, Vec<&Quote>> = BTreeMap::new();
    for quote in quotes {
        groups.entry(&quote.prepared.policy).or_default().push(quote);
    }
    groups
}

/// The sum of some lines; the largest amount there is where it cannot be summed, so that the limit holds.
fn sum<'a>(account: &Account, quotes: impl Iterator<Item = &'a Quote>) -> Money {
    let most =
        Money::rounded(Decimal::from(crate::money::AMOUNT_MAX), account.currency, crate::money::Rounding::HalfEven);
    Money::sum(account.currency, quotes.map(|quote| quote.total)).or(most).unwrap_or(Money::zero(account.currency))
}

fn exceeds(amount: Money, limit: Money) -> bool {
    amount.compare(limit).is_ok_and(std::cmp::Ordering::is_gt)
}

fn over_order(whose: &str, total: Money, limit: Option<Money>) -> Option<Hold> {
    let limit = limit.filter(|limit| exceeds(total, *limit))?;
    Some(Hold {
        reason: Reason::OverOrderLimit,
        detail: format!("{total} is more than the {limit} per order of {whose}"),
    })
}

fn over_month(
    whose: &str,
    month: &MonthKey,
    so_far: Option<Money>,
    total: Money,
    limit: Option<Money>,
) -> Option<Hold> {
    let so_far = so_far.unwrap_or(Money::zero(total.currency()));
    let after = so_far.plus(total).unwrap_or(total);
    let limit = limit.filter(|limit| exceeds(after, *limit))?;
    Some(Hold {
        reason: Reason::OverMonthLimit,
        detail: format!("{total} beside {so_far} in {} is more than the {limit} per month of {whose}", month.as_str()),
    })
}

/// Judged on the net price per month and unit at the same term; not where nothing was paid or imported for it.
fn price_increase(state: &State, policy: &RenewalPolicy, quote: &Quote) -> Option<Hold> {
    let Percent(allowed) = policy.limits.price_increase?;
    let net = quote.net_per_month?;
    let resource = state.resources.get(&quote.prepared.resource)?;
    let known = resource.known_price(quote.prepared.dates.term)?;
    let most = known.checked_mul(Decimal::ONE_HUNDRED.checked_add(allowed)?)?.checked_div(Decimal::ONE_HUNDRED)?;
    let currency = quote.prepared.currency;
    (most < net).then(|| Hold {
        reason: Reason::PriceIncrease,
        detail: format!(
            "{}: {} {currency} per month and unit is more than {} above the last {} {currency}",
            resource.id,
            shown(net),
            Percent(allowed),
            shown(known)
        ),
    })
}

fn shown(amount: Decimal) -> Decimal {
    amount.round_dp(4).normalize()
}
