//! The API as its clients meet it: requests against the router, and over real connections.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cancel;
mod change;
mod client;
mod document;
mod events;
mod failed;
mod flow_control;
mod flows;
mod health;
mod jobs;
mod limits;
mod queues;
mod roles;
mod schedules;
mod server;
mod stream;
mod workers;
