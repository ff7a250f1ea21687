//! Where a Redis is, as a URL.

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt, path::PathBuf, str::FromStr};

use percent_encoding::percent_decode_str;

const DEFAULT_PORT: u16 = 6379;
const DEFAULT_SENTINEL_PORT: u16 = 26379;

/// Which Redis the address leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// One server.
    Single,
    /// The master that the Sentinels know by this name.
    Sentinel {
        /// The name of the master.
        master: String,
    },
    /// A cluster; the hosts are some of its nodes.
    Cluster,
}

/// Where a Redis is, and who asks.
///
/// | URL | leads to |
/// |---|---|
/// | `redis://[user:password@]host[:port][/db]` | one server |
/// | `redis+sentinel://[user:password@]host[:port],…/master[/db]` | the master that Sentinel names |
/// | `redis+cluster://[user:password@]host[:port],…` | a cluster |
///
/// With `rediss` in place of `redis` all connections use TLS. These parameters belong to the address, all others
/// to [whoever reads them](Address::parameters): `tls-ca`, a file with the certificates to trust in place of the
/// system's; `sentinel-user` and `sentinel-password`, who asks the Sentinels.
///
/// Its text never shows the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    pub(super) hosts: Vec<(String, u16)>,
    pub(super) mode: Mode,
    pub(super) tls: bool,
    pub(super) tls_ca: Option<PathBuf>,
    pub(super) account: Account,
    pub(super) sentinel_account: Account,
    pub(super) db: u32,
    parameters: BTreeMap<String, String>,
}

/// Who asks.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
}

/// A URL that is not the address of a Redis.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the redis url {0}")]
pub struct AddressError(String);

impl Address {
    /// Which Redis it leads to.
    #[must_use]
    pub fn mode(&self) -> &Mode {
        &self.mode
    }

    /// The number of the database.
    #[must_use]
    pub fn db(&self) -> u32 {
        self.db
    }

    /// The parameters of the query that do not belong to the address itself.
    #[must_use]
    pub fn parameters(&self) -> &BTreeMap<String, String> {
        &self.parameters
    }

    /// Whether it is a cluster, where the keys of one command must share a slot.
    #[must_use]
    pub fn is_cluster(&self) -> bool {
        self.mode == Mode::Cluster
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.mode {
            Mode::Single => "",
            Mode::Sentinel { .. } => "+sentinel",
            Mode::Cluster => "+cluster",
        };
        write!(f, "redis{}{kind}://", if self.tls { "s" } else { "" })?;
        for (index, (host, port)) in self.hosts.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            match host.contains(':') {
                true => write!(f, "{comma}[{host}]:{port}")?,
                false => write!(f, "{comma}{host}:{port}")?,
            }
        }
        if let Mode::Sentinel { master } = &self.mode {
            write!(f, "/{master}")?;
        }
        if !self.is_cluster() {
            write!(f, "/{}", self.db)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let wrong = |problem: &str| Err(AddressError(problem.to_owned()));
        let Some((scheme, rest)) = text.split_once("://") else {
            return wrong(
                "has no scheme; begin it with redis://, rediss://, redis+sentinel:// or redis+cluster://",
            );
        };
        let (tls, kind) = match scheme.split_once('+') {
            Some((base, kind)) => (base, kind),
            None => (scheme, ""),
        };
        let tls = match tls {
            "redis" => false,
            "rediss" => true,
            _ => return unknown_scheme(scheme),
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
        if tail.contains('@') {
            return wrong(
                "holds an `@` after the host; write `/`, `?` and `@` in a user, a password or a parameter percent-encoded (%2F, %3F, %40)",
            );
        }
        let (account, hosts) = match authority.rsplit_once('@') {
            Some((account, hosts)) => (read_account(account)?, hosts),
            None => (Account::default(), authority),
        };
        let mut path = path.split('/').filter(|part| !part.is_empty());
        let (mode, port) = match kind {
            "" => (Mode::Single, DEFAULT_PORT),
            "cluster" => (Mode::Cluster, DEFAULT_PORT),
            "sentinel" => match path.next() {
                Some(master) => (
                    Mode::Sentinel { master: decode(master, "the name of the master")? },
                    DEFAULT_SENTINEL_PORT,
                ),
                None => return wrong("names no master; write redis+sentinel://host:26379/MASTER"),
            },
            _ => return unknown_scheme(scheme),
        };
        let db = read_db(path.next(), &mode)?;
        if path.next().is_some() {
            return wrong(
                "has more parts in its path than it can have; the last is the number of the database",
            );
        }
        let hosts = read_hosts(hosts, port)?;
        if mode == Mode::Single && hosts.len() > 1 {
            return wrong("names several hosts; use redis+sentinel:// or redis+cluster://");
        }
        let mut parameters = read_query(query);
        let mut own = |name: &str| parameters.remove(name);
        let (tls_ca, user, password) =
            (own("tls-ca"), own("sentinel-user"), own("sentinel-password"));
        if tls_ca.is_some() && !tls {
            return wrong("has the parameter `tls-ca` without TLS; begin it with rediss");
        }
        if (user.is_some() || password.is_some()) && !matches!(mode, Mode::Sentinel { .. }) {
            return wrong("has parameters for Sentinel but is not redis+sentinel://");
        }
        Ok(Self {
            hosts,
            mode,
            tls,
            tls_ca: tls_ca.map(PathBuf::from),
            account,
            sentinel_account: Account { user, password },
            db,
            parameters,
        })
    }
}

fn unknown_scheme(scheme: &str) -> Result<Address, AddressError> {
    Err(AddressError(format!(
        "has the scheme `{scheme}`; use redis, rediss, redis+sentinel, rediss+sentinel, redis+cluster or \
         rediss+cluster"
    )))
}

fn decode(text: &str, what: &str) -> Result<String, AddressError> {
    match percent_decode_str(text).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err(AddressError(format!("has {what} that is not UTF-8 after percent-decoding"))),
    }
}

