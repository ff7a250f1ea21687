//! Bodies that are one item, or a list of them.

use axum::extract::{FromRequest, Request};
use eventyard::model::limits::Limits;
use serde::{Serialize, de::DeserializeOwned};
use utoipa::ToSchema;

use super::{
    RawBody,
    body::{check_media_type, parse},
    limits,
    object::Object,
};
use crate::{Code, Problem};

/// One item, or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum OneOrMany<T> {
    /// One.
    One(T),
    /// Several; also a list of one.
    Many(Vec<T>),
}

/// A JSON body that is an object of type `T` or a list of them, no longer than the limit.
#[derive(Debug, Clone)]
pub struct OneOrManyJson<T>(pub OneOrMany<T>);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for OneOrManyJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        check_media_type(request.headers())?;
        let limits = limits(request.extensions());
        let RawBody(body) = RawBody::from_request(request, state).await?;
        if !is_list(&body) {
            let Object(item) = parse(&body, limits)?;
            return Ok(Self(OneOrMany::One(item)));
        }
        let items: Vec<Object<T>> = parse(&body, limits)?;
        check_length(items.len(), limits)?;
        Ok(Self(OneOrMany::Many(items.into_iter().map(|Object(item)| item).collect())))
    }
}

/// Whether a JSON text is a list, if it is JSON at all.
pub(crate) fn is_list(json: &[u8]) -> bool {
    json.trim_ascii_start().first() == Some(&b'[')
}

/// Checks the length of a batch.
pub(crate) fn check_length(items: usize, limits: Limits) -> Result<(), Problem> {
    let most = limits.batch;
    if items <= most {
        return Ok(());
    }
    let detail = format!("the batch has {items} items; at most {most} are allowed; send several");
    Err(Problem::of(Code::BATCH_TOO_LONG, detail))
}
