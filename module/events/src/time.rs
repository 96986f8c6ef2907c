//! Event time: nanoseconds since 1970-01-01T00:00:00Z. Nothing in this workspace's module reads a clock.

use core::fmt;
use core::ops::{Add, Sub};
use core::time::Duration;

use serde::{Deserialize, Serialize};

/// A moment in UTC, in nanoseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The nanoseconds in one second.
    pub const SECOND: i64 = 1_000_000_000;

    /// From whole seconds and nanoseconds since the epoch; saturates at the ends of the range.
    pub const fn from_unix(seconds: i64, nanoseconds: u32) -> Self {
        Self(seconds.saturating_mul(Self::SECOND).saturating_add(nanoseconds as i64))
    }

    /// From a civil date and time in UTC. `None` if a part is out of its range.
    pub const fn from_civil(
        year: i64,
        month: u32,
        day: u32,
        hour: u32,
        minute: u32,
        second: u32,
        nanos: u32,
    ) -> Option<Self> {
        if month < 1
            || month > 12
            || day < 1
            || day > 31
            || hour > 23
            || minute > 59
            || second > 60
            || nanos > 999_999_999
        {
            return None;
        }
        // Days from civil (proleptic Gregorian), counted from March so that a leap day ends the year.
        let y = if month <= 2 { year - 1 } else { year };
        let era = y.div_euclid(400);
        let yoe = y.rem_euclid(400);
        let shifted = (month as i64 + 9) % 12;
        let doy = (153 * shifted + 2) / 5 + day as i64 - 1;
        let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
        let days = era * 146_097 + doe - 719_468;
        Some(Self::from_unix(days * 86_400 + hour as i64 * 3_600 + minute as i64 * 60 + second as i64, nanos))
    }

    /// The distance between two moments, whichever comes first.
    pub const fn distance(self, other: Self) -> Duration {
        Duration::from_nanos(self.0.abs_diff(other.0))
    }

    /// Whether `self` and `other` lie at most `window` apart, in any order.
    pub fn within(self, window: Duration, other: Self) -> bool {
        self.distance(other) <= window
    }

    /// Year, month, day, hour, minute, second and nanosecond in UTC.
    pub const fn to_civil(self) -> (i64, u32, u32, u32, u32, u32, u32) {
        let seconds = self.0.div_euclid(Self::SECOND);
        let nanos = self.0.rem_euclid(Self::SECOND) as u32;
        let days = seconds.div_euclid(86_400);
        let day_seconds = seconds.rem_euclid(86_400) as u32;
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let day = (doy - (153 * mp + 2) / 5 + 1) as u32;
        let month = if mp < 10 { mp + 3 } else { mp - 9 } as u32;
        let year = yoe + era * 400 + if month <= 2 { 1 } else { 0 };
        (year, month, day, day_seconds / 3_600, day_seconds / 60 % 60, day_seconds % 60, nanos)
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, rhs: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(rhs.as_nanos()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, rhs: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(rhs.as_nanos()).unwrap_or(i64::MAX)))
    }
}

/// RFC 3339 in UTC: milliseconds where that is exact, else microseconds or nanoseconds.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day, hour, minute, second, nanos) = self.to_civil();
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if nanos.is_multiple_of(1_000_000) {
            write!(f, ".{:03}Z", nanos / 1_000_000)
        } else if nanos.is_multiple_of(1_000) {
            write!(f, ".{:06}Z", nanos / 1_000)
        } else {
            write!(f, ".{nanos:09}Z")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_civil_date_survives_the_way_there_and_back() {
        for (y, m, d) in [(1970, 1, 1), (2000, 2, 29), (2019, 4, 30), (2024, 12, 31), (1969, 12, 31), (2100, 3, 1)] {
            let t = Timestamp::from_civil(y, m, d, 20, 35, 11, 856_000_000).unwrap();
            assert_eq!(t.to_civil(), (y, m, d, 20, 35, 11, 856_000_000));
        }
    }

    #[test]
    fn a_known_moment_is_written_as_rfc_3339() {
        assert_eq!(Timestamp::from_unix(1_556_656_511, 856_089_000).to_string(), "2019-04-30T20:35:11.856089Z");
    }
}
