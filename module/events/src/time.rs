//! [`Timestamp`]: event time in nanoseconds since 1970-01-01T00:00:00Z. No crate of `module/` reads a clock.

use core::fmt;
use core::ops::{Add, Sub};
use core::time::Duration;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime};
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

    /// From a civil date and time in UTC. `None` if a part is out of its range; second 60 is the next minute's 0.
    pub fn from_civil(
        year: i32,
        month: u32,
        day: u32,
        hour: u32,
        minute: u32,
        second: u32,
        nanos: u32,
    ) -> Option<Self> {
        let (second, leap) = if second == 60 { (59, 1) } else { (second, 0) };
        let date = NaiveDate::from_ymd_opt(year, month, day)?;
        let time = NaiveTime::from_hms_nano_opt(hour, minute, second, nanos)?;
        Some(Self::from_unix(date.and_time(time).and_utc().timestamp().saturating_add(leap), nanos))
    }

    /// From RFC 3339 text, with any offset.
    pub fn from_rfc_3339(text: &str) -> Option<Self> {
        let time = DateTime::parse_from_rfc3339(text).ok()?;
        Some(Self::from_unix(time.timestamp(), time.timestamp_subsec_nanos().min(999_999_999)))
    }

    /// The calendar year in UTC.
    pub fn year(self) -> i32 {
        DateTime::from_timestamp_nanos(self.0).year()
    }

    /// The absolute difference of two times.
    pub const fn distance(self, other: Self) -> Duration {
        Duration::from_nanos(self.0.abs_diff(other.0))
    }

    /// Whether `self` and `other` are at most `window` apart, in any order.
    pub fn within(self, window: Duration, other: Self) -> bool {
        self.distance(other) <= window
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
        let time = DateTime::from_timestamp_nanos(self.0);
        if self.0 % 1_000_000 == 0 {
            write!(f, "{}", time.format("%Y-%m-%dT%H:%M:%S%.3fZ"))
        } else if self.0 % 1_000 == 0 {
            write!(f, "{}", time.format("%Y-%m-%dT%H:%M:%S%.6fZ"))
        } else {
            write!(f, "{}", time.format("%Y-%m-%dT%H:%M:%S%.9fZ"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_civil_date_round_trips() {
        for (y, m, d) in [(1970, 1, 1), (2000, 2, 29), (2019, 4, 30), (2024, 12, 31), (1969, 12, 31), (2100, 3, 1)] {
            let t = Timestamp::from_civil(y, m, d, 20, 35, 11, 856_000_000).unwrap();
            assert_eq!(t.to_string(), format!("{y:04}-{m:02}-{d:02}T20:35:11.856Z"));
            assert_eq!(Timestamp::from_rfc_3339(&t.to_string()), Some(t));
        }
    }

    #[test]
    fn a_known_moment_is_written_as_rfc_3339() {
        assert_eq!(Timestamp::from_unix(1_556_656_511, 856_089_000).to_string(), "2019-04-30T20:35:11.856089Z");
    }
}
