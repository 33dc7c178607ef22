//! The board: what needs a person, each with the one command that fixes it.

use crate::charge::{NextCharge, charge_blocked, next_charge};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::next_run::{Outlook, outlook};
use crate::report::{every_method_refuses, next_command};
use crate::running::{Hindrances, WhoPays, soon};
use crate::view::{BalanceView, Board, BoardTab, Item, Notice, NoticeKind, Totals, Warning, add_total};
use chrono::{DateTime, TimeDelta, Utc};
use renewd_core::calendar::rfc3339_in;
use renewd_core::cover::{Cover, mode_of};
use renewd_core::documents::Mode;
use renewd_core::ids::{AccountName, ResourceId, SinkName};
use renewd_core::order::{Order, OrderStatus, Outcome};
use renewd_core::quote::covering;
use renewd_core::refusal::{Reason, Refusal};
use renewd_core::resource::{Freeze, Phase, Resource};
use renewd_core::state::{SinkCursor, State};
use std::collections::{BTreeMap, BTreeSet};

/// How long something is due before it is said that no run does it: a timer may start one every hour.
const DUE_MARGIN: TimeDelta = TimeDelta::hours(1);

impl Engine {
    /// The board.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn board(&self) -> Result<Board, EngineError> {
        let now = self.now();
        let snapshot = self.snapshot(now)?;
        self.require_store(&snapshot)?;
        let state = &snapshot.state;
        let outlook = outlook(self, state, snapshot.blobs(), now)?;
        let mut unpaid = Totals::new();
        let mut hindrances = Hindrances::new(self, state, WhoPays::Here);
        let mut notices: Vec<Notice> = Vec::new();
        for order in state.orders.values() {
            notices.extend(order_notice(state, order, hindrances.of_order(order)?));
            notices.extend(refund_notices(order));
            if order.status == OrderStatus::Open {
                add_total(&mut unpaid, order.total);
            }
        }
        notices.extend(state.resources.values().filter_map(|resource| resource_notice(state, resource, now)));
        notices.extend(due_notices(state, &outlook.next_run.refused, now));
        let cannot = self.cannot_renew(state, outlook, now)?;
        let told: BTreeSet<String> = notices.iter().map(|notice| notice.subject.clone()).collect();
        notices.extend(cannot.into_iter().filter(|notice| !told.contains(&notice.subject)));
        notices.extend(restored_notices(state, snapshot.epoch, now));
        notices.extend(state.sinks.iter().filter_map(|(name, cursor)| sink_notice(name, cursor)));
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for notice in &notices {
            let word = serde_json::to_value(notice.kind).ok().and_then(|kind| kind.as_str().map(str::to_owned));
            *counts.entry(word.unwrap_or_default()).or_default() += 1;
        }
        notices.sort_by(|left, right| {
            (left.kind, &left.when, &left.subject).cmp(&(right.kind, &right.when, &right.subject))
        });
        let balances = state
            .books
            .iter()
            .flat_map(|(name, book)| {
                book.balance.values().map(move |money| BalanceView { account: name.to_string(), balance: *money })
            })
            .collect();
        Ok(Board {
            at: rfc3339_in(now, chrono_tz::UTC),
            store: self.options.store.display().to_string(),
            revision: state.meta.revision,
            tabs: tabs(state, now),
            notices,
            counts,
            balances,
            unpaid,
        })
    }

    /// Automatic renewals that are due or to come and cannot be made as things stand, each once. What waits for its order
    /// or for the end of a freeze has a notice there.
    fn cannot_renew(&self, state: &State, outlook: Outlook, now: DateTime<Utc>) -> Result<Vec<Notice>, EngineError> {
        let mut found: BTreeMap<ResourceId, Notice> = BTreeMap::new();
        let mut add = |id: &ResourceId, when: Option<String>, message: String| {
            let row = state.resources.get(id);
            let order = row.and_then(|row| row.open_order.as_ref()).and_then(|order| state.orders.get(order));
            let waits = order.is_some_and(|order| order.status != OrderStatus::Open);
            if !waits && row.is_none_or(|row| row.freeze.is_none()) {
                let command = Some(format!("renewd show {id}"));
                let (kind, subject) = (NoticeKind::CannotRenew, id.to_string());
                found.entry(id.clone()).or_insert(Notice { kind, subject, when, message, command });
            }
        };
        for item in &outlook.next_run.refused {
            let why = item.message.as_deref().unwrap_or_default();
            add(&item.resource, None, format!("its due automatic renewal cannot be made: {why}"));
        }
        let mut coming = Vec::new();
        for (id, quote) in outlook.quotes {
            let Some(resource) = state.resources.get(&id) else { continue };
            let charge = next_charge(resource, &Cover::find(resource, state.policies()), now);
            if let (Err(refusal), NextCharge::At(at)) = (&quote, charge) {
                let when = rfc3339_in(at, resource.end.expiry.zone);
                add(&id, Some(when), format!("its next automatic renewal cannot be made as things stand: {refusal}"));
            }
            coming.extend(soon(charge, now).map(|at| (resource, at, quote)));
        }
        for Warning { resource, charge, message, hint: _ } in
            self.warnings_of(state, coming, now, WhoPays::Elsewhere)?
        {
            add(
                &resource,
                Some(charge),
                format!("its next automatic renewal cannot be made as things stand: {message}"),
            );
        }
        Ok(found.into_values().collect())
    }
}

