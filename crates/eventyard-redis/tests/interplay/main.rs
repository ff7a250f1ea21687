//! Eventyard and BullMQ on the same queues: real producers, workers and dashboards in Node.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod app;
mod board;
mod from_node;
mod keys;
mod mixed;
mod node;
mod outage;
mod pauses;
#[path = "../server/mod.rs"]
mod server;
mod states;
mod store;
mod to_node;
