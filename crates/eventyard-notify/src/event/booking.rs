//! What happens to a booking.

use eventyard::{Event, model::Timestamp, secs};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Booking, BookingEvent, sample};

/// A booking was made.
#[derive(Event, Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[event("booking.created", schema)]
#[serde(rename_all = "camelCase")]
pub struct BookingCreated {
    /// The booking and its user.
    #[serde(flatten)]
    pub booking: Booking,
    /// When it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub starts_at: Option<String>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub ends_at: Option<String>,
    /// Its price, in whole units of the currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub amount: Option<f64>,
    /// The price's currency, by ISO 4217.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[A-Z]{3}$"))]
    pub currency: Option<String>,
}

/// A booking is certain: it was paid for, or needs no payment.
#[derive(Event, Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[event("booking.confirmed", schema)]
#[serde(rename_all = "camelCase")]
pub struct BookingConfirmed {
    /// The booking and its user.
    #[serde(flatten)]
    pub booking: Booking,
    /// The payment that it was confirmed by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub payment_id: Option<String>,
    /// When it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub starts_at: Option<String>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub ends_at: Option<String>,
    /// What was paid, in whole units of the currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub amount: Option<f64>,
    /// The payment's currency, by ISO 4217.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[A-Z]{3}$"))]
    pub currency: Option<String>,
}

/// A booking was called off.
#[derive(Event, Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[event("booking.cancelled", schema)]
#[serde(rename_all = "camelCase")]
pub struct BookingCancelled {
    /// The booking and its user.
    #[serde(flatten)]
    pub booking: Booking,
    /// Why.
    #[schemars(length(min = 1, max = 2000))]
    pub reason: String,
    /// When it would have begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub starts_at: Option<String>,
    /// When it would have ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub ends_at: Option<String>,
    /// What is paid back, in whole units of the currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub amount: Option<f64>,
    /// The refund's currency, by ISO 4217.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[A-Z]{3}$"))]
    pub currency: Option<String>,
}

/// A booking begins soon.
#[derive(Event, Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[event("booking.reminder", schema)]
#[serde(rename_all = "camelCase")]
pub struct BookingReminder {
    /// The booking and its user.
    #[serde(flatten)]
    pub booking: Booking,
    /// When it begins.
    #[schemars(extend("format" = "date-time"))]
    pub starts_at: String,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub ends_at: Option<String>,
}

/// How long a sample booking lasts.
const STAY: std::time::Duration = secs(3 * 60 * 60);

/// When a sample booking begins and ends.
fn times(now: Timestamp) -> (String, String) {
    let begin = now + secs(24 * 60 * 60);
    (begin.to_string(), (begin + STAY).to_string())
}

impl BookingEvent for BookingCreated {
    fn booking(&self) -> &Booking {
        &self.booking
    }

    fn sample(now: Timestamp) -> Self {
        let (starts_at, ends_at) = times(now);
        Self {
            booking: sample::booking(),
            starts_at: Some(starts_at),
            ends_at: Some(ends_at),
            amount: Some(sample::AMOUNT),
            currency: Some(sample::CURRENCY.to_owned()),
        }
    }
}

impl BookingEvent for BookingConfirmed {
    fn booking(&self) -> &Booking {
        &self.booking
    }

    fn sample(now: Timestamp) -> Self {
        let (starts_at, ends_at) = times(now);
        Self {
            booking: sample::booking(),
            payment_id: Some(sample::PAYMENT.to_owned()),
            starts_at: Some(starts_at),
            ends_at: Some(ends_at),
            amount: Some(sample::AMOUNT),
            currency: Some(sample::CURRENCY.to_owned()),
        }
    }
}

impl BookingEvent for BookingCancelled {
    fn booking(&self) -> &Booking {
        &self.booking
    }

    fn sample(now: Timestamp) -> Self {
        let (starts_at, ends_at) = times(now);
        Self {
            booking: sample::booking(),
            reason: "the plans changed".to_owned(),
            starts_at: Some(starts_at),
            ends_at: Some(ends_at),
            amount: Some(sample::AMOUNT),
            currency: Some(sample::CURRENCY.to_owned()),
        }
    }
}

impl BookingEvent for BookingReminder {
    fn booking(&self) -> &Booking {
        &self.booking
    }

    fn sample(now: Timestamp) -> Self {
        let (starts_at, ends_at) = times(now);
        Self { booking: sample::booking(), starts_at, ends_at: Some(ends_at) }
    }
}
