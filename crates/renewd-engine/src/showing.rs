//! Everything about one resource, order, account, policy or request.

use crate::arithmetic::written_out;
use crate::desk::Desk;
use crate::engine::{Engine, Snapshot};
use crate::error::EngineError;
use crate::orders::order_view;
use crate::rows::resource_row;
use crate::sentences::history;
use crate::view::{
    AccountView, CandidateView, DocumentView, PhaseChangeView, RequestView, ResourceView, Show, Totals, UseView,
};
use chrono::{DateTime, Utc};
use renewd_core::calendar::rfc3339_in;
use renewd_core::cover::{Cover, ModeSource, mode_of};
use renewd_core::documents::{Document, DocumentKey, DocumentKind, Overrides};
use renewd_core::event::Subject;
use renewd_core::ids::{AccountName, OrderId, RequestName, ResourceId};
use renewd_core::money::Money;
use renewd_core::quote::Wish;
use renewd_core::resource::Resource;
use renewd_core::state::State;
use std::collections::BTreeMap;

impl Engine {
    /// Shows one thing by its id or name. A name that several kinds share is written `Kind/name`.
    ///
    /// # Errors
    /// There is no such thing, the name is ambiguous, or the store cannot be read.
    pub fn show(&self, target: &str, replay: bool) -> Result<Show, EngineError> {
        let now = self.now();
        let mut desk = self.reading_desk(now)?;
        if let Ok(id) = OrderId::new(target)
            && target.starts_with("ord_")
        {
            desk.load_order(&id)?;
            if desk.state.orders.contains_key(&id) {
                return self.show_order(desk, &id, replay);
            }
        }
        if replay {
            let message = format!("`{target}` is no order, and only orders can be replayed");
            return Err(EngineError::input(
                "no-order",
                message,
                "`renewd orders list --all` shows all of them".to_owned(),
            ));
        }
        let (kind, name) = match target.split_once('/') {
            Some((kind, name)) if known_kind(kind) => (Some(kind.to_lowercase()), name),
            _ => (None, target),
        };
        let candidates = candidates(&desk, kind.as_deref(), name)?;
        match candidates.as_slice() {
            [Found::Resource(id)] => self.show_resource(desk, id, now),
            [Found::Document(key)] => show_document(&desk, key, now),
            [Found::Request(request)] => show_request(&desk, request),
            [] => Err(not_found(&desk.state, target)),
            several => {
                let names: Vec<String> = several.iter().map(Found::qualified).collect();
                Err(EngineError::input(
                    "ambiguous",
                    format!("`{target}` is the name of several things"),
                    format!("say which: {}", names.join(", ")),
                ))
            }
        }
    }

    fn show_order(&self, desk: Desk, id: &OrderId, replay: bool) -> Result<Show, EngineError> {
        let Some(order) = desk.state.orders.get(id).cloned() else { return Err(not_found(&desk.state, id.as_str())) };
        if replay {
            let state = desk.state.clone();
            drop(desk);
            return Ok(Show::Replay(self.replay(&state, &order)?));
        }
        let zone = desk.state.account(&order.account).map_or(chrono_tz::UTC, |account| account.time_zone);
        let entries = desk.store().history(&Subject::Order(id.clone()))?;
        Ok(Show::Order { order: Box::new(order_view(&desk.state, &order)), history: history(entries, zone) })
    }

    fn show_resource(&self, desk: Desk, id: &ResourceId, now: DateTime<Utc>) -> Result<Show, EngineError> {
        let entries = desk.store().history(&Subject::Resource(id.clone()))?;
        let snapshot = Snapshot::of(desk, self.blobs_with(BTreeMap::new()));
        let state = &snapshot.state;
        let Some(resource) = state.resources.get(id) else { return Err(not_found(state, id.as_str())) };
        let (quotes, refused) = self.quote_resources(&snapshot, &[resource], &Wish::default(), None, now)?;
        let quote = quotes.first();
        let refusal = refused.first().map(|(_, _, refusal)| refusal);
        let cover = Cover::find(resource, state.policies());
        let zone = resource.end.expiry.zone;
        let changes = resource.phase_changes();
        let phase_changes = [
            ("expiring", changes.expiring),
            ("expiry", changes.expiry),
            ("retention", changes.retention),
            ("released", changes.released),
        ];
        Ok(Show::Resource(Box::new(ResourceView {
            row: resource_row(state, resource, now),
            candidates: policies_of(state, resource, &cover),
            mode_source: mode_source(resource, &cover, now),
            phase_changes: phase_changes
                .iter()
                .map(|(word, at)| PhaseChangeView { phase: (*word).to_owned(), at: rfc3339_in(*at, zone) })
                .collect(),
            arithmetic: written_out(resource, &cover, quote, refusal, now),
            next_lines: quote.map(|quote| quote.lines.clone()).unwrap_or_default(),
            next_total: quote.map(|quote| quote.total),
            frozen: resource.freeze.as_ref().map(ToString::to_string),
            history: history(entries, zone),
        })))
    }
}

