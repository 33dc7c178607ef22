//! What time does to a resource: phases, the end of a term, release. Only `run` journals it.

use crate::documents::Mode;
use crate::event::Event;
use crate::resource::{Phase, Resource};
use chrono::{DateTime, Utc};

/// The events that time has brought about. Nothing is released, converted or ended while a payment or a conflict may
/// still change its expiry.
///
/// INVARIANT (once): a phase is journaled once for an expiry, and a clock that goes back takes nothing back.
pub fn time_passes(resource: &Resource, mode: Mode, now: DateTime<Utc>) -> Vec<Event> {
    if !resource.is_prepaid() {
        return Vec::new();
    }
    let phase = resource.phase_changes().phase(now);
    let noted = resource.noted_phase().unwrap_or(Phase::Active);
    let expiry = resource.end.expiry.instant();
    let id = || resource.id.clone();
    let unsettled = resource.open_order.is_some() || resource.freeze.is_some();
    let has_ended = phase == Phase::Released || phase.is_late();
    if has_ended && mode == Mode::PayPerUse && !unsettled {
        return vec![Event::ResourceConverted { resource: id(), expiry }];
    }
    let ends = has_ended && mode == Mode::Expire && noted < Phase::Grace;
    if phase <= noted || (unsettled && (ends || phase == Phase::Released)) {
        return Vec::new();
    }
    let mut events = Vec::new();
    if ends {
        events.push(Event::ResourceEnded { resource: id(), expiry });
    }
    events.push(Event::PhaseEntered { resource: id(), phase, expiry });
    events
}
