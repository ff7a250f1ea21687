//! A mail server of the tests' own: a process that ends with the test.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// How long the server may take for what a test waits for.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running mail server.
pub(crate) struct Server {
    process: Child,
    pub(crate) port: u16,
    told: UnboundedReceiver<Value>,
}

impl Server {
    pub(crate) async fn start(arguments: &[&str]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/smtp/server.py");
        let mut process = Command::new(python())
            .arg(script)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let output = process.stdout.take().expect("its output is piped");
        let (tell, told) = unbounded_channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let told = serde_json::from_str(&line).expect("the server tells JSON");
                if tell.send(told).is_err() {
                    return;
                }
            }
        });
        let mut server = Self { process, port: 0, told };
        let port = server.wait_for("port").await["port"].as_u64().expect("a port");
        server.port = port.try_into().expect("a port");
        server
    }

    /// The next thing told that has `field`; what is told before is dropped.
    pub(crate) async fn wait_for(&mut self, field: &str) -> Value {
        let wait = async {
            while let Some(told) = self.told.recv().await {
                if told.get(field).is_some() {
                    return told;
                }
            }
            panic!("the mail server ended; install what it needs with: cargo xtask test");
        };
        let waited = tokio::time::timeout(PATIENCE, wait).await;
        waited.unwrap_or_else(|_| panic!("the mail server did not tell {field} in {PATIENCE:?}"))
    }

    /// How often `field` was told and not waited for.
    pub(crate) fn count(&mut self, field: &str) -> usize {
        std::iter::from_fn(|| self.told.try_recv().ok())
            .filter(|told| told.get(field).is_some())
            .count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Either may fail only because the process has ended already.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// The Python that has the server's packages.
fn python() -> PathBuf {
    let install = "install it with: cargo xtask test";
    if let Some(python) = env::var_os("EVENTYARD_PYTHON").map(PathBuf::from) {
        assert!(python.exists(), "EVENTYARD_PYTHON: there is no {}; {install}", python.display());
        return python;
    }
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = env::var_os("CARGO_TARGET_DIR").map_or(workspace.join("target"), PathBuf::from);
    let python = target.join("tools/venv/bin/python");
    assert!(python.exists(), "the mail server needs {}; {install}", python.display());
    python
}

/// An authority, and a certificate for 127.0.0.1 and localhost that it vouches for; as files.
pub(crate) struct Certificates {
    _dir: TempDir,
    pub(crate) authority: PathBuf,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Certificates {
    pub(crate) fn make() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority =
            CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let names = ["localhost", "127.0.0.1"].map(ToOwned::to_owned);
        let certificate =
            CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
        let file = |name: &str, text: String| {
            let path = dir.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        Self {
            authority: file("authority.pem", authority.pem()),
            certificate: file("certificate.pem", certificate.pem()),
            key: file("key.pem", key.serialize_pem()),
            _dir: dir,
        }
    }

    /// What the server is told of them.
    pub(crate) fn arguments(&self) -> [&str; 4] {
        ["--certificate", self.certificate.to_str().unwrap(), "--key", self.key.to_str().unwrap()]
    }
}
