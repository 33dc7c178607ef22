//! The arithmetic of a renewal written out, step by step, as `show` prints it.

use chrono::{DateTime, Utc};
use renewd_core::calendar::{Expiry, ExtraOf, LateStart};
use renewd_core::cover::Cover;
use renewd_core::quote::Quote;
use renewd_core::refusal::Refusal;
use renewd_core::resource::Resource;

/// The steps from the current expiry to the next one and its price, or why there is none.
pub(crate) fn written_out(
    resource: &Resource,
    cover: &Cover<'_>,
    quote: Option<&Quote>,
    refusal: Option<&Refusal>,
    now: DateTime<Utc>,
) -> Vec<String> {
    let end = &resource.end;
    let mut steps = vec![format!(
        "expiry      {}, anchor day {}, {} unit{}",
        shown(&end.expiry),
        end.anchor.get(),
        resource.description.quantity,
        if resource.description.quantity == 1 { "" } else { "s" }
    )];
    let Some(quote) = quote else {
        if let Some(refusal) = refusal {
            steps.push(format!("cannot be renewed now: {} ({})", refusal.message, refusal.reason));
            steps.extend(refusal.hint.as_ref().map(|hint| format!("hint: {hint}")));
        }
        return steps;
    };
    let dates = &quote.prepared.dates;
    if let Some(policy) = cover.policy().filter(|_| resource.phase(now).is_late()) {
        steps.push(match policy.late_start {
            LateStart::FromExpiry => {
                format!(
                    "late        starts at the old expiry: {} days of the new term are already past",
                    dates.burned_days
                )
            }
            LateStart::FromRenewal => format!("late        starts at {}", shown(&dates.start)),
        });
    }
    steps.push(format!(
        "+ {:<9} {}   base, month end by {} from day {}",
        dates.term.to_string(),
        shown(&dates.base),
        cover.policy().map_or_else(String::new, |policy| policy.month_end.to_string()),
        dates.anchor_before.get()
    ));
    if 0 < dates.extra_days {
        let days = if dates.extra_days == 1 { "day" } else { "days" };
        steps.push(format!(
            "+ {:<9} {}   to the renewal day, {} of {}",
            format!("{} {days}", dates.extra_days),
            shown(&dates.new_expiry),
            dates.fraction,
            match dates.extra_of {
                ExtraOf::Month => "a month",
                ExtraOf::Term => "the term",
            }
        ));
    }
    steps.push(format!("new expiry  {}, anchor day {}", shown(&dates.new_expiry), dates.anchor_after.get()));
    for line in &quote.lines {
        steps.push(format!("{:>16}  {}", line.amount.to_string(), line.description));
    }
    steps.push(format!("{:>16}  total", quote.total.to_string()));
    steps
}

fn shown(expiry: &Expiry) -> String {
    format!("{} {} {}", expiry.date, expiry.time, expiry.zone)
}
