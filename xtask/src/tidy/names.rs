//! Names that say nothing: a folder or file of that name becomes a junk drawer.

use std::path::{Component, Path};

use super::tracked::Files;
use crate::workspace::Package;

const FORBIDDEN: &[&str] =
    &["util", "utils", "common", "helper", "helpers", "misc", "type", "types"];

/// A sentence for each crate, module file and module folder that is called by such a name.
pub(super) fn check(packages: &[Package], files: &Files) -> Vec<String> {
    let crates = packages.iter().filter_map(|Package { name, folder, .. }| {
        let word = name.split(['-', '_']).find(|word| FORBIDDEN.contains(word))?;
        Some(format!("{}: the crate `{name}` is called `{word}`; {ADVICE}", folder.display()))
    });
    let modules = files.with_extension("rs").filter_map(|file| {
        let word = forbidden_part(file)?;
        Some(format!("{}: the module is called `{word}`; {ADVICE}", file.display()))
    });
    crates.chain(modules).collect()
}

const ADVICE: &str = "name it for the idea that it holds";

fn forbidden_part(file: &Path) -> Option<&'static str> {
    let module = file.with_extension("");
    let mut parts = module.components().filter_map(|part| match part {
        Component::Normal(part) => part.to_str(),
        _ => None,
    });
    parts.find_map(|part| FORBIDDEN.iter().find(|word| **word == part).copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules() {
        for (file, problem) in [
            ("crates/eventyard/src/backoff.rs", None),
            ("crates/eventyard/src/event_type.rs", None),
            ("crates/eventyard/src/subtypes.rs", None),
            ("docs/common.md", None),
            ("crates/eventyard/src/utils.rs", Some("utils")),
            ("crates/eventyard/src/helpers/mod.rs", Some("helpers")),
            ("crates/eventyard/src/misc/time.rs", Some("misc")),
            ("crates/eventyard/src/types.rs", Some("types")),
            ("crates/eventyard/tests/common/mod.rs", Some("common")),
        ] {
            let expected: Vec<_> = problem
                .map(|word| format!("{file}: the module is called `{word}`; {ADVICE}"))
                .into_iter()
                .collect();
            assert_eq!(check(&[], &Files::of([file])), expected);
        }
    }

    #[test]
    fn crates() {
        for (name, fine) in [
            ("eventyard-core", true),
            ("eventyard-commons", true),
            ("eventyard-utils", false),
            ("eventyard_common", false),
            ("misc", false),
        ] {
            let package = Package {
                name: name.to_owned(),
                folder: "crates/it".into(),
                dependencies: Vec::new(),
            };
            assert_eq!(check(&[package], &Files::of([])).is_empty(), fine, "{name}");
        }
    }
}
