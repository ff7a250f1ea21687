//! Packages from npm, in a folder of the tests' own.

use std::fs;
use std::process::Command;

use serde_json::{Map, Value, json};

use super::tools::Tools;
use crate::failure::Failure;
use crate::invocation;

/// Exits well if this Node is new enough for the packages.
const IS_NEW_ENOUGH: &str = "process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)";

/// A package by the name that tests import, and what it stands for: a version of the package of
/// that name, or `npm:package@version`.
pub(super) type Pinned = (&'static str, &'static str);

/// Whether the machine has a Node that runs the packages, and what installs them.
pub(super) fn host_has_node() -> bool {
    invocation::succeeds(Command::new("node").args(["--eval", IS_NEW_ENOUGH]))
        && invocation::succeeds(npm().arg("--version"))
}

/// Whether the folder holds these packages, and all that they need.
pub(super) fn are_installed(pinned: &[Pinned], tools: &Tools) -> bool {
    let written = fs::read_to_string(tools.node().join(MANIFEST));
    written.is_ok_and(|written| written == manifest(pinned))
        && invocation::succeeds(npm().args(["ls", "--all"]).current_dir(tools.node()))
}

/// Makes the folder hold these packages and no others.
pub(super) fn install(pinned: &[Pinned], tools: &Tools) -> Result<(), Failure> {
    let folder = tools.node();
    let file = folder.join(MANIFEST);
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(&file, manifest(pinned)))
        .map_err(|error| Failure::new(format!("cannot write {}: {error}", file.display())))?;
    let mut install = npm();
    // Scripts would fetch browsers and compile what the packages do without.
    install.args(["install", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(&folder);
    invocation::run(&mut install).map_err(|failure| {
        let names: Vec<&str> = pinned.iter().map(|(name, _)| *name).collect();
        let (folder, line) = (folder.display(), invocation::line(&install));
        Failure::new(format!(
            "the tests need {}: {failure}; install with\n  cd {folder} && {line}",
            names.join(" ")
        ))
    })
}

const MANIFEST: &str = "package.json";

fn manifest(pinned: &[Pinned]) -> String {
    let packages: Map<String, Value> =
        pinned.iter().map(|(name, version)| ((*name).to_owned(), json!(version))).collect();
    format!("{:#}\n", json!({ "private": true, "dependencies": packages }))
}

fn npm() -> Command {
    Command::new("npm")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_names_the_packages_and_their_versions() {
        let written = manifest(&[("express", "5.3.0"), ("bullmq5", "npm:bullmq@5.81.5")]);
        let read: Value = serde_json::from_str(&written).unwrap();
        assert_eq!(read["private"], true);
        assert_eq!(read["dependencies"]["express"], "5.3.0");
        assert_eq!(read["dependencies"]["bullmq5"], "npm:bullmq@5.81.5");
    }

    #[test]
    fn another_choice_of_packages_is_not_installed() {
        let tools = Tools::below(&std::env::temp_dir().join("no-such-folder"));
        assert!(!are_installed(&[("express", "5.3.0")], &tools));
    }
}
