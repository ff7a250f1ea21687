//! The API as its clients meet it: requests against the router, and over real connections.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod audit;
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
mod live;
mod masks;
mod pages;
mod queues;
mod replay;
mod roles;
mod schedules;
mod search;
mod server;
mod steps;
mod stream;
mod workers;
