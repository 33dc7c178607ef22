//! Changed documents, and changed resources in groups of the same change.

use super::{and_more, shown};
use crate::ui::page::Page;
use crate::ui::style::Tone;
use crate::ui::words;
use renewd_engine::view::{DocumentChange, DocumentChangeKind, FieldChange, ResourceChange};

/// Ids that a group of resources is shown by.
const IDS_SHOWN: usize = 4;

/// The sign and tone of a change, by its word.
pub(crate) fn sign(change: &str) -> (char, Tone) {
    match change {
        "added" => ('+', Tone::Good),
        "removed" => ('-', Tone::Bad),
        _ => ('~', Tone::Warn),
    }
}

/// Changed documents, field by field.
pub(crate) fn documents(page: &mut Page, changes: &[DocumentChange]) {
    if changes.is_empty() {
        return;
    }
    page.heading("documents");
    let count = shown(page, changes.len());
    for change in changes.iter().take(count) {
        let word = match change.change {
            DocumentChangeKind::Added => "added",
            DocumentChangeKind::Changed => "changed",
            DocumentChangeKind::Removed => "removed",
        };
        let (sign, tone) = sign(word);
        page.spans(&[(tone, &format!("  {sign} {} ", change.kind)), (Tone::Strong, &change.name)]);
        if change.change == DocumentChangeKind::Changed {
            fields(page, &change.fields);
        }
    }
    and_more(page, changes.len().saturating_sub(count));
}

fn fields(page: &mut Page, changes: &[FieldChange]) {
    let count = shown(page, changes.len());
    for field in changes.iter().take(count) {
        page.line(format!("      {}", field_words(page, field)));
    }
    and_more(page, changes.len().saturating_sub(count));
}

fn field_words(page: &Page, field: &FieldChange) -> String {
    let arrow = if page.screen().ascii { "->" } else { "→" };
    match (&field.before, &field.after) {
        (None, Some(after)) => format!("{}: {after}", field.field),
        (Some(before), None) => format!("{}: {before} {arrow} nothing", field.field),
        (Some(before), Some(after)) => format!("{}: {before} {arrow} {after}", field.field),
        (None, None) => field.field.clone(),
    }
}

/// Resources to which the same happens.
struct Group<'a> {
    first: &'a ResourceChange,
    members: Vec<&'a ResourceChange>,
}

/// Changed resources: one by one when everything is wanted, otherwise grouped by what happens to them.
pub(crate) fn resources(page: &mut Page, changes: &[ResourceChange]) {
    let groups = if page.screen().verbose { each(changes) } else { grouped(changes) };
    let count = shown(page, groups.len());
    for group in groups.iter().take(count) {
        group_lines(page, group);
    }
    let left_out = groups.iter().skip(count).map(|group| group.members.len()).sum();
    and_more(page, left_out);
}

fn each(changes: &[ResourceChange]) -> Vec<Group<'_>> {
    changes.iter().map(|change| Group { first: change, members: vec![change] }).collect()
}

fn grouped(changes: &[ResourceChange]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut places: std::collections::HashMap<Vec<&str>, usize> = std::collections::HashMap::new();
    for change in changes {
        let place = *places.entry(signature(change)).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.members.push(change),
            None => groups.push(Group { first: change, members: vec![change] }),
        }
    }
    groups
}

/// What a change has in common with others. New resources differ in everything, and that is in their inventory.
fn signature(change: &ResourceChange) -> Vec<&str> {
    let mut parts = vec![change.change.as_str(), if change.loses_cover { "loses-cover" } else { "" }];
    if change.change != "added" {
        for field in &change.fields {
            let value = |value: &'_ Option<String>| value.is_some();
            parts.push(&field.field);
            parts.push(if value(&field.before) { "b" } else { "" });
            parts.push(field.before.as_deref().unwrap_or_default());
            parts.push(field.after.as_deref().unwrap_or_default());
        }
    }
    parts
}

fn group_lines(page: &mut Page, group: &Group<'_>) {
    let (sign, tone) = sign(&group.first.change);
    let ids: Vec<&str> = group.members.iter().take(IDS_SHOWN).map(|change| change.resource.as_str()).collect();
    let more = match group.members.len().saturating_sub(ids.len()) {
        0 => String::new(),
        more => format!(" and {} more", words::grouped(more)),
    };
    let count = match group.members.len() {
        1 => String::new(),
        many => format!("{}: ", words::count(many, "resource")),
    };
    page.spans(&[(tone, &format!("  {sign} {count}")), (Tone::Strong, &ids.join(", ")), (Tone::Plain, &more)]);
    if group.first.loses_cover {
        page.say(Tone::Bad, "      no policy matches any more");
    }
    let is_one_of_many_new = group.first.change == "added" && group.members.len() > 1;
    if !is_one_of_many_new {
        fields(page, &group.first.fields);
    }
}
