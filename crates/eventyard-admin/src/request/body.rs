//! Bodies: checked for media type, size, encoding and depth before anything is parsed.

use std::time::Duration;

use axum::{
    body::HttpBody,
    extract::{
        DefaultBodyLimit, FromRequest, Request,
        rejection::{BytesRejection, FailedToBufferBody},
    },
    http::{HeaderMap, header},
};
use bytes::Bytes;
use eventyard::model::{
    event::is_json_media_type,
    limits::{Limits, json_depth},
};
use serde::de::DeserializeOwned;

use super::{field, limits, object::Object};
use crate::{Code, Problem};

/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(30);

/// The bytes of a body within the limit of size, whatever they are.
#[derive(Debug, Clone)]
pub struct RawBody(pub Bytes);

/// A JSON object of type `T`, which must be there.
#[derive(Debug, Clone)]
pub struct JsonBody<T>(pub T);

/// A JSON object of type `T`, or its default when there is no body, or null.
#[derive(Debug, Clone)]
pub struct OptionalJson<T>(pub T);

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let most = limits(request.extensions()).body_bytes;
        read(request, state, most).await.map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        check_media_type(request.headers())?;
        let limits = limits(request.extensions());
        let body = read(request, state, limits.body_bytes).await?;
        let Object(value) = parse(&body, limits)?;
        Ok(Self(value))
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for OptionalJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let limits = limits(request.extensions());
        let media_type = check_media_type(request.headers());
        let body = read(request, state, limits.body_bytes).await?;
        if body.is_empty() {
            return Ok(Self(T::default()));
        }
        media_type?;
        let value: Option<Object<T>> = parse(&body, limits)?;
        Ok(Self(value.map(|Object(value)| value).unwrap_or_default()))
    }
}

async fn read<S: Send + Sync>(
    mut request: Request,
    state: &S,
    most: usize,
) -> Result<Bytes, Problem> {
    let too_large = |size: &str| {
        let detail = format!("the body has {size} bytes; at most {most} are allowed");
        Problem::of(Code::BODY_TOO_LARGE, detail)
    };
    let announced = request.body().size_hint().lower();
    if announced > most as u64 {
        return Err(too_large(&announced.to_string()));
    }
    DefaultBodyLimit::max(most).apply(&mut request);
    match tokio::time::timeout(BODY_TIME, Bytes::from_request(request, state)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)))) => {
            Err(too_large(&format!("more than {most}")))
        }
        Ok(Err(rejection)) => Err(Problem::of(Code::UNREADABLE_BODY, rejection.body_text())),
        Err(_) => {
            let detail = format!("the body did not arrive within {} s", BODY_TIME.as_secs());
            Err(Problem::of(Code::REQUEST_TIMEOUT, detail))
        }
    }
}

/// Checks that the media type is JSON. It also keeps web forms out, which can send none.
pub(crate) fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
    if given.is_some_and(is_json_media_type) {
        return Ok(());
    }
    let what = given.map_or("there is no content type".to_owned(), |given| {
        format!("the content type is `{given}`")
    });
    let detail = format!("{what}; send JSON with `Content-Type: application/json`");
    Err(Problem::of(Code::UNSUPPORTED_MEDIA_TYPE, detail))
}

/// Checks that a body is text, and not nested too deeply for JSON.
pub(crate) fn check_text(body: &[u8], limits: Limits) -> Result<&str, Problem> {
    let text = std::str::from_utf8(body).map_err(|error| {
        let detail = format!("the body is not UTF-8: byte {} is wrong", error.valid_up_to());
        Problem::of(Code::MALFORMED_JSON, detail)
    })?;
    let depth = json_depth(body);
    if depth > limits.depth {
        let most = limits.depth;
        let detail = format!("the JSON is nested {depth} deep; at most {most} are allowed");
        return Err(Problem::of(Code::JSON_TOO_DEEP, detail));
    }
    Ok(text)
}

/// Reads JSON; tells text that is not JSON from JSON that is not a `T`.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8], limits: Limits) -> Result<T, Problem> {
    let text = check_text(body, limits)?;
    let malformed = |error: &serde_json::Error| {
        Problem::of(Code::MALFORMED_JSON, format!("the body is not valid JSON: {error}"))
    };
    let mut json = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let inner = error.inner();
        if inner.is_data() {
            field::problem(Code::INVALID_BODY, error.path(), &inner.to_string())
        } else {
            malformed(inner)
        }
    })?;
    json.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Body {
        name: String,
        opts: Option<Opts>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Opts {
        attempts: Option<u32>,
    }

    fn check(body: &[u8], code: &str, field: Option<&str>) {
        let problem = parse::<Object<Body>>(body, Limits::default()).unwrap_err();
        let actual = (problem.code(), problem.errors().first().map(|error| error.field.as_str()));
        assert_eq!(actual, (code, field), "{problem:?}");
    }

    #[test]
    fn rejections_name_the_field() {
        check(b"", "malformed-json", None);
        check(b"{", "malformed-json", None);
        check(br#"{"name":"a"} x"#, "malformed-json", None);
        check(b"{\"name\":\"\xff\"}", "malformed-json", None);
        check("[".repeat(65).as_bytes(), "json-too-deep", None);
        check(b"null", "invalid-body", None);
        check(br#"["a"]"#, "invalid-body", None);
        check(b"{}", "invalid-body", Some("name"));
        check(br#"{"name":1}"#, "invalid-body", Some("name"));
        check(br#"{"name":"a","nam":1}"#, "invalid-body", Some("nam"));
        check(br#"{"name":"a","opts":{"attempts":"3"}}"#, "invalid-body", Some("opts.attempts"));
        check(br#"{"name":"a","opts":{"tries":3}}"#, "invalid-body", Some("opts.tries"));
    }

    #[test]
    fn media_types() {
        for (given, taken) in [
            (Some("application/json"), true),
            (Some("application/json; charset=utf-8"), true),
            (Some("application/vnd.acme+json"), true),
            (Some("text/plain"), false),
            (Some("application/x-www-form-urlencoded"), false),
            (None, false),
        ] {
            let headers = given
                .map(|given| (header::CONTENT_TYPE, given.parse().unwrap()))
                .into_iter()
                .collect();
            assert_eq!(check_media_type(&headers).is_ok(), taken, "{given:?}");
        }
    }
}
