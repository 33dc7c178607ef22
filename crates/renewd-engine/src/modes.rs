//! Moving resources between tabs: a person's choice of mode, or giving them back to their policies.

use crate::charge::next_charge;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::options::{ModeChoice, Selector};
use crate::selection::{missing, select};
use crate::view::{ModeChangeView, ModeRow};
use chrono::{DateTime, Utc};
use renewd_core::calendar::rfc3339_in;
use renewd_core::cover::{Cover, mode_of};
use renewd_core::documents::{Mode, Overrides};
use renewd_core::event::Event;
use renewd_core::resource::{ModeOverride, Resource};
use renewd_core::state::State;

impl Engine {
    /// What a choice of mode would do to coming charges.
    ///
    /// # Errors
    /// The store cannot be read, or a named resource does not exist.
    pub fn mode_preview(&self, selector: &Selector, choice: &ModeChoice) -> Result<ModeChangeView, EngineError> {
        let now = self.now();
        let snapshot = self.snapshot(now)?;
        self.require_store(&snapshot)?;
        Ok(change(&snapshot.state, selector, choice, "", now)?.0)
    }

    /// Makes a choice of mode.
    ///
    /// # Errors
    /// The store cannot be read or written, or a named resource does not exist.
    pub fn mode(&self, selector: &Selector, choice: &ModeChoice) -> Result<ModeChangeView, EngineError> {
        let now = self.now();
        let mut desk = self.desk(now)?;
        let actor = desk.actor().to_owned();
        let (mut view, events) = change(&desk.state, selector, choice, &actor, now)?;
        desk.push(events);
        desk.commit()?;
        view.done = true;
        Ok(view)
    }
}

fn change(
    state: &State,
    selector: &Selector,
    choice: &ModeChoice,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<(ModeChangeView, Vec<Event>), EngineError> {
    if let Some(id) = missing(state, selector).first() {
        let hint = "`renewd list` shows all resources".to_owned();
        return Err(EngineError::input("no-resource", format!("there is no resource `{id}`"), hint));
    }
    let mut rows = Vec::new();
    let mut events = Vec::new();
    for resource in select(state, selector, now) {
        let (row, event) = change_one(state, resource, choice, actor, now);
        rows.push(row);
        events.extend(event);
    }
    let changed = rows.iter().filter(|row| row.changed).count();
    let effect = effect(&rows);
    Ok((ModeChangeView { rows, changed, effect, done: false }, events))
}

fn change_one(
    state: &State,
    resource: &Resource,
    choice: &ModeChoice,
    actor: &str,
    now: DateTime<Utc>,
) -> (ModeRow, Option<Event>) {
    let cover = Cover::find(resource, state.policies());
    let zone = resource.end.expiry.zone;
    let until = choice.until.map(|moment| moment.instant(zone));
    let denied = denial(&cover, choice, until, now);
    let wanted =
        choice.mode.map(|mode| ModeOverride { mode, actor: actor.to_owned(), reason: choice.reason.clone(), until });
    let same = match (&wanted, &resource.chosen) {
        (None, None) => true,
        (Some(wanted), Some(chosen)) => wanted.mode == chosen.mode && wanted.until == chosen.until,
        (None, Some(_)) | (Some(_), None) => false,
    };
    let mut after = resource.clone();
    if denied.is_none() {
        after.chosen.clone_from(&wanted);
    }
    let (before_mode, _) = mode_of(resource, &cover, now);
    let (after_mode, _) = mode_of(&after, &cover, now);
    let (before_charge, after_charge) = (next_charge(resource, &cover, now), next_charge(&after, &cover, now));
    let changed = !same && denied.is_none();
    let event = changed.then(|| match wanted {
        Some(chosen) => Event::ModeChosen { resource: resource.id.clone(), chosen },
        None => Event::ModeReturned { resource: resource.id.clone() },
    });
    let shown = |at: Option<DateTime<Utc>>| at.map(|at| rfc3339_in(at, zone));
    let row = ModeRow {
        resource: resource.id.clone(),
        before: before_mode,
        after: after_mode,
        next_charge_before: shown(before_charge.at()),
        next_charge_after: shown(after_charge.at()),
        charge_due: after_charge.is_due(),
        changed,
        refused: denied,
    };
    (row, event)
}

/// Why a choice cannot be made for a resource, where it cannot.
fn denial(cover: &Cover<'_>, choice: &ModeChoice, until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<String> {
    let mode = choice.mode?;
    if until.is_some_and(|until| until <= now) {
        return Some("the choice would already have ended".to_owned());
    }
    match cover {
        Cover::Policy(policy) if policy.overrides == Overrides::Deny => {
            Some(format!("policy {} denies overrides", policy.name))
        }
        Cover::None | Cover::Conflict(_) if mode == Mode::Auto => {
            Some("no single policy covers it, so nothing could charge it".to_owned())
        }
        Cover::Policy(_) | Cover::None | Cover::Conflict(_) => None,
    }
}

fn effect(rows: &[ModeRow]) -> String {
    let stops = rows.iter().filter(|row| row.next_charge_before.is_some() && row.next_charge_after.is_none()).count();
    let starts = rows.iter().filter(|row| row.next_charge_before.is_none() && row.next_charge_after.is_some()).count();
    let due = rows.iter().filter(|row| row.changed && row.charge_due).count();
    let ends = rows.iter().filter(|row| row.changed && row.after == Mode::Expire).count();
    let usage = rows.iter().filter(|row| row.changed && row.after == Mode::PayPerUse).count();
    let mut words = Vec::new();
    let mut say = |count: usize, what: &str| {
        if 0 < count {
            words.push(format!("{count} {}", what.replace("(s)", if count == 1 { "" } else { "s" })));
        }
    };
    say(stops, "automatic charge(s) will not be made");
    say(starts, "automatic charge(s) will be made");
    say(due, "of them due at the next run");
    say(ends, "resource(s) will end at expiry");
    say(usage, "resource(s) will be billed by use after expiry");
    if words.is_empty() { "coming charges stay as they are".to_owned() } else { words.join(", ") }
}
