use eventyard::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event("booking.created")]
#[event("booking.made")]
struct BookingCreated {}

fn main() {}