fn tabs(state: &State, now: DateTime<Utc>) -> Vec<BoardTab> {
    let mut tabs: Vec<(BoardTab, Option<DateTime<Utc>>)> = Mode::ALL
        .into_iter()
        .map(|tab| (BoardTab { tab, resources: 0, expiring: 0, late: 0, next_expiry: None }, None))
        .collect();
    for resource in state.resources.values() {
        let cover = Cover::find(resource, state.policies());
        let mode = mode_of(resource, &cover, now).0;
        let phase = resource.phase(now);
        let Some((tab, soonest)) = tabs.iter_mut().find(|(tab, _)| tab.tab == mode) else { continue };
        tab.resources += 1;
        tab.expiring += usize::from(phase == Phase::Expiring);
        tab.late += usize::from(phase.is_late());
        let expiry = resource.end.expiry.instant();
        if now < expiry && soonest.is_none_or(|soonest| expiry < soonest) {
            *soonest = Some(expiry);
            tab.next_expiry = Some(resource.end.expiry.rfc3339());
        }
    }
    tabs.into_iter().map(|(tab, _)| tab).collect()
}

/// The notice of an order; `hindrance` is why no method can pay it as things stand, where none can.
fn order_notice(state: &State, order: &Order, hindrance: Option<Refusal>) -> Option<Notice> {
    let zone = state.account(&order.account).map_or(chrono_tz::UTC, |account| account.time_zone);
    let id = &order.id;
    let what = format!(
        "{} line{} of account {}, {}",
        order.lines.len(),
        if order.lines.len() == 1 { "" } else { "s" },
        order.account,
        order.total
    );
    let last = order.last_attempt().map(|attempt| &attempt.outcome);
    let works = order.still_works();
    let (kind, message, command) = match (&order.status, last) {
        (OrderStatus::Pending, Some(Outcome::RequiresAction { url, expires, .. })) => (
            NoticeKind::RequiresAction,
            format!("{what}: a person must act at {url} until {}", rfc3339_in(*expires, zone)),
            "renewd run".to_owned(),
        ),
        (OrderStatus::Pending, _) => {
            (NoticeKind::Pending, format!("{what}: the gateway has not decided"), "renewd run".to_owned())
        }
        (OrderStatus::Unknown, Some(Outcome::Unknown { detail, .. })) => (
            NoticeKind::Unknown,
            format!(
                "{what}: nobody knows whether it was paid: {detail}; where the gateway cannot tell, `renewd orders resolve {id} --as succeeded|declined --reason TEXT`"
            ),
            next_command(order).unwrap_or_else(|| "renewd run".to_owned()),
        ),
        (OrderStatus::Held, _) => (
            NoticeKind::Held,
            format!("{what}: {}", order.holds.iter().map(|h| h.detail.as_str()).collect::<Vec<_>>().join("; ")),
            format!("renewd orders approve {id}"),
        ),
        (OrderStatus::Open, _) if works.is_some() => {
            (NoticeKind::Pending, format!("{what}: {}", works.unwrap_or_default()), "renewd run".to_owned())
        }
        (OrderStatus::Open, Some(Outcome::Declined { code, message, .. })) => {
            // What the balance lacks is what it was declined for.
            let more = hindrance.filter(|why| why.reason != Reason::InsufficientBalance);
            (NoticeKind::Declined, format!("{what}: declined: {message} ({code}){}", and_now(more)), pay(state, order))
        }
        (OrderStatus::Open, _) => {
            (NoticeKind::Unpaid, format!("{what}: waits to be paid{}", and_now(hindrance)), pay(state, order))
        }
        (OrderStatus::Paying | OrderStatus::Unknown, _)
        | (OrderStatus::Settled { .. } | OrderStatus::Canceled { .. } | OrderStatus::Expired { .. }, _) => return None,
    };
    Some(Notice {
        kind,
        subject: id.to_string(),
        when: Some(rfc3339_in(order.expires_at, zone)),
        message,
        command: Some(command),
    })
}

