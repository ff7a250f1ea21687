//! Configuration: one TOML file, environment variables and flags, merged into one [`Config`].
//!
//! ```text
//!   built-in ◀ file ◀ legacy variables ◀ EVENTYARD_… ◀ flags      each layer replaces single keys
//!        └───────────────┬──────────────────────────────┘
//!                   one tree, every value with its origin ──▶ Config, or problems that name the origin
//! ```

mod auth;
mod built_in;
mod channels;
mod dashboard;
#[cfg(test)]
mod documentation;
mod environment;
mod events;
mod instant;
mod key;
mod legacy;
mod limits;
mod load;
mod log;
mod notifications;
mod origin;
mod path;
mod problem;
mod queues;
mod realtime;
mod retention;
mod routes;
mod schedules;
mod secret;
mod server;
mod show;
mod store;
mod time_span;
mod transports;
mod tree;
mod validate;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use self::{
    auth::{Auth, Role},
    channels::{Channels, Fcm, Smtp},
    dashboard::Dashboard,
    environment::Environment,
    events::{Bus, Events},
    instant::Instant,
    limits::Limits,
    load::{Flag, Layers, Loaded},
    log::{Log, LogFormat},
    notifications::Notifications,
    problem::{ConfigError, Problem},
    queues::Queue,
    realtime::Realtime,
    retention::Retention,
    routes::{Matching, Routes, Rule},
    schedules::Schedule,
    secret::Secret,
    server::Server,
    store::{InvalidStoreUrl, Store, StoreUrl, Synchronous},
    time_span::{InvalidTimeSpan, TimeSpan},
    transports::{Kind as TransportKind, Transport},
};

/// Everything that can be configured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[schemars(title = "Eventyard's configuration")]
pub(crate) struct Config {
    /// Where the program listens.
    pub(crate) server: Server,
    /// Who may call the server.
    pub(crate) auth: Auth,
    /// Where queues and events live.
    pub(crate) store: Store,
    /// How events are published, and how long they stay.
    pub(crate) events: Events,
    /// The queues, by name: letters, digits, `-`, `_` and `.`.
    pub(crate) queues: BTreeMap<String, Queue>,
    /// Which events go to which queues.
    pub(crate) routes: Routes,
    /// Jobs that are added again and again, by name: letters, digits, `-`, `_` and `.`.
    pub(crate) schedules: BTreeMap<String, Schedule>,
    /// Brokers that events go out to and come in from, by name: letters, digits, `-`, `_` and `.`.
    pub(crate) transports: BTreeMap<String, Transport>,
    /// The booking notifications.
    pub(crate) notifications: Notifications,
    /// The ways in which notifications leave.
    pub(crate) channels: Channels,
    /// What is accepted at the door.
    pub(crate) limits: Limits,
    /// Socket.IO for end users.
    pub(crate) realtime: Realtime,
    /// The dashboard, and what of payloads is not shown.
    pub(crate) dashboard: Dashboard,
    /// What is written to standard error.
    pub(crate) log: Log,
}

impl Config {
    /// The JSON Schema of the configuration file.
    pub(crate) fn schema() -> serde_json::Value {
        schemars::schema_for!(Config).to_value()
    }

    /// Whether this process works on booking notifications.
    pub(crate) fn notifies(&self) -> bool {
        let has_mail = self.channels.smtp.is_some() || self.channels.mailbox.enabled;
        self.notifications.enabled.unwrap_or(has_mail)
    }

    /// The store to open.
    ///
    /// # Errors
    /// When `store.url` names none; the check of the configuration has refused that already.
    pub(crate) fn store_url(&self) -> Result<StoreUrl, InvalidStoreUrl> {
        match &self.store.url {
            Some(url) => StoreUrl::parse(url.reveal()),
            None if self.events.bus == Bus::Synchronous => Ok(StoreUrl::Memory),
            None => Ok(StoreUrl::in_folder(&self.store.data_dir)),
        }
    }
}
