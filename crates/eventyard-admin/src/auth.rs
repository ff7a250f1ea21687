//! Who may do what: bearer credentials with roles.

pub(crate) mod browser;
mod guard;

use std::{fmt, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use subtle::{Choice, ConstantTimeEq};

pub use guard::{AdminOnly, OperatorOnly, ViewerOnly};

use crate::{Code, Problem};

/// What a credential allows; each role may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Looks at everything, changes nothing.
    Viewer,
    /// Publishes, enqueues, works on jobs, changes, retries, promotes, cancels, pauses, limits.
    Operator,
    /// Also removes: drain, obliterate, clean, delete.
    Admin,
}

impl Role {
    /// The role's name, as in configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// The role with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Viewer, Self::Operator, Self::Admin].into_iter().find(|role| role.as_str() == name)
    }

    /// The role that a request of this method needs at least, where nothing else is said.
    fn for_method(method: &Method) -> Self {
        match *method {
            Method::GET | Method::HEAD | Method::OPTIONS => Self::Viewer,
            _ => Self::Operator,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A bearer token with the role that it gives.
#[derive(Clone)]
pub struct Credential {
    token: String,
    role: Role,
    name: Arc<str>,
}

impl Credential {
    /// A credential; `name` says in logs who uses it.
    #[must_use]
    pub fn new(token: impl Into<String>, role: Role, name: impl Into<Arc<str>>) -> Self {
        Self { token: token.into(), role, name: name.into() }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { role, name, .. } = self;
        f.debug_struct("Credential").field("name", name).field("role", role).finish_non_exhaustive()
    }
}

/// The credentials that the API knows. Without any it is open to everybody who reaches it, which must be the
/// own machine alone: who composes the server refuses another address.
#[derive(Debug, Clone, Default)]
pub struct Auth {
    credentials: Vec<Credential>,
}

/// Who makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The name of the credential.
    pub name: Arc<str>,
    /// What it allows.
    pub role: Role,
}

impl Auth {
    /// No credentials: everybody may do everything.
    #[must_use]
    pub fn open() -> Self {
        Self::default()
    }

    /// These credentials.
    #[must_use]
    pub fn new(credentials: impl IntoIterator<Item = Credential>) -> Self {
        Self { credentials: credentials.into_iter().collect() }
    }

    /// Whether no credential is needed.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.credentials.is_empty()
    }

    /// Who makes a request with these headers.
    ///
    /// # Errors
    /// When a credential is needed and there is none, or an unknown one.
    pub fn identify(&self, headers: &HeaderMap) -> Result<Caller, Problem> {
        if self.is_open() {
            return Ok(Caller::anyone());
        }
        let Some(given) = headers.get(header::AUTHORIZATION) else {
            return Err(unauthenticated("send a credential: `Authorization: Bearer TOKEN`", None));
        };
        let Some(token) = bearer(given) else {
            let detail = "the Authorization header is not of the form `Bearer TOKEN`";
            return Err(unauthenticated(detail, Some("invalid_request")));
        };
        self.find(token).ok_or_else(|| {
            unauthenticated("the credential is not known here", Some("invalid_token"))
        })
    }

    /// Looks at every credential, so that the time tells nothing about which of them is nearly right.
    fn find(&self, token: &[u8]) -> Option<Caller> {
        let mut found = None;
        for credential in &self.credentials {
            let same: Choice = credential.token.as_bytes().ct_eq(token);
            if bool::from(same) {
                found = Some(Caller { name: Arc::clone(&credential.name), role: credential.role });
            }
        }
        found
    }
}

impl Caller {
    /// Whoever reaches an API that asks for no credential.
    pub(crate) fn anyone() -> Self {
        Self { name: "anyone".into(), role: Role::Admin }
    }

