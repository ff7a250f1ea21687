//! What SQLite's errors mean to callers.

use std::{io, path::Path};

use eventyard_core::{StoreError, StoreErrorKind};
use rusqlite::{Error, ErrorCode, ffi};

/// The error of a call that `path` could not serve.
pub(crate) fn store_error(path: &Path, error: Error) -> StoreError {
    let at = path.display();
    let (kind, message) = match error.sqlite_error().map(|e| (e.code, e.extended_code)) {
        Some((ErrorCode::DiskFull, _)) => full(&at),
        Some((_, code)) if is_failed_write(code) => full(&at),
        Some((ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt, _)) => (
            StoreErrorKind::Corrupt,
            format!(
                "{at} is not a readable Eventyard store; move it away, or put a backup in its place"
            ),
        ),
        Some((ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _)) => (
            StoreErrorKind::Unavailable,
            format!("another program holds {at} open for writing; stop it and try again"),
        ),
        Some((ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly, _)) => (
            StoreErrorKind::Unavailable,
            format!("{at} cannot be opened for writing; check its folder and its permissions"),
        ),
        _ => (StoreErrorKind::Unavailable, format!("the store {at} could not do it: {error}")),
    };
    StoreError::new(kind, message).because(error)
}

fn full(at: &dyn std::fmt::Display) -> (StoreErrorKind, String) {
    (
        StoreErrorKind::Full,
        format!(
            "there is no space to write to {at}, or the disk refuses it; nothing of the call was done, \
             and it succeeds once there is space"
        ),
    )
}

/// The error of a call whose data `path`, or a file beside it, did not take.
pub(crate) fn not_written(path: &Path, error: io::Error) -> StoreError {
    let at = path.display();
    let (kind, message) = if is_full(&error) {
        full(&at)
    } else {
        let message =
            format!("the disk does not take what is written to {at}; check it, then try again");
        (StoreErrorKind::Unavailable, message)
    };
    StoreError::new(kind, message).because(error)
}

/// Whether there is no space to write to.
pub(crate) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// SQLite reports a disk that is full while it syncs or grows a file as one of these.
fn is_failed_write(extended_code: i32) -> bool {
    matches!(
        extended_code,
        ffi::SQLITE_IOERR_WRITE
            | ffi::SQLITE_IOERR_FSYNC
            | ffi::SQLITE_IOERR_DIR_FSYNC
            | ffi::SQLITE_IOERR_TRUNCATE
            | ffi::SQLITE_IOERR_SHMSIZE
            | ffi::SQLITE_IOERR_SHMMAP
    )
}

/// Whether the connection can no longer be trusted after this error: what it holds in memory and
/// what is on disk may differ.
pub(crate) fn breaks_connection(error: &Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::SystemIoFailure
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::CannotOpen
                | ErrorCode::OutOfMemory
        )
    )
}

/// The error after the store was closed.
pub(crate) fn closed(path: &Path) -> StoreError {
    let message = format!("the store {} was closed; open it again", path.display());
    StoreError::new(StoreErrorKind::Closed, message)
}

/// The error when a stored row cannot be read back.
pub(crate) fn corrupt_row(what: &'static str) -> Error {
    Error::FromSqlConversionFailure(0, rusqlite::types::Type::Null, what.into())
}
