//! Which node of a cluster a connection of its own leads to.

use eventyard_core::StoreErrorKind;
use redis::{ConnectionInfo, Value, aio::MultiplexedConnection, from_redis_value};

use super::{Error, dial::Dial};

/// Any node that answers.
pub(super) async fn any(dial: &Dial) -> Result<ConnectionInfo, Error> {
    reach(dial).await.map(|(_, info)| info)
}

/// The master that has `key`.
pub(super) async fn home(dial: &Dial, key: &str) -> Result<ConnectionInfo, Error> {
    let (mut node, info) = reach(dial).await?;
    let cluster = |what: &str| redis::cmd("CLUSTER").arg(what).to_owned();
    let slot: i64 = cluster("KEYSLOT").arg(key).query_async(&mut node).await?;
    let ranges: Vec<Vec<Value>> = cluster("SLOTS").query_async(&mut node).await?;
    let Some(host) = ranges.iter().find_map(|range| master_of(range, slot)) else {
        let problem = format!("no node of the cluster has slot {slot}");
        return Err(Error::new(StoreErrorKind::Unavailable, problem));
    };
    // A node that does not know its own name leaves it out.
    match host.0.is_empty() {
        true => Ok(info),
        false => dial.node_info(&host),
    }
}

/// The master of a range, an answer of `CLUSTER SLOTS`: first, last, master, replicas…
fn master_of(range: &[Value], slot: i64) -> Option<(String, u16)> {
    let [Value::Int(first), Value::Int(last), Value::Array(master), ..] = range else {
        return None;
    };
    let [host, port, ..] = master.as_slice() else { return None };
    if !(first..=last).contains(&&slot) {
        return None;
    }
    let host: Option<String> = from_redis_value(host.clone()).ok()?;
    Some((host.unwrap_or_default(), from_redis_value(port.clone()).ok()?))
}

async fn reach(dial: &Dial) -> Result<(MultiplexedConnection, ConnectionInfo), Error> {
    let mut last = None;
    for host in &dial.address.hosts {
        let info = dial.node_info(host)?;
        match dial.node(info.clone(), Some(dial.options.response_timeout)).await {
            Ok(node) => return Ok((node, info)),
            Err(error) => last = Some(error),
        }
    }
    Err(last
        .unwrap_or_else(|| Error::new(StoreErrorKind::Unsupported, "the redis url names no node")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_master_of_a_slot_is_found() {
        let host =
            |name: &str, port| Value::Array(vec![Value::BulkString(name.into()), Value::Int(port)]);
        let range = [Value::Int(5), Value::Int(9), host("a", 7000), host("b", 7001)];
        for (slot, found) in [(4, false), (5, true), (9, true), (10, false)] {
            let master = found.then(|| ("a".to_owned(), 7000));
            assert_eq!(master_of(&range, slot), master, "{slot}");
        }
    }
}
