//! Parses the times in logs to [`Timestamp`]s.

use backchannel_events::Timestamp;

/// Maximum offset of a time zone from UTC, in seconds.
const MAX_OFFSET_SECONDS: i64 = 15 * 3_600;

/// A parsed date and time, and whether it had a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// The time; taken as UTC if no zone was given.
    pub time: Timestamp,
    /// Whether the text has UTC or an offset.
    pub zoned: bool,
}

/// Parses `2020-09-18T13:05:52.123Z`, also with a blank for `T`, an offset (`+02:00`, `-0400`), a comma before the
/// fraction or no zone; `9/18/2020 1:05:52.123 PM`; or seconds, milliseconds, microseconds or nanoseconds since the
/// epoch. `None` for anything else.
pub(crate) fn parse(text: &str) -> Option<Moment> {
    let bytes = text.trim_ascii().as_bytes();
    if bytes.get(4) == Some(&b'-') {
        iso(bytes)
    } else if bytes.iter().take(3).any(|byte| *byte == b'/') {
        american(bytes)
    } else {
        epoch(bytes).map(|time| Moment { time, zoned: true })
    }
}

/// A number of `digits` decimal digits at `at`.
fn number(bytes: &[u8], at: usize, digits: usize) -> Option<u32> {
    bytes
        .get(at..at + digits)?
        .iter()
        .try_fold(0u32, |value, byte| byte.is_ascii_digit().then(|| value * 10 + u32::from(byte - b'0')))
}

/// Nanoseconds of a fraction that begins at `at` with `.` or `,`, and its end.
fn fraction(bytes: &[u8], at: usize) -> (u32, usize) {
    if !matches!(bytes.get(at), Some(b'.' | b',')) {
        return (0, at);
    }
    let mut nanos = 0;
    let mut unit = 100_000_000;
    let mut end = at + 1;
    while let Some(digit @ b'0'..=b'9') = bytes.get(end) {
        nanos += u32::from(digit - b'0') * unit;
        unit /= 10;
        end += 1;
    }
    (nanos, end)
}

fn iso(bytes: &[u8]) -> Option<Moment> {
    let year = number(bytes, 0, 4)?;
    let month = number(bytes, 5, 2)?;
    let day = number(bytes, 8, 2)?;
    if bytes.get(7) != Some(&b'-') || !matches!(bytes.get(10), Some(b'T' | b't' | b' ')) {
        return None;
    }
    let hour = number(bytes, 11, 2)?;
    let minute = number(bytes, 14, 2)?;
    let second = number(bytes, 17, 2)?;
    if bytes.get(13) != Some(&b':') || bytes.get(16) != Some(&b':') {
        return None;
    }
    let (nanos, end) = fraction(bytes, 19);
    let time = Timestamp::from_civil(i32::try_from(year).ok()?, month, day, hour, minute, second, nanos)?;
    let zone = bytes.get(end..)?.trim_ascii();
    let offset = match zone {
        [] => return Some(Moment { time, zoned: false }),
        b"Z" | b"z" | b"UTC" | b"GMT" => 0,
        [sign @ (b'+' | b'-'), rest @ ..] => {
            let hours = number(rest, 0, 2)?;
            let minutes = match rest.get(2) {
                None => 0,
                Some(b':') => number(rest, 3, 2)?,
                Some(_) => number(rest, 2, 2)?,
            };
            let seconds = i64::from(hours) * 3_600 + i64::from(minutes) * 60;
            if *sign == b'-' { -seconds } else { seconds }
        }
        _ => return None,
    };
    if offset.abs() > MAX_OFFSET_SECONDS {
        return None;
    }
    Some(Moment { time: Timestamp(time.0.saturating_sub(offset * Timestamp::SECOND)), zoned: true })
}

/// `M/D/YYYY, h:mm:ss.fff AM`, the form of exported tables; taken as UTC.
fn american(bytes: &[u8]) -> Option<Moment> {
    let text = core::str::from_utf8(bytes).ok()?;
    let (date, clock) = text.split_once([' ', 'T'])?;
    let mut parts = date.trim_end_matches(',').split('/');
    let (month, day, year) = (parts.next()?, parts.next()?, parts.next()?);
    let clock = clock.trim_start();
    let (clock, half) = clock.split_once(' ').unwrap_or((clock, ""));
    let mut parts = clock.splitn(3, ':');
    let hour: u32 = parts.next()?.parse().ok()?;
    let minute = parts.next()?.parse().ok()?;
    let rest = parts.next().unwrap_or("0");
    let digits = rest.find(['.', ',']).unwrap_or(rest.len());
    let second = rest[..digits].parse().ok()?;
    let (nanos, _) = fraction(rest.as_bytes(), digits);
    let hour = match half.trim() {
        "AM" | "am" => hour % 12,
        "PM" | "pm" => hour % 12 + 12,
        _ => hour,
    };
    let time = Timestamp::from_civil(
        year.parse().ok().filter(|year| (1601..=9999).contains(year))?,
        month.parse().ok()?,
        day.parse().ok()?,
        hour,
        minute,
        second,
        nanos,
    )?;
    Some(Moment { time, zoned: false })
}

