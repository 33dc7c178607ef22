//! From orders and refusals to the items and summaries that people read.

use crate::arrange::Arrangement;
use crate::quoting::Unquoted;
use crate::view::{HoldView, Item, OrderSummary, RenewView, add_total};
use renewd_core::decide::has_said_never;
use renewd_core::documents::AccountMethod;
use renewd_core::order::{Order, OrderStatus, Origin, Outcome, Payment};
use renewd_core::quote::Quote;
use renewd_core::refusal::{Reason, Refusal, Verdict};
use renewd_core::state::State;
use std::collections::BTreeMap;

/// The view of an arrangement; orders are read from the state, as far as they have got.
pub(crate) fn renew_view(state: &State, arrangement: Arrangement, refused: &[Unquoted], dry_run: bool) -> RenewView {
    let Arrangement { adopted, placed, refused: not_ordered, real, .. } = arrangement;
    let mut items: Vec<Item> =
        refused.iter().map(|(id, verdict, refusal)| Item::refused(id, *verdict, refusal)).collect();
    items.extend(not_ordered.iter().map(|(quote, refusal)| refused_item(quote, refusal)));
    let mut orders = Vec::new();
    let known = |order: &Order| state.orders.get(&order.id).cloned().unwrap_or_else(|| order.clone());
    for (order, is_adopted) in adopted.iter().map(|o| (o, true)).chain(placed.iter().map(|o| (o, false))) {
        let order = known(order);
        let show_id = real || is_adopted;
        let of_order = order_items(&order, show_id);
        // Before anything is tried, an open order is one to be paid, whatever became of earlier attempts.
        let to_be_paid = dry_run && order.status == OrderStatus::Open;
        items.extend(of_order.into_iter().map(|item| if to_be_paid { item.to_be_paid() } else { item }));
        orders.push(order_summary(&order, is_adopted, show_id));
    }
    finish(items, orders, dry_run)
}

/// A view of items and orders with its totals and counts.
pub(crate) fn finish(mut items: Vec<Item>, orders: Vec<OrderSummary>, dry_run: bool) -> RenewView {
    items.sort_by(|left, right| left.resource.cmp(&right.resource));
    let mut totals = BTreeMap::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for item in &items {
        *counts.entry(item.verdict.as_str().to_owned()).or_default() += 1;
        let counted = match item.verdict {
            Verdict::Renewed | Verdict::Placed | Verdict::Held => true,
            Verdict::Unchanged
            | Verdict::Refused
            | Verdict::Declined
            | Verdict::Pending
            | Verdict::RequiresAction
            | Verdict::Unknown => false,
        };
        if let Some(total) = item.total.filter(|_| counted) {
            add_total(&mut totals, total);
        }
    }
    RenewView { dry_run, items, orders, totals, counts, valid_until: None }
}

fn refused_item(quote: &Quote, refusal: &Refusal) -> Item {
    let verdict = match refusal.reason {
        Reason::AlreadyRenewed => Verdict::Unchanged,
        _ => Verdict::Refused,
    };
    Item::quoted(quote, verdict).because(verdict, refusal)
}

/// One item for each line of an order.
pub(crate) fn order_items(order: &Order, show_id: bool) -> Vec<Item> {
    let (verdict, reason, message, hint) = order_verdict(order);
    order
        .lines
        .iter()
        .map(|line| {
            let mut item = Item::quoted(line, verdict);
            item.order = show_id.then(|| order.id.clone());
            item.reason = reason;
            item.message.clone_from(&message);
            item.hint = if show_id { hint.clone() } else { None };
            item
        })
        .collect()
}

type Verdicts = (Verdict, Option<Reason>, Option<String>, Option<String>);

