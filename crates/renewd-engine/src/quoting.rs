//! Quoting a selection: every resource gets a quote or the reason why it has none.

use crate::arrange::{Arrangement, Ask, arrange};
use crate::engine::{Engine, Snapshot};
use crate::error::EngineError;
use crate::options::{RenewAsk, Selector};
use crate::pricing::{Job, Pricer};
use crate::report::renew_view;
use crate::selection;
use crate::view::RenewView;
use chrono::{DateTime, Utc};
use renewd_core::calendar::Term;
use renewd_core::cover::Cover;
use renewd_core::event::UseKey;
use renewd_core::ids::{Digest, MethodName, RequestName, ResourceId};
use renewd_core::order::Origin;
use renewd_core::quote::{Quote, Wish, prepare};
use renewd_core::refusal::{Reason, Refusal, Verdict};
use renewd_core::resource::Resource;
use renewd_core::state::State;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;

/// A quoted selection, to be shown, saved, or renewed.
#[derive(Debug, Clone)]
pub struct Quoted {
    /// What people see.
    pub view: RenewView,
    pub(crate) saved: SavedQuote,
}

/// What a saved quote holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SavedQuote {
    format_version: u32,
    kind: String,
    pub(crate) ask: RenewAsk,
    pub(crate) at: DateTime<Utc>,
    /// Digest of the documents that it was made from.
    pub(crate) documents: Option<Digest>,
    pub(crate) quotes: Vec<Quote>,
    pub(crate) refused: Vec<Unquoted>,
    /// Whether this process made it. What was read from a file may have been edited, so it is priced again.
    #[serde(skip)]
    pub(crate) made_here: bool,
}

/// Quotes, and what could not be quoted.
pub(crate) type Quotes = (Vec<Quote>, Vec<Unquoted>);

/// A resource without a quote, and why.
pub(crate) type Unquoted = (ResourceId, Verdict, Refusal);

const QUOTE_KIND: &str = "quote";

impl RenewAsk {
    /// What orders of this ask come from.
    pub(crate) fn origin(&self) -> Origin {
        self.request.clone().map_or(Origin::Manual, |request| Origin::Request { request })
    }
}

impl Quoted {
    /// Writes the quote to a file, for `renew --quote`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), EngineError> {
        crate::files::write_json(path, &self.saved)
    }
}

impl Engine {
    /// Quotes a selection. Nothing is placed.
    ///
    /// # Errors
    /// The store cannot be read, or the ask names a method that does not exist.
    pub fn quote(&self, selector: &Selector, ask: &RenewAsk) -> Result<Quoted, EngineError> {
        let now = self.now();
        let snapshot = self.snapshot(now)?;
        self.require_store(&snapshot)?;
        check_method(&snapshot.state, ask.pay_with.as_ref())?;
        let selected = selection::select(&snapshot.state, selector, now);
        let (quotes, mut refused) = self.quote_resources(&snapshot, &selected, &ask.wish, ask.request.as_ref(), now)?;
        refused.extend(selection::missing(&snapshot.state, selector).into_iter().map(|id| {
            let refusal = Refusal::new(Reason::NoResource, format!("there is no resource `{id}`"));
            (id, Verdict::Refused, refusal)
        }));
        let saved = SavedQuote {
            format_version: 1,
            kind: QUOTE_KIND.to_owned(),
            ask: ask.clone(),
            at: now,
            documents: snapshot.state.meta.digest,
            quotes,
            refused,
            made_here: true,
        };
        Ok(Quoted { view: preview(&snapshot, &saved, now), saved })
    }

    /// Reads a saved quote.
    ///
    /// # Errors
    /// The file cannot be read or is no quote.
    pub fn load_quote(&self, path: &Path) -> Result<Quoted, EngineError> {
        let saved: SavedQuote = crate::files::read_json(path, QUOTE_KIND, "`renewd renew … --out FILE` writes one")?;
        let now = self.now();
        let snapshot = self.snapshot(now)?;
        Ok(Quoted { view: preview(&snapshot, &saved, now), saved })
    }

