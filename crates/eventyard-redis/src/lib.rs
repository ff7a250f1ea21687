//! Eventyard on Redis: the store on BullMQ's data layout, and transports.

mod answers;
mod codec;
pub mod connect;
pub mod durability;
mod inspect;
pub mod pubsub;
mod script;
mod store;
pub mod streams;
mod tally;

pub use store::{Options, RedisStore};
