//! File times against known dates and a slow calendar.

use proptest::prelude::*;
use wcow_ntmeta::FileTime;

#[test]
fn known_moments() {
    #[track_caller]
    fn check(ticks: u64, unix: (i64, u32), text: &str) {
        let time = FileTime::from_ticks(ticks);
        assert_eq!(time.to_string(), text);
        assert_eq!(time.to_unix(), unix);
        assert_eq!(FileTime::parse_rfc3339(text).unwrap(), time);
    }
    check(0, (-11_644_473_600, 0), "1601-01-01T00:00:00.0000000Z");
    check(
        116_444_736_000_000_000,
        (0, 0),
        "1970-01-01T00:00:00.0000000Z",
    );
    check(
        130_840_411_150_510_000,
        (1_439_567_515, 51_000_000),
        "2015-08-14T15:51:55.0510000Z",
    );
    check(
        125_963_423_999_999_999,
        (951_868_799, 999_999_900),
        "2000-02-29T23:59:59.9999999Z",
    );
    check(
        u64::MAX,
        (1_833_029_933_770, 955_161_500),
        "60056-05-28T05:36:10.9551615Z",
    );
}

#[test]
fn other_spellings_are_read() {
    #[track_caller]
    fn check(text: &str, shown: &str) {
        assert_eq!(FileTime::parse_rfc3339(text).unwrap().to_string(), shown);
    }
    check("2015-08-14T15:51:55Z", "2015-08-14T15:51:55.0000000Z");
    check("2015-08-14t15:51:55.05z", "2015-08-14T15:51:55.0500000Z");
    check(
        "2015-08-14 15:51:55.123456789Z",
        "2015-08-14T15:51:55.1234567Z",
    );
    check(
        "2015-08-14T08:51:55.051-07:00",
        "2015-08-14T15:51:55.0510000Z",
    );
    check(
        "2015-08-15T01:21:55.051+09:30",
        "2015-08-14T15:51:55.0510000Z",
    );
    check("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.0000000Z");
}

#[test]
fn other_texts_are_refused() {
    #[track_caller]
    fn check(text: &str) {
        assert_eq!(FileTime::parse_rfc3339(text).unwrap_err().found, text);
    }
    check("");
    check("2015-08-14");
    check("2015-08-14T15:51:55");
    check("2015-02-29T00:00:00Z");
    check("2015-13-01T00:00:00Z");
    check("2015-00-01T00:00:00Z");
    check("1600-12-31T23:59:59Z");
    check("1601-01-01T00:00:00+01:00");
    check("2015-08-14T24:00:00Z");
    check("2015-08-14T15:51:55.Z");
    check("2015-08-14T15:51:55Zx");
    check("2015-08-14T15:51:55+1:00");
    check("+015-08-14T15:51:55Z");
    check("60056-05-28T05:36:11Z");
    check("2015-08-14T15:51:55é");
}

#[test]
fn unix_times_out_of_range_are_refused() {
    assert_eq!(FileTime::from_unix(-11_644_473_601, 999_999_999), None);
    assert_eq!(FileTime::from_unix(0, 1_000_000_000), None);
    assert_eq!(FileTime::from_unix(i64::MAX, 0), None);
    assert_eq!(FileTime::from_unix(0, 199).unwrap().to_unix(), (0, 100));
}

/// Counts the days one by one.
#[test]
fn every_day_of_nine_hundred_years_follows_the_last() {
    let (mut year, mut month, mut day) = (1601, 1, 1);
    for days in 0..900 * 365_u64 {
        let text = FileTime::from_ticks(days * 86_400 * 10_000_000).to_string();
        assert_eq!(
            text,
            format!("{year:04}-{month:02}-{day:02}T00:00:00.0000000Z")
        );
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = [
            31,
            if leap { 29 } else { 28 },
            31,
            30,
            31,
            30,
            31,
            31,
            30,
            31,
            30,
            31,
        ][month - 1];
        (year, month, day) = match (day == length, month) {
            (false, _) => (year, month, day + 1),
            (true, 12) => (year + 1, 1, 1),
            (true, _) => (year, month + 1, 1),
        };
    }
}

proptest! {
    #[test]
    fn text_and_unix_time_lead_back(ticks: u64) {
        let time = FileTime::from_ticks(ticks);
        prop_assert_eq!(FileTime::parse_rfc3339(&time.to_string()).unwrap(), time);
        let (secs, nanos) = time.to_unix();
        prop_assert_eq!(FileTime::from_unix(secs, nanos), Some(time));
        prop_assert_eq!(serde_json::to_string(&time).unwrap(), ticks.to_string());
    }
}
