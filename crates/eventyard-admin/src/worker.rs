//! Workers in any language: they claim jobs, and settle them by the token of the lease.

mod claim;
mod settle;
mod steps;
mod tell;

use eventyard::{Yard, model::LeaseToken};
use utoipa_axum::router::OpenApiRouter;

use crate::{Code, PathParams, Problem};

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    claim::routes().merge(settle::routes()).merge(steps::routes()).merge(tell::routes())
}

/// How long a lease may hold, in milliseconds.
const LEASE_MS: std::ops::RangeInclusive<u64> = 1000..=3_600_000;

/// The token in a path. A text that is no token was never given to anybody.
fn token(PathParams(text): PathParams<String>) -> Result<LeaseToken, Problem> {
    text.parse().map_err(|error| {
        let detail = format!("there is no lease with this token: {error}");
        Problem::of(Code::NO_SUCH_LEASE, detail)
    })
}
