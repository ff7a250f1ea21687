//! The way to a running server: its REST API.

mod event_stream;

use std::time::Duration;

use clap::Args;
use miette::{IntoDiagnostic, WrapErr, miette};
use reqwest::{Method, Response, StatusCode, Url, header};
use serde::Serialize;
use serde_json::{
    Value,
    value::{RawValue, to_raw_value},
};

pub(crate) use event_stream::EventStream;

/// How long a look at who listens may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// The server that a command speaks to.
#[derive(Debug, Clone, Args)]
pub(crate) struct ServerFlags {
    /// The server
    #[arg(
        long,
        value_name = "URL",
        env = "EVENTYARD_SERVER",
        default_value = "http://127.0.0.1:3000",
        global = true
    )]
    server: String,
    /// The token to call it with
    #[arg(
        long,
        value_name = "TOKEN",
        env = "EVENTYARD_TOKEN",
        hide_env_values = true,
        global = true
    )]
    token: Option<String>,
}

/// A client of a running server.
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    token: Option<String>,
}

/// One call of the API.
pub(crate) struct Call {
    method: Method,
    /// The path below `/api/v1`, part by part.
    path: Vec<String>,
    query: Vec<(&'static str, String)>,
    body: Option<Box<RawValue>>,
}

impl Call {
    /// A look at something.
    pub(crate) fn get<const N: usize>(path: [&str; N]) -> Self {
        let path = path.map(str::to_owned).into();
        Self { method: Method::GET, path, query: Vec::new(), body: None }
    }

    /// A change.
    pub(crate) fn post<const N: usize>(path: [&str; N]) -> Self {
        Self { method: Method::POST, ..Self::get(path) }
    }

    /// A replacement.
    pub(crate) fn put<const N: usize>(path: [&str; N]) -> Self {
        Self { method: Method::PUT, ..Self::get(path) }
    }

    /// A change of a part.
    pub(crate) fn patch<const N: usize>(path: [&str; N]) -> Self {
        Self { method: Method::PATCH, ..Self::get(path) }
    }

    /// A removal.
    pub(crate) fn delete<const N: usize>(path: [&str; N]) -> Self {
        Self { method: Method::DELETE, ..Self::get(path) }
    }

    /// Adds a query parameter, if it has a value.
    pub(crate) fn query(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query.extend(value.map(|value| (name, value.to_string())));
        self
    }

    /// Sends a body.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub(crate) fn body(mut self, body: &impl Serialize) -> miette::Result<Self> {
        self.body = Some(to_raw_value(body).into_diagnostic()?);
        Ok(self)
    }
}

impl ServerFlags {
    /// A client for the server. Nothing is sent yet.
    ///
    /// # Errors
    /// When its address is none.
    pub(crate) fn client(&self) -> miette::Result<Client> {
        let base: Url = self
            .server
            .parse()
            .map_err(|error| not_a_server(&self.server, &format!("it is no URL: {error}")))?;
        if !matches!(base.scheme(), "http" | "https") || base.cannot_be_a_base() {
            return Err(not_a_server(&self.server, "it begins with neither http:// nor https://"));
        }
        let http = reqwest::Client::builder().build().into_diagnostic()?;
        Ok(Client { http, base, token: self.token.clone() })
    }
}

fn not_a_server(server: &str, why: &str) -> miette::Report {
    miette!(
        help = "use something like --server http://127.0.0.1:3000",
        "`{server}` is not the address of a server: {why}"
    )
}

impl Client {
    /// Makes a call and returns what was answered; null when nothing was.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses: then with what it says and what to do.
    pub(crate) async fn call(&self, call: Call) -> miette::Result<Value> {
        let (status, answer) = self.send(call).await?;
        if status.is_success() { Ok(answer) } else { Err(refusal(status, &answer, &self.base)) }
    }

    /// Makes a call for something that may not be there.
    ///
    /// # Errors
    /// As for [`call`](Client::call), but for what is not there.
    pub(crate) async fn find(&self, call: Call) -> miette::Result<Option<Value>> {
        match self.send(call).await? {
            (StatusCode::NOT_FOUND, _) => Ok(None),
            (status, answer) if status.is_success() => Ok(Some(answer)),
            (status, answer) => Err(refusal(status, &answer, &self.base)),
        }
    }

    /// Makes a call whose answer is a stream of events.
    ///
    /// # Errors
    /// As for [`call`](Client::call).
    pub(crate) async fn listen(&self, call: Call) -> miette::Result<EventStream> {
        let response = self.request(call).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(EventStream::of(response));
        }
        let answer = read(response).await?;
        Err(refusal(status, &answer, &self.base))
    }

    async fn send(&self, call: Call) -> miette::Result<(StatusCode, Value)> {
        let response = self.request(call).await?;
        Ok((response.status(), read(response).await?))
    }

    async fn request(&self, call: Call) -> miette::Result<Response> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "v1"]).extend(call.path);
        }
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let mut request = self.http.request(call.method, url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        request.send().await.map_err(|error| {
            let cause = causes(&error);
            miette!(
                help = "start one with `eventyard dev`, or name another with --server or EVENTYARD_SERVER",
                "the server at {} cannot be reached: {cause}",
                self.base
            )
        })
    }
}

/// The JSON that was answered; null when none was.
async fn read(response: Response) -> miette::Result<Value> {
    let is_json = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("json"));
    let body = response.bytes().await.into_diagnostic().wrap_err("the answer broke off")?;
    if !is_json || body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&body).into_diagnostic().wrap_err("the answer is no JSON")
}

/// What a server that refused has to say: RFC 9457 problem details.
fn refusal(status: StatusCode, problem: &Value, base: &Url) -> miette::Report {
    let text = |name: &str| problem[name].as_str();
    let Some(detail) = text("detail").or(text("title")) else {
        return miette!(
            help = "is this an Eventyard server? --server names another",
            "{base} answered {status}"
        );
    };
    let code = text("type").and_then(|kind| kind.rsplit(':').next()).unwrap_or_default();
    let help = match status.as_u16() {
        401 => "give a token with --token or EVENTYARD_TOKEN".to_owned(),
        _ => format!("`{code}` is explained in docs/errors"),
    };
    miette!(help = help, "{detail}")
}

/// An error with its causes, the last of which says what really happened.
fn causes(error: &reqwest::Error) -> String {
    let first: &dyn std::error::Error = error;
    let all = std::iter::successors(first.source(), |error| error.source());
    all.last().map_or_else(|| error.to_string(), ToString::to_string)
}

/// Whether an Eventyard answers at an address.
pub(crate) async fn is_eventyard(address: std::net::SocketAddr) -> bool {
    let url = format!("http://{address}/healthz");
    let asked = reqwest::Client::new().get(url).timeout(PATIENCE).send().await;
    asked.is_ok_and(|answer| {
        answer.status().is_success() && answer.headers().contains_key("x-request-id")
    })
}
