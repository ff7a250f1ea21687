//! Debian's packages.

use std::os::unix::fs::MetadataExt;
use std::process::Command;

use crate::failure::Failure;
use crate::invocation;

/// Installs packages for the whole machine, or says with which line one does.
pub(super) fn install(packages: &[&str]) -> Result<(), Failure> {
    let needs = format!("the tests need {}", packages.join(" "));
    may_install(packages, has_apt(), is_root())
        .and_then(|()| install_now(packages))
        .map_err(|failure| Failure::new(format!("{needs}: {failure}")))
}

fn may_install(packages: &[&str], apt: bool, root: bool) -> Result<(), Failure> {
    match (apt, root) {
        (true, true) => Ok(()),
        (true, false) => {
            Err(Failure::new(format!("only root installs; {}", install_with(packages))))
        }
        (false, _) => Err(Failure::new(
            "these are Debian's names, and there is no apt-get; \
             install them as your system does, then run the tests again",
        )),
    }
}

fn install_now(packages: &[&str]) -> Result<(), Failure> {
    // A fresh image has no lists of packages, and old lists name versions that are gone.
    invocation::run(&mut install_command(packages))
        .or_else(|_| {
            invocation::run(apt_get().arg("update"))?;
            invocation::run(&mut install_command(packages))
        })
        .map_err(|failure| Failure::new(format!("{failure}; {}", install_with(packages))))
}

fn install_with(packages: &[&str]) -> String {
    format!(
        "install with\n  sudo apt-get install --yes --no-install-recommends {}",
        packages.join(" ")
    )
}

fn install_command(packages: &[&str]) -> Command {
    let mut command = apt_get();
    command.args(["install", "--yes", "--no-install-recommends"]).args(packages);
    command
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    // Another process may be installing at this moment.
    command.args(["-o", "DPkg::Lock::Timeout=300"]);
    command
}

fn has_apt() -> bool {
    invocation::succeeds(Command::new("apt-get").arg("--version"))
}

/// Whether this process belongs to root, which is who its own folder in `/proc` belongs to.
fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_not_install_is_told_the_line() {
        let packages = ["python3", "python3-venv"];
        assert_eq!(may_install(&packages, true, true), Ok(()));

        let failure = may_install(&packages, true, false).unwrap_err().to_string();
        let line = "  sudo apt-get install --yes --no-install-recommends python3 python3-venv";
        assert_eq!(failure.lines().last(), Some(line));

        assert!(may_install(&packages, false, true).is_err());
    }

    #[test]
    fn packages_are_installed_without_a_question() {
        assert_eq!(
            invocation::line(&install_command(&["redis-server"])),
            "DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 \
             install --yes --no-install-recommends redis-server"
        );
    }
}
