//! Named points at which the process aborts when it is told to: for crash suites only.

use std::sync::{
    LazyLock,
    atomic::{AtomicU64, Ordering},
};

/// `EVENTYARD_CRASH_AT=before-commit:37` aborts at the 37th time that this point is passed.
const VARIABLE: &str = "EVENTYARD_CRASH_AT";

struct Planned {
    point: String,
    passes_left: AtomicU64,
}

static PLANNED: LazyLock<Option<Planned>> = LazyLock::new(|| {
    let plan = std::env::var(VARIABLE).ok()?;
    let (point, passes) = plan.split_once(':')?;
    let passes_left = AtomicU64::new(passes.parse().ok()?);
    Some(Planned { point: point.to_owned(), passes_left })
});

/// Passes the point `name`.
pub(crate) fn point(name: &str) {
    let Some(planned) = PLANNED.as_ref().filter(|planned| planned.point == name) else { return };
    if planned.passes_left.fetch_sub(1, Ordering::Relaxed) == 1 {
        std::process::abort();
    }
}
