//! The API as its clients meet it: requests against the router, and over real connections.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod client;
mod document;
mod events;
mod failed;
mod health;
mod jobs;
mod limits;
mod queues;
mod roles;
mod server;
mod workers;
