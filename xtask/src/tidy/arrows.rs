//! The arrows of the house: which crate may be built from which.

use std::collections::BTreeMap;

use super::house::{FILE, Floor};
use crate::workspace::Package;

/// A sentence for each crate without a floor, and for each arrow that does not point down.
pub(super) fn check(packages: &[Package]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut floors = BTreeMap::new();
    for Package { name, folder, .. } in packages {
        match Floor::of(name, folder) {
            Some(floor) => {
                floors.insert(name.as_str(), floor);
            }
            None => problems.push(format!(
                "{}: `{name}` has no floor in the house; add it to `CRATES` in {FILE}",
                folder.display()
            )),
        }
    }
    for package in packages {
        let Some(floor) = floors.get(package.name.as_str()) else {
            continue;
        };
        for dependency in &package.dependencies {
            let Some(other) = floors.get(dependency.name.as_str()) else {
                continue;
            };
            if !floor.may_use(*other, dependency.optional) {
                problems.push(format!(
                    "{}/Cargo.toml: `{}` may not depend on `{}`: {}",
                    package.folder.display(),
                    package.name,
                    dependency.name,
                    floor.rule()
                ));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    /// A package below `crates/`; a dependency that ends in `?` is optional.
    fn package(name: &str, dependencies: &[&str]) -> Package {
        Package {
            name: name.to_owned(),
            folder: ["crates", name].iter().collect(),
            dependencies: dependencies
                .iter()
                .map(|dependency| Dependency {
                    name: dependency.trim_end_matches('?').to_owned(),
                    optional: dependency.ends_with('?'),
                })
                .collect(),
        }
    }

    /// The problems of one crate in a workspace where every crate that it names is a member.
    fn check_one(name: &str, dependencies: &[&str]) -> Vec<String> {
        let others = dependencies.iter().map(|other| package(other.trim_end_matches('?'), &[]));
        let packages: Vec<_> = others.chain([package(name, dependencies)]).collect();
        check(&packages)
    }

    #[test]
    fn arrows_that_point_down() {
        for (name, dependencies) in [
            ("eventyard-core", &[][..]),
            ("eventyard-macros", &[]),
            ("eventyard-sqlite", &["eventyard-core"]),
            ("eventyard-postgres", &["eventyard-core"]),
            ("eventyard-redis", &["eventyard-core"]),
            ("eventyard-rabbitmq", &["eventyard-core"]),
            ("eventyard-kafka", &["eventyard-core"]),
            ("eventyard-conformance", &["eventyard-core"]),
            ("eventyard", &["eventyard-core", "eventyard-macros", "eventyard-sqlite?"]),
            ("eventyard-services", &["eventyard"]),
            ("eventyard-notify", &["eventyard", "eventyard-core"]),
            ("eventyard-realtime", &["eventyard"]),
            ("eventyard-admin", &["eventyard"]),
            (
                "eventyard-cli",
                &["eventyard", "eventyard-admin", "eventyard-sqlite", "eventyard-core"],
            ),
            ("xtask", &[]),
        ] {
            assert_eq!(check_one(name, dependencies), Vec::<String>::new(), "{name}");
        }
    }

    #[test]
    fn arrows_that_do_not() {
        for (name, dependency) in [
            ("eventyard-core", "eventyard-macros"),
            ("eventyard-macros", "eventyard-core"),
            ("eventyard-sqlite", "eventyard"),
            ("eventyard-sqlite", "eventyard-redis"),
            ("eventyard-redis", "eventyard-macros"),
            ("eventyard-conformance", "eventyard-sqlite"),
            ("eventyard-conformance", "eventyard"),
            ("eventyard", "eventyard-sqlite"),
            ("eventyard", "eventyard-conformance"),
            ("eventyard", "eventyard-admin?"),
            ("eventyard-admin", "eventyard-sqlite"),
            ("eventyard-admin", "eventyard-sqlite?"),
            ("eventyard-admin", "eventyard-notify"),
            ("eventyard-realtime", "eventyard-macros"),
            ("eventyard-services", "eventyard-cli"),
            ("xtask", "eventyard-core"),
        ] {
            let problems = check_one(name, &[dependency]);
            let other = dependency.trim_end_matches('?');
            let start = format!("crates/{name}/Cargo.toml: `{name}` may not depend on `{other}`: ");
            assert!(matches!(&problems[..], [one] if one.starts_with(&start)), "{problems:?}");
        }
    }

    #[test]
    fn an_app_depends_on_what_it_likes() {
        let app = Package {
            folder: "apps/orders".into(),
            ..package("orders", &["eventyard", "eventyard-sqlite"])
        };
        let packages = [app, package("eventyard", &[]), package("eventyard-sqlite", &[])];
        assert_eq!(check(&packages), Vec::<String>::new());
    }

    #[test]
    fn crates_from_elsewhere_are_no_arrows() {
        let packages = [package("eventyard-core", &["serde", "eventyard-lookalike"])];
        assert_eq!(check(&packages), Vec::<String>::new());
    }

    #[test]
    fn an_unknown_crate_is_told_where_it_is_added() {
        assert_eq!(
            check_one("eventyard-mystery", &["eventyard-cli"]),
            ["crates/eventyard-mystery: `eventyard-mystery` has no floor in the house; \
              add it to `CRATES` in xtask/src/tidy/house.rs"]
        );
    }
}
