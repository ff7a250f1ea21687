//! Filters for times and amounts.

use jiff::fmt::temporal::Pieces;
use minijinja::{Error, ErrorKind, Value};

/// Currencies without a smaller unit, by ISO 4217.
const WITHOUT_CENTS: [&str; 16] = [
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV",
    "XAF", "XOF", "XPF",
];

/// A time of RFC 3339 for people, in the offset that it was given with:
/// `Friday, 2 January 2026, 09:00 (UTC+01:00)`.
pub(super) fn when(text: &str) -> Result<String, Error> {
    let invalid = || {
        let message = format!("`{text}` is not a time such as 2026-01-02T09:00:00+01:00");
        Error::new(ErrorKind::InvalidOperation, message)
    };
    let pieces = Pieces::parse(text).map_err(|_| invalid())?;
    let time = pieces.date().to_datetime(pieces.time().ok_or_else(invalid)?);
    let offset = pieces.to_numeric_offset().ok_or_else(invalid)?;
    let zone = if offset.is_zero() { "UTC".to_owned() } else { format!("UTC{}", hours(offset)) };
    Ok(format!("{} ({zone})", time.strftime("%A, %-d %B %Y, %H:%M")))
}

fn hours(offset: jiff::tz::Offset) -> String {
    let (sign, seconds) = (if offset.is_negative() { '-' } else { '+' }, offset.seconds().abs());
    format!("{sign}{:02}:{:02}", seconds / 3600, seconds / 60 % 60)
}

/// An amount with its currency: `12.50 EUR`.
pub(super) fn money(amount: f64, currency: &Value) -> String {
    let currency = currency.as_str().unwrap_or_default();
    let digits = if WITHOUT_CENTS.contains(&currency) { 0 } else { 2 };
    format!("{amount:.digits$} {currency}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_for_people() {
        for (text, expected) in [
            ("2026-01-02T09:00:00Z", Some("Friday, 2 January 2026, 09:00 (UTC)")),
            ("2026-07-02T09:05:00.123+02:00", Some("Thursday, 2 July 2026, 09:05 (UTC+02:00)")),
            ("2026-07-02T09:05:00-03:30", Some("Thursday, 2 July 2026, 09:05 (UTC-03:30)")),
            ("2026-07-02", None),
            ("tomorrow", None),
        ] {
            assert_eq!(when(text).ok().as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn amounts_have_their_currency() {
        for (amount, currency, expected) in [
            (12.5, Value::from("EUR"), "12.50 EUR"),
            (2500.0, Value::from("JPY"), "2500 JPY"),
            (0.0, Value::from(()), "0.00"),
        ] {
            assert_eq!(money(amount, &currency), expected);
        }
    }
}
