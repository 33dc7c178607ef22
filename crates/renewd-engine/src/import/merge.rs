//! Merging an inventory with the store: the inventory wins for descriptive fields; expiry, anchor and mode merge
//! three-way (last imported, stored, incoming), so that an extension made here survives an inventory that still
//! shows the old date.

use super::check::{Checked, WrittenExpiry};
use crate::options::Take;
use chrono::{DateTime, NaiveTime, Utc};
use renewd_core::calendar::{AnchorDay, Expiry, conventions};
use renewd_core::cover::Cover;
use renewd_core::documents::{Mode, Windows};
use renewd_core::event::{Event, ImportChange};
use renewd_core::ids::ResourceId;
use renewd_core::order::{Order, OrderStatus};
use renewd_core::resource::{AutoRecord, Freeze, Imported, ModeOverride, Resource, TermEnd};
use renewd_core::state::State;
use renewd_policy::{Code, Place, Problem};

/// Who journals say chose a mode that an inventory brought.
pub(crate) const IMPORT_ACTOR: &str = "import";

/// What an inventory does.
#[derive(Debug, Default)]
pub(crate) struct Merged {
    pub(crate) events: Vec<Event>,
    pub(crate) added: Vec<ResourceId>,
    pub(crate) changed: Vec<ResourceId>,
    pub(crate) unchanged: usize,
    /// Resources that are, or stay, frozen because both sides changed.
    pub(crate) conflicts: Vec<(ResourceId, String)>,
    /// Resources left alone because they are being paid for.
    pub(crate) busy: Vec<(ResourceId, String)>,
    /// Rows that do not fit what the store knows.
    pub(crate) bad: Vec<(Place, ResourceId, Problem)>,
}

/// Merges checked rows, one by one. The state is only read.
pub(crate) fn merge_rows(state: &State, rows: &[Checked], take: Option<Take>, now: DateTime<Utc>) -> Merged {
    let mut merged = Merged::default();
    for row in rows {
        match state.resources.get(&row.id) {
            None => add(state, row, &mut merged),
            Some(resource) => update(state, resource, row, take, now, &mut merged),
        }
    }
    merged
}

fn add(state: &State, row: &Checked, merged: &mut Merged) {
    let Some(account) = state.account(&row.description.account) else { return };
    let zone = account.time_zone;
    let expiry = match row.expiry {
        WrittenExpiry::Instant(instant) => Expiry::from_instant(instant, zone),
        WrittenExpiry::Local(local) => Expiry { date: local.date(), time: local.time(), zone },
        WrittenExpiry::Date(date) => Expiry { date, time: bare_date_time(state, row, zone), zone },
    };
    let end = match end_of(expiry, row.anchor, None) {
        Ok(end) => end,
        Err((place, problem)) => return merged.bad.push((place.unwrap_or(row.place), row.id.clone(), problem)),
    };
    let resource = new_resource(row, end);
    merged.events.push(Event::ResourceAdded { resource: Box::new(resource) });
    merged.added.push(row.id.clone());
}

/// The resource that a row brings, with the windows that hold until a policy matches it.
fn new_resource(row: &Checked, end: TermEnd) -> Resource {
    Resource {
        id: row.id.clone(),
        description: row.description.clone(),
        end: end.clone(),
        generation: 0,
        windows: Windows::default(),
        windows_captured: false,
        imported: Imported { end, mode: row.mode, price: row.price },
        paid: std::collections::BTreeMap::new(),
        last_paid: None,
        chosen: row.mode.map(by_import),
        freeze: None,
        open_order: None,
        imported_generation: 0,
        sought: None,
        tries: None,
        auto: AutoRecord::default(),
        noted: None,
        converted: None,
    }
}

fn by_import(mode: Mode) -> ModeOverride {
    ModeOverride { mode, actor: IMPORT_ACTOR.to_owned(), reason: None, until: None }
}

/// The time of day of a bare date: as the conventions of the policy say that matches the row.
fn bare_date_time(state: &State, row: &Checked, zone: chrono_tz::Tz) -> NaiveTime {
    let WrittenExpiry::Date(date) = row.expiry else { return NaiveTime::MIN };
    let expiry = Expiry { date, time: NaiveTime::MIN, zone };
    let end = TermEnd { expiry, anchor: AnchorDay::of(date) };
    let probe = new_resource(row, end);
    let name = Cover::find(&probe, state.policies()).policy().and_then(|policy| policy.conventions);
    conventions(name).bare_date_time
}

