use eventyard::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
struct BookingCreated {}

fn main() {}
