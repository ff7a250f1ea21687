//! The files of the repository: those that a clone has, or will have after the next commit.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use crate::invocation;
use crate::workspace::Workspace;

/// Paths of files, relative to the repository.
pub(super) struct Files(BTreeSet<PathBuf>);

/// Asks git for what is tracked or new, without what it ignores or what was deleted.
pub(super) fn files(workspace: &Workspace) -> Result<Files, Failure> {
    let root = &workspace.root;
    let mut git = Command::new("git");
    // The checkout may belong to another user, as it does in many build containers.
    git.arg("-c").arg(format!("safe.directory={}", root.display()));
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root);
    let listing = invocation::output(&mut git)?;
    let listed = listing.split('\0').filter(|path| !path.is_empty());
    Ok(Files(listed.map(PathBuf::from).filter(|path| root.join(path).exists()).collect()))
}

impl Files {
    /// Whether the path is one of the files, or a folder that holds one.
    pub(super) fn contain(&self, path: &Path) -> bool {
        path == Path::new("")
            || self.0.range(path.to_owned()..).next().is_some_and(|next| next.starts_with(path))
    }

    /// The files whose name ends so.
    pub(super) fn with_extension(&self, extension: &str) -> impl Iterator<Item = &Path> {
        let extension = OsStr::new(extension);
        self.0.iter().map(PathBuf::as_path).filter(move |path| path.extension() == Some(extension))
    }
}

#[cfg(test)]
impl Files {
    /// These files.
    pub(super) fn of<const N: usize>(paths: [&str; N]) -> Self {
        Self(paths.iter().map(PathBuf::from).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_there_as_a_file_or_as_a_folder() {
        let files = Files::of(["README.md", "docs/adr/0001-one-commit.md", "docs.toml"]);
        for (path, there) in [
            ("", true),
            ("README.md", true),
            ("docs", true),
            ("docs/adr", true),
            ("docs/adr/0001-one-commit.md", true),
            ("readme.md", false),
            ("doc", false),
            ("docs/errors", false),
        ] {
            assert_eq!(files.contain(Path::new(path)), there, "{path:?}");
        }
    }
}
