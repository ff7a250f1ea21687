//! From `[transports.NAME]` to transports and the bridges over them.

use std::sync::Arc;

use eventyard::transport::Bridge;
use eventyard_core::{Clock, EventId, Transport};
use eventyard_redis::{
    connect::{Address, AddressError, Connections, Options},
    pubsub::{PubSubOptions, RedisPubSub},
    streams::{RedisStreams, StreamsOptions},
};

use crate::config::{self, Config, StoreUrl, TransportKind};

/// A transport has no broker that it could use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoBroker {
    /// Its address is not understood.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// It names none, and the store is no Redis that it could share.
    #[error("names no redis, and the store is none")]
    Nowhere,
}

/// The name of this process among all that are joined: no other has it, also not the one before it.
pub(crate) fn node(source: &str) -> String {
    let unique = EventId::generate();
    // The end of the id is random.
    let random = unique.as_str().rsplit('-').next().unwrap_or_default();
    format!("{source}-{}-{random}", std::process::id())
}

/// Where a transport leads to.
///
/// # Errors
/// When its address is not understood, or it has none.
pub(crate) fn address(config: &Config, transport: &config::Transport) -> Result<Address, NoBroker> {
    match &transport.url {
        Some(url) => Ok(url.reveal().parse()?),
        None => match config.store_url() {
            Ok(StoreUrl::Redis(address)) => Ok(address),
            Ok(StoreUrl::Memory | StoreUrl::Sqlite(_)) | Err(_) => Err(NoBroker::Nowhere),
        },
    }
}

/// A transport of the node `node`. Nothing is connected yet.
///
/// # Errors
/// As [`address`].
pub(crate) fn open(
    config: &Config,
    transport: &config::Transport,
    node: &str,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn Transport>, NoBroker> {
    let connections = Connections::new(address(config, transport)?, Options::default());
    let clock = Arc::clone(clock);
    let (format, limits) = (transport.format.into(), (&config.limits).into());
    Ok(match transport.kind {
        TransportKind::Pubsub => {
            let channel = transport.channel().to_owned();
            let options =
                PubSubOptions { channel, format, limits, clock, ..PubSubOptions::new(node) };
            Arc::new(RedisPubSub::new(connections, options))
        }
        TransportKind::Streams => {
            let usual = StreamsOptions::new(node);
            let options = StreamsOptions {
                stream: transport.stream().to_owned(),
                format,
                limits,
                clock,
                start: transport.start.map(Into::into).unwrap_or_default(),
                max_len: match transport.max_length {
                    None => usual.max_len,
                    Some(0) => None,
                    length => length,
                },
                max_age: transport.max_age.map(config::TimeSpan::get),
                claim_after: transport.claim_after.map_or(usual.claim_after, config::TimeSpan::get),
                max_deliveries: transport.max_deliveries.unwrap_or(usual.max_deliveries),
                ..usual
            };
            Arc::new(RedisStreams::new(connections, options))
        }
    })
}

/// The bridges over all transports.
///
/// # Errors
/// As [`address`].
pub(crate) fn bridges(config: &Config, clock: &Arc<dyn Clock>) -> Result<Vec<Bridge>, NoBroker> {
    let node = node(&config.events.source);
    let bridge = |(name, transport): (&String, &config::Transport)| {
        let mut bridge = Bridge::new(name, open(config, transport, &node, clock)?);
        for pattern in &transport.send {
            bridge = bridge.sends(pattern);
        }
        for pattern in &transport.receive {
            bridge = bridge.receives(pattern);
        }
        if let Some(group) = &transport.group {
            bridge = bridge.group(group);
        }
        Ok(bridge.consumer(transport.consumer.as_deref().unwrap_or(&node)))
    };
    config.transports.iter().map(bridge).collect()
}
