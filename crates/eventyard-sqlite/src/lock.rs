//! One process per file: a lock beside the database that says who holds it.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    path::{Path, PathBuf},
};

use eventyard_core::{StoreError, StoreErrorKind, Timestamp};

/// Held as long as the store is open; the operating system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock of the store at `path`.
    pub(crate) fn take(path: &Path, now: Timestamp) -> Result<Self, StoreError> {
        let lock_path = beside(path, "-lock");
        let failed = |error: std::io::Error| {
            let message = format!(
                "cannot take the lock {}; check its folder and its permissions",
                lock_path.display()
            );
            StoreError::new(StoreErrorKind::Unavailable, message).because(error)
        };
        // Not truncated on opening: until the lock is ours, the text in it is its holder's.
        let open =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&lock_path);
        let mut file = open.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held(path, &mut file)),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let holder = format!("process {} ({}, since {now})", std::process::id(), program());
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(holder.as_bytes()))
            .map_err(failed)?;
        Ok(Self { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // An empty file tells a person who looks that nobody holds the store. The lock itself ends
        // with the file, whether or not this works.
        let _ = self.file.set_len(0);
    }
}

fn held(path: &Path, file: &mut File) -> StoreError {
    let mut holder = String::new();
    if file.read_to_string(&mut holder).is_err() || holder.is_empty() {
        "another process".clone_into(&mut holder);
    }
    let message = format!(
        "the store {} is in use by {holder}; stop it or use another --data-dir",
        path.display()
    );
    StoreError::new(StoreErrorKind::Locked, message)
}

/// The program's name and its command; never its other arguments, which may hold secrets.
fn program() -> String {
    let mut args = std::env::args_os();
    let name = args.next().map(PathBuf::from);
    let name = name.as_deref().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    match args.next().map(|arg| arg.to_string_lossy().into_owned()) {
        Some(command) if command.bytes().all(|b| b.is_ascii_lowercase()) => {
            format!("{name} {command}")
        }
        _ => name.into_owned(),
    }
}

/// The path of a file that belongs to the database at `path`.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
