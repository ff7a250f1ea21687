//! Which server is the master, as the Sentinels have it.

use eventyard_core::StoreErrorKind;
use redis::{Value, aio::MultiplexedConnection};

use super::{Error, dial::Dial};

/// Asks one Sentinel after the other for the master called `name`.
pub(super) async fn master(dial: &Dial, name: &str) -> Result<(String, u16), Error> {
    let mut last = None;
    for host in &dial.address.hosts {
        match ask(dial, host, name).await {
            Ok(Some(master)) => return Ok(master),
            Ok(None) => {
                let problem = format!(
                    "sentinel {}:{} knows no master `{name}`; correct its name in the url",
                    host.0, host.1
                );
                last = Some(Error::new(StoreErrorKind::Unavailable, problem));
            }
            Err(error) => {
                last = Some(error.while_doing(format_args!("sentinel {}:{}", host.0, host.1)));
            }
        }
    }
    Err(last.unwrap_or_else(|| {
        Error::new(StoreErrorKind::Unsupported, "the redis url names no sentinel")
    }))
}

async fn ask(
    dial: &Dial,
    host: &(String, u16),
    name: &str,
) -> Result<Option<(String, u16)>, Error> {
    let info = dial.info_for(host, &dial.address.sentinel_account, 0)?;
    let mut sentinel = dial.node(info, Some(dial.options.connect_timeout)).await?;
    let mut question = redis::cmd("SENTINEL");
    question.arg("GET-MASTER-ADDR-BY-NAME").arg(name);
    Ok(question.query_async(&mut sentinel).await?)
}

/// A server that was deposed may still be there, or a Sentinel may not know yet.
pub(super) async fn check_is_master(node: &mut MultiplexedConnection) -> Result<(), Error> {
    let answer: Vec<Value> = redis::cmd("ROLE").query_async(node).await?;
    let role = answer.into_iter().next().map(redis::from_redis_value::<String>);
    match role {
        Some(Ok(role)) if role == "master" => Ok(()),
        _ => Err(Error::new(
            StoreErrorKind::Unavailable,
            "the server that sentinel names is not a master yet",
        )),
    }
}
