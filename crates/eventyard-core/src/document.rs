//! Documents: small keyed values that a handler writes with its own commit.
//!
//! A notification, a ticket or a preference is a document: written by a job's handler in the same
//! [`Commit`](crate::Commit) that settles the job, it exists exactly once however often the job runs.

use bytes::Bytes;

/// The largest document, in bytes.
pub const MAX_DOCUMENT_BYTES: usize = 1024 * 1024;

/// One keyed value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The collection that it belongs to, such as `tickets`.
    pub collection: String,
    /// Its key there. Keys are listed in byte order, so a prefix makes a group: `user-7/`.
    pub key: String,
    /// Its bytes; JSON by convention.
    pub value: Bytes,
    /// One more with each write. A key never has the same version twice, also when its document was gone in between.
    pub version: u64,
}
