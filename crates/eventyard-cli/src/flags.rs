//! The flags that several commands share: where the configuration is, and the keys that it is overruled by.

use std::path::PathBuf;

use clap::Args;

use crate::config::{ConfigError, Environment, Flag, Layers, Loaded};

/// Flags of the commands that run an application.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct RunFlags {
    /// The configuration file; without it, eventyard.toml in the working folder if there is one
    #[arg(long, value_name = "FILE", env = "EVENTYARD_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// The address to listen on (server.listen); port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) listen: Option<String>,
    /// The folder of the embedded store (store.data-dir)
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// The store (store.url): sqlite://PATH, redis://HOST:PORT or memory://
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<String>,
    /// Join the services on a Redis over the pub/sub channel `events`: everything goes out and comes in (transports.pubsub)
    #[arg(long, value_name = "URL")]
    pub(crate) pubsub: Option<String>,
    /// The same over the stream `events` (transports.streams)
    #[arg(long, value_name = "URL")]
    pub(crate) streams: Option<String>,
}

impl RunFlags {
    /// Loads the configuration that the flags, the environment and the file make together.
    ///
    /// # Errors
    /// When it cannot be used.
    pub(crate) fn load(self, dev: bool) -> Result<Loaded, ConfigError> {
        let flags = self.keys();
        Layers { file: self.config, environment: Environment::of_process(), flags, dev }.load()
    }

    fn keys(&self) -> Vec<Flag> {
        let flag = |name, key, value: String| Flag { name, key, value: Some(value.into()) };
        let mut flags = Vec::new();
        if let Some(listen) = &self.listen {
            flags.push(flag("--listen", ["server", "listen"], listen.clone()));
        }
        if let Some(dir) = &self.data_dir {
            let dir = dir.display().to_string();
            flags.push(flag("--data-dir", ["store", "data-dir"], dir));
            // A folder that was asked for here is meant to be used, whatever store a file names.
            flags.push(Flag { name: "--data-dir", key: ["store", "url"], value: None });
        }
        if let Some(url) = &self.store {
            flags.push(flag("--store", ["store", "url"], url.clone()));
        }
        let transports =
            [("--pubsub", "pubsub", &self.pubsub), ("--streams", "streams", &self.streams)];
        for (name, kind, url) in transports {
            if let Some(url) = url {
                let value = Some(transport(kind, url));
                flags.push(Flag { name, key: ["transports", kind], value });
            }
        }
        flags
    }
}

/// A transport over which everything goes out and comes in.
fn transport(kind: &str, url: &str) -> toml::Value {
    let everything = || toml::Value::from(vec!["#"]);
    let keys = [
        ("kind", kind.into()),
        ("url", url.into()),
        ("send", everything()),
        ("receive", everything()),
    ];
    toml::Value::Table(keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}
