//! Times of Windows and of the system.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use wcow_ntmeta::FileTime;

/// The system's form of a time; `None` if there is none (zero), or the system cannot hold it.
pub(super) fn to_system(time: FileTime) -> Option<SystemTime> {
    if time == FileTime::ZERO {
        return None;
    }
    let (secs, nanos) = time.to_unix();
    let whole = Duration::from_secs(secs.unsigned_abs());
    let base = if secs < 0 {
        UNIX_EPOCH.checked_sub(whole)
    } else {
        UNIX_EPOCH.checked_add(whole)
    };
    base?.checked_add(Duration::from_nanos(u64::from(nanos)))
}

/// The Windows form of a time; zero if it lies before 1601 or past the last tick.
pub(super) fn from_system(time: SystemTime) -> FileTime {
    let (secs, nanos) = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => (i64::try_from(after.as_secs()).ok(), after.subsec_nanos()),
        Err(before) => {
            let before = before.duration();
            let secs = i64::try_from(before.as_secs()).ok().map(|secs| -secs);
            match before.subsec_nanos() {
                0 => (secs, 0),
                nanos => (
                    secs.and_then(|secs| secs.checked_sub(1)),
                    1_000_000_000 - nanos,
                ),
            }
        }
    };
    secs.and_then(|secs| FileTime::from_unix(secs, nanos))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_on_both_sides_of_1970_lead_back() {
        for ticks in [
            1,
            10_000_000,
            116_444_735_999_999_999,
            116_444_736_000_000_000,
            130_840_411_150_510_001,
        ] {
            let time = FileTime::from_ticks(ticks);
            assert_eq!(to_system(time).map(from_system), Some(time));
        }
        assert_eq!(to_system(FileTime::ZERO), None);
    }
}
