//! The rules of clock changes, pinned: a year in four time zones, and the instants around every change.

use std::time::Duration;

use super::*;

const DAY: Duration = Duration::from_secs(86_400);

fn cron(pattern: &str, zone: &str) -> Cron {
    Cron::new(pattern, Some(zone)).unwrap()
}

/// The times of a pattern from `from`, and before `until`.
fn times(cron: &Cron, from: Timestamp, until: Timestamp) -> Vec<Timestamp> {
    let before = from - Duration::from_millis(1);
    let all = std::iter::successors(cron.after(before), |time| cron.after(*time));
    all.take_while(|time| *time < until).collect()
}

/// The instant at which a year begins in a time zone.
fn new_year(year: i16, zone: &str) -> Timestamp {
    let local = jiff::civil::date(year, 1, 1).at(0, 0, 0, 0);
    let zoned = local.to_zoned(TimeZone::get(zone).unwrap()).unwrap();
    Timestamp::from_millis(zoned.timestamp().as_millisecond())
}

/// 2026: Berlin changes on 29 March and 25 October, New York on 8 March and 1 November, Lord Howe by half an hour on
/// 5 April and 4 October, Kolkata never.
#[test]
fn a_year_has_as_many_times_as_it_should() {
    let zones = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"];
    for (pattern, counts) in [
        // Each time of day that is named comes once a day, whether it is left out or happens twice.
        ("0 3 * * *", [365, 365, 365, 365]),
        ("30 2 * * *", [365, 365, 365, 365]),
        ("30 1 * * *", [365, 365, 365, 365]),
        ("15 2 * * *", [365, 365, 365, 365]),
        ("0 2,14 * * *", [730, 730, 730, 730]),
        ("0 0 0-4 * * *", [365 * 5 - 1, 365 * 5 - 1, 365 * 5, 365 * 5]),
        ("45 59 23 * * MON", [52, 52, 52, 52]),
        ("0 0 29 2 *", [0, 0, 0, 0]),
        // Otherwise what the clock shows counts: an hour more in autumn, an hour less in spring.
        ("0 * * * *", [8760, 8760, 8759, 8760]),
        ("30 * * * *", [8760, 8760, 8761, 8760]),
        ("*/15 * * * *", [35_040, 35_040, 35_040, 35_040]),
        ("0 */2 * * *", [4380, 4379, 4379, 4380]),
    ] {
        for (zone, count) in zones.into_iter().zip(counts) {
            let year = (new_year(2026, zone), new_year(2027, zone));
            let found = times(&cron(pattern, zone), year.0, year.1);
            assert_eq!(found.len(), count, "{pattern} in {zone}");
            assert!(
                found.is_sorted_by(|a, b| a < b),
                "{pattern} in {zone}: each time once, in order"
            );
        }
    }
}

