//! From `[realtime]` to a node of Socket.IO, joined to others by Redis if there is one.

use std::sync::Arc;

use eventyard::model::Clock;
use eventyard_core::Limits;
use eventyard_realtime::{InProcess, OverTransport, Realtime, Relay};
use eventyard_redis::{
    connect::{Address, AddressError, Connections, Options},
    pubsub::{PubSubOptions, RedisPubSub},
};
use miette::IntoDiagnostic;

use crate::{
    config::{Config, StoreUrl},
    transports,
};

/// What nodes tell each other is theirs: what clients may send was checked at the door.
const LIMITS: Limits =
    Limits { body_bytes: 64 << 20, depth: 128, batch: usize::MAX, header_bytes: usize::MAX };

/// Starts Socket.IO for end users, if it is configured.
///
/// # Errors
/// When the configuration contradicts itself.
pub(crate) async fn start(
    config: &Config,
    clock: &Arc<dyn Clock>,
) -> miette::Result<Option<Realtime>> {
    if !config.realtime.is_on() {
        return Ok(None);
    }
    let options = config.realtime.options().into_diagnostic()?;
    let relay = relay(config, clock)?;
    let realtime = Realtime::start(options, relay, Arc::clone(clock)).await.into_diagnostic()?;
    Ok(Some(realtime))
}

/// What joins this node to others.
fn relay(config: &Config, clock: &Arc<dyn Clock>) -> miette::Result<Arc<dyn Relay>> {
    let Some(address) = address(config).into_diagnostic()? else {
        return Ok(Arc::new(InProcess::default()));
    };
    tracing::info!(%address, channel = config.realtime.relay.channel, "realtime is joined to other nodes");
    let options = PubSubOptions {
        channel: config.realtime.relay.channel.clone(),
        limits: LIMITS,
        buffer: 16 * 1024,
        clock: Arc::clone(clock),
        ..PubSubOptions::new(transports::node(&config.events.source))
    };
    let connections = Connections::new(address, Options::default());
    let transport = Arc::new(RedisPubSub::new(connections, options));
    let relay = OverTransport::new(transport, Arc::clone(clock)).into_diagnostic()?;
    Ok(Arc::new(relay))
}

/// The Redis that joins nodes, if there is one.
///
/// # Errors
/// When its address is not understood.
pub(crate) fn address(config: &Config) -> Result<Option<Address>, AddressError> {
    match &config.realtime.relay.url {
        Some(url) => url.reveal().parse().map(Some),
        None => Ok(match config.store_url() {
            Ok(StoreUrl::Redis(address)) => Some(address),
            _ => None,
        }),
    }
}