    /// Checks that the caller has at least this role.
    ///
    /// # Errors
    /// Names the role that is needed.
    pub fn require(&self, role: Role) -> Result<(), Problem> {
        if self.role >= role {
            return Ok(());
        }
        let Self { name, role: has } = self;
        let detail = format!(
            "this needs at least the role {role}; the credential `{name}` has the role {has}"
        );
        Err(Problem::of(Code::FORBIDDEN, detail))
    }
}

/// The token of `Bearer TOKEN`; the scheme's case does not matter.
fn bearer(value: &HeaderValue) -> Option<&[u8]> {
    let (scheme, token) = value.as_bytes().split_at_checked(7)?;
    let token = token.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"bearer ") && !token.is_empty()).then_some(token)
}

fn unauthenticated(detail: &str, error: Option<&str>) -> Problem {
    let challenge = match error {
        Some("invalid_request") => "Bearer realm=\"eventyard\", error=\"invalid_request\"",
        Some(_) => "Bearer realm=\"eventyard\", error=\"invalid_token\"",
        None => "Bearer realm=\"eventyard\"",
    };
    Problem::of(Code::UNAUTHENTICATED, detail)
        .header(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
}

/// Lets a request through whose caller is known, and remembers the caller for the [role guards](guard).
pub(crate) async fn authenticate(
    State(auth): State<Arc<Auth>>,
    mut request: Request,
    next: Next,
) -> Response {
    match auth.identify(request.headers()) {
        Ok(caller) => {
            tracing::Span::current().record("caller", &*caller.name);
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

/// Lets a request through whose caller may use its method at all: for endpoints whose guards are not known here.
pub(crate) async fn guard_by_method(request: Request, next: Next) -> Response {
    let needed = Role::for_method(request.method());
    match request.extensions().get::<Caller>().map(|caller| caller.require(needed)) {
        Some(Ok(())) => next.run(request).await,
        Some(Err(problem)) => problem.into_response(),
        None => unauthenticated("send a credential: `Authorization: Bearer TOKEN`", None)
            .into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_found_by_their_token() {
        let auth = Auth::new([
            Credential::new("look", Role::Viewer, "screen"),
            Credential::new("work", Role::Operator, "shop"),
        ]);
        let identify = |value: Option<&str>| {
            let headers = value
                .map(|value| (header::AUTHORIZATION, HeaderValue::from_str(value).unwrap()))
                .into_iter()
                .collect();
            auth.identify(&headers)
        };
        for (value, name) in [("Bearer look", "screen"), ("bearer  work ", "shop")] {
            assert_eq!(&*identify(Some(value)).unwrap().name, name, "{value}");
        }
        for (value, challenge) in [
            (None, "Bearer realm=\"eventyard\""),
            (Some("Bearer nope"), "Bearer realm=\"eventyard\", error=\"invalid_token\""),
            (Some("Bearer loo"), "Bearer realm=\"eventyard\", error=\"invalid_token\""),
            (Some("Bearer "), "Bearer realm=\"eventyard\", error=\"invalid_request\""),
            (Some("Basic bG9vaw=="), "Bearer realm=\"eventyard\", error=\"invalid_request\""),
        ] {
            let response = identify(value).unwrap_err().into_response();
            assert_eq!(response.status(), 401);
            assert_eq!(response.headers()[header::WWW_AUTHENTICATE], challenge, "{value:?}");
        }
    }

    #[test]
    fn roles_contain_each_other() {
        let caller = |role| Caller { name: "c".into(), role };
        assert!(caller(Role::Admin).require(Role::Viewer).is_ok());
        assert!(caller(Role::Operator).require(Role::Operator).is_ok());
        let refused = caller(Role::Viewer).require(Role::Admin).unwrap_err();
        assert_eq!(refused.code(), "forbidden");
        assert!(refused.detail().contains("the role admin"), "{}", refused.detail());
    }

    #[test]
    fn nothing_prints_a_token() {
        let auth = Auth::new([Credential::new("s3cret", Role::Viewer, "screen")]);
        assert!(!format!("{auth:?}").contains("s3cret"));
    }
}
