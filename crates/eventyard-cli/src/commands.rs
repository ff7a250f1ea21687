//! The commands, a file each: what goes to standard output is data, all else goes to standard error.

pub(crate) mod bench;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod dev;
pub(crate) mod doctor;
pub(crate) mod events;
pub(crate) mod flows;
pub(crate) mod jobs;
pub(crate) mod publish;
pub(crate) mod queues;
pub(crate) mod schedules;
pub(crate) mod serve;
