//! The dashboard: pages and their parts, embedded in the program, and served with nothing from anywhere else.

mod asset;
mod page;
#[cfg(test)]
mod vendored;

use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use rust_embed::RustEmbed;

use crate::{Code, Problem};
use asset::Asset;

/// Where the dashboard is.
const PATH: &str = "/queues";

/// The files of the dashboard. A debug build reads them from the disk at each request.
#[derive(RustEmbed)]
#[folder = "ui"]
struct Files;

/// The pages. They hold no data: what they show they ask the API for, with the credential of who looks.
pub(crate) fn routes() -> Router {
    Router::new()
        .route("/", get(async || Redirect::temporary(PATH)))
        .route(PATH, get(page::show))
        .route("/queues/", get(page::show))
        .route("/queues/{*path}", get(at))
}

/// A file of the dashboard, or the page, whose own code reads the address.
async fn at(Path(path): Path<String>, headers: HeaderMap) -> Response {
    let Some(name) = path.strip_prefix("assets/") else {
        return page::show(headers).await;
    };
    match Asset::find(name) {
        Some(asset) => asset.answer(&headers),
        None => {
            let detail = format!("the dashboard has no file `{name}`");
            Problem::of(Code::NO_SUCH_ROUTE, detail).into_response()
        }
    }
}

/// Whether the client has what is tagged so.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get_all(header::IF_NONE_MATCH).iter();
    let mut known = known.filter_map(|value| value.to_str().ok()).flat_map(|list| list.split(','));
    known.any(|known| known.trim().trim_start_matches("W/") == tag)
}

/// Says that the client has it.
fn not_modified(tag: &str) -> Response {
    (StatusCode::NOT_MODIFIED, [(header::ETAG, tag), (header::CACHE_CONTROL, "no-cache")])
        .into_response()
}
