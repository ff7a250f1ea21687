//! Packages from the Python Package Index, in an environment of the tests' own.

use std::fs;
use std::process::Command;

use super::tools::Tools;
use crate::failure::Failure;
use crate::invocation;

/// Exits well if this Python can make environments that hold pip and is new enough for the packages.
///
/// Bare Debian has a Python with `venv` and without the `ensurepip` that `venv` calls.
const CAN_MAKE_VENV: &str = "
import ensurepip, sys, venv
ensurepip.version()
sys.exit(sys.version_info < (3, 11))
";

/// Exits well if each package is there in the version of its `name==version`.
const ARE_INSTALLED: &str = "
import sys
from importlib.metadata import version
for pinned in sys.argv[1:]:
    name, wanted = pinned.split('==')
    if version(name) != wanted:
        sys.exit(1)
";

/// A Python of the machine that can make environments: the user's own choice, else Debian's.
pub(super) fn host_python() -> Option<&'static str> {
    ["python3", "/usr/bin/python3"]
        .into_iter()
        .find(|python| invocation::succeeds(Command::new(python).args(["-c", CAN_MAKE_VENV])))
}

/// Whether each `name==version` is in the environment.
pub(super) fn are_installed(pinned: &[String], tools: &Tools) -> bool {
    let mut ask = Command::new(tools.python_program("python"));
    is_whole(tools) && invocation::succeeds(ask.args(["-c", ARE_INSTALLED]).args(pinned))
}

/// Installs each `name==version`, into a new environment if there is none that works.
pub(super) fn install(pinned: &[String], tools: &Tools) -> Result<(), Failure> {
    if !is_whole(tools) {
        make_venv(tools)?;
    }
    let mut pip = Command::new(tools.python_program("python"));
    pip.args(["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--quiet"]);
    pip.args(pinned);
    invocation::run(&mut pip).map_err(|failure| {
        let (pinned, line) = (pinned.join(" "), invocation::line(&pip));
        Failure::new(format!("the tests need {pinned}: {failure}; install with\n  {line}"))
    })
}

/// Whether the environment works. One that was moved does not, though its Python starts: its
/// programs name the old place, and pip tells where it runs from.
fn is_whole(tools: &Tools) -> bool {
    let place = tools.venv().display().to_string();
    let pip = invocation::output(Command::new(tools.python_program("pip")).arg("--version"));
    pip.is_ok_and(|answer| answer.contains(&place))
}

fn make_venv(tools: &Tools) -> Result<(), Failure> {
    let venv = tools.venv();
    if venv.exists() {
        fs::remove_dir_all(&venv)
            .map_err(|error| Failure::new(format!("cannot replace {}: {error}", venv.display())))?;
    }
    let python = host_python()
        .ok_or_else(|| Failure::new("no python3 on this machine can make an environment"))?;
    invocation::run(Command::new(python).args(["-m", "venv"]).arg(venv))
}
