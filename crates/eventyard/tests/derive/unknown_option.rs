use eventyard::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event("booking.created", queue = "emails")]
struct BookingCreated {}

fn main() {}