#[test]
fn the_times_around_every_change() {
    for (pattern, zone, from, expected) in [
        // Berlin, spring: 02:00 to 02:59 is left out, at 01:00Z.
        (
            "30 2 * * *",
            "Europe/Berlin",
            "2026-03-28T12:00:00Z",
            ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"],
        ),
        (
            "0 2 * * *",
            "Europe/Berlin",
            "2026-03-28T12:00:00Z",
            ["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"],
        ),
        (
            "0 3 * * *",
            "Europe/Berlin",
            "2026-03-28T12:00:00Z",
            ["2026-03-29T01:00:00Z", "2026-03-30T01:00:00Z"],
        ),
        (
            "59 1 * * *",
            "Europe/Berlin",
            "2026-03-28T12:00:00Z",
            ["2026-03-29T00:59:00Z", "2026-03-29T23:59:00Z"],
        ),
        (
            "0,30 2,3 * * *",
            "Europe/Berlin",
            "2026-03-28T12:00:00Z",
            ["2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"],
        ),
        (
            "30 2 28 * *",
            "Europe/Berlin",
            "2026-03-28T12:00:00Z",
            ["2026-04-28T00:30:00Z", "2026-05-28T00:30:00Z"],
        ),
        (
            "0 * * * *",
            "Europe/Berlin",
            "2026-03-29T00:00:00Z",
            ["2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z"],
        ),
        (
            "*/30 2 * * *",
            "Europe/Berlin",
            "2026-03-29T00:00:00Z",
            ["2026-03-30T00:00:00Z", "2026-03-30T00:30:00Z"],
        ),
        // Berlin, autumn: 02:00 to 02:59 comes twice, at 00:00Z and at 01:00Z.
        (
            "30 2 * * *",
            "Europe/Berlin",
            "2026-10-24T12:00:00Z",
            ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"],
        ),
        (
            "30 2 * * *",
            "Europe/Berlin",
            "2026-10-25T00:30:01Z",
            ["2026-10-26T01:30:00Z", "2026-10-27T01:30:00Z"],
        ),
        (
            "30 2 * * *",
            "Europe/Berlin",
            "2026-10-25T01:00:00Z",
            ["2026-10-26T01:30:00Z", "2026-10-27T01:30:00Z"],
        ),
        (
            "30 2 * * *",
            "Europe/Berlin",
            "2026-10-25T01:15:00Z",
            ["2026-10-26T01:30:00Z", "2026-10-27T01:30:00Z"],
        ),
        (
            "0 3 * * *",
            "Europe/Berlin",
            "2026-10-24T12:00:00Z",
            ["2026-10-25T02:00:00Z", "2026-10-26T02:00:00Z"],
        ),
        (
            "0 2,14 * * *",
            "Europe/Berlin",
            "2026-10-24T12:00:01Z",
            ["2026-10-25T00:00:00Z", "2026-10-25T13:00:00Z"],
        ),
        (
            "30 * * * *",
            "Europe/Berlin",
            "2026-10-25T00:00:00Z",
            ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"],
        ),
        (
            "45 2 * * *",
            "Europe/Berlin",
            "2026-10-25T00:50:00Z",
            ["2026-10-26T01:45:00Z", "2026-10-27T01:45:00Z"],
        ),
        (
            "*/45 2 * * *",
            "Europe/Berlin",
            "2026-10-25T00:30:00Z",
            ["2026-10-25T00:45:00Z", "2026-10-25T01:00:00Z"],
        ),
        // New York, spring at 07:00Z and autumn at 06:00Z.
        (
            "30 2 * * *",
            "America/New_York",
            "2026-03-07T12:00:00Z",
            ["2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"],
        ),
        (
            "30 1 * * *",
            "America/New_York",
            "2026-10-31T12:00:00Z",
            ["2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"],
        ),
        (
            "0 * * * *",
            "America/New_York",
            "2026-11-01T05:00:00Z",
            ["2026-11-01T05:00:00Z", "2026-11-01T06:00:00Z"],
        ),
        // Lord Howe, spring at 15:30Z: 02:00 to 02:29 is left out.
        (
            "15 2 * * *",
            "Australia/Lord_Howe",
            "2026-10-03T00:00:00Z",
            ["2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"],
        ),
        (
            "30 2 * * *",
            "Australia/Lord_Howe",
            "2026-10-03T00:00:00Z",
            ["2026-10-03T15:30:00Z", "2026-10-04T15:30:00Z"],
        ),
        (
            "0 * * * *",
            "Australia/Lord_Howe",
            "2026-10-03T14:30:00Z",
            ["2026-10-03T14:30:00Z", "2026-10-03T16:00:00Z"],
        ),
        // Lord Howe, autumn at 15:00Z: 01:30 to 01:59 comes twice.
        (
            "45 1 * * *",
            "Australia/Lord_Howe",
            "2026-04-04T00:00:00Z",
            ["2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"],
        ),
        (
            "45 * * * *",
            "Australia/Lord_Howe",
            "2026-04-04T14:00:00Z",
            ["2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z"],
        ),
        // Apia left out all of 30 December 2011.
        (
            "0 3 * * *",
            "Pacific/Apia",
            "2011-12-29T20:00:00Z",
            ["2011-12-30T10:00:00Z", "2011-12-30T13:00:00Z"],
        ),
        // Kolkata, and no time zone at all.
        (
            "30 2 * * *",
            "Asia/Kolkata",
            "2026-03-28T12:00:00Z",
            ["2026-03-28T21:00:00Z", "2026-03-29T21:00:00Z"],
        ),
        (
            "30 2 * * *",
            "UTC",
            "2026-03-28T12:00:00Z",
            ["2026-03-29T02:30:00Z", "2026-03-30T02:30:00Z"],
        ),
    ] {
        let from: Timestamp = from.parse().unwrap();
        let cron = cron(pattern, zone);
        let found: Vec<_> = times(&cron, from, from + 100 * DAY).into_iter().take(2).collect();
        let expected = expected.map(|time| time.parse::<Timestamp>().unwrap());
        assert_eq!(found, expected, "{pattern} in {zone} from {from}: {found:?}");
    }
}