/// A count since the epoch; its magnitude determines the unit.
fn epoch(bytes: &[u8]) -> Option<Timestamp> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 || digits > 19 {
        return None;
    }
    let whole = bytes[..digits]
        .iter()
        .try_fold(0i64, |value, byte| value.checked_mul(10)?.checked_add(i64::from(byte - b'0')))?;
    let (nanos, end) = fraction(bytes, digits);
    if end != bytes.len() {
        return None;
    }
    Some(match digits {
        0..=11 => Timestamp::from_unix(whole, nanos),
        12..=14 => Timestamp(whole.checked_mul(1_000_000)?.checked_add(i64::from(nanos / 1_000))?),
        15..=17 => Timestamp(whole.checked_mul(1_000)?),
        _ => Timestamp(whole),
    })
}

/// The number (1..=12) of an English month's first three letters.
pub(crate) fn month(name: &[u8]) -> Option<u32> {
    const NAMES: [&[u8; 3]; 12] =
        [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
    (1..).zip(NAMES).find(|(_, known)| name.eq_ignore_ascii_case(*known)).map(|(number, _)| number)
}

/// The event's time if a collector gives the time of the event without a zone (`event`) and the time of its receipt in
/// UTC: the difference rounded to half hours is the zone, the rest is the delay.
pub(crate) fn zone_from_receipt(event: Timestamp, receipt: Timestamp) -> Timestamp {
    const HALF_HOUR: i64 = 1_800 * Timestamp::SECOND;
    // The clocks of source and collector may differ slightly in the other direction.
    const SLACK: i64 = 120 * Timestamp::SECOND;
    let apart = receipt.0.saturating_sub(event.0);
    let zone = apart.saturating_add(SLACK).div_euclid(HALF_HOUR).saturating_mul(HALF_HOUR);
    if zone.abs() > MAX_OFFSET_SECONDS * Timestamp::SECOND { receipt } else { Timestamp(event.0.saturating_add(zone)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str, zoned: bool) {
        let moment = parse(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!((moment.time.to_string().as_str(), moment.zoned), (expected, zoned), "{text}");
    }

    #[test]
    fn the_usual_ways_to_write_a_time_are_read() {
        check("2020-09-18T17:07:52.019Z", "2020-09-18T17:07:52.019Z", true);
        check("2020-09-18 13:05:52", "2020-09-18T13:05:52.000Z", false);
        check("2020-09-18 13:05:52.5 UTC", "2020-09-18T13:05:52.500Z", true);
        check("2023-02-01T10:00:00.1234567+02:00", "2023-02-01T08:00:00.123456700Z", true);
        check("2023-02-01 10:00:00 -0430", "2023-02-01T14:30:00.000Z", true);
        check("2023-02-01T10:00:00,250+01", "2023-02-01T09:00:00.250Z", true);
        check("9/18/2020, 1:05:52.123 PM", "2020-09-18T13:05:52.123Z", false);
        check("12/1/2021 12:00:01 AM", "2021-12-01T00:00:01.000Z", false);
        check("1600455621.255297", "2020-09-18T19:00:21.255297Z", true);
        check("1600455621255", "2020-09-18T19:00:21.255Z", true);
        check("1600455621255297", "2020-09-18T19:00:21.255297Z", true);
    }

    #[test]
    fn other_text_is_not_a_time() {
        for text in ["", "-", "2020-13-01 00:00:00", "2020-09-18", "99/99/2020 1:1:1", "12a", "1/2/x 1:2:3", "//"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_zone_of_a_local_time_follows_from_its_receipt() {
        let event = parse("2020-09-18 13:05:52").unwrap().time;
        let receipt = parse("2020-09-18T17:07:52.019Z").unwrap().time;
        assert_eq!(zone_from_receipt(event, receipt).to_string(), "2020-09-18T17:05:52.000Z");
        assert_eq!(zone_from_receipt(event, event), event);
        // The collector's clock is a minute behind.
        let early = Timestamp(event.0 - 60 * Timestamp::SECOND);
        assert_eq!(zone_from_receipt(event, early), event);
    }
}
