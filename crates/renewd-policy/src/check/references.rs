//! Rules between documents: unique names, names that exist, roles, currencies.

use super::rules::{currency_at, mismatch};
use super::{Header, Reference};
use crate::fields::Target;
use crate::finding::{Code, Finding, Findings, Place, Problem, Severity, quoted};
use crate::suggest::nearest;
use crate::tree::Node;
use crate::values::parse_currency;
use renewd_core::documents::{DocumentKind, PluginRole};
use renewd_core::money::Currency;
use std::collections::BTreeMap;

/// Most findings about names; a tree with more has one cause.
const DANGLING_MAX: usize = 1_000;

/// One document as other documents see it.
#[derive(Debug)]
pub(crate) struct Outline<'a> {
    pub(crate) file: &'a str,
    pub(crate) header: &'a Header,
    pub(crate) node: &'a Node,
}

type Index<'a> = BTreeMap<(DocumentKind, &'a str), &'a Outline<'a>>;

/// Checks the names and currencies of all documents together.
pub(crate) fn check_references(outlines: &[Outline<'_>], references: &[Reference], findings: &mut Findings) {
    let index = check_unique(outlines, findings);
    let before = findings.len();
    for reference in references {
        if findings.len().saturating_sub(before) > DANGLING_MAX {
            let problem = Problem::new(Code::TooManyFindings, "further names that do not fit are not shown");
            findings.error(&reference.file, reference.place, problem.hint("fix the first ones and check again"));
            return;
        }
        if let Err(problem) = resolve(reference, &index) {
            findings.error(&reference.file, reference.place, problem);
        }
    }
    for outline in outlines {
        check_currencies(outline, &index, findings);
    }
}

fn check_unique<'a>(outlines: &'a [Outline<'a>], findings: &mut Findings) -> Index<'a> {
    let mut index = Index::new();
    for outline in outlines {
        let Some((name, place)) = &outline.header.name else { continue };
        let key = (outline.header.kind, name.as_str());
        let Some(first) = index.get(&key) else {
            index.insert(key, outline);
            continue;
        };
        let first_place = first.header.name.as_ref().map_or(first.header.place, |(_, place)| *place);
        let message = format!(
            "a second {} is named {}: here and at {}:{}:{}",
            outline.header.kind,
            quoted(name),
            first.file,
            first_place.line,
            first_place.column
        );
        findings.error(
            outline.file,
            *place,
            Problem::new(Code::DuplicateDocument, message).hint("rename or remove one of the two"),
        );
    }
    index
}

fn resolve(reference: &Reference, index: &Index<'_>) -> Result<(), Problem> {
    let name = reference.name.as_str();
    let kind = match reference.target {
        Target::Method if name == "balance" => return Ok(()),
        Target::Method => DocumentKind::PaymentMethod,
        Target::PriceList => DocumentKind::PriceList,
        Target::Plugin(_) => DocumentKind::Plugin,
    };
    let Some(found) = index.get(&(kind, name)) else { return Err(dangling(kind, name, index)) };
    let Target::Plugin(wanted) = reference.target else { return Ok(()) };
    let role = found.node.path(&["spec", "role"]).and_then(Node::text).unwrap_or_default();
    let is_other = PluginRole::as_str(wanted) != role && ["pricing", "payment"].contains(&role);
    if is_other {
        let message =
            format!("plugin {} has the role `{role}`, and a {} plugin is needed here", quoted(name), wanted.as_str());
        return Err(
            Problem::new(Code::WrongRole, message).hint(format!("name a plugin with `role: {}`", wanted.as_str()))
        );
    }
    Ok(())
}

fn dangling(kind: DocumentKind, name: &str, index: &Index<'_>) -> Problem {
    let built_in = (kind == DocumentKind::PaymentMethod).then_some("balance");
    let known = index.keys().filter(|(known, _)| *known == kind).map(|(_, name)| *name).chain(built_in);
    let other = DocumentKind::ALL.into_iter().find(|other| index.contains_key(&(*other, name)));
    let hint = match (nearest(name, known), other) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, Some(other)) => format!("{} is a {other}; name a {kind} here", quoted(name)),
        (None, None) => format!("add a {kind} document with that name, or correct the name"),
    };
    Problem::new(Code::DanglingName, format!("no {kind} is named {}", quoted(name))).hint(hint)
}

fn currency_of(outline: &Outline<'_>) -> Option<Currency> {
    outline.node.path(&["spec", "currency"]).and_then(Node::text).and_then(|text| parse_currency(text).ok())
}

/// Amounts and price lists against each other and against accounts that are named without `*`.
fn check_currencies(outline: &Outline<'_>, index: &Index<'_>, findings: &mut Findings) {
    let Some(spec) = outline.node.get("spec") else { return };
    let amounts: Vec<(Currency, Place)> = match outline.header.kind {
        DocumentKind::RenewalPolicy => {
            ["perOrder", "perMonth"].iter().filter_map(|limit| currency_at(spec, &["limits", limit])).collect()
        }
        DocumentKind::RenewalRequest => currency_at(spec, &["maxTotal"]).into_iter().collect(),
        DocumentKind::Account
        | DocumentKind::PriceList
        | DocumentKind::Plugin
        | DocumentKind::PaymentMethod
        | DocumentKind::EventSink => return,
    };
    let list = spec.path(&["pricing", "priceList"]).and_then(|node| Some((node.text()?, node.place)));
    let list_currency = list.and_then(|(name, place)| {
        let found = index.get(&(DocumentKind::PriceList, name))?;
        Some((currency_of(found)?, place, name))
    });
    if let Some((wanted, _, name)) = list_currency {
        for (found, place) in amounts.iter().filter(|(found, _)| *found != wanted) {
            findings.error(outline.file, *place, mismatch(*found, wanted, &format!("price list `{name}`")));
        }
    }
    for node in spec.path(&["match", "accounts"]).map(Node::items).unwrap_or_default() {
        let Some(name) = node.text().filter(|name| !name.contains('*')) else { continue };
        let Some(account) = index.get(&(DocumentKind::Account, name)) else {
            let problem = dangling(DocumentKind::Account, name, index);
            findings.push(Finding { severity: Severity::Warning, ..problem.at(outline.file, node.place) });
            continue;
        };
        let Some(wanted) = currency_of(account) else { continue };
        for (found, place) in
            amounts.iter().filter(|(found, _)| *found != wanted && list_currency.is_none_or(|l| l.0 == *found))
        {
            findings.error(outline.file, *place, mismatch(*found, wanted, &format!("account `{name}`")));
        }
        if let Some((found, place, list)) = list_currency.filter(|(found, ..)| *found != wanted) {
            let message = format!("price list `{list}` is in {found}, but account `{name}` is in {wanted}");
            let problem = Problem::new(Code::CurrencyMismatch, message).hint(format!("name a price list in {wanted}"));
            findings.error(outline.file, place, problem);
        }
    }
}
