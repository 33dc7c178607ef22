//! Walking through the gateway's lists, page by page, to the end or to an error: never to a silent half.

use crate::form::Form;
use crate::gateway::{Answer, Gateway, TOO_LARGE, unknown};
use crate::refusals::Refusal;
use crate::wire::Page;
use renewd_plugin_sdk::payment::PaymentError;
use serde::de::DeserializeOwned;

/// Entries of one page: the most that the gateway gives.
const PER_PAGE: u32 = 100;
/// Entries of one page where so many do not fit into one answer: twenty payments of a hundred lines each do.
const PER_SMALL_PAGE: u32 = 20;
/// The request of a call with which walks through payments end. The host allows 64; the others are for looking at what
/// was found, or canceling it.
pub(crate) const PAYMENTS_END: u32 = 58;
/// The same for the refunds of one payment: one request is left to give money back with.
pub(crate) const REFUNDS_END: u32 = 63;

/// Whether to go on after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Page,
    Stop,
}

/// How a walk ended, other than by an error.
#[derive(Debug)]
pub(crate) enum Walked {
    /// Everything was seen, or the visitor stopped it.
    Through,
    /// There is more than can be asked for; only a part was seen.
    TooMany,
    /// The gateway refuses to list this way; nothing was seen.
    Refused(Refusal),
}

/// Shows every page of a list to `visit`, with the call's requests up to number `end`.
pub(crate) fn walk<T: DeserializeOwned>(
    gateway: &mut Gateway<'_>,
    path: &str,
    filter: &Form,
    end: u32,
    id: impl Fn(&T) -> &str,
    mut visit: impl FnMut(Vec<T>) -> Next,
) -> Result<Walked, PaymentError> {
    let mut after: Option<String> = None;
    let mut per_page = PER_PAGE;
    while gateway.requests < end {
        let query = filter.clone().with("limit", &per_page.to_string()).with_some("starting_after", after.as_deref());
        let page = match gateway.get::<Page<T>>(path, &query) {
            Ok(Answer::Done(page)) => page,
            Ok(Answer::Refused(refusal)) if after.is_none() => return Ok(Walked::Refused(refusal)),
            Ok(Answer::Refused(refusal)) => return Err(crate::gateway::refused(&refusal)),
            Err(PaymentError::Unknown(detail)) if detail.code == TOO_LARGE && per_page > PER_SMALL_PAGE => {
                per_page = PER_SMALL_PAGE;
                continue;
            }
            Err(error) => return Err(error),
        };
        let last = page.data.last().map(|entry| id(entry).to_owned());
        if page.has_more && (last.is_none() || last == after) {
            return Err(unknown("endless-list", "the gateway's list has no end".to_owned()));
        }
        let more = page.has_more;
        if visit(page.data) == Next::Stop || !more {
            return Ok(Walked::Through);
        }
        after = last;
    }
    Ok(Walked::TooMany)
}
