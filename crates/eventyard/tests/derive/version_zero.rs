use eventyard::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event("booking.created", version = 0)]
struct BookingCreated {}

fn main() {}
