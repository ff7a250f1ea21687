//! The endpoint as its clients meet it: the real `socket.io-client`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod client;
mod client_events;
mod handlers;
mod jobs;
mod limits;
mod malformed;
mod nodes;
mod origins;
mod protocol;
mod replay;
mod server;
mod tokens;
