//! The folder of what is installed for the tests, and how they find it.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// The folder of what is installed for the tests alone.
pub(super) struct Tools {
    root: PathBuf,
}

impl Tools {
    /// Below the folder that Cargo builds into, so that git ignores it and `cargo clean` ends it.
    pub(super) fn below(target: &Path) -> Self {
        Self { root: target.join("tools") }
    }

    /// The private Python environment.
    pub(super) fn venv(&self) -> PathBuf {
        self.root.join("venv")
    }

    /// A program of the private Python environment: `python`, `pip`, `schemathesis`.
    pub(super) fn python_program(&self, name: &str) -> PathBuf {
        self.venv().join("bin").join(name)
    }

    /// The folder of the packages from npm, with their `node_modules`.
    pub(super) fn node(&self) -> PathBuf {
        self.root.join("node")
    }

    /// What tests are told. Unit tests are told nothing, since nothing is installed for them.
    pub(super) fn variables(&self, fast: bool) -> Vec<(&'static str, PathBuf)> {
        if fast {
            return Vec::new();
        }
        vec![
            ("EVENTYARD_TOOLS", self.root.clone()),
            ("EVENTYARD_PYTHON", self.python_program("python")),
            ("EVENTYARD_NODE", self.node()),
        ]
    }

    /// Keeps other runs from installing into the folder until the answer is dropped.
    pub(super) fn lock(&self) -> Result<File, Failure> {
        let path = self.root.join("lock");
        let failure = |error| Failure::new(format!("cannot lock {}: {error}", path.display()));
        fs::create_dir_all(&self.root).map_err(failure)?;
        let file = File::create(&path).map_err(failure)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                eprintln!("waiting for another run that installs tools");
                file.lock().map_err(failure)?;
            }
            Err(TryLockError::Error(error)) => return Err(failure(error)),
        }
        Ok(file)
    }
}
