//! The transports: whether their brokers answer, and how far the consumer groups are behind.

use std::sync::Arc;

use eventyard_core::{
    Clock, SystemClock,
    transport::{GroupStatus, TransportStatus},
};

use super::finding::Finding;
use crate::{config::Config, transports};

const CHECK: &str = "transport";
/// So many events behind, a group is worth a look.
const LAG: u64 = 10_000;

/// Asks every transport that is configured.
pub(super) async fn check(config: &Config) -> Vec<Finding> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let mut findings = Vec::new();
    for (name, transport) in &config.transports {
        let opened = transports::open(config, transport, &transports::node("doctor"), &clock);
        let Ok(opened) = opened else { continue };
        let kind = opened.capabilities().name;
        match opened.status().await {
            Ok(status) => findings.extend(look(name, kind, &status)),
            Err(error) => findings.push(unreached(name, kind, &error.to_string())),
        }
        opened.close().await;
    }
    findings
}

fn unreached(name: &str, kind: &str, problem: &str) -> Finding {
    Finding::fail(
        CHECK,
        format!("{name} ({kind}): {problem}"),
        "check its url and the way there; until then events wait in its outbox, and none come in",
    )
}

fn look(name: &str, kind: &str, status: &TransportStatus) -> Vec<Finding> {
    if let Some(problem) = &status.problem {
        return vec![unreached(name, kind, problem)];
    }
    let mut findings = vec![Finding::ok(CHECK, format!("{name} ({kind}): redis answers"))];
    findings.extend(status.groups.iter().map(|group| of_group(name, group)));
    if let Some(dead) = status.dead_letters.filter(|dead| *dead > 0) {
        findings.push(Finding::warn(
            CHECK,
            format!("{name}: {dead} entries are in the stream of dead letters"),
            "look at their field `eventyard.reason` (XRANGE STREAM.dlq - +), and delete them when they are dealt with",
        ));
    }
    findings
}

fn of_group(name: &str, group: &GroupStatus) -> Finding {
    let GroupStatus { name: group, lag, pending, consumers, .. } = group;
    let behind = lag.map_or("an unknown number of".to_owned(), |lag| lag.to_string());
    let detail = format!(
        "{name}: group {group} has {behind} events to read and {pending} in hand of {consumers} consumers"
    );
    match lag {
        Some(lag) if *lag >= LAG => Finding::warn(
            CHECK,
            detail,
            "start more processes of the group; what is trimmed before it is read is lost",
        ),
        _ => Finding::ok(CHECK, detail),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Level, *};

    #[test]
    fn lag_dead_letters_and_silence_are_told() {
        let check = |status: TransportStatus, level, part: &str| {
            let findings = look("shop", "redis-streams", &status);
            let found = findings.iter().any(|f| f.level == level && f.detail.contains(part));
            assert!(found, "{findings:?}");
        };
        let group = |lag| GroupStatus { name: "g".to_owned(), lag, ..GroupStatus::default() };
        let with = |lag| TransportStatus { groups: vec![group(lag)], ..TransportStatus::default() };
        check(with(Some(3)), Level::Ok, "3 events to read");
        check(with(None), Level::Ok, "an unknown number");
        check(with(Some(LAG)), Level::Warn, "10000 events");
        let dead = TransportStatus { dead_letters: Some(2), ..TransportStatus::default() };
        check(dead, Level::Warn, "2 entries");
        let silent = TransportStatus { problem: Some("gone".into()), ..TransportStatus::default() };
        check(silent, Level::Fail, "gone");
    }
}
