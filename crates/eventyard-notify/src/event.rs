//! The six events that notifications come from, and sample data for each.

mod booking;
mod payment;
mod sample;

use eventyard::{Event, model::Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use booking::{BookingCancelled, BookingConfirmed, BookingCreated, BookingReminder};
pub use payment::{PaymentFailed, PaymentReceived};
pub use sample::{Mock, UnknownMock, mock, mocks};

/// What every event about a booking says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Booking {
    /// The booking.
    #[schemars(length(min = 1, max = 256))]
    pub booking_id: String,
    /// The user who is told.
    #[schemars(length(min = 1, max = 256))]
    pub user_id: String,
    /// Where mail goes.
    #[schemars(length(max = 320), extend("format" = "email"))]
    pub user_email: String,
    /// How the user is addressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub user_name: Option<String>,
    /// What was booked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub parking_spot: Option<String>,
}

/// An event about a booking.
pub trait BookingEvent: Event {
    /// The booking that it is about, and its user.
    fn booking(&self) -> &Booking;

    /// A likely event of this type, as of `now`: what a mock event carries unless told otherwise.
    #[must_use]
    fn sample(now: Timestamp) -> Self;
}
