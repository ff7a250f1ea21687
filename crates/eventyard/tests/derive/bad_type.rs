use eventyard::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event("booking created")]
struct BookingCreated {}

fn main() {}
