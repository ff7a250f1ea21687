//! The composition: from a configuration to an application with its endpoints.

use std::sync::Arc;

use eventyard::{Eventyard, Yard};
use eventyard_admin::{ApiOptions, Auth, Credential, InvalidMask, Masks, OpenApiRouter, Role, api};
use eventyard_realtime::Realtime;
use miette::{IntoDiagnostic, WrapErr};

use crate::{
    channels,
    config::{self, Bus, Config, Matching, Rule},
    http, realtime,
    store::OpenStore,
    transports,
};

/// Starts the application that `config` describes on an open store.
///
/// # Errors
/// When a channel cannot be used or the application contradicts itself.
pub(crate) async fn start(
    config: &Config,
    store: OpenStore,
) -> miette::Result<(Yard, Option<Realtime>)> {
    let OpenStore { store, inspect, clock } = store;
    let mut app = Eventyard::on_parts(store, inspect, Arc::clone(&clock))
        .source(&config.events.source)
        .synchronous(config.events.bus == Bus::Synchronous)
        .keep_events(config.events.retention.into())
        .strict_routes(config.routes.strict)
        .shutdown_grace(config.server.shutdown_grace.get());
    for (name, queue) in &config.queues {
        app = app.queue(queue.declare(name));
    }
    for rule in &config.routes.rules {
        app = route(app, rule);
    }
    for (name, schedule) in &config.schedules {
        // The check of the configuration has refused one that cannot be declared.
        if let Some(schedule) = schedule.declare(name) {
            app = app.schedule(schedule);
        }
    }
    for bridge in transports::bridges(config, &clock).into_diagnostic()? {
        app = app.transport(bridge);
    }
    if config.notifies() {
        let deps = channels::open(&config.channels, &clock).wrap_err("a channel cannot be used")?;
        app = eventyard_notify::handlers(app, deps);
    }
    let realtime = realtime::start(config, &clock).await?;
    if let Some(realtime) = &realtime {
        if !config.queues.contains_key(eventyard_realtime::QUEUE) {
            app = app.queue(eventyard_realtime::default_queue());
        }
        app = realtime.handlers(app);
    }
    Ok((app.start().await.into_diagnostic()?, realtime))
}

fn route(mut app: Eventyard, rule: &Rule) -> Eventyard {
    if let Some(pattern) = &rule.kind {
        app = app.route(pattern, &rule.queue);
    }
    if let Some(headers) = &rule.headers {
        let all = rule.matching.unwrap_or_default() == Matching::All;
        app = app.route_headers(headers.clone(), all, &rule.queue);
    }
    app
}

/// The endpoints of a running application: the API and, where this process works on them, those of the booking
/// notifications; mock events for development only.
pub(crate) fn router(config: &Config, yard: &Yard, mock_events: bool) -> axum::Router {
    let extra = if config.notifies() {
        http::router(yard.clone(), mock_events)
    } else {
        OpenApiRouter::new()
    };
    let credentials = config.auth.tokens.iter().enumerate().map(|(n, token)| {
        let name = token.name().map_or_else(|| format!("token-{}", n + 1), str::to_owned);
        Credential::new(token.secret().reveal(), role(token.role()), name)
    });
    let options = ApiOptions {
        auth: Auth::new(credentials),
        limits: (&config.limits).into(),
        hosts: config.server.hosts.clone(),
        // The check of the configuration has refused what is no path.
        masks: masks(config).unwrap_or_default(),
        dashboard: config.dashboard.enabled,
        ..ApiOptions::default()
    };
    api(yard.clone(), extra, options)
}

/// What of payloads is not shown.
fn masks(config: &Config) -> Result<Masks, InvalidMask> {
    Masks::new(config.dashboard.mask.iter().map(String::as_str))
}

fn role(role: config::Role) -> Role {
    match role {
        config::Role::Viewer => Role::Viewer,
        config::Role::Operator => Role::Operator,
        config::Role::Admin => Role::Admin,
    }
}
