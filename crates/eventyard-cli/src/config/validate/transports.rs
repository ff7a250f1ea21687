//! What may be wrong with a transport.

use std::collections::BTreeSet;

use eventyard::route::Pattern;
use eventyard_core::QueueName;

use super::Check;
use crate::{
    config::{Config, TimeSpan, Transport, path::Path},
    transports::{self, NoBroker},
};

impl Check<'_> {
    pub(super) fn transports(&mut self, config: &Config) {
        for (name, transport) in &config.transports {
            self.transport(name, transport, config);
        }
    }

    fn transport(&mut self, name: &str, transport: &Transport, config: &Config) {
        let path = Path::of(["transports", name]);
        if let Err(error) = QueueName::new(name) {
            self.tell(&path, "is no name for a transport", Some(&error.to_string()));
        }
        match transports::address(config, transport) {
            Ok(_) => {}
            Err(NoBroker::Address(error)) => {
                self.tell(&path.key("url"), &format!("is not understood: {error}"), None);
            }
            Err(NoBroker::Nowhere) => self.tell(
                &path,
                "has no url, and store.url is no redis",
                Some("give it one, as in url = \"redis://localhost:6379\""),
            ),
        }
        self.require(
            !transport.send.is_empty() || !transport.receive.is_empty(),
            &path,
            "neither sends nor receives anything",
            "name event types, as in send = [\"order.*\"] and receive = [\"#\"]",
        );
        for (key, patterns) in [("send", &transport.send), ("receive", &transport.receive)] {
            for (n, pattern) in patterns.iter().enumerate() {
                if let Err(error) = Pattern::new(pattern) {
                    let place = path.key(key).index(n);
                    self.tell(&place, "is no pattern", Some(&error.to_string()));
                }
            }
        }
        for key in transport.misplaced() {
            let problem = "does not belong to a transport of this kind";
            self.tell(&path.key(key), problem, Some("leave it out, or change `kind`"));
        }
        self.require(
            transport.claim_after.is_none_or(|after| after >= TimeSpan::secs(1)),
            &path.key("claim-after"),
            "is less than a second",
            "use \"1s\" or more: what is worked on for longer is kept by renewing it",
        );
        self.require(
            transport.max_deliveries != Some(0),
            &path.key("max-deliveries"),
            "is 0",
            "use 1 or more",
        );
        let names = [
            ("channel", &transport.channel),
            ("stream", &transport.stream),
            ("group", &transport.group),
            ("consumer", &transport.consumer),
        ];
        for (key, value) in names {
            let is_empty = value.as_ref().is_some_and(|value| value.trim().is_empty());
            self.require(!is_empty, &path.key(key), "is empty", "leave it out, or give a name");
        }
        self.no_loop(&path, transport, config);
    }

    /// Two transports over one place would send to each other what came in over the other.
    fn no_loop(&mut self, path: &Path, transport: &Transport, config: &Config) {
        let place = |transport: &Transport| {
            let address = transports::address(config, transport).ok()?.to_string();
            let name = match transport.kind {
                crate::config::TransportKind::Pubsub => transport.channel(),
                crate::config::TransportKind::Streams => transport.stream(),
            };
            Some((address, transport.kind, name.to_owned()))
        };
        let here = place(transport);
        let same: BTreeSet<&str> = config
            .transports
            .iter()
            .filter(|(_, other)| here.is_some() && place(other) == here)
            .map(|(name, _)| name.as_str())
            .collect();
        self.require(
            same.len() < 2,
            path,
            "leads to the same place as another",
            &format!("keep one of {}", same.into_iter().collect::<Vec<_>>().join(", ")),
        );
    }
}
