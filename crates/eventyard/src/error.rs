//! What can go wrong for those who publish, enqueue and steer.

use eventyard_core::{
    CommitError, QueueName, StoreError, StoreErrorKind, event::DecodeError,
    flow_control::InvalidLimit,
};

/// One thing that is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The field: `data.userEmail`, `opts.attempts`, `type`.
    pub field: String,
    /// What is wrong with it, and what is allowed.
    pub problem: String,
}

/// A call to Eventyard failed. Nothing of the call took effect.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The application contradicts itself; it does not start.
    #[error("the application cannot start: {}", .0.join("; "))]
    Setup(Vec<String>),
    /// The store's address is not understood.
    #[error("{0}")]
    StoreUrl(String),
    /// The store could not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store refused it.
    #[error(transparent)]
    Commit(CommitError),
    /// A queue takes no more jobs for now; the same call succeeds when some of those that wait are done.
    #[error(
        "queue {queue} lets at most {limit} jobs wait, and has no room for these; try again when some are done, with at most {limit} at once"
    )]
    QueueFull {
        /// The queue.
        queue: QueueName,
        /// The most jobs that may wait on it.
        limit: u64,
    },
    /// An event breaks the schema of its type.
    #[error("the event `{kind}` breaks its schema: {}", join(.fields))]
    InvalidEvent {
        /// The event's type.
        kind: String,
        /// What is wrong, field by field.
        fields: Vec<FieldError>,
    },
    /// An event's attributes cannot be read.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// No route takes the event, and routes are strict.
    #[error(
        "no route takes the event `{kind}`; add one, or set routes.strict = false to keep such events in the log only"
    )]
    Unrouted {
        /// The event's type.
        kind: String,
    },
    /// The queue is not declared.
    #[error("there is no queue `{0}`; declare it, or use one that exists")]
    NoSuchQueue(String),
    /// A job's options or name cannot be used.
    #[error("{}: {}", .0.field, .0.problem)]
    InvalidJob(FieldError),
    /// The limits of a queue cannot be used.
    #[error("{}: {}", .0.field, .0.problem)]
    InvalidLimits(FieldError),
    /// A schedule cannot be as it is asked for.
    #[error("the schedule's `{}` {}", .0.field, .0.problem)]
    InvalidSchedule(FieldError),
    /// A step cannot be saved as it is.
    #[error("the step's `{}` {}", .0.field, .0.problem)]
    InvalidStep(FieldError),
    /// There is no schedule of this name.
    #[error("there is no schedule `{0}`; `GET /api/v1/schedules` lists those that exist")]
    NoSuchSchedule(String),
    /// A value could not be turned into JSON.
    #[error("{what} cannot be written as JSON")]
    Encode {
        /// What it was.
        what: String,
        /// Why.
        source: serde_json::Error,
    },
    /// There is no such lease, or it has ended.
    #[error("lease {0} does not hold; it was never given, has been settled, or was taken over")]
    NoSuchLease(String),
}

impl Error {
    /// The stable code of the error, the name of its page in the documentation.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Setup(_) => "setup",
            Self::StoreUrl(_) => "store-url",
            Self::Store(error) => error.kind().code(),
            Self::Commit(error) => error.code(),
            Self::QueueFull { .. } => "queue-full",
            Self::InvalidLimits(_) => "invalid-limits",
            Self::InvalidEvent { .. } => "invalid-event",
            Self::Decode(_) => "malformed-event",
            Self::Unrouted { .. } => "unrouted-event",
            Self::NoSuchQueue(_) => "no-such-queue",
            Self::InvalidJob(_) => "invalid-job",
            Self::InvalidSchedule(_) => "invalid-schedule",
            Self::InvalidStep(_) => "invalid-step",
            Self::NoSuchSchedule(_) => "no-such-schedule",
            Self::Encode { .. } => "encode",
            Self::NoSuchLease(_) => "no-such-lease",
        }
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Store(error) => error.is_retryable(),
            Self::QueueFull { .. } => true,
            _ => false,
        }
    }

    pub(crate) fn no_answer() -> Self {
        Self::Store(StoreError::new(StoreErrorKind::Unavailable, "the store gave no answer"))
    }

    pub(crate) fn closed() -> Self {
        Self::Store(StoreError::new(StoreErrorKind::Closed, "the application has been shut down"))
    }
}

impl From<CommitError> for Error {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::QueueFull { queue, limit } => Self::QueueFull { queue, limit },
            CommitError::ReservedId(job) => Self::InvalidJob(FieldError {
                field: "jobId".to_owned(),
                problem: format!(
                    "is `{}`, which the store needs for itself; choose another id",
                    job.id
                ),
            }),
            error => Self::Commit(error),
        }
    }
}

impl From<InvalidLimit> for Error {
    fn from(InvalidLimit { field, problem }: InvalidLimit) -> Self {
        Self::InvalidLimits(FieldError { field: format!("limits.{field}"), problem })
    }
}

fn join(fields: &[FieldError]) -> String {
    let texts: Vec<_> = fields.iter().map(|f| format!("`{}` {}", f.field, f.problem)).collect();
    texts.join("; ")
}
