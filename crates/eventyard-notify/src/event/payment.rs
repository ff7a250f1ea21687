//! What happens to the payment for a booking.

use eventyard::{Event, model::Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Booking, BookingEvent, sample};

/// A booking was paid for.
#[derive(Event, Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[event("payment.received", schema)]
#[serde(rename_all = "camelCase")]
pub struct PaymentReceived {
    /// The booking and its user.
    #[serde(flatten)]
    pub booking: Booking,
    /// The payment.
    #[schemars(length(min = 1, max = 256))]
    pub payment_id: String,
    /// What was paid, in whole units of the currency.
    #[schemars(range(min = 0))]
    pub amount: f64,
    /// Its currency, by ISO 4217.
    #[schemars(regex(pattern = "^[A-Z]{3}$"))]
    pub currency: String,
}

/// A payment for a booking did not go through.
#[derive(Event, Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[event("payment.failed", schema)]
#[serde(rename_all = "camelCase")]
pub struct PaymentFailed {
    /// The booking and its user.
    #[serde(flatten)]
    pub booking: Booking,
    /// The payment.
    #[schemars(length(min = 1, max = 256))]
    pub payment_id: String,
    /// What was to be paid, in whole units of the currency.
    #[schemars(range(min = 0))]
    pub amount: f64,
    /// Its currency, by ISO 4217.
    #[schemars(regex(pattern = "^[A-Z]{3}$"))]
    pub currency: String,
    /// Why it failed.
    #[schemars(length(min = 1, max = 2000))]
    pub reason: String,
}

impl BookingEvent for PaymentReceived {
    fn booking(&self) -> &Booking {
        &self.booking
    }

    fn sample(_: Timestamp) -> Self {
        Self {
            booking: sample::booking(),
            payment_id: sample::PAYMENT.to_owned(),
            amount: sample::AMOUNT,
            currency: sample::CURRENCY.to_owned(),
        }
    }
}

impl BookingEvent for PaymentFailed {
    fn booking(&self) -> &Booking {
        &self.booking
    }

    fn sample(_: Timestamp) -> Self {
        Self {
            booking: sample::booking(),
            payment_id: sample::PAYMENT.to_owned(),
            amount: sample::AMOUNT,
            currency: sample::CURRENCY.to_owned(),
            reason: "the card was declined".to_owned(),
        }
    }
}