fn read_account(text: &str) -> Result<Account, AddressError> {
    let (user, password) = match text.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (text, None),
    };
    let user = decode(user, "a user")?;
    let password = password.map(|text| decode(text, "a password")).transpose()?;
    if !user.is_empty() && password.is_none() {
        let problem =
            "has a user without a password; write user:password@, or :password@ without a user";
        return Err(AddressError(problem.to_owned()));
    }
    let given = |text: String| (!text.is_empty()).then_some(text);
    Ok(Account { user: given(user), password: password.and_then(given) })
}

/// Reads the hosts. What is wrong is not quoted: it may be a password that lost its `@`.
fn read_hosts(text: &str, default_port: u16) -> Result<Vec<(String, u16)>, AddressError> {
    text.split(',').map(|host| read_host(host, default_port)).collect()
}

fn read_host(text: &str, default_port: u16) -> Result<(String, u16), AddressError> {
    let wrong = |problem: &str| AddressError(problem.to_owned());
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest
                .split_once(']')
                .ok_or_else(|| wrong("has an IPv6 address without its closing bracket"))?;
            (host, rest.strip_prefix(':'))
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    if host.is_empty() {
        return Err(wrong("names no host; write redis://host:6379/0"));
    }
    let port = match port {
        None => default_port,
        Some(port) => match port.parse() {
            Ok(port) if port > 0 => port,
            _ => return Err(wrong("has a port that is not a number from 1 to 65535")),
        },
    };
    Ok((host.to_owned(), port))
}

fn read_db(text: Option<&str>, mode: &Mode) -> Result<u32, AddressError> {
    let db = match text {
        None => 0,
        Some(text) => match text.parse() {
            Ok(db) if i32::try_from(db).is_ok() => db,
            _ => {
                let problem =
                    format!("has the database `{text}`; it is a number, as in redis://host:6379/0");
                return Err(AddressError(problem));
            }
        },
    };
    if db > 0 && *mode == Mode::Cluster {
        let problem = format!("has the database {db}; a cluster has database 0 alone");
        return Err(AddressError(problem));
    }
    Ok(db)
}

fn read_query(query: &str) -> BTreeMap<String, String> {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}
