//! Role guards: extractors that a handler takes first, before it reads anything else of the request.

use axum::{extract::FromRequestParts, http::request::Parts};

use super::{Caller, Role};
use crate::{Code, Problem};

macro_rules! guard {
    ($(#[$doc:meta])* $name:ident, $role:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(pub Caller);

        impl<S: Send + Sync> FromRequestParts<S> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
                caller(parts, Role::$role).map(Self)
            }
        }
    };
}

guard!(
    /// The caller, who is at least a viewer. Every `GET` that is merged into the API demands as much by itself.
    ViewerOnly, Viewer
);
guard!(
    /// The caller, who is at least an operator. Every other method that is merged into the API demands as much by
    /// itself.
    OperatorOnly, Operator
);
guard!(
    /// The caller, who is an admin.
    AdminOnly, Admin
);

/// The caller as the API has identified it. A route that is mounted outside of the API has none, and refuses.
fn caller(parts: &Parts, role: Role) -> Result<Caller, Problem> {
    let caller = parts.extensions.get::<Caller>().ok_or_else(|| {
        Problem::of(Code::UNAUTHENTICATED, "this address is not behind the API's authentication")
    })?;
    caller.require(role)?;
    Ok(caller.clone())
}
