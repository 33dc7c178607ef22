//! Walking through the gateway's lists, page by page, to the end or to an error: never to a silent half.

use crate::form::Form;
use crate::gateway::{Answer, Gateway, unknown};
use crate::refusals::Refusal;
use crate::wire::Page;
use renewd_plugin_sdk::payment::PaymentError;
use serde::de::DeserializeOwned;

/// Entries of one page: twenty payments of a hundred lines each still fit into one reply.
const PER_PAGE: &str = "20";
/// Most pages of one walk.
const PAGES_MAX: u32 = 40;

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
    /// The gateway refuses to list this way; nothing was seen.
    Refused(Refusal),
}

/// Shows every page of a list to `visit`.
pub(crate) fn walk<T: DeserializeOwned>(
    gateway: &mut Gateway<'_>,
    path: &str,
    filter: &Form,
    id: impl Fn(&T) -> &str,
    mut visit: impl FnMut(Vec<T>) -> Next,
) -> Result<Walked, PaymentError> {
    let mut after: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let query = filter.clone().with("limit", PER_PAGE).with_some("starting_after", after.as_deref());
        let page = match gateway.get::<Page<T>>(path, &query)? {
            Answer::Done(page) => page,
            Answer::Refused(refusal) if after.is_none() => return Ok(Walked::Refused(refusal)),
            Answer::Refused(refusal) => return Err(crate::gateway::refused(&refusal)),
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
    let message = "there are too many payments to look through; name the customer too, as `cus_…/pm_…`";
    Err(unknown("too-many-payments", message.to_owned()))
}
