//! RFC 3339 texts as tables show them: `2026-12-15 23:59`, with the zone said once.

use std::collections::BTreeSet;

/// A moment without seconds and offset.
pub(crate) fn short(rfc3339: &str) -> String {
    match (rfc3339.get(..10), rfc3339.get(11..16)) {
        (Some(date), Some(time)) => format!("{date} {time}"),
        _ => rfc3339.to_owned(),
    }
}

/// A moment, or a dash.
pub(crate) fn short_or_dash(rfc3339: Option<&str>) -> String {
    rfc3339.map_or_else(|| "-".to_owned(), short)
}

/// The local date of a moment.
pub(crate) fn date(rfc3339: &str) -> &str {
    rfc3339.get(..10).unwrap_or(rfc3339)
}

/// The offset of a moment, `+08:00`.
pub(crate) fn offset(rfc3339: &str) -> Option<&str> {
    let rest = rfc3339.get(19..)?;
    let offset = rest.get(rest.find(['+', '-', 'Z'])?..)?;
    Some(if offset == "Z" { "+00:00" } else { offset })
}

/// How a column of moments names their zone: `expiry (+08:00)`, or `expiry (local)` where there are several.
pub(crate) fn column<'a>(name: &str, moments: impl IntoIterator<Item = &'a str>) -> String {
    let offsets: BTreeSet<&str> = moments.into_iter().filter_map(offset).collect();
    match (offsets.len(), offsets.first()) {
        (0, _) | (_, None) => name.to_owned(),
        (1, Some(&"+00:00")) => format!("{name} (utc)"),
        (1, Some(offset)) => format!("{name} ({offset})"),
        (_, Some(_)) => format!("{name} (local)"),
    }
}

/// Days until an expiry, in words.
pub(crate) fn days_left(days: i64) -> String {
    match days {
        0 => "today".to_owned(),
        1.. => format!("in {days} d"),
        _ => format!("{} d ago", days.unsigned_abs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_shortened() {
        assert_eq!(short("2026-12-15T23:59:59+08:00"), "2026-12-15 23:59");
        assert_eq!(short("?"), "?");
        assert_eq!(offset("2026-12-15T23:59:59.5-03:30"), Some("-03:30"));
        assert_eq!(column("expiry", ["2026-12-15T23:59:59+00:00"]), "expiry (utc)");
        assert_eq!(column("expiry", ["2026-12-15T23:59:59+08:00", "2026-12-15T23:59:59+09:00"]), "expiry (local)");
    }
}
