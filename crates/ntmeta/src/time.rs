//! Windows file times: MS-DTYP section 2.3.3, and the proleptic Gregorian calendar to show them in.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

const TICKS_PER_SECOND: u64 = 10_000_000;
const SECONDS_PER_DAY: u64 = 86_400;
/// Seconds from 1601-01-01 to 1970-01-01.
const UNIX_EPOCH: i64 = 11_644_473_600;
/// Days of 400 Gregorian years.
const DAYS_PER_ERA: u64 = 146_097;
/// Days from 0000-03-01 to 1601-01-01. Years that begin in March put the leap day last.
const DAYS_TO_1601: u64 = 584_694;

/// A moment as 100 ns ticks since 1601-01-01 00:00 UTC.
///
/// Shown as RFC 3339 UTC with seven decimals, which is PowerShell's format `o`. Years past 9999 have five digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FileTime(u64);

/// A text that is not a time from 1601 on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected a time such as 2015-08-14T15:51:55.0510000Z, from 1601 on, found {found:?}")]
pub struct ParseTimeError {
    /// The text as given.
    pub found: String,
}

impl FileTime {
    /// 1601-01-01 00:00 UTC; in many formats it means "no time".
    pub const ZERO: Self = Self(0);

    /// The moment this many ticks after 1601-01-01.
    pub const fn from_ticks(ticks: u64) -> Self {
        Self(ticks)
    }

    /// Ticks of 100 ns since 1601-01-01.
    pub const fn ticks(self) -> u64 {
        self.0
    }

    /// The moment `secs` seconds and `nanos` nanoseconds after 1970-01-01, cut to 100 ns.
    ///
    /// `None` before 1601, past the last tick, or if `nanos` is a second or more.
    pub fn from_unix(secs: i64, nanos: u32) -> Option<Self> {
        if nanos >= 1_000_000_000 {
            return None;
        }
        let seconds = u64::try_from(secs.checked_add(UNIX_EPOCH)?).ok()?;
        Some(Self(
            seconds
                .checked_mul(TICKS_PER_SECOND)?
                .checked_add(u64::from(nanos / 100))?,
        ))
    }

    /// Seconds since 1970-01-01 (negative before it), and nanoseconds after that second.
    pub fn to_unix(self) -> (i64, u32) {
        // Both casts are exact: the quotient is below 2^41, the rest below a second.
        let seconds = (self.0 / TICKS_PER_SECOND).cast_signed() - UNIX_EPOCH;
        (seconds, (self.0 % TICKS_PER_SECOND) as u32 * 100)
    }

    /// Reads an RFC 3339 time; offsets are taken into account, decimals past the seventh are cut off.
    ///
    /// # Errors
    /// The text is not such a time, no such day exists, or it lies before 1601 or past the last tick.
    pub fn parse_rfc3339(text: &str) -> Result<Self, ParseTimeError> {
        parse(text).ok_or_else(|| ParseTimeError {
            found: text.to_owned(),
        })
    }
}

impl fmt::Display for FileTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / TICKS_PER_SECOND;
        let (year, month, day) = civil_from_days(seconds / SECONDS_PER_DAY);
        let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        let fraction = self.0 % TICKS_PER_SECOND;
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:07}Z"
        )
    }
}

impl fmt::Debug for FileTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileTime({self})")
    }
}

/// Year, month and day of the day this many days after 1601-01-01.
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let days = days + DAYS_TO_1601;
    let (era, day_of_era) = (days / DAYS_PER_ERA, days % DAYS_PER_ERA);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// Days from 1601-01-01 to this day; `None` before it, and for days that do not exist.
fn days_from_civil(year: u64, month: u64, day: u64) -> Option<u64> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u64::from(leap),
        _ => return None,
    };
    if day == 0 || day > length || year < 1601 {
        return None;
    }
    let march_year = year - u64::from(month <= 2);
    let march_month = if month > 2 { month - 3 } else { month + 9 };
    let (era, year_of_era) = (march_year / 400, march_year % 400);
    let day_of_year = (153 * march_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * DAYS_PER_ERA + day_of_era).checked_sub(DAYS_TO_1601)
}

fn parse(text: &str) -> Option<FileTime> {
    let (date, clock) = text.split_once(['T', 't', ' '])?;
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || !(4..=5).contains(&year.len()) {
        return None;
    }
    let days = days_from_civil(
        digits(year, year.len())?,
        digits(month, 2)?,
        digits(day, 2)?,
    )?;

    let zone_at = clock.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = clock.split_at_checked(zone_at)?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let seconds = days * SECONDS_PER_DAY + seconds_of_clock(clock)?;
    let offset = match zone.split_at_checked(1)? {
        ("Z" | "z", "") => 0,
        (sign, hours) => {
            let seconds = i64::try_from(seconds_of_clock(&format!("{hours}:00"))?).ok()?;
            if sign == "+" { -seconds } else { seconds }
        }
    };
    if fraction.is_empty()
        || fraction.len() > 9
        || !fraction.bytes().all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let ticks_text: String = fraction
        .chars()
        .chain(std::iter::repeat('0'))
        .take(7)
        .collect();
    let ticks = seconds
        .checked_add_signed(offset)?
        .checked_mul(TICKS_PER_SECOND)?;
    Some(FileTime(ticks.checked_add(digits(&ticks_text, 7)?)?))
}

/// Seconds since midnight of `hh:mm:ss`. A leap second counts as the second before it.
fn seconds_of_clock(clock: &str) -> Option<u64> {
    let mut parts = clock.split(':');
    let (hour, minute, second) = (
        digits(parts.next()?, 2)?,
        digits(parts.next()?, 2)?,
        digits(parts.next()?, 2)?,
    );
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(hour * 3600 + minute * 60 + second.min(59))
}

/// The number of exactly `count` decimal digits.
fn digits(text: &str, count: usize) -> Option<u64> {
    let plain = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}
