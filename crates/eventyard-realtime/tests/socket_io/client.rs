//! A client: the real `socket.io-client`, in a process of its own.
#![allow(dead_code, reason = "what is shared with other tests is used in part")]

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{sync::mpsc, time::timeout};

/// How long to wait for what is expected.
const PATIENCE: Duration = Duration::from_secs(15);

/// A client. It is killed when it is dropped.
pub(crate) struct Client {
    process: Child,
    commands: ChildStdin,
    heard: mpsc::UnboundedReceiver<String>,
}

impl Drop for Client {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The workspace's `crates`.
pub(crate) fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The folder that has `node_modules` with `socket.io-client`.
pub(crate) fn packages() -> PathBuf {
    let folder = env::var_os("EVENTYARD_NODE")
        .map_or_else(|| crates().join("../target/tools/node"), PathBuf::from);
    assert!(
        folder.join("node_modules/socket.io-client").is_dir(),
        "there is no socket.io-client in {folder:?}: run `cargo xtask test`, or \
         `npm install --prefix FOLDER socket.io-client@4.8.4` and set EVENTYARD_NODE to FOLDER"
    );
    folder
}

impl Client {
    /// A client that connects to a server by WebSocket with `auth`, and says where it is when it comes back.
    pub(crate) fn following(url: &str, auth: &Value) -> Self {
        Self::with(url, &json!({"auth": auth, "transports": ["websocket"], "follow": true}))
    }

    /// A client with options of its own.
    pub(crate) fn with(url: &str, options: &Value) -> Self {
        let mut process = Command::new("node")
            .arg(crates().join("eventyard-realtime/tests/node/client.mjs"))
            .args([url, &options.to_string()])
            .env("EVENTYARD_NODE", packages())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node runs; install it with `apt-get install nodejs npm`");
        let commands = process.stdin.take().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let (tell, heard) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                // A test that has ended listens no more.
                let _ = tell.send(line);
            }
        });
        Self { process, commands, heard }
    }

    pub(crate) async fn is_connected(&mut self) {
        assert_eq!(self.any().await["heard"], "connect");
        self.is_told_where_it_is().await;
    }

    pub(crate) async fn is_told_where_it_is(&mut self) {
        assert_eq!(self.any().await["heard"], "position");
    }

    /// The next thing that it hears.
    pub(crate) async fn any(&mut self) -> Value {
        let line = timeout(PATIENCE, self.heard.recv()).await.expect("it hears something");
        serde_json::from_str(&line.expect("it runs")).unwrap()
    }

    /// The next thing that it hears besides where it is.
    pub(crate) async fn next(&mut self) -> Value {
        loop {
            let heard = self.any().await;
            if heard["heard"] != "position" {
                return heard;
            }
        }
    }

    /// Hears this next; returns the data.
    pub(crate) async fn hears(&mut self, what: &str) -> Value {
        let mut heard = self.next().await;
        assert_eq!(heard["heard"], what, "{heard}");
        heard["data"].take()
    }

    pub(crate) async fn tell(&mut self, command: Value) {
        self.commands.write_all(format!("{command}\n").as_bytes()).unwrap();
    }

    /// Says something and returns the answer.
    pub(crate) async fn ask(&mut self, event: &str, said: Value) -> Value {
        self.tell(json!({"do": "ask", "event": event, "args": [said]})).await;
        self.hears("answer").await
    }

    /// Loses its connection; comes back when it is told to.
    pub(crate) async fn drop_connection(&mut self) {
        self.tell(json!({"do": "drop"})).await;
        self.hears("disconnect").await;
    }

    pub(crate) async fn come_back(&mut self) {
        self.tell(json!({"do": "connect"})).await;
        self.hears("connect").await;
    }
}
