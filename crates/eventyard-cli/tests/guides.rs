//! The guides: what they tell to type is typed, and what they tell to come comes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::{env, path::Path, process::Command};

use support::Bench;

/// The address that the guides name.
const ADDRESS: &str = "http://127.0.0.1:3000";

/// The blocks of a page in a language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let begin = format!("```{language}\n");
    let blocks = page.split(begin.as_str()).skip(1);
    blocks.filter_map(|rest| rest.split_once("```").map(|(block, _)| block)).collect()
}

/// Whether two texts say the same: as JSON, if they are.
fn same(said: &str, expected: &str) -> bool {
    let json = |text| serde_json::from_str::<serde_json::Value>(text).ok();
    let as_json = json(said).zip(json(expected));
    as_json.map_or(said.trim() == expected.trim(), |(said, expected)| said == expected)
}

async fn check(guide: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guides").join(guide);
    let page = std::fs::read_to_string(path).unwrap();
    let bench = Bench::default().file("guide.toml", &blocks(&page, "toml").concat());
    let server = bench.serve(&["serve", "--config", "guide.toml", "--store", "memory://"]).await;
    let programs = Path::new(env!("CARGO_BIN_EXE_eventyard")).parent().unwrap().display();
    let places = format!("{programs}:{}", env::var("PATH").unwrap());

    let consoles = blocks(&page, "console").concat();
    let mut steps = consoles.split("$ ").filter(|step| !step.is_empty()).peekable();
    assert!(steps.peek().is_some(), "{guide} shows nothing to type");
    for step in steps {
        let (line, expected) = step.split_once('\n').unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", &line.replace(ADDRESS, &server.url)]).current_dir(bench.path(""));
        command.env("PATH", &places).env("EVENTYARD_SERVER", &server.url);
        let ran = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let said = String::from_utf8(ran.stdout).unwrap();
        let complaint = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{guide}: {line}\n{said}{complaint}");
        assert!(
            expected.is_empty() || same(&said, expected),
            "{guide}: {line}\n{said}{complaint}instead of\n{expected}"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn the_guides_tell_what_is() {
    for guide in [
        "flow-control.md",
        "flows.md",
        "steps.md",
        "deduplication-and-ttl.md",
        "cancellation.md",
        "queue-events.md",
    ] {
        check(guide).await;
    }
}
