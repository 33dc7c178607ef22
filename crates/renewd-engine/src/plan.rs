//! Planning: what a desired state would change, what it would cost, and what the next run would charge.
//!
//! A plan is computed on a copy of the state. Applying it commits exactly the events that it was shown for.

use crate::changes::{Sight, document_changes, resource_changes, sights};
use crate::engine::{BlobFolder, Engine, Snapshot};
use crate::error::EngineError;
use crate::import::{Merged, capped, check_rows, merge_rows, read_inventory};
use crate::load::{Documents, overlaps};
use crate::locking::{LockPlan, plan_lock};
use crate::next_run::{Outlook, outlook};
use crate::options::{Desired, ImportOptions};
use crate::outbox::first_cursors;
use crate::reaching::widened;
use crate::requests::{RequestPlan, Start};
use crate::view::{ImportConflict, ImportView, OverrideRow, OverrideSummary, PlanView, PlannedOrder, SkippedRow};
use chrono::{DateTime, Utc};
use renewd_core::cover::Cover;
use renewd_core::documents::{Document, DocumentKey};
use renewd_core::event::Event;
use renewd_core::ids::{Digest, RequestName, ResourceId};
use renewd_core::state::State;
use renewd_policy::Finding;
use renewd_store::Sequence;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A plan, to be shown, saved, or applied.
pub struct Planned {
    /// What people see.
    pub view: PlanView,
    /// The texts, for snippets of warnings.
    pub sources: renewd_policy::Sources,
    pub(crate) desired: Desired,
    pub(crate) at: DateTime<Utc>,
    pub(crate) base: Sequence,
    pub(crate) events: Vec<Event>,
    pub(crate) attachments: BTreeMap<Digest, Vec<u8>>,
    pub(crate) lock: LockPlan,
    pub(crate) requests: RequestPlan,
    /// Digest over everything that the plan says it will do.
    pub(crate) fingerprint: Digest,
}

impl Engine {
    /// Computes what applying a desired state would change.
    ///
    /// # Errors
    /// The input has findings, or the store cannot be read.
    pub fn plan(&self, desired: &Desired) -> Result<Planned, EngineError> {
        let now = self.now();
        let documents = desired.directory.as_deref().map(|path| self.load_documents(path)).transpose()?;
        let snapshot = self.snapshot(now)?;
        let mut plan = Draft::new(self, &snapshot, documents.as_ref(), now);
        plan.document_events();
        let imported = desired.resources.as_deref().map(|path| plan.import(path)).transpose()?;
        plan.check_overlaps()?;
        plan.capture_windows();
        plan.close_revision();
        let start = Start {
            engine: self,
            blobs: &plan.blobs,
            now,
            next_sequence: snapshot.sequence.next().get().saturating_add(plan.events.len() as u64),
            changed: plan.changed_requests(),
        };
        let requests = start.plan(&mut plan.state)?;
        plan.events.extend(requests.events.iter().cloned());
        let outlook = outlook(self, &plan.state, &plan.blobs, now)?;
        let before = if plan.reprices() { self.prices_before(&snapshot, now)? } else { BTreeMap::new() };
        let lock = plan_lock(desired.directory.as_deref(), documents.as_ref())?;
        let view = plan.view(before, imported, &requests, outlook, &lock);
        let fingerprint = fingerprint(&view, &plan.events, snapshot.sequence)?;
        let Draft { events, blobs, .. } = plan;
        Ok(Planned {
            view,
            sources: documents.map(|documents| documents.sources).unwrap_or_default(),
            desired: desired.clone(),
            at: now,
            base: snapshot.sequence,
            events,
            attachments: blobs.extra.as_ref().clone(),
            lock,
            requests,
            fingerprint,
        })
    }

    /// The price of every auto resource's next renewal as things are.
    fn prices_before(
        &self,
        snapshot: &Snapshot,
        now: DateTime<Utc>,
    ) -> Result<BTreeMap<ResourceId, String>, EngineError> {
        Ok(outlook(self, &snapshot.state, snapshot.blobs(), now)?.prices())
    }
}

/// A plan in the making.
struct Draft<'a> {
    snapshot: &'a Snapshot,
    documents: Option<&'a Documents>,
    now: DateTime<Utc>,
    state: State,
    blobs: BlobFolder,
    events: Vec<Event>,
}

impl<'a> Draft<'a> {
    fn new(engine: &Engine, snapshot: &'a Snapshot, documents: Option<&'a Documents>, now: DateTime<Utc>) -> Self {
        let extra = documents.map(|documents| documents.set.attachments.clone()).unwrap_or_default();
        let blobs = engine.blobs_with(extra);
        Self { snapshot, documents, now, state: snapshot.state.clone(), blobs, events: Vec::new() }
    }