/// Expiry and anchor of a row. Without an anchor day the old one stays where it fits, else it is the expiry's day.
fn end_of(
    expiry: Expiry,
    anchor: Option<(AnchorDay, Place)>,
    old: Option<AnchorDay>,
) -> Result<TermEnd, (Option<Place>, Problem)> {
    match anchor {
        Some((anchor, place)) if !anchor.fits(expiry.date) => Err((
            Some(place),
            Problem::new(
                Code::AnchorMismatch,
                format!("the anchor day {} does not give the expiry's own date {}", anchor.get(), expiry.date),
            )
            .hint(format!("write {}, or leave it empty", AnchorDay::of(expiry.date).get())),
        )),
        Some((anchor, _)) => Ok(TermEnd { expiry, anchor }),
        None => {
            let kept = old.filter(|old| old.fits(expiry.date));
            Ok(TermEnd { expiry, anchor: kept.unwrap_or(AnchorDay::of(expiry.date)) })
        }
    }
}

/// The expiry of a row for a known resource: in the zone that the resource keeps, and, where only the date is
/// given, at the time of day that it keeps.
fn incoming_expiry(resource: &Resource, written: WrittenExpiry) -> Expiry {
    let kept = resource.imported.end.expiry;
    match written {
        WrittenExpiry::Instant(instant) => {
            let same = [resource.end.expiry, kept].into_iter().find(|known| known.instant() == instant);
            same.unwrap_or_else(|| Expiry::from_instant(instant, kept.zone))
        }
        WrittenExpiry::Local(local) => Expiry { date: local.date(), time: local.time(), zone: kept.zone },
        WrittenExpiry::Date(date) => Expiry { date, ..kept },
    }
}

fn update(
    state: &State,
    resource: &Resource,
    row: &Checked,
    take: Option<Take>,
    now: DateTime<Utc>,
    merged: &mut Merged,
) {
    let paying = resource.open_order.as_ref().and_then(|order| state.orders.get(order));
    let undecided =
        |order: &&Order| matches!(order.status, OrderStatus::Paying | OrderStatus::Unknown | OrderStatus::Pending);
    if let Some(order) = paying.filter(undecided) {
        let why = format!("order {} is being paid or its outcome is not known yet", order.id);
        return merged.busy.push((row.id.clone(), why));
    }
    if let Some(freeze @ Freeze::Refunding { .. }) = &resource.freeze {
        return merged.busy.push((row.id.clone(), freeze.to_string()));
    }
    let expiry = incoming_expiry(resource, row.expiry);
    let incoming = match end_of(expiry, row.anchor, Some(known_anchor(resource, &expiry))) {
        Ok(end) => end,
        Err((place, problem)) => return merged.bad.push((place.unwrap_or(row.place), row.id.clone(), problem)),
    };
    let end = merge_value(&resource.imported.end, &resource.end, &incoming, take);
    let stored_mode = resource.active_override(now).map(|chosen| chosen.mode);
    let mode = merge_mode(resource, stored_mode, row.mode, take);
    let conflict = conflict_words(resource, &end, &incoming, &mode, row.mode);
    let mut change = ImportChange::default();
    if resource.description != row.description {
        change.description = Some(row.description.clone());
    }
    if let Merge::Take(end) = &end {
        change.end = Some(end.clone());
    }
    change.price = row.price.is_some() && row.price != resource.imported.price && row.price != resource.shown_price();
    let imported = Imported {
        end: if matches!(end, Merge::Conflict) { resource.imported.end.clone() } else { incoming },
        mode: if matches!(mode, Merge::Conflict) { resource.imported.mode } else { row.mode },
        price: if change.price { row.price } else { resource.imported.price },
    };
    if imported != resource.imported {
        change.imported = Some(imported);
    }
    if !change.is_empty() {
        merged.events.push(Event::ResourceImported { resource: row.id.clone(), change: Box::new(change.clone()) });
    }
    let before = merged.events.len();
    if let Merge::Take(mode) = mode {
        merged.events.push(match mode {
            Some(mode) => Event::ModeChosen { resource: row.id.clone(), chosen: by_import(mode) },
            None => Event::ModeReturned { resource: row.id.clone() },
        });
    }
    freeze(resource, conflict, merged);
    // A new base of the merge alone changes nothing that anybody can see.
    let only_base = change.description.is_none() && change.end.is_none() && !change.price;
    if only_base && merged.events.len() == before {
        merged.unchanged += 1;
    } else {
        merged.changed.push(row.id.clone());
    }
}

