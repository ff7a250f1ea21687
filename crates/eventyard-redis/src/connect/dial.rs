//! One try to connect.

use std::{sync::Once, time::Duration};

use eventyard_core::StoreErrorKind;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo,
    ProtocolVersion, RedisConnectionInfo, TlsCertificates,
    aio::{ConnectionLike, MultiplexedConnection, PubSub},
    cluster::ClusterClient,
    cluster_async::ClusterConnection,
    io::tcp::{TcpSettings, socket2::TcpKeepalive},
};

use super::{Address, Error, Mode, Options, address::Account, cluster, sentinel};

/// How many commands may wait to be written to one connection.
const PIPELINE: usize = 1024;
/// How many bytes are gathered for one write to the socket.
const WRITE_BUFFER: usize = 64 * 1024;
/// After how long a silent connection is probed, so that one to a machine that is gone is given up.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// Where to connect to, and how.
#[derive(Debug)]
pub(super) struct Dial {
    pub(super) address: Address,
    pub(super) options: Options,
}

/// A connection for ordinary commands.
#[derive(Clone)]
pub(super) enum Link {
    Node(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Dial {
    /// The shared connection.
    pub(super) async fn link(&self) -> Result<Link, Error> {
        if self.address.is_cluster() {
            return self.cluster().await.map(Link::Cluster);
        }
        let info = self.info().await?;
        let mut node = self.node(info, Some(self.options.response_timeout)).await?;
        self.check(&mut node).await?;
        set_name(&mut node, self.options.name.as_deref()).await?;
        Ok(Link::Node(node))
    }

    pub(super) async fn dedicated(
        &self,
        name: Option<&str>,
    ) -> Result<MultiplexedConnection, Error> {
        let info = self.info().await?;
        self.blocking(info, name).await
    }

    pub(super) async fn dedicated_to(
        &self,
        key: &str,
        name: Option<&str>,
    ) -> Result<MultiplexedConnection, Error> {
        let info = match self.address.is_cluster() {
            true => cluster::home(self, key).await?,
            false => self.info().await?,
        };
        self.blocking(info, name).await
    }

    pub(super) async fn pubsub(&self) -> Result<PubSub, Error> {
        let client = self.client(self.info().await?)?;
        let connected =
            tokio::time::timeout(self.options.connect_timeout, client.get_async_pubsub());
        match connected.await {
            Ok(connected) => connected.map_err(|error| self.failed(error)),
            Err(_) => Err(Error::new(
                StoreErrorKind::Unavailable,
                format!(
                    "{} did not answer within {:?}",
                    self.address, self.options.connect_timeout
                ),
            )),
        }
    }

    async fn blocking(
        &self,
        info: ConnectionInfo,
        name: Option<&str>,
    ) -> Result<MultiplexedConnection, Error> {
        let mut node = self.node(info, None).await?;
        // The connection itself has no limit, so the first questions get one here.
        let asked = async {
            self.check(&mut node).await?;
            set_name(&mut node, name).await
        };
        match tokio::time::timeout(self.options.response_timeout, asked).await {
            Ok(done) => done?,
            Err(_) => {
                let problem = format!("{} does not answer", self.address);
                return Err(Error::new(StoreErrorKind::Unavailable, problem));
            }
        }
        Ok(node)
    }

    /// Connects to one server.
    pub(super) async fn node(
        &self,
        info: ConnectionInfo,
        response_timeout: Option<Duration>,
    ) -> Result<MultiplexedConnection, Error> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.options.connect_timeout))
            .set_response_timeout(response_timeout)
            .set_pipeline_buffer_size(PIPELINE)
            .set_write_backpressure_boundary(WRITE_BUFFER);
        let client = self.client(info)?;
        let connected = client.get_multiplexed_async_connection_with_config(&config).await;
        connected.map_err(|error| self.failed(error))
    }

    /// Where the server is that takes writes; in a cluster, any of those that are configured.
    async fn info(&self) -> Result<ConnectionInfo, Error> {
        match &self.address.mode {
            Mode::Single => self.node_info(&self.address.hosts[0]),
            Mode::Sentinel { master } => self.node_info(&sentinel::master(self, master).await?),
            Mode::Cluster => cluster::any(self).await,
        }
    }

    /// The settings of a connection to a data node.
    pub(super) fn node_info(&self, host: &(String, u16)) -> Result<ConnectionInfo, Error> {
        self.info_for(host, &self.address.account, self.address.db)
    }

    pub(super) fn info_for(
        &self,
        (host, port): &(String, u16),
        account: &Account,
        db: u32,
    ) -> Result<ConnectionInfo, Error> {
        let addr = if self.address.tls {
            use_a_crypto_provider();
            ConnectionAddr::TcpTls {
                host: host.clone(),
                port: *port,
                insecure: false,
                tls_params: None,
            }
        } else {
            ConnectionAddr::Tcp(host.clone(), *port)
        };
        let mut settings = RedisConnectionInfo::default()
            .set_db(db.into())
            .set_protocol(ProtocolVersion::RESP2)
            .set_lib_name("eventyard", env!("CARGO_PKG_VERSION"));
        if let Some(user) = &account.user {
            settings = settings.set_username(user);
        }
        if let Some(password) = &account.password {
            settings = settings.set_password(password);
        }
        let info = addr.into_connection_info().map_err(Error::from)?;
        Ok(info.set_redis_settings(settings).set_tcp_settings(tcp()))
    }

    /// The certificates of `tls-ca`.
    fn certificates(&self) -> Result<Option<TlsCertificates>, Error> {
        let Some(path) = &self.address.tls_ca else { return Ok(None) };
        let pem = std::fs::read(path).map_err(|error| {
            let problem =
                format!("the file {} of `tls-ca` cannot be read: {error}", path.display());
            Error::new(StoreErrorKind::Unsupported, problem)
        })?;
        Ok(Some(TlsCertificates { client_tls: None, root_cert: Some(pem) }))
    }

    fn client(&self, info: ConnectionInfo) -> Result<Client, Error> {
        let client = match self.certificates()? {
            Some(certificates) => Client::build_with_tls(info, certificates),
            None => Client::open(info),
        };
        client.map_err(Error::from)
    }

    async fn cluster(&self) -> Result<ClusterConnection, Error> {
        let nodes = self.address.hosts.iter().map(|host| self.node_info(host));
        let nodes: Vec<ConnectionInfo> = nodes.collect::<Result<_, _>>()?;
        let mut builder = ClusterClient::builder(nodes)
            .connection_timeout(self.options.connect_timeout)
            .response_timeout(self.options.response_timeout)
            .overall_response_timeout(Some(self.options.response_timeout))
            .tcp_settings(tcp())
            .write_backpressure_boundary(WRITE_BUFFER);
        if let Some(certificates) = self.certificates()? {
            builder = builder.certs(certificates);
        }
        let client = builder.build().map_err(Error::from)?;
        client.get_async_connection().await.map_err(|error| self.failed(error))
    }

    /// Asks whether the server serves: one that loads its data, or was a master, does not.
    async fn check(&self, node: &mut MultiplexedConnection) -> Result<(), Error> {
        let asked = match self.address.mode {
            Mode::Sentinel { .. } => sentinel::check_is_master(node).await,
            Mode::Single | Mode::Cluster => {
                redis::cmd("PING").query_async::<String>(node).await.map(drop).map_err(Error::from)
            }
        };
        asked.map_err(|error| error.while_doing(&self.address))
    }

    pub(super) fn failed(&self, error: redis::RedisError) -> Error {
        Error::from(error).while_doing(&self.address)
    }
}

async fn set_name(to: &mut MultiplexedConnection, name: Option<&str>) -> Result<(), Error> {
    let Some(name) = name else { return Ok(()) };
    let set = redis::cmd("CLIENT").arg("SETNAME").arg(name).to_owned();
    to.req_packed_command(&set).await?.extract_error()?;
    Ok(())
}

fn tcp() -> TcpSettings {
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE / 3);
    TcpSettings::default().set_nodelay(true).set_keepalive(keepalive)
}

/// TLS needs a process-wide crypto provider; a program that has installed its own keeps it.
fn use_a_crypto_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // It fails when there is one already, and that one is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    });
}