fn order_verdict(order: &Order) -> Verdicts {
    let id = &order.id;
    let works = order.still_works();
    match &order.status {
        OrderStatus::Settled { .. } => (Verdict::Renewed, None, None, None),
        OrderStatus::Held => {
            let hold = order.holds.first();
            let detail = order.holds.iter().map(|hold| hold.detail.as_str()).collect::<Vec<_>>().join("; ");
            let hint = format!("`renewd orders approve {id}`, then `renewd orders pay {id}`");
            (Verdict::Held, hold.map(|hold| hold.reason), Some(detail), Some(hint))
        }
        OrderStatus::Open if works.is_some() => {
            (Verdict::Pending, None, works, Some("`renewd run` asks the gateway again".to_owned()))
        }
        OrderStatus::Open => match order.last_attempt().map(|attempt| &attempt.outcome) {
            Some(Outcome::Declined { code, message, .. }) => {
                let reason = if code == Reason::InsufficientBalance.as_str() {
                    Reason::InsufficientBalance
                } else {
                    Reason::PaymentDeclined
                };
                let hint = if all_said_never(order) {
                    format!(
                        "`renewd orders pay {id} --pay-with METHOD`, or `renewd orders cancel {id}`: every method of it has declined for good"
                    )
                } else {
                    format!("`renewd orders pay {id}` tries again, `--pay-with METHOD` with another method")
                };
                (Verdict::Declined, Some(reason), Some(format!("{message} ({code})")), Some(hint))
            }
            _ => (Verdict::Placed, None, None, Some(format!("`renewd orders pay {id}`"))),
        },
        OrderStatus::Paying => {
            let message = "another process is paying it".to_owned();
            let hint = format!("`renewd show {id}` tells what it came to");
            (Verdict::Unknown, Some(Reason::PaymentUnknown), Some(message), Some(hint))
        }
        OrderStatus::Unknown => {
            let detail = match order.last_attempt().map(|attempt| &attempt.outcome) {
                Some(Outcome::Unknown { detail, .. }) => detail.clone(),
                _ => "nobody knows what came of it".to_owned(),
            };
            let hint = format!(
                "`renewd run` asks the gateway again; or find out there, then `renewd orders resolve {id} --as succeeded|declined --reason TEXT`"
            );
            (Verdict::Unknown, Some(Reason::PaymentUnknown), Some(detail), Some(hint))
        }
        OrderStatus::Pending => match order.last_attempt().map(|attempt| &attempt.outcome) {
            Some(Outcome::RequiresAction { url, expires, .. }) => {
                let until = renewd_core::calendar::rfc3339_in(*expires, order.time_zone);
                let message = format!("a person must act at {url} until {until}");
                let hint = format!("then `renewd orders pay {id}` or `renewd run`");
                (Verdict::RequiresAction, None, Some(message), Some(hint))
            }
            _ => {
                let message = "the gateway has not decided".to_owned();
                (Verdict::Pending, None, Some(message), Some("`renewd run` asks the gateway again".to_owned()))
            }
        },
        OrderStatus::Canceled { .. } | OrderStatus::Expired { .. } => {
            (Verdict::Refused, Some(Reason::OrderState), Some(format!("the order is {}", order.status.as_str())), None)
        }
    }
}

/// An order as a summary line.
pub(crate) fn order_summary(order: &Order, adopted: bool, show_id: bool) -> OrderSummary {
    OrderSummary {
        order: show_id.then(|| order.id.clone()),
        account: order.account.clone(),
        lines: order.lines.len(),
        total: order.total,
        methods: order.methods.iter().map(|method| method.method.to_string()).collect(),
        status: order.status.as_str().to_owned(),
        holds: order
            .holds
            .iter()
            .filter(|_| order.status == OrderStatus::Held)
            .map(|hold| HoldView { reason: hold.reason.as_str().to_owned(), detail: hold.detail.clone() })
            .collect(),
        paid_by: paid_by(order),
        adopted,
        next: if show_id { next_command(order) } else { None },
    }
}

/// The method that paid an order, with its reference.
pub(crate) fn paid_by(order: &Order) -> Option<String> {
    let OrderStatus::Settled { payment, .. } = &order.status else { return None };
    let method = |number: u32| {
        order
            .attempts
            .iter()
            .find(|attempt| attempt.number == number)
            .map_or_else(String::new, |attempt| attempt.method.method.to_string())
    };
    Some(match payment {
        Payment::Nothing => "nothing to pay".to_owned(),
        Payment::Attempt { attempt, reference } => format!("{} ({reference})", method(*attempt)),
        Payment::Resolved { attempt, reference, reason } => {
            format!("{} ({}; resolved: {reason})", method(*attempt), reference.as_deref().unwrap_or("no reference"))
        }
    })
}

/// The command that fits an order's status. While a gateway is still to be asked what became of an attempt, `run` comes
/// first.
pub(crate) fn next_command(order: &Order) -> Option<String> {
    let id = &order.id;
    let to_be_asked = order.last_attempt().is_some_and(|attempt| attempt.next_check.is_some());
    match order.status {
        OrderStatus::Unknown | OrderStatus::Pending if to_be_asked => Some("renewd run".to_owned()),
        OrderStatus::Open if order.shown_attempt().is_some() => Some("renewd run".to_owned()),
        OrderStatus::Open if all_said_never(order) => Some(format!("renewd orders pay {id} --pay-with METHOD")),
        OrderStatus::Open => Some(format!("renewd orders pay {id}")),
        OrderStatus::Held => Some(format!("renewd orders approve {id}")),
        OrderStatus::Unknown => Some(format!("renewd orders resolve {id} --as succeeded|declined --reason TEXT")),
        OrderStatus::Pending => Some(format!("renewd orders pay {id}")),
        // Another process pays it: what it comes to is told there.
        OrderStatus::Paying
        | OrderStatus::Settled { .. }
        | OrderStatus::Canceled { .. }
        | OrderStatus::Expired { .. } => None,
    }
}

/// Whether no method of an order is left that has not declined it for good.
fn all_said_never(order: &Order) -> bool {
    !order.methods.is_empty() && order.methods.iter().all(|method| has_said_never(order, method))
}

/// The same, where what earlier orders of automatic renewal were told counts as well.
pub(crate) fn every_method_refuses(state: &State, order: &Order) -> bool {
    let rows = || order.lines.iter().filter_map(|line| state.resources.get(&line.prepared.resource));
    let before = |method: &AccountMethod| {
        order.origin == Origin::Auto
            && rows().filter_map(|row| row.auto_tried()).any(|tried| tried.refused.contains(method))
    };
    !order.methods.is_empty() && order.methods.iter().all(|method| has_said_never(order, method) || before(method))
}