/// What stands in the way of the next attempt, after what became of the last.
fn and_now(hindrance: Option<Refusal>) -> String {
    hindrance.map_or_else(String::new, |why| format!("; from here it cannot be paid: {}", why.message))
}

fn pay(state: &State, order: &Order) -> String {
    let more = if every_method_refuses(state, order) { " --pay-with METHOD" } else { "" };
    format!("renewd orders pay {}{more}", order.id)
}

/// A sink that could not be told what happened.
fn sink_notice(name: &SinkName, cursor: &SinkCursor) -> Option<Notice> {
    let failure = cursor.failure.as_ref()?;
    Some(Notice {
        kind: NoticeKind::EventsBehind,
        subject: name.to_string(),
        when: Some(rfc3339_in(failure.since, chrono_tz::UTC)),
        message: format!("has been told nothing since then: {}", failure.reason),
        command: Some("renewd run".to_owned()),
    })
}

/// Automatic renewals that were due a while ago and that no run has charged: one notice for each account.
fn due_notices(state: &State, refused: &[Item], now: DateTime<Utc>) -> impl Iterator<Item = Notice> {
    let refused: BTreeSet<&ResourceId> = refused.iter().map(|item| &item.resource).collect();
    let mut due: BTreeMap<&AccountName, (usize, DateTime<Utc>, chrono_tz::Tz)> = BTreeMap::new();
    for resource in state.resources.values() {
        let NextCharge::Due(since) = next_charge(resource, &Cover::find(resource, state.policies()), now) else {
            continue;
        };
        let late = DUE_MARGIN <= now.signed_duration_since(since);
        if late && charge_blocked(resource).is_none() && !refused.contains(&resource.id) {
            let zone = resource.end.expiry.zone;
            let (count, first, _) = due.entry(&resource.description.account).or_insert((0, since, zone));
            *count += 1;
            *first = since.min(*first);
        }
    }
    due.into_iter().map(|(account, (count, first, zone))| Notice {
        kind: NoticeKind::Due,
        subject: account.to_string(),
        when: Some(rfc3339_in(first, zone)),
        message: match count {
            1 => "1 automatic renewal is due, and no run has charged it".to_owned(),
            _ => format!("{count} automatic renewals are due, the first since then, and no run has charged them"),
        },
        command: Some("renewd run".to_owned()),
    })
}

/// Resources of a restored store that near their expiry or are past it, and whose gateway was not asked what was paid for
/// them after the backup: that happens before their next charge only. One notice for each account.
fn restored_notices(state: &State, epoch: u32, now: DateTime<Utc>) -> impl Iterator<Item = Notice> {
    let mut open: BTreeMap<&AccountName, usize> = BTreeMap::new();
    for resource in state.resources.values().filter(|row| 0 < epoch && row.sought != Some(epoch)) {
        match resource.phase(now) {
            Phase::Expiring | Phase::Grace | Phase::Retention => {
                *open.entry(&resource.description.account).or_default() += 1;
            }
            Phase::Active | Phase::Released => {}
        }
    }
    open.into_iter().map(|(account, count)| Notice {
        kind: NoticeKind::Restored,
        subject: account.to_string(),
        when: None,
        message: format!(
            "the store was restored: {count} resource{} near the expiry may have been renewed after its backup, which the \
             gateway is asked only before the next charge; compare the expiries with the gateway's payments",
            if count == 1 { "" } else { "s" }
        ),
        command: Some(format!("renewd list --account {account}")),
    })
}

