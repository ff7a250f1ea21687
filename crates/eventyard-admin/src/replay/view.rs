//! A replay as it is shown.

use eventyard::model::{QueueName, Timestamp};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::Ask;
use crate::request::QueueText;

/// A replay of dead letters.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Replay)]
pub(super) struct ReplayView {
    /// Its id.
    pub(super) id: String,
    /// The queue; every queue when null.
    #[schema(value_type = Option<QueueText>, required = true)]
    queue: Option<QueueName>,
    /// The name of the jobs; any when null.
    #[schema(required = true)]
    name: Option<String>,
    /// What their reasons hold; anything when null.
    #[schema(required = true)]
    error: Option<String>,
    /// Jobs a second; as fast as the store takes them when null.
    #[schema(required = true, example = 20)]
    per_second: Option<u32>,
    /// The most jobs; all when null.
    #[schema(required = true)]
    limit: Option<u64>,
    /// Who began it: the name of the credential.
    #[schema(example = "ada")]
    by: String,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// When it ended; null until then.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub(super) ended_at: Option<Timestamp>,
    pub(super) state: ReplayState,
    /// How many jobs it has replayed.
    #[schema(example = 12)]
    pub(super) replayed: u64,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) problem: Option<String>,
}

/// Where a replay stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ReplayState {
    /// It goes on.
    Running,
    /// There are no more dead letters to replay.
    Completed,
    /// Somebody stopped it, or the server did.
    Stopped,
    /// The store could not answer.
    Failed,
}

impl ReplayView {
    pub(super) fn new(id: String, ask: &Ask, by: &str, started_at: Timestamp) -> Self {
        let Ask { queue, name, error, per_second, limit } = ask.clone();
        Self {
            id,
            queue,
            name,
            error,
            per_second,
            limit,
            by: by.to_owned(),
            started_at,
            ended_at: None,
            state: ReplayState::Running,
            replayed: 0,
            problem: None,
        }
    }
}

/// Which replay is meant.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "only describes what is in a path")]
pub(super) struct ReplayPath {
    /// Its id.
    #[param(value_type = String)]
    id: (),
}
