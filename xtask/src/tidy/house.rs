//! The house: which crate stands on which floor, and what a floor may be built on.

use std::path::Path;

/// Where each crate of the library and the binary stands. A new crate is added here.
const CRATES: &[(&str, Floor)] = &[
    ("eventyard-core", Floor::Core),
    ("eventyard-sqlite", Floor::Driver),
    ("eventyard-postgres", Floor::Driver),
    ("eventyard-redis", Floor::Driver),
    ("eventyard-rabbitmq", Floor::Driver),
    ("eventyard-kafka", Floor::Driver),
    ("eventyard-conformance", Floor::Conformance),
    ("eventyard-macros", Floor::Macros),
    ("eventyard", Floor::Engine),
    ("eventyard-services", Floor::Extension),
    ("eventyard-notify", Floor::Extension),
    ("eventyard-realtime", Floor::Extension),
    ("eventyard-admin", Floor::Extension),
    ("eventyard-cli", Floor::Binary),
    ("xtask", Floor::Chores),
];

/// This file, for those who have to add to it.
pub(super) const FILE: &str = "xtask/src/tidy/house.rs";

/// A floor of the house. Arrows between floors point down only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Floor {
    /// The model and the ports.
    Core,
    /// A store or a transport on a concrete server or library.
    Driver,
    /// The suites that drivers pass.
    Conformance,
    /// The derives.
    Macros,
    /// What users add.
    Engine,
    /// A capability on top of the engine.
    Extension,
    /// What composes all of them for a terminal.
    Binary,
    /// A worked system on the library: everything below `apps/`.
    App,
    /// This program.
    Chores,
}

impl Floor {
    /// The floor of a crate, by its name and its folder in the workspace.
    pub(super) fn of(name: &str, folder: &Path) -> Option<Self> {
        if folder.starts_with("apps") {
            return Some(Self::App);
        }
        CRATES.iter().find(|(known, _)| *known == name).map(|(_, floor)| *floor)
    }

    /// Whether a crate of this floor may be built from one of the other.
    pub(super) fn may_use(self, other: Self, optional: bool) -> bool {
        match self {
            Self::Core | Self::Macros | Self::Chores => false,
            Self::Driver | Self::Conformance => other == Self::Core,
            Self::Engine => match other {
                Self::Driver => optional,
                other => matches!(other, Self::Core | Self::Macros),
            },
            Self::Extension => matches!(other, Self::Core | Self::Engine),
            Self::Binary | Self::App => true,
        }
    }

    /// What [`may_use`](Self::may_use) decides, in words.
    pub(super) fn rule(self) -> &'static str {
        match self {
            Self::Core => "the core knows no other crate of the workspace",
            Self::Driver => "a driver knows eventyard-core alone",
            Self::Conformance => "the conformance suites know eventyard-core alone",
            Self::Macros => "the derives know no other crate of the workspace",
            Self::Engine => {
                "the engine knows eventyard-core and eventyard-macros, \
                 and drivers as optional dependencies"
            }
            Self::Extension => "an extension knows eventyard and eventyard-core alone",
            Self::Binary | Self::App => "a composition knows all",
            Self::Chores => "the chores know no other crate of the workspace",
        }
    }
}