/// Money on its way back, of which nobody knows whether it has arrived.
fn refund_notices(order: &Order) -> impl Iterator<Item = Notice> + '_ {
    let open = order.refunds.iter().filter(|refund| !refund.outcome.is_final());
    open.map(|refund| {
        let what = refund.line().map_or_else(|| "a charge that came too late".to_owned(), ToString::to_string);
        Notice {
            kind: NoticeKind::Refund,
            subject: order.id.to_string(),
            when: refund.next_check.map(|next| rfc3339_in(next, order.time_zone)),
            message: format!("{} for {what} is {}", refund.amount, refund.outcome.as_str()),
            command: Some("renewd run".to_owned()),
        }
    })
}

fn resource_notice(state: &State, resource: &Resource, now: DateTime<Utc>) -> Option<Notice> {
    let id = &resource.id;
    let zone = resource.end.expiry.zone;
    let phase = resource.phase(now);
    let cover = Cover::find(resource, state.policies());
    let mode = mode_of(resource, &cover, now).0;
    let notice = |kind, when: DateTime<Utc>, message: String, command: String| {
        Some(Notice {
            kind,
            subject: id.to_string(),
            when: Some(rfc3339_in(when, zone)),
            message,
            command: Some(command),
        })
    };
    let changes = resource.phase_changes();
    if let Some(Freeze::ImportConflict { detail }) = &resource.freeze {
        let command = "renewd import FILE --take inventory|store".to_owned();
        return notice(NoticeKind::Frozen, changes.expiry, format!("inventory conflict: {detail}"), command);
    }
    if phase == Phase::Released {
        return None;
    }
    if let (true, Cover::Conflict(_), Err(why)) = (resource.is_prepaid(), &cover, covering(&cover)) {
        let (when, command) = (changes.expiry, format!("renewd show {id}"));
        return notice(NoticeKind::PolicyConflict, when, format!("nothing renews it: {}", why.message), command);
    }
    if phase == Phase::Active || resource.open_order.is_some() {
        return None;
    }
    if mode == Mode::Auto && charge_blocked(resource).is_none() && next_charge(resource, &cover, now).is_due() {
        return None;
    }
    if !resource.description.renewable && mode != Mode::Expire {
        let message = format!("{}, and its inventory says that it cannot be renewed", phase_words(phase));
        return notice(
            NoticeKind::Lapsing,
            changes.next_after(now).unwrap_or(changes.expiry),
            message,
            format!("renewd mode expire {id}"),
        );
    }
    let renew = format!("renewd renew {id}");
    let wanted_end = matches!(mode, Mode::Expire | Mode::PayPerUse);
    match (phase, cover.policy()) {
        (_, _) if wanted_end && phase == Phase::Expiring => None,
        (_, None) => notice(
            NoticeKind::NoPolicy,
            changes.expiry,
            format!("{}, and no single policy covers it", phase_words(phase)),
            format!("renewd show {id}"),
        ),
        (Phase::Expiring, Some(_)) => {
            notice(NoticeKind::Lapsing, changes.expiry, "expires, and nothing renews it by itself".to_owned(), renew)
        }
        (Phase::Grace, Some(_)) => {
            notice(NoticeKind::Late, changes.retention, "is in grace and freezes then".to_owned(), renew)
        }
        (Phase::Retention, Some(_)) => {
            notice(NoticeKind::Late, changes.released, "is in retention and is released then".to_owned(), renew)
        }
        (Phase::Active | Phase::Released, Some(_)) => None,
    }
}

fn phase_words(phase: Phase) -> &'static str {
    match phase {
        Phase::Active => "is active",
        Phase::Expiring => "expires",
        Phase::Grace => "is in grace",
        Phase::Retention => "is in retention",
        Phase::Released => "is released",
    }
}
