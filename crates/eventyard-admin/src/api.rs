//! The composition: endpoints, authentication, limits and documentation in one router.

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::{MatchedPath, Request, State},
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use eventyard::{Yard, model::limits::Limits};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    Auth, Code, Masks, Problem, access, audit, auth, dashboard, document, event, failed, flow,
    health, job, live, queue, replay, schedule, stream, whereabouts, worker,
};

/// Where the mailbox is, if the caller brings one along.
const MAILBOX: &str = "/api/v1/mailbox";

/// How the API is set up.
#[derive(Clone, Default)]
pub struct ApiOptions {
    /// Who may do what; without credentials everybody may do everything.
    pub auth: Auth,
    /// What is accepted at the door.
    pub limits: Limits,
    /// The hosts by which the API is addressed besides loopback's names. It matters without credentials only:
    /// requests to other hosts, and changes by pages of other hosts, are then refused.
    pub hosts: Vec<String>,
    /// Endpoints that need no credential, such as a page's own files.
    pub open: OpenApiRouter,
    /// What of payloads is not shown.
    pub masks: Masks,
    /// Whether the dashboard is served at `/queues`.
    pub dashboard: bool,
}

/// The whole API: the endpoints of this crate on `yard`, those of `extra` behind the same authentication,
/// `/healthz` and `/readyz`, `/openapi.json`, and `/docs` to read it with; and the dashboard, if it is wanted.
///
/// # Panics
/// When two endpoints have the same method and path, or two different schemas the same name.
pub fn api(yard: Yard, extra: OpenApiRouter, options: ApiOptions) -> Router {
    let ApiOptions { auth, limits, hosts, open, masks, dashboard } = options;
    let auth = Arc::new(auth);
    let is_open = auth.is_open();

    let own = endpoints();
    document::assert_compatible(own.get_openapi(), extra.get_openapi());
    document::assert_compatible(own.get_openapi(), open.get_openapi());
    let mailbox = extra.get_openapi().paths.paths.contains_key(MAILBOX);
    let parts = whereabouts::Parts { mailbox, masks: masks.len() };
    let extra = extra.layer(from_fn(auth::guard_by_method));
    let guarded = own.with_state(yard.clone()).merge(extra);
    let (guarded, guarded_document) = guarded.split_for_parts();
    let guarded = guarded.route_layer(from_fn_with_state(Arc::clone(&auth), auth::authenticate));
    let (open, open_document) = health::routes()
        .merge(whereabouts::open_routes())
        .with_state(yard)
        .merge(open)
        .split_for_parts();
    let document = document::finish(guarded_document, open_document);

    let pages = if dashboard { dashboard::routes() } else { Router::new() };
    let router = guarded
        .merge(pages)
        .merge(open)
        .merge(document::routes(&document))
        .fallback(no_such_route)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(Extension(auth))
        .layer(Extension(masks))
        .layer(Extension(parts))
        .layer(Extension(live::Live::default()))
        .layer(Extension(replay::Replays::default()))
        .layer(from_fn_with_state(limits, limit));
    let router = if is_open {
        router.layer(from_fn_with_state(Arc::from(hosts), auth::browser::keep_out))
    } else {
        router
    };
    router.layer(CatchPanicLayer::custom(access::panicked)).layer(from_fn(access::log))
}

/// The endpoints of this crate that are behind authentication.
fn endpoints() -> OpenApiRouter<Yard> {
    OpenApiRouter::with_openapi(document::base())
        .merge(audit::routes())
        .merge(event::routes())
        .merge(failed::routes())
        .merge(queue::routes())
        .merge(schedule::routes())
        .merge(job::routes())
        .merge(flow::routes())
        .merge(live::routes())
        .merge(replay::routes())
        .merge(whereabouts::routes())
        .merge(stream::routes())
        .merge(worker::routes())
}

/// Checks the size of the headers, and lets the limits travel with the request.
async fn limit(
    State(limits): State<Limits>,
    mut request: Request,
    next: axum::middleware::Next,
) -> Response {
    // Each header line also has `: ` and a line end.
    let lines = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    let bytes: usize = lines.sum();
    if bytes > limits.header_bytes {
        let most = limits.header_bytes;
        let detail = format!("the headers have {bytes} bytes; at most {most} are allowed");
        return Problem::of(Code::HEADERS_TOO_LARGE, detail).into_response();
    }
    request.extensions_mut().insert(limits);
    next.run(request).await
}

async fn no_such_route(request: Request) -> Problem {
    let path = request.uri().path();
    let detail = format!("there is nothing at `{path}`; /docs shows what there is");
    Problem::of(Code::NO_SUCH_ROUTE, detail)
}

async fn method_not_allowed(request: Request) -> Problem {
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let path = path.unwrap_or(request.uri().path());
    let detail = format!("`{path}` does not take {}; /docs shows what it takes", request.method());
    Problem::of(Code::METHOD_NOT_ALLOWED, detail)
}