/// The anchor that an inventory without anchor days means: that of the side whose expiry it shows.
fn known_anchor(resource: &Resource, expiry: &Expiry) -> AnchorDay {
    if resource.imported.end.expiry.instant() == expiry.instant() && resource.end.expiry.instant() != expiry.instant() {
        resource.imported.end.anchor
    } else {
        resource.end.anchor
    }
}

/// The outcome of a three-way merge.
enum Merge<T> {
    /// What is stored stays.
    Keep,
    /// What comes in is taken.
    Take(T),
    /// Both sides changed, differently.
    Conflict,
}

fn merge_value(base: &TermEnd, stored: &TermEnd, incoming: &TermEnd, take: Option<Take>) -> Merge<TermEnd> {
    let same = |left: &TermEnd, right: &TermEnd| {
        left.expiry.instant() == right.expiry.instant() && left.anchor == right.anchor
    };
    if same(incoming, stored) || same(incoming, base) {
        return Merge::Keep;
    }
    if same(stored, base) {
        return Merge::Take(incoming.clone());
    }
    match take {
        Some(Take::Inventory) => Merge::Take(incoming.clone()),
        Some(Take::Store) => Merge::Keep,
        None => Merge::Conflict,
    }
}

fn merge_mode(
    resource: &Resource,
    stored: Option<Mode>,
    incoming: Option<Mode>,
    take: Option<Take>,
) -> Merge<Option<Mode>> {
    let base = resource.imported.mode;
    if incoming == stored || incoming == base {
        return Merge::Keep;
    }
    if stored == base || take == Some(Take::Inventory) {
        return Merge::Take(incoming);
    }
    // An inventory that says nothing of the mode any more does not take away what a person chose since.
    if incoming.is_none() || take == Some(Take::Store) { Merge::Keep } else { Merge::Conflict }
}

fn conflict_words(
    resource: &Resource,
    end: &Merge<TermEnd>,
    incoming: &TermEnd,
    mode: &Merge<Option<Mode>>,
    incoming_mode: Option<Mode>,
) -> Option<String> {
    let mut words = Vec::new();
    if matches!(end, Merge::Conflict) {
        words.push(format!(
            "the inventory moved the expiry from {} to {}, and the store to {}",
            resource.imported.end.expiry.rfc3339(),
            incoming.expiry.rfc3339(),
            resource.end.expiry.rfc3339()
        ));
    }
    if matches!(mode, Merge::Conflict) {
        let word = |mode: Option<Mode>| mode.map_or("the policy's", Mode::as_str);
        words.push(format!(
            "the inventory changed the mode from {} to {}, and a person to {}",
            word(resource.imported.mode),
            word(incoming_mode),
            word(resource.chosen.as_ref().map(|chosen| chosen.mode))
        ));
    }
    (!words.is_empty()).then(|| words.join("; "))
}

fn freeze(resource: &Resource, conflict: Option<String>, merged: &mut Merged) {
    let id = resource.id.clone();
    let frozen_before = match &resource.freeze {
        Some(Freeze::ImportConflict { detail }) => Some(detail.clone()),
        Some(Freeze::UnknownPayment { .. } | Freeze::Refunding { .. }) | None => None,
    };
    match (conflict, frozen_before) {
        (Some(detail), before) => {
            if before.as_ref() != Some(&detail) {
                let freeze = Freeze::ImportConflict { detail: detail.clone() };
                merged.events.push(Event::ResourceFrozen { resource: id.clone(), freeze });
            }
            merged.conflicts.push((id, detail));
        }
        (None, Some(_)) => merged.events.push(Event::ResourceThawed { resource: id }),
        (None, None) => {}
    }
}
