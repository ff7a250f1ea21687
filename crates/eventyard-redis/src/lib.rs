//! Eventyard on Redis: the store on BullMQ's data layout, and transports.

mod codec;
pub mod durability;
mod inspect;
mod answers;
pub mod connect;
pub mod pubsub;
pub mod streams;
mod tally;
mod script;
mod store;

pub use store::{Options, RedisStore};
