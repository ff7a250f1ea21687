//! The `eventyard` binary: configuration, composition, commands.

mod config;

fn main() {}
