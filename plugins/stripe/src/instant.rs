//! Instants as seconds since 1970, for the gateway's time filters and for what runs out. There is no clock here.

use renewd_plugin_sdk::date;

const DAY: i64 = 86_400;

/// Reads RFC 3339, such as `2026-11-30T23:59:59+08:00`; fractions of a second are dropped.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let (day, time) = text.split_once(['T', 't'])?;
    let clock = time.get(..8)?;
    let mut parts = clock.split(':').map(two_digits);
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    let rest = time.get(8..)?;
    let zone =
        rest.strip_prefix('.').map_or(rest, |fraction| fraction.trim_start_matches(|c: char| c.is_ascii_digit()));
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let local = date::parse(day)?.checked_mul(DAY)?.checked_add(hour * 3600 + minute * 60 + second)?;
    local.checked_sub(offset(zone)?)
}

/// Writes the instant in UTC.
pub(crate) fn format(seconds: i64) -> String {
    let (day, time) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    format!("{}T{:02}:{:02}:{:02}Z", date::format(day), time / 3600, time / 60 % 60, time % 60)
}

fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "z") {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = zone.strip_prefix(['+', '-'])?.split_once(':')?;
    Some(sign * (two_digits(hours)? * 3600 + two_digits(minutes)? * 60))
}

fn two_digits(text: &str) -> Option<i64> {
    let plain = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_go_back_and_forth() {
        let cases = [
            ("1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z"),
            ("2026-11-23T10:00:00+08:00", 1_795_399_200, "2026-11-23T02:00:00Z"),
            ("2026-11-23T10:00:00.123456-03:30", 1_795_440_600, "2026-11-23T13:30:00Z"),
        ];
        for (text, seconds, utc) in cases {
            assert_eq!(parse(text), Some(seconds), "{text}");
            assert_eq!(format(seconds), utc);
        }
        let bad = [
            "",
            "2026-11-23",
            "2026-11-23T10:00",
            "2026-11-23T24:00:00Z",
            "2026-11-23T10:00:00",
            "2026-11-23T10:00:00+8",
            "2026-11-23T1é:00:00Z",
        ];
        for text in bad {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
