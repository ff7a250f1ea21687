//! A Redis for one benchmark: on a free port, with a folder of its own, gone with the benchmark.

use std::collections::BTreeMap;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Appendfsync;
use crate::failure::Failure;
use crate::invocation;

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running server that appends to a file.
pub(super) struct Redis {
    process: Child,
    folder: PathBuf,
    /// Where it listens on 127.0.0.1.
    pub(super) port: u16,
}

impl Redis {
    /// Starts one that keeps its data in `folder` until it is dropped.
    pub(super) fn start(folder: PathBuf, appendfsync: Appendfsync) -> Result<Self, Failure> {
        let failure = |error| Failure::new(format!("cannot start redis-server: {error}"));
        fs::create_dir_all(&folder).map_err(failure)?;
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .map_err(failure)?
            .port();
        let mut server = Command::new("redis-server");
        server.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""]);
        let appendfsync = match appendfsync {
            Appendfsync::Everysec => "everysec",
            Appendfsync::Always => "always",
        };
        server
            .args(["--appendonly", "yes", "--appendfsync", appendfsync])
            .arg("--dir")
            .arg(&folder);
        let process = server.stdin(Stdio::null()).stdout(Stdio::null()).spawn().map_err(failure)?;
        let redis = Self { process, folder, port };
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if Instant::now() > deadline {
                return Err(Failure::new(format!("redis-server does not listen on {port}")));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(redis)
    }

    /// Forgets all data and all counts.
    pub(super) fn clear(&self) -> Result<(), Failure> {
        self.ask(&["FLUSHALL"])?;
        self.ask(&["CONFIG", "RESETSTAT"])?;
        Ok(())
    }

    /// How many commands it has carried out since it was cleared, those of scripts included.
    pub(super) fn commands(&self) -> Result<u64, Failure> {
        let counts = counts(&self.ask(&["INFO", "commandstats"])?);
        // What a client sends to introduce itself is no part of the work.
        let work = |name: &&str| {
            !["config", "client", "hello", "info", "flushall", "script"].contains(name)
        };
        Ok(counts.iter().filter(|(name, _)| work(&name.as_str())).map(|(_, calls)| calls).sum())
    }

    fn ask(&self, command: &[&str]) -> Result<String, Failure> {
        let mut client = Command::new("redis-cli");
        client.args(["-p", &self.port.to_string()]).args(command);
        invocation::output(&mut client)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // What cannot be removed lies in the folder that Cargo builds into.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// How often each command was called: lines such as `cmdstat_config|get:calls=2,usec=9`.
fn counts(info: &str) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for line in info.lines() {
        let Some((name, rest)) =
            line.strip_prefix("cmdstat_").and_then(|line| line.split_once(':'))
        else {
            continue;
        };
        let calls = rest.split(',').find_map(|pair| pair.strip_prefix("calls="));
        if let Some(calls) = calls.and_then(|calls| calls.parse::<u64>().ok()) {
            // A subcommand counts as its command.
            let name = name.split('|').next().unwrap_or(name);
            *counts.entry(name.to_owned()).or_default() += calls;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_counted_by_name() {
        let info = "# Commandstats\r\ncmdstat_hset:calls=7,usec=9,usec_per_call=1.29\r\n\
                    cmdstat_config|resetstat:calls=1,usec=2\r\ncmdstat_config|get:calls=2,usec=3\r\n";
        let counts = counts(info);
        assert_eq!((counts["hset"], counts["config"]), (7, 3));
        assert_eq!(counts.len(), 2);
    }
}
