//! Time: nanoseconds since 1970-01-01 UTC, calendar dates, and the activity level of an hour. The system clock is not
//! used: the caller gives the start time.

pub(crate) const MILLI: i64 = 1_000_000;
pub(crate) const SECOND: i64 = 1000 * MILLI;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// Calendar date and time of day, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Civil {
    pub year: i64,
    pub month: u32,
    pub day: u32,
    pub hour: u32,
    pub minute: u32,
    pub second: u32,
    pub nanos: u32,
}

/// Converts a time to a calendar date (Howard Hinnant's algorithm).
pub(crate) fn civil(time: i64) -> Civil {
    let (days, rest) = (time.div_euclid(DAY), time.rem_euclid(DAY));
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    Civil {
        year: year_of_era + era * 400 + i64::from(month <= 2),
        month: month as u32,
        day: day as u32,
        hour: (rest / HOUR) as u32,
        minute: (rest % HOUR / MINUTE) as u32,
        second: (rest % MINUTE / SECOND) as u32,
        nanos: (rest % SECOND) as u32,
    }
}

/// The time of a calendar date, at midnight UTC.
pub(crate) fn from_date(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_index = i64::from(if month > 2 { month - 3 } else { month + 9 });
    let of_year = (153 * month_index + 2) / 5 + i64::from(day) - 1;
    let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
    (era * 146_097 + of_era - 719_468) * DAY
}

/// Reads `YYYY-MM-DD`, or `YYYY-MM-DDThh:mm[:ss][Z]` (UTC).
///
/// # Errors
/// A message with the expected format.
pub(crate) fn parse(text: &str) -> Result<i64, String> {
    let wrong = || format!("expected a date such as 2026-03-02 or 2026-03-02T08:00:00Z, found {text:?}");
    let text = text.strip_suffix('Z').unwrap_or(text);
    let (date, clock) = text.split_once('T').unwrap_or((text, "00:00"));
    let numbers = |part: &str, mark: char| -> Option<Vec<u32>> {
        part.split(mark)
            .map(|piece| if piece.bytes().all(|byte| byte.is_ascii_digit()) { piece.parse().ok() } else { None })
            .collect()
    };
    let (Some(date), Some(clock)) = (numbers(date, '-'), numbers(clock, ':')) else { return Err(wrong()) };
    let (&[year, month, day], &[hour, minute, ..]) = (&date[..], &clock[..]) else { return Err(wrong()) };
    let second = clock.get(2).copied().unwrap_or(0);
    let midnight = from_date(i64::from(year), month, day);
    let back = civil(midnight);
    let valid = (1970..=2200).contains(&year) && (back.year, back.month, back.day) == (i64::from(year), month, day);
    if !valid || hour > 23 || minute > 59 || second > 59 || clock.len() > 3 {
        return Err(wrong());
    }
    Ok(midnight + i64::from(hour) * HOUR + i64::from(minute) * MINUTE + i64::from(second) * SECOND)
}

/// The start (midnight UTC) of the day of a time.
pub(crate) fn midnight(time: i64) -> i64 {
    time - time.rem_euclid(DAY)
}

/// Whether the day of a time is Monday to Friday.
pub(crate) fn is_workday(time: i64) -> bool {
    // 1970-01-01 was a Thursday.
    (time.div_euclid(DAY) + 3).rem_euclid(7) < 5
}

/// Activity level at a time, 1 to 20; the hours of a workday add up to [`WEIGHT_OF_WORKDAY`].
pub(crate) fn weight(time: i64) -> i64 {
    const HOURS: [i64; 24] = [1, 1, 1, 1, 1, 1, 2, 6, 14, 20, 20, 18, 10, 16, 20, 18, 14, 8, 3, 2, 2, 1, 1, 1];
    if is_workday(time) { HOURS[civil(time).hour as usize] } else { 1 }
}

/// The sum of [`weight`] over the hours of a workday.
pub(crate) const WEIGHT_OF_WORKDAY: i64 = 182;

/// Appends a number with leading zeros.
pub(crate) fn digits(out: &mut String, value: u64, width: usize) {
    let mut buffer = [b'0'; 20];
    let mut rest = value;
    let mut at = buffer.len();
    while rest > 0 || buffer.len() - at < width {
        at -= 1;
        buffer[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    buffer[at..].iter().for_each(|byte| out.push(char::from(*byte)));
}

/// Appends `YYYY-MM-DD?hh:mm:ss`, then `.` and `decimals` digits of the second if there are any.
pub(crate) fn write(out: &mut String, time: i64, between: char, decimals: u32) {
    let civil = civil(time);
    digits(out, civil.year as u64, 4);
    for (mark, part) in
        [('-', civil.month), ('-', civil.day), (between, civil.hour), (':', civil.minute), (':', civil.second)]
    {
        out.push(mark);
        digits(out, u64::from(part), 2);
    }
    if decimals > 0 {
        out.push('.');
        digits(out, u64::from(civil.nanos / 10_u32.pow(9 - decimals)), decimals as usize);
    }
}

/// `YYYY-MM-DD hh:mm:ss.mmm`, as Sysmon writes times.
pub(crate) fn sysmon(time: i64) -> String {
    let mut out = String::with_capacity(23);
    write(&mut out, time, ' ', 3);
    out
}

/// RFC 3339 in UTC with seven decimals, as Windows writes times.
pub(crate) fn rfc_3339(time: i64) -> String {
    let mut out = String::with_capacity(28);
    write(&mut out, time, 'T', 7);
    out.push('Z');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_and_written_the_same() {
        for text in ["1970-01-01T00:00:00.0000000Z", "2024-02-29T23:59:59.0000000Z", "2026-03-02T08:00:00.0000000Z"] {
            assert_eq!(rfc_3339(parse(&text.replace(".0000000", "")).unwrap()), text);
        }
        assert_eq!(parse("2026-03-02").unwrap(), from_date(2026, 3, 2));
        assert_eq!(sysmon(from_date(2026, 3, 2) + 7 * MILLI), "2026-03-02 00:00:00.007");
    }

    #[test]
    fn an_invalid_date_is_rejected() {
        for text in ["", "2025-02-29", "2025-13-01", "2025-01-01T24:00", "2025-01-01T1:2:3:4", "today", "2025-+1-01"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn weekends_are_quiet() {
        let saturday = from_date(2026, 3, 7);
        assert!(!is_workday(saturday) && !is_workday(saturday + DAY) && is_workday(saturday + 2 * DAY));
        assert_eq!((0..24).map(|hour| weight(saturday - DAY + hour * HOUR)).sum::<i64>(), WEIGHT_OF_WORKDAY);
    }
}
