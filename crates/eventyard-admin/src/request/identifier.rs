//! Descriptions of the identifiers and texts of the model, and of the paths that name them.

use utoipa::{IntoParams, ToSchema};

macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident: $schema:ident, $pattern:literal, $example:literal;)*) => {
        $($(#[$doc])*
        #[derive(ToSchema)]
        #[schema(as = $schema, value_type = String, min_length = 1, max_length = 256,
            pattern = $pattern, example = $example)]
        #[expect(dead_code, reason = "only describes the engine's own")]
        pub(crate) struct $name(String);)*
    };
}

identifiers! {
    /// The name of a queue.
    QueueText: QueueName, r"^[^\u0000-\u0020\u007f-\u009f:/?#]+$", "emails";
    /// The id of a job, unique on its queue.
    JobText: JobId, r"^[^\u0000-\u001f\u007f-\u009f]+$", "welcome-42";
    /// What jobs of one queue have in common, such as a tenant.
    KeyText: GroupKey, r"^[^\u0000-\u001f\u007f-\u009f]+$", "tenant-7";
    /// The id of an event, unique in the log.
    EventText: EventId, r"^[^\u0000-\u001f\u007f-\u009f]+$", "01890a5d-ac96-774b-bcce-b302099a8057";
    /// Who works on jobs: a name for operators. Names that begin with `local/` belong to the server's own workers.
    WorkerText: WorkerName, r"^(?!local/)[^\u0000-\u001f\u007f-\u009f]+$", "worker-7";
}

/// A text of at least one visible character, and no control characters.
#[derive(ToSchema)]
#[schema(as = Text, value_type = String, min_length = 1, max_length = 1024,
    pattern = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$")]
#[expect(dead_code, reason = "only describes what the engine reads")]
pub(crate) struct Text(String);

/// The name of a schedule.
#[derive(ToSchema)]
#[schema(as = ScheduleName, value_type = String, min_length = 1, max_length = 200,
    pattern = r"^[^\u0000-\u0020\u007f-\u009f:/?#]+$", example = "nightly")]
#[expect(dead_code, reason = "only describes the engine's own")]
pub(crate) struct ScheduleText(String);

/// The name of a step, unique in its job.
#[derive(ToSchema)]
#[schema(as = StepName, value_type = String, min_length = 1, max_length = 128,
    pattern = r"^[^\u0000-\u001f\u007f-\u009f]+$", example = "charge")]
#[expect(dead_code, reason = "only describes the engine's own")]
pub(crate) struct StepText(String);

/// The token of a lease.
#[derive(ToSchema)]
#[schema(as = LeaseToken, value_type = String, pattern = "^[0-9A-Fa-f]{32}$",
    example = "00000000000000000000000000000001")]
#[expect(dead_code, reason = "only describes the engine's own")]
pub(crate) struct TokenText(String);

macro_rules! paths {
    ($($name:ident { $($(#[$doc:meta])* $part:ident: $text:ident = $key:literal),* })*) => {
        $(#[derive(IntoParams)]
        #[into_params(parameter_in = Path)]
        #[expect(dead_code, reason = "only describes what is in a path")]
        pub(crate) struct $name {
            $($(#[$doc])*
            #[param(value_type = $text, rename = $key, inline)]
            $part: (),)*
        })*
    };
}

paths! {
    QueuePath {
        /// The queue.
        queue: QueueText = "queue"
    }
    JobPath {
        /// The queue.
        queue: QueueText = "queue",
        /// The job's id.
        id: JobText = "id"
    }
    KeyPath {
        /// The queue.
        queue: QueueText = "queue",
        /// The key.
        key: KeyText = "key"
    }
    FailedPath {
        /// The job's id.
        job_id: JobText = "jobId"
    }
    EventPath {
        /// The event's id.
        id: EventText = "id"
    }
    SchedulePath {
        /// The name of the schedule.
        name: ScheduleText = "name"
    }
    LeasePath {
        /// The token of the lease.
        token: TokenText = "token"
    }
}
