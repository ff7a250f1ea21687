use eventyard::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(BookingCreated)]
struct BookingCreated {}

fn main() {}
