//! The endpoint `/socket.io/`.

mod answer;
mod arrived;
mod door;
mod handshake;
mod outlet;
mod session;

use std::sync::Arc;

use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
};
use eventyard::Yard;
use socketioxide::{
    ParserConfig, SocketIo,
    extract::{SocketRef, TryData},
    handler::ConnectHandler,
};

use self::handshake::{Admitted, Handshake};
use crate::node::Node;

/// Where clients look for it.
const PATH: &str = "/socket.io";
/// The most binary attachments of a packet. None are taken; few are let in to be refused in words.
const MAX_ATTACHMENTS: usize = 8;

/// The endpoint of a node in front of an application.
pub(crate) fn router(node: &Arc<Node>, yard: &Yard) -> (Router, SocketIo) {
    let options = &node.options;
    let limits = &options.limits;
    // What is a little too large is refused in words; what is much too large is not even read.
    let most = limits.payload_bytes.saturating_mul(2);
    let parser = ParserConfig::common()
        .max_incoming_binaries(MAX_ATTACHMENTS)
        .max_incoming_binary_buf_size(most);
    let (service, io) = SocketIo::builder()
        .req_path(PATH)
        .ping_interval(options.ping_interval)
        .ping_timeout(options.ping_timeout)
        .connect_timeout(limits.handshake_time)
        .max_payload(u64::try_from(most).unwrap_or(u64::MAX))
        .ws_max_message_size(most)
        .ws_max_frame_size(most)
        .max_buffer_size(limits.buffer)
        .with_parser(parser)
        .build_svc();

    let (for_middleware, for_handler) = (Arc::clone(node), Arc::clone(node));
    let yard = yard.clone();
    let admit = move |socket: SocketRef, handshake: TryData<Handshake>| {
        let (node, yard) = (Arc::clone(&for_middleware), yard.clone());
        async move { handshake::admit(&node, yard, &socket, handshake.0.unwrap_or_default()).await }
    };
    let welcome = move |socket: SocketRef| {
        if let Some(admitted) = Admitted::take(&socket) {
            session::begin(&for_handler, socket, admitted);
        }
        std::future::ready(())
    };
    io.ns("/", welcome.with(admit));

    let door = Arc::new(door::Door::new(Arc::clone(node)));
    let router = Router::new()
        .route_service(&format!("{PATH}/"), service.clone())
        .route_service(PATH, service)
        .layer(from_fn_with_state(door, door::guard))
        .layer(door::cors(&options.origins))
        .layer(from_fn(door::never_kept));
    (router, io)
}
