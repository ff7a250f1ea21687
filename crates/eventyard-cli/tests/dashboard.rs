//! The dashboard in a real browser, against the real binary: every page and every action, as somebody uses them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use support::{Bench, Server};
use tokio::sync::Mutex;

/// The folder with the packages from npm: `playwright-core` and `axe-core`.
fn node_folder() -> PathBuf {
    let folder = env::var_os("EVENTYARD_NODE")
        .map(PathBuf::from)
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/node"));
    let package = folder.join("node_modules/playwright-core");
    assert!(
        package.exists(),
        "the test needs {}; install it with: cargo xtask test",
        package.display()
    );
    folder
}

/// A server with queues, schedules, three people and a mailbox.
async fn serve(bench: &Bench) -> Server {
    bench.serve(&["serve", "--config", "yard.toml", "--data-dir", "data"]).await
}

fn bench() -> Bench {
    Bench::default().file("yard.toml", include_str!("dashboard/yard.toml"))
}

/// Browsers take much of a machine: one at a time.
static BROWSER: Mutex<()> = Mutex::const_new(());

/// Runs a script of the folder `dashboard` on the server.
async fn run(script: &str, server: &Server) {
    let _turn = BROWSER.lock().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dashboard");
    let mut command = Command::new("node");
    command.arg(folder.join(script)).arg(&server.url).stdin(Stdio::null());
    command.env("EVENTYARD_NODE", node_folder());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}:\n{said}\n{complaint}\n{}", server.said());
    assert!(said.contains("all is well"), "{script} was not run to its end:\n{said}\n{complaint}");
}

#[tokio::test]
async fn every_page_can_be_read_in_both_themes_at_both_widths() {
    let bench = bench();
    let server = serve(&bench).await;
    run("pages.mjs", &server).await;
    server.stop().await;
}

#[tokio::test]
async fn every_action_does_what_it_says() {
    let bench = bench();
    let server = serve(&bench).await;
    run("actions.mjs", &server).await;
    server.stop().await;
}

#[tokio::test]
async fn roles_are_honoured_and_the_page_stays_live() {
    let bench = bench();
    let server = serve(&bench).await;
    run("people.mjs", &server).await;
    server.stop().await;
}