    fn push(&mut self, event: Event) {
        self.state.apply(self.now, &event);
        self.events.push(event);
    }

    fn document_events(&mut self) {
        let Some(documents) = self.documents else { return };
        let wanted = &documents.set.documents;
        let removed: Vec<DocumentKey> =
            self.state.documents.keys().filter(|key| !wanted.contains_key(*key)).cloned().collect();
        for (key, placed) in wanted {
            if self.state.documents.get(key) != Some(&placed.value) {
                self.push(Event::DocumentPut { document: placed.value.clone() });
            }
        }
        for key in removed {
            self.push(Event::DocumentRemoved { key });
        }
        for event in first_cursors(&self.snapshot.state, &self.state, self.snapshot.sequence) {
            self.push(event);
        }
    }

    fn import(&mut self, path: &Path) -> Result<ImportView, EngineError> {
        let (merged, view) = import_file(&self.state, path, &ImportOptions::default(), self.now)?;
        for event in merged.events {
            self.push(event);
        }
        Ok(view)
    }

    /// Policies that overlap on actual resources stand in the way where the documents are at hand.
    fn check_overlaps(&self) -> Result<(), EngineError> {
        let Some(documents) = self.documents else { return Ok(()) };
        let policies: Vec<_> = self.state.policies().collect();
        let findings = overlaps(&documents.set, self.state.resources.values(), &policies);
        if findings.is_empty() {
            return Ok(());
        }
        Err(EngineError::Findings { findings, sources: Box::new(documents.sources.clone()) })
    }

    fn capture_windows(&mut self) {
        for event in captured_windows(&self.state) {
            self.push(event);
        }
    }

    fn close_revision(&mut self) {
        if !self.changes_documents() {
            return;
        }
        let texts: Vec<Vec<u8>> =
            self.state.documents.values().filter_map(|document| serde_json::to_vec(document).ok()).collect();
        let digest = Digest::of_parts(texts.iter().map(Vec::as_slice));
        let revision = self.state.meta.revision.saturating_add(1);
        self.push(Event::RevisionApplied { revision, digest });
    }

    fn changes_documents(&self) -> bool {
        self.events.iter().any(|event| matches!(event, Event::DocumentPut { .. } | Event::DocumentRemoved { .. }))
    }

    fn changed_requests(&self) -> BTreeSet<RequestName> {
        let changed = self.events.iter().filter_map(|event| match event {
            Event::DocumentPut { document: Document::RenewalRequest(request) } => Some(request.name.clone()),
            _ => None,
        });
        changed.collect()
    }

    /// Whether known resources may have another price than before.
    fn reprices(&self) -> bool {
        self.snapshot.exists && !self.events.is_empty()
    }

    fn view(
        &self,
        before: BTreeMap<ResourceId, String>,
        import: Option<ImportView>,
        requests: &RequestPlan,
        outlook: Outlook,
        lock: &LockPlan,
    ) -> PlanView {
        let old: BTreeMap<ResourceId, Sight> = sights(&self.snapshot.state, &before, self.now);
        let new = sights(&self.state, &outlook.prices(), self.now);
        let documents = document_changes(&self.snapshot.state, &self.state);
        let resources = if self.events.is_empty() { Vec::new() } else { resource_changes(&old, &new, import.as_ref()) };
        let removed = documents.iter().any(|change| change.change == crate::view::DocumentChangeKind::Removed);
        let mut guards = Vec::new();
        if removed {
            guards.push("removals".to_owned());
        }
        let grants = widened(&self.snapshot.state, &self.state);
        if !grants.is_empty() {
            guards.push("grants".to_owned());
        }
        if lock.mismatch {
            guards.push("lock".to_owned());
        }
        let covers = || self.state.resources.values().map(|resource| Cover::find(resource, self.state.policies()));
        let mut modes = BTreeMap::new();
        for sight in new.values() {
            *modes.entry(sight.mode.as_str().to_owned()).or_default() += 1;
        }
        PlanView {
            empty: self.events.is_empty() && lock.changes.is_empty(),
            revision: self.snapshot.state.meta.revision,
            documents,
            document_count: self.state.documents.len(),
            import,
            resources,
            resource_count: self.state.resources.len(),
            uncovered: covers().filter(|cover| matches!(cover, Cover::None)).count(),
            conflicts: covers().filter(|cover| matches!(cover, Cover::Conflict(_))).count(),
            modes,
            overrides: overrides(&self.snapshot.state, &self.state, self.now),
            orders: requests.orders(),
            request_items: requests.items.clone(),
            grants,
            lock: lock.changes.clone(),
            priced: outlook.priced(),
            auto_totals: outlook.auto_totals.clone(),
            next_run: outlook.next_run,
            warnings: self.documents.map(|documents| documents.warnings.clone()).unwrap_or_default(),
            guards,
        }
    }
}

