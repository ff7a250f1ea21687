//! Cron patterns in a time zone: when they are due, with every change of the clocks.

#[cfg(test)]
mod tests;

use croner::{
    Cron as Pattern,
    parser::{CronParser, Seconds, Year},
};
use eventyard_core::Timestamp;
use jiff::{
    civil::DateTime,
    tz::{Offset, TimeZone},
};

use crate::FieldError;

/// The time zone of a pattern that names none.
pub const UTC: &str = "UTC";

/// A cron pattern in a time zone.
///
/// The pattern is searched on the local clock. Where that clock is changed, a pattern that names its times of day
/// runs once at the end of a gap for what the gap left out, and once for what happens twice; any other pattern
/// runs whenever the local clock shows what it asks for.
#[derive(Debug, Clone)]
pub(crate) struct Cron {
    pattern: Pattern,
    zone: TimeZone,
    /// Whether hours, minutes and seconds are all named, as in `0 3 * * *`.
    names_times: bool,
}

impl Cron {
    /// Reads a pattern of five fields, or six with seconds, and the name of a time zone.
    pub(crate) fn new(pattern: &str, zone: Option<&str>) -> Result<Self, FieldError> {
        let parser =
            CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
        let read = parser.parse(pattern).map_err(|error| {
            invalid("cron", format!("is `{pattern}`, which is no cron pattern: {error} {FORM}"))
        })?;
        Ok(Self { names_times: names_times(&read), pattern: read, zone: time_zone(zone)? })
    }

    /// The first time after `after`; none when there is none before the year 5000.
    pub(crate) fn after(&self, after: Timestamp) -> Option<Timestamp> {
        let mut from = instant(after)?;
        let mut local = self.zone.to_datetime(from);
        if let Some(repeats_until) = self.repeats_until(from)
            && local < repeats_until
        {
            local = just_before(repeats_until)?;
        }
        loop {
            let offset = self.zone.to_offset(from);
            let change = self.zone.following(from).next();
            let found = self.pattern.find_next_occurrence(&local, false).ok();
            let at = found.and_then(|found| offset.to_timestamp(found).ok());
            let Some(change) = change else {
                return at.map(millis);
            };
            if let Some(at) = at.filter(|at| *at < change.timestamp()) {
                return Some(millis(at));
            }
            found?;
            from = change.timestamp();
            let (old, new) = (offset.to_datetime(from), change.offset().to_datetime(from));
            if self.names_times && found.is_some_and(|found| old <= found && found < new) {
                return Some(millis(from));
            }
            local = just_before(if self.names_times { old.max(new) } else { new })?;
        }
    }

    /// Until when, at `at`, the local clock shows what it showed before: after it was set back, if that matters.
    fn repeats_until(&self, at: jiff::Timestamp) -> Option<DateTime> {
        if !self.names_times {
            return None;
        }
        let change = self.zone.preceding(at.checked_add(jiff::SignedDuration::from_nanos(1)).ok()?);
        let change = change.into_iter().next()?;
        let before = change.timestamp().checked_sub(jiff::SignedDuration::from_nanos(1)).ok()?;
        let offset: Offset = self.zone.to_offset(before);
        Some(offset.to_datetime(change.timestamp()))
    }
}

/// What a pattern looks like, for those who got it wrong.
const FORM: &str = "Use `minute hour day-of-month month day-of-week`, with seconds in front if wanted: `0 3 * * *`";

/// The names of all known time zones.
pub fn time_zones() -> impl Iterator<Item = String> {
    jiff::tz::db().available().map(|name| name.to_string())
}

fn time_zone(name: Option<&str>) -> Result<TimeZone, FieldError> {
    let name = name.unwrap_or(UTC);
    TimeZone::get(name).map_err(|_| {
        let problem = format!(
            "is `{name}`, which is not in the IANA time zone database; use a name such as \
             `Europe/Berlin` or `UTC`"
        );
        invalid("timeZone", problem)
    })
}

/// Whether hours, minutes and seconds are values, lists or ranges: neither `*` nor steps nor all values.
fn names_times(pattern: &Pattern) -> bool {
    let fields = [&pattern.pattern.seconds, &pattern.pattern.minutes, &pattern.pattern.hours];
    let all = |min: u16, max: u16| usize::from(max - min) + 1;
    fields.iter().all(|field| {
        !field.from_wildcard && field.step == 1 && field.values().len() < all(field.min, field.max)
    })
}

fn invalid(field: &str, problem: String) -> FieldError {
    FieldError { field: field.to_owned(), problem }
}

fn instant(at: Timestamp) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_millisecond(at.as_millis()).ok()
}

fn millis(at: jiff::Timestamp) -> Timestamp {
    Timestamp::from_millis(at.as_millisecond())
}

/// The search goes on after a second: this makes it include `at`.
fn just_before(at: DateTime) -> Option<DateTime> {
    at.checked_sub(jiff::SignedDuration::from_secs(1)).ok()
}