/// Something that a name may mean.
enum Found {
    Resource(ResourceId),
    Document(DocumentKey),
    Request(RequestName),
}

impl Found {
    fn qualified(&self) -> String {
        match self {
            Self::Resource(id) => format!("resource/{id}"),
            Self::Document(key) => format!("{}/{}", word(key.kind), key.name),
            Self::Request(name) => format!("request/{name}"),
        }
    }
}

fn word(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::Account => "account",
        DocumentKind::PriceList => "price-list",
        DocumentKind::Plugin => "plugin",
        DocumentKind::PaymentMethod => "method",
        DocumentKind::RenewalPolicy => "policy",
        DocumentKind::RenewalRequest => "request",
        DocumentKind::EventSink => "sink",
    }
}

fn known_kind(text: &str) -> bool {
    let text = text.to_lowercase();
    text == "resource" || DocumentKind::ALL.into_iter().any(|kind| word(kind) == text)
}

fn candidates(desk: &Desk, kind: Option<&str>, name: &str) -> Result<Vec<Found>, EngineError> {
    let mut found = Vec::new();
    let wanted = |this: &str| kind.is_none_or(|kind| kind == this);
    if let Ok(id) = ResourceId::new(name)
        && wanted("resource")
        && desk.state.resources.contains_key(&id)
    {
        found.push(Found::Resource(id));
    }
    for document_kind in DocumentKind::ALL {
        let key = DocumentKey { kind: document_kind, name: name.to_owned() };
        if wanted(word(document_kind))
            && document_kind != DocumentKind::RenewalRequest
            && desk.state.documents.contains_key(&key)
        {
            found.push(Found::Document(key));
        }
    }
    if let Ok(request) = RequestName::new(name)
        && wanted("request")
    {
        let key = DocumentKey { kind: DocumentKind::RenewalRequest, name: name.to_owned() };
        let used = desk.state.uses.keys().any(|used| used.request == request);
        if used || desk.state.documents.contains_key(&key) {
            found.push(Found::Request(request));
        }
    }
    Ok(found)
}

fn not_found(state: &State, target: &str) -> EngineError {
    let documents = state.documents.keys().map(|key| key.name.as_str());
    let known = state.resources.keys().map(ResourceId::as_str).chain(documents);
    let hint = match renewd_policy::nearest(target, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`renewd list` shows all resources, `renewd orders list --all` all orders".to_owned(),
    };
    EngineError::input("not-found", format!("there is no resource, order, account, policy or request `{target}`"), hint)
}

fn policies_of(state: &State, resource: &Resource, cover: &Cover<'_>) -> Vec<CandidateView> {
    let subject = resource.subject();
    let mut candidates: Vec<CandidateView> = state
        .policies()
        .filter(|policy| policy.matcher.matches(&subject))
        .map(|policy| {
            let wins = cover.policy().is_some_and(|winner| winner.name == policy.name);
            let why = match cover {
                Cover::Policy(_) if wins => "has the highest priority of those that match".to_owned(),
                Cover::Policy(winner) => format!("policy {} has the higher priority {}", winner.name, winner.priority),
                Cover::Conflict(names) if names.contains(&&policy.name) => {
                    "several have this highest priority, so none wins".to_owned()
                }
                Cover::Conflict(_) | Cover::None => "others have a higher priority".to_owned(),
            };
            CandidateView { policy: policy.name.to_string(), priority: policy.priority, wins, why }
        })
        .collect();
    candidates.sort_by(|left, right| right.priority.cmp(&left.priority).then_with(|| left.policy.cmp(&right.policy)));
    candidates
}

