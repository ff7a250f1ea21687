//! The REST API against its own OpenAPI document: schemathesis asks for whatever the document allows, and forbids.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::json;
use support::Bench;

/// What has to hold of every answer.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance,\
    negative_data_rejection,positive_data_acceptance";

/// What the document cannot say of what it allows. All else holds for these operations too.
const SETTINGS: &str = r#"
hooks = "hooks.py"

# A cursor is opaque: only one that a page ended with continues a listing. An empty one is the first page.
[parameters]
"query.cursor" = ""
"query.after" = ""

# Which types there are, and what their data is, is known to the catalogue alone: `GET /api/v1/event-types`. What a
# cron pattern and a time zone are, and which queues are declared, no schema can say.
[[operations]]
include-operation-id = ["publishEvents", "putPreferences", "setSchedule"]
[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", 422]

# Streams have no end.
[[operations]]
include-operation-id = ["streamQueueEvents", "streamQueues"]
enabled = false
"#;

/// Nobody adds a job while a claim waits for it: a minute is as good as a moment.
const HOOKS: &str = r#"
import schemathesis


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.operation.definition.raw.get("operationId") == "claimJobs" and isinstance(case.body, dict):
        wait = case.body.get("waitMs")
        if type(wait) in (int, float) and 50 < wait <= 60_000:
            case.body["waitMs"] = 50
"#;

/// The program, beside the Python that its package is installed for.
fn schemathesis() -> PathBuf {
    let python = env::var_os("EVENTYARD_PYTHON").map(PathBuf::from).unwrap_or_else(|| {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/venv/bin/python")
    });
    let program = python.with_file_name("schemathesis");
    assert!(
        program.exists(),
        "the test needs {}; install it with: cargo xtask test",
        program.display()
    );
    program
}

#[tokio::test]
async fn the_api_is_as_its_document_says() {
    let bench = Bench::default().file("schemathesis.toml", SETTINGS).file("hooks.py", HOOKS);
    let server = bench.serve(&["dev"]).await;
    // There is something to list and to look at.
    server.post("/mock-events/booking-created", json!({})).await;

    let mut command = Command::new(schemathesis());
    command.args(["run", &format!("{}/openapi.json", server.url), "--no-color"]);
    command.args(["--phases", "examples,coverage,fuzzing", "--checks", CHECKS]);
    command.args(["--seed", "1", "--max-examples", "15", "--generation-database", "none"]);
    command.args(["--workers", "1", "--continue-on-failure", "--request-timeout", "10"]);
    command.args(["--warnings", "off"]).current_dir(bench.path("")).stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();

    let said = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}:\n{said}\n{complaint}", output.status);
    assert!(said.contains(" generated, "), "nothing was asked:\n{said}\n{complaint}");
    assert_eq!(server.get("/healthz").await["status"], "ok");
    server.stop().await;
}