/// Windows for resources that no policy had matched before.
pub(crate) fn captured_windows(state: &State) -> Vec<Event> {
    state
        .resources
        .values()
        .filter(|resource| !resource.windows_captured)
        .filter_map(|resource| {
            let policy = Cover::find(resource, state.policies()).policy()?;
            Some(Event::WindowsCaptured {
                resource: resource.id.clone(),
                policy: policy.name.clone(),
                windows: policy.windows,
            })
        })
        .collect()
}

/// Reads, checks and merges an inventory; nothing is journaled here.
pub(crate) fn import_file(
    state: &State,
    path: &Path,
    options: &ImportOptions,
    now: DateTime<Utc>,
) -> Result<(Merged, ImportView), EngineError> {
    let inventory = read_inventory(path, options.format.as_deref())?;
    let rows = check_rows(&inventory, state);
    let merged = merge_rows(state, &rows.good, options.take, now);
    let file = inventory.file.clone();
    let row_count = inventory.rows.len();
    let mut findings: Vec<Finding> = inventory.findings.into_sorted();
    let broken_file = inventory.rows.is_empty() && !findings.is_empty();
    let mut skipped = Vec::new();
    for (place, id, row_findings) in rows.bad {
        let message = row_findings.iter().map(|finding| finding.message.as_str()).collect::<Vec<_>>().join("; ");
        skipped.push(SkippedRow { line: place.line as usize, resource: id, message });
        findings.extend(row_findings);
    }
    for (place, id, problem) in &merged.bad {
        let skipped_row =
            SkippedRow { line: place.line as usize, resource: Some(id.to_string()), message: problem.message.clone() };
        skipped.push(skipped_row);
        findings.push(problem.clone().at(&file, *place));
    }
    if !findings.is_empty() && (broken_file || !options.skip_bad) {
        findings.sort_by_key(|finding| (finding.place.line, finding.place.column));
        let sources = Box::new(inventory.sources);
        return Err(EngineError::Findings { findings: capped(findings, &file), sources });
    }
    let conflict = |(resource, detail): &(ResourceId, String)| ImportConflict {
        resource: resource.clone(),
        detail: detail.clone(),
    };
    let view = ImportView {
        file,
        rows: row_count,
        added: merged.added.len(),
        changed: merged.changed.len(),
        unchanged: merged.unchanged,
        conflicts: merged.conflicts.iter().map(conflict).collect(),
        busy: merged.busy.iter().map(conflict).collect(),
        skipped,
        changes: Vec::new(),
    };
    Ok((merged, view))
}

fn overrides(before: &State, after: &State, now: DateTime<Utc>) -> OverrideSummary {
    let standing = |state: &State| -> BTreeSet<ResourceId> {
        let resources = state.resources.values().filter(|resource| resource.active_override(now).is_some());
        resources.map(|resource| resource.id.clone()).collect()
    };
    let (old, new) = (standing(before), standing(after));
    let rows = after
        .resources
        .values()
        .filter_map(|resource| {
            let chosen = resource.active_override(now)?;
            Some(OverrideRow {
                resource: resource.id.clone(),
                mode: chosen.mode,
                actor: chosen.actor.clone(),
                reason: chosen.reason.clone(),
            })
        })
        .collect();
    let lapsed = before.resources.values().filter(|r| r.chosen.is_some() && r.active_override(now).is_none()).count();
    OverrideSummary {
        total: new.len(),
        new: new.difference(&old).count(),
        ended: old.difference(&new).count() + lapsed,
        rows,
    }
}

/// Digest over what a plan will do: its events without the moment at which orders are placed, and its guards.
fn fingerprint(view: &PlanView, events: &[Event], base: Sequence) -> Result<Digest, EngineError> {
    let bug = |error: serde_json::Error| EngineError::Bug(error.to_string());
    let documents: Vec<&Event> = events.iter().filter(|event| !matches!(event, Event::OrderPlaced { .. })).collect();
    let orders: Vec<(&PlannedOrder, Vec<_>)> = view
        .orders
        .iter()
        .map(|order| {
            let items = view.request_items.iter().map(|item| (&item.resource, &item.new_expiry, &item.total)).collect();
            (order, items)
        })
        .collect();
    let parts = [
        serde_json::to_vec(&documents).map_err(bug)?,
        serde_json::to_vec(&orders).map_err(bug)?,
        serde_json::to_vec(&view.lock).map_err(bug)?,
        base.get().to_be_bytes().to_vec(),
    ];
    Ok(Digest::of_parts(parts.iter().map(Vec::as_slice)))
}
