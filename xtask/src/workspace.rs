//! The workspace, as Cargo describes it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::failure::Failure;
use crate::invocation;

/// Where the checkout is, and which packages it holds.
pub(crate) struct Workspace {
    /// The folder of the workspace's `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// The folder that Cargo builds into.
    pub(crate) target: PathBuf,
    /// The members.
    pub(crate) packages: Vec<Package>,
}

/// One member of the workspace.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Package {
    /// Its name.
    pub(crate) name: String,
    /// Its folder, relative to the workspace.
    pub(crate) folder: PathBuf,
    /// What it is built from: normal and build dependencies, not those of its tests.
    pub(crate) dependencies: Vec<Dependency>,
}

/// A package that another is built from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Dependency {
    /// The package's own name, whatever the dependent calls it.
    pub(crate) name: String,
    /// Whether it comes with a feature only.
    pub(crate) optional: bool,
}

impl Workspace {
    /// Asks Cargo about the workspace around the current folder.
    pub(crate) fn read() -> Result<Self, Failure> {
        let mut metadata = cargo();
        metadata.args(["metadata", "--no-deps", "--format-version", "1"]);
        Self::parse(&invocation::output(&mut metadata)?)
    }

    /// A call of Cargo in the workspace's root.
    pub(crate) fn cargo<I: AsRef<str>>(&self, args: impl IntoIterator<Item = I>) -> Command {
        let mut command = cargo();
        command.current_dir(&self.root);
        for arg in args {
            command.arg(arg.as_ref());
        }
        command
    }

    /// Reads the format of `cargo metadata`, version 1.
    fn parse(metadata: &str) -> Result<Self, Failure> {
        let metadata: Value = serde_json::from_str(metadata)
            .map_err(|error| Failure::new(format!("cannot read `cargo metadata`: {error}")))?;
        let root = PathBuf::from(text(&metadata, "workspace_root")?);
        let packages = list(&metadata, "packages")?
            .iter()
            .map(|package| Package::parse(package, &root))
            .collect::<Result<_, _>>()?;
        Ok(Self { target: text(&metadata, "target_directory")?.into(), root, packages })
    }
}

impl Package {
    fn parse(package: &Value, root: &Path) -> Result<Self, Failure> {
        let manifest = Path::new(text(package, "manifest_path")?);
        let folder = manifest.parent().and_then(|folder| folder.strip_prefix(root).ok());
        Ok(Self {
            name: text(package, "name")?.to_owned(),
            folder: folder.unwrap_or(manifest).to_owned(),
            dependencies: list(package, "dependencies")?
                .iter()
                // Cargo's kinds are null (normal), "build" and "dev".
                .filter(|dependency| dependency["kind"] != "dev")
                .map(Dependency::parse)
                .collect::<Result<_, _>>()?,
        })
    }
}

impl Dependency {
    fn parse(dependency: &Value) -> Result<Self, Failure> {
        Ok(Self {
            name: text(dependency, "name")?.to_owned(),
            optional: dependency["optional"] == true,
        })
    }
}

/// Cargo, without the variables that `cargo run` sets for xtask: build scripts that watch them
/// would run again each time.
fn cargo() -> Command {
    let mut command = Command::new("cargo");
    for (name, _) in env::vars_os() {
        let of_xtask =
            |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
        if name.to_str().is_some_and(of_xtask) {
            command.env_remove(name);
        }
    }
    command
}

fn text<'a>(value: &'a Value, field: &str) -> Result<&'a str, Failure> {
    value[field].as_str().ok_or_else(|| unexpected(field))
}

fn list<'a>(value: &'a Value, field: &str) -> Result<&'a [Value], Failure> {
    value[field].as_array().map(Vec::as_slice).ok_or_else(|| unexpected(field))
}

fn unexpected(field: &str) -> Failure {
    Failure::new(format!("`cargo metadata` has no `{field}` where its version 1 has one"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_gives_folders_and_the_dependencies_that_are_built() {
        let workspace = Workspace::parse(
            r#"{
                "workspace_root": "/yard",
                "target_directory": "/yard/target",
                "packages": [{
                    "name": "eventyard",
                    "manifest_path": "/yard/crates/eventyard/Cargo.toml",
                    "dependencies": [
                        {"name": "eventyard-core", "kind": null, "optional": false},
                        {"name": "eventyard-sqlite", "kind": null, "optional": true},
                        {"name": "built", "kind": "build", "optional": false},
                        {"name": "trybuild", "kind": "dev", "optional": false}
                    ]
                }]
            }"#,
        )
        .unwrap();

        assert_eq!(workspace.target, Path::new("/yard/target"));
        let package = &workspace.packages[0];
        assert_eq!(package.folder, Path::new("crates/eventyard"));
        let dependencies: Vec<_> =
            package.dependencies.iter().map(|d| (d.name.as_str(), d.optional)).collect();
        assert_eq!(
            dependencies,
            [("eventyard-core", false), ("eventyard-sqlite", true), ("built", false)]
        );
    }

    #[test]
    fn another_format_is_named() {
        let failure = Workspace::parse(r#"{"workspace_root": "/yard"}"#).err().unwrap();
        assert!(failure.to_string().contains("`packages`"), "{failure}");
    }
}