    /// Terms that every selected resource with a policy can be renewed for, shortest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn terms(&self, selector: &Selector) -> Result<Vec<Term>, EngineError> {
        let now = self.now();
        let snapshot = self.snapshot(now)?;
        let mut common: Option<BTreeSet<Term>> = None;
        for resource in selection::select(&snapshot.state, selector, now) {
            let Some(policy) = Cover::find(resource, snapshot.state.policies()).policy() else { continue };
            let allowed: BTreeSet<Term> = policy.terms.allowed.iter().copied().collect();
            common = Some(match common {
                None => allowed,
                Some(common) => common.intersection(&allowed).copied().collect(),
            });
        }
        Ok(common.unwrap_or_default().into_iter().collect())
    }

    /// Methods that every selected resource's account or policy lists.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn methods(&self, selector: &Selector) -> Result<Vec<MethodName>, EngineError> {
        let now = self.now();
        let snapshot = self.snapshot(now)?;
        let mut common: Option<Vec<MethodName>> = None;
        for resource in selection::select(&snapshot.state, selector, now) {
            let Some(account) = snapshot.state.account(&resource.description.account) else { continue };
            let Some(policy) = Cover::find(resource, snapshot.state.policies()).policy() else { continue };
            let names: Vec<MethodName> = match &policy.payment {
                Some(names) => names.clone(),
                None => account.payment_methods.iter().map(|method| method.method.clone()).collect(),
            };
            common = Some(match common {
                None => names,
                Some(common) => common.into_iter().filter(|name| names.contains(name)).collect(),
            });
        }
        Ok(common.unwrap_or_default())
    }

    pub(crate) fn require_store(&self, snapshot: &Snapshot) -> Result<(), EngineError> {
        if snapshot.exists { Ok(()) } else { self.must_have_store() }
    }

    /// Quotes resources, each by its own policy.
    pub(crate) fn quote_resources(
        &self,
        snapshot: &Snapshot,
        resources: &[&Resource],
        wish: &Wish,
        request: Option<&RequestName>,
        now: DateTime<Utc>,
    ) -> Result<Quotes, EngineError> {
        let wishes = resources.iter().map(|resource| (*resource, wish.clone())).collect();
        self.quote_wishes(&snapshot.state, snapshot.blobs(), wishes, request, now)
    }

    /// Quotes resources, each with a wish of its own.
    pub(crate) fn quote_wishes(
        &self,
        state: &State,
        blobs: &dyn crate::shelf::Blobs,
        wishes: Vec<(&Resource, Wish)>,
        request: Option<&RequestName>,
        now: DateTime<Utc>,
    ) -> Result<Quotes, EngineError> {
        let mut refused = Vec::new();
        let mut jobs = Vec::new();
        for (resource, wish) in wishes {
            match job(state, resource, &wish, request, now) {
                Ok(job) => jobs.push(job),
                Err(refusal) => refused.push((resource.id.clone(), verdict_of(&refusal), refusal)),
            }
        }
        let ids: Vec<ResourceId> = jobs.iter().map(|job| job.resource.id.clone()).collect();
        let step = self.step("pricing", jobs.len());
        let answers = Pricer::new(state, &self.shelf, blobs).price(jobs, &step)?;
        let mut quotes = Vec::new();
        for (id, answer) in ids.into_iter().zip(answers) {
            match answer {
                Ok(quote) => quotes.push(quote),
                Err(refusal) => refused.push((id, Verdict::Refused, refusal)),
            }
        }
        Ok((quotes, refused))
    }
}

fn verdict_of(refusal: &Refusal) -> Verdict {
    match refusal.reason {
        Reason::AlreadyRenewed | Reason::AlreadyThere => Verdict::Unchanged,
        _ => Verdict::Refused,
    }
}

fn job<'a>(
    state: &'a State,
    resource: &'a Resource,
    wish: &Wish,
    request: Option<&RequestName>,
    now: DateTime<Utc>,
) -> Result<Job<'a>, Refusal> {
    if let Some(request) = request {
        let key = UseKey { request: request.clone(), resource: resource.id.clone() };
        if let Some(used) =
            state.uses.get(&key).filter(|used| used.done && !renewd_core::planted::is("request-unchecked"))
        {
            return Err(Refusal::new(
                Reason::AlreadyRenewed,
                format!("request `{request}` was used for it by order {}", used.order),
            ));
        }
    }
    let account = &resource.description.account;
    let Some(account) = state.account(account) else {
        return Err(Refusal::new(Reason::NoAccount, format!("there is no account `{account}`"))
            .hint("write an Account document of that name, then `renewd apply`"));
    };
    let cover = Cover::find(resource, state.policies());
    let prepared = prepare(resource, &cover, account, wish, now)?;
    let Some(policy) = cover.policy() else {
        return Err(Refusal::new(Reason::NoPolicy, "no policy matches it"));
    };
    Ok(Job { prepared, resource, policy, account, at: now })
}

/// A method that is asked for must exist.
pub(crate) fn check_method(state: &State, method: Option<&MethodName>) -> Result<(), EngineError> {
    let Some(method) = method else { return Ok(()) };
    let key = renewd_core::documents::DocumentKey {
        kind: renewd_core::documents::DocumentKind::PaymentMethod,
        name: method.to_string(),
    };
    if method.is_balance() || state.documents.contains_key(&key) {
        return Ok(());
    }
    let known: Vec<&str> = state
        .documents
        .keys()
        .filter(|key| key.kind == renewd_core::documents::DocumentKind::PaymentMethod)
        .map(|key| key.name.as_str())
        .collect();
    Err(EngineError::input(
        "unknown-method",
        format!("there is no payment method `{method}`"),
        format!("choose balance{}{}", if known.is_empty() { "" } else { " or " }, known.join(", ")),
    ))
}

/// What placing the quotes now would give, without placing anything.
fn preview(snapshot: &Snapshot, saved: &SavedQuote, now: DateTime<Utc>) -> RenewView {
    let mut state = snapshot.state.clone();
    let ask = Ask {
        origin: saved.ask.origin(),
        pay_with: saved.ask.pay_with.clone(),
        max_total: None,
        now,
        next_sequence: snapshot.sequence.next().get(),
    };
    let mut arrangement: Arrangement = arrange(&mut state, &saved.quotes, &ask);
    arrangement.forget_ids();
    renew_view(&state, arrangement, &saved.refused, true)
}