fn mode_source(resource: &Resource, cover: &Cover<'_>, now: DateTime<Utc>) -> String {
    let ignored = resource
        .active_override(now)
        .filter(|_| cover.policy().is_some_and(|policy| policy.overrides == Overrides::Deny));
    match mode_of(resource, cover, now).1 {
        ModeSource::Override(chosen) => {
            let reason = chosen.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
            format!("{} chose it{reason}", chosen.actor)
        }
        ModeSource::Policy(name) => match ignored {
            Some(chosen) => format!("policy {name}, which denies the {} that {} chose", chosen.mode, chosen.actor),
            None => format!("policy {name}"),
        },
        ModeSource::Finished(name) => {
            format!("policy {name}, whose {} automatic renewals are done", resource.auto.renewals)
        }
        ModeSource::Default => "no policy decides, so it is manual".to_owned(),
    }
}

fn show_document(desk: &Desk, key: &DocumentKey, now: DateTime<Utc>) -> Result<Show, EngineError> {
    let state = &desk.state;
    let Some(document) = state.documents.get(key) else { return Err(not_found(state, &key.name)) };
    if let Document::Account(account) = document {
        return show_account(desk, &account.name, now);
    }
    let entries = desk.store().history(&Subject::Document(key.clone()))?;
    let (matches, wins) = match document {
        Document::RenewalPolicy(policy) => {
            let matches = state.resources.values().filter(|r| policy.matcher.matches(&r.subject())).count();
            let covers = state.resources.values().filter_map(|r| Cover::find(r, state.policies()).policy());
            (Some(matches), Some(covers.filter(|winner| winner.name == policy.name).count()))
        }
        _ => (None, None),
    };
    Ok(Show::Document(Box::new(DocumentView {
        document_kind: key.kind.to_string(),
        name: key.name.clone(),
        document: serde_json::to_value(document).map_err(|error| EngineError::Bug(error.to_string()))?,
        matches,
        wins,
        history: history(entries, chrono_tz::UTC),
    })))
}

fn show_account(desk: &Desk, name: &AccountName, now: DateTime<Utc>) -> Result<Show, EngineError> {
    let state = &desk.state;
    let Some(account) = state.account(name) else { return Err(not_found(state, name.as_str())) };
    let book = state.books.get(name).cloned().unwrap_or_default();
    let entries = desk.store().history(&Subject::Account(name.clone()))?;
    let mut modes = BTreeMap::new();
    for resource in state.resources.values().filter(|resource| resource.description.account == *name) {
        let cover = Cover::find(resource, state.policies());
        *modes.entry(mode_of(resource, &cover, now).0.as_str().to_owned()).or_default() += 1;
    }
    Ok(Show::Account(Box::new(AccountView {
        account: name.clone(),
        time_zone: account.time_zone.to_string(),
        currency: account.currency.to_string(),
        renewal_day: account.renewal_day.map(|day| day.to_string()),
        methods: account.payment_methods.iter().map(|method| method.method.to_string()).collect(),
        balance: book.balance.get(account.currency.code()).copied().unwrap_or(Money::zero(account.currency)),
        limits: account.limits.clone(),
        months: book.months.iter().map(|(month, sum)| (month.as_str().to_owned(), Totals::clone(&sum.total))).collect(),
        modes,
        open_orders: state
            .orders
            .values()
            .filter(|order| order.account == *name)
            .map(|order| order.id.clone())
            .collect(),
        history: history(entries, account.time_zone),
    })))
}

fn show_request(desk: &Desk, request: &RequestName) -> Result<Show, EngineError> {
    let key = DocumentKey { kind: DocumentKind::RenewalRequest, name: request.to_string() };
    let document = desk.state.documents.get(&key).and_then(|document| serde_json::to_value(document).ok());
    let mut entries = desk.store().history(&Subject::Document(key))?;
    entries.extend(desk.store().history(&Subject::Request(request.clone()))?);
    entries.sort_by_key(|entry| entry.sequence);
    Ok(Show::Request(Box::new(RequestView {
        request: request.to_string(),
        document,
        uses: desk
            .state
            .uses
            .iter()
            .filter(|(key, _)| key.request == *request)
            .map(|(key, used)| UseView { resource: key.resource.clone(), order: used.order.clone(), done: used.done })
            .collect(),
        history: history(entries, chrono_tz::UTC),
    })))
}