/// Every real minute runs, on days of 23, 23.5, 24, 24.5 and 25 hours.
#[test]
fn every_minute_is_every_real_minute() {
    for (zone, day) in [
        ("Europe/Berlin", "2026-03-28T23:00:00Z"),
        ("Europe/Berlin", "2026-10-24T22:00:00Z"),
        ("Australia/Lord_Howe", "2026-04-04T13:00:00Z"),
        ("Australia/Lord_Howe", "2026-10-03T13:30:00Z"),
        ("Asia/Kolkata", "2026-03-28T18:30:00Z"),
    ] {
        let from: Timestamp = day.parse().unwrap();
        let found = times(&cron("* * * * *", zone), from, from + DAY);
        let minutes = (0..24 * 60).map(|n| from + Duration::from_secs(n * 60));
        assert!(found.into_iter().eq(minutes), "{zone} from {from}");
    }
}

/// Whatever the clock shows, and once in each: compared with a look at every second.
#[test]
fn a_look_at_every_second_finds_the_same() {
    let changes = [
        ("Europe/Berlin", "2026-03-29T01:00:00Z"),
        ("Europe/Berlin", "2026-10-25T01:00:00Z"),
        ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
        ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
    ];
    for (zone, change) in changes {
        let change: Timestamp = change.parse().unwrap();
        let (from, until) = (change - DAY / 12, change + DAY / 12);
        let tz = TimeZone::get(zone).unwrap();
        for pattern in ["*/20 * * * * *", "0 */7 * * * *", "30 15 1-3/2 * * *", "5 * 2 * * *"] {
            let cron = cron(pattern, zone);
            let seconds = (from.as_millis()..until.as_millis()).step_by(1000);
            let shown = seconds.map(Timestamp::from_millis).filter(|at| {
                let local = tz.to_datetime(instant(*at).unwrap());
                cron.pattern.is_time_matching(&local).unwrap()
            });
            assert!(times(&cron, from, until).into_iter().eq(shown), "{pattern} in {zone}");
        }
    }
}

#[test]
fn rare_and_impossible_dates_are_found_in_reasonable_time() {
    let at: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let next = |pattern| cron(pattern, "Europe/Berlin").after(at).map(|time| time.to_string());
    assert_eq!(next("0 0 29 2 *").as_deref(), Some("2028-02-28T23:00:00.000Z"));
    assert_eq!(next("0 0 29 2 +MON").as_deref(), Some("2044-02-28T23:00:00.000Z"));
    assert_eq!(next("0 0 30 2 *"), None);
}

#[test]
fn the_names_of_time_zones_are_known() {
    assert!(time_zones().any(|name| name == "Europe/Berlin"));
}
