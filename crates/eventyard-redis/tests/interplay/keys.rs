//! Everything that Redis holds, told so that two runs can be compared: times are minutes after the beginning, tokens and
//! stacks have no content.

use std::collections::{BTreeMap, BTreeSet};

use eventyard_core::Timestamp;
use redis::{AsyncCommands as _, Client, RedisResult, Value as Answer, aio::MultiplexedConnection};
use serde_json::Value;

/// Hash fields of a job that Eventyard alone has.
const OUR_FIELDS: &[&str] =
    &["ey", "eya", "eyb", "eyc", "eyd", "eyf", "eyh", "eyk", "eyl", "eyp", "eys", "eyt", "eyx"];
/// How its fields begin that are named after a job's children.
const OUR_FIELDS_OF_CHILDREN: &str = "ey>";
/// Fields of a told event that Eventyard alone has.
const OUR_EVENT_FIELDS: &[&str] = &["attempt", "by", "failure", "worker"];
/// How the keys begin that Eventyard alone has.
const OUR_KEYS: &str = "bull::eventyard:";

/// A key that is there for a moment, or not any more: it keeps workers from looking for stalled jobs too often.
const FLEETING: &str = ":stalled-check";

/// A place, such as `bull:q:a data`, and what is there.
pub(crate) type Keys = BTreeMap<String, String>;

/// A connection to the server at `url`.
pub(crate) async fn connect(url: &str) -> MultiplexedConnection {
    Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap()
}

/// Everything that is there; `begin` is when the run began, in milliseconds.
pub(crate) async fn read(redis: &mut MultiplexedConnection, begin: i64) -> RedisResult<Keys> {
    let mut all = Keys::new();
    let keys: Vec<String> = redis.keys("*").await?;
    for key in keys {
        if key.starts_with(OUR_KEYS) || key.ends_with(FLEETING) {
            continue;
        }
        let kind: String = redis::cmd("TYPE").arg(&key).query_async(redis).await?;
        let reader = Reader { key: key.clone(), begin };
        match kind.as_str() {
            "string" => {
                let value: String = redis.get(&key).await?;
                let left: i64 = redis.pttl(&key).await?;
                all.insert(key, reader.string(&value, left));
            }
            "list" => {
                let items: Vec<String> = redis.lrange(&key, 0, -1).await?;
                let items: Vec<_> = items.iter().map(|item| reader.item(item)).collect();
                all.insert(key, items.join(", "));
            }
            "set" => {
                let mut items: Vec<String> = redis.smembers(&key).await?;
                items.sort();
                all.insert(key, items.join(", "));
            }
            "zset" => {
                let items: Vec<(String, f64)> = redis.zrange_withscores(&key, 0, -1).await?;
                let items = items.iter().map(|(item, score)| reader.scored(item, *score));
                let mut items: Vec<_> = items.collect();
                if !key.ends_with(":prioritized") {
                    // Of what has the same time nothing says which comes first.
                    items.sort();
                }
                all.insert(key, items.join(", "));
            }
            "hash" => {
                let fields: BTreeMap<String, Vec<u8>> = redis.hgetall(&key).await?;
                for (field, value) in fields {
                    let is_ours = OUR_FIELDS.contains(&field.as_str());
                    if is_ours || field.starts_with(OUR_FIELDS_OF_CHILDREN) {
                        continue;
                    }
                    if let Some(value) = reader.field(&field, &String::from_utf8_lossy(&value)) {
                        all.insert(format!("{key} {field}"), value);
                    }
                }
            }
            "stream" => {
                let entries: Vec<(String, Vec<String>)> =
                    redis::cmd("XRANGE").arg(&key).arg("-").arg("+").query_async(redis).await?;
                for (n, (_, fields)) in entries.iter().enumerate() {
                    all.insert(format!("{key} #{n:02}"), reader.entry(fields));
                }
            }
            "none" => {} // It had an end, and that has come.
            other => panic!("{key} is a {other}, which no key of a queue is"),
        }
    }
    Ok(all)
}

/// Removes everything.
pub(crate) async fn clear(redis: &mut MultiplexedConnection) {
    let _: Answer = redis::cmd("FLUSHALL").query_async(redis).await.unwrap();
}

/// The places where two runs differ, with what is there on either side.
pub(crate) fn difference(theirs: &Keys, ours: &Keys) -> BTreeMap<String, String> {
    let places: BTreeSet<_> = theirs.keys().chain(ours.keys()).collect();
    let differs = places.into_iter().filter(|place| theirs.get(*place) != ours.get(*place));
    let show = |there: Option<&String>| there.map_or("(nothing)", String::as_str).to_owned();
    differs
        .map(|place| {
            let (theirs, ours) = (show(theirs.get(place)), show(ours.get(place)));
            (place.clone(), format!("      BullMQ     {theirs}\n      Eventyard  {ours}\n"))
        })
        .collect()
}

struct Reader {
    key: String,
    begin: i64,
}

impl Reader {
    fn string(&self, value: &str, left: i64) -> String {
        let value =
            if self.key.ends_with(":lock") { "(token)".to_owned() } else { self.time(value) };
        if left < 0 { value } else { format!("{value}, for {} min", minutes(left)) }
    }

    /// An id, or a line of a log: ours begin with their time.
    fn item(&self, item: &str) -> String {
        match item.split_once(' ').filter(|_| self.key.ends_with(":logs")) {
            Some((time, line)) if time.parse::<Timestamp>().is_ok() => line.to_owned(),
            _ => item.to_owned(),
        }
    }

    fn scored(&self, item: &str, score: f64) -> String {
        #[expect(clippy::cast_possible_truncation, reason = "scores are whole, or times")]
        let score = if self.key.ends_with(":delayed") { score / 4096.0 } else { score } as i64;
        format!("{item} at {}", self.time(&score.to_string()))
    }

    /// What a field says; nothing if it says nothing about the job.
    fn field(&self, field: &str, value: &str) -> Option<String> {
        if self.key.ends_with(":meta") && field == "version" {
            return None;
        }
        let parsed = || serde_json::from_str::<Value>(value).ok();
        Some(match field {
            "opts" => self.options(parsed()?),
            "data" | "parent" | "progress" | "returnvalue" => parsed()
                .unwrap_or_else(|| panic!("{} {field} is no JSON: {value}", self.key))
                .to_string(),
            "stacktrace" => {
                let stacks = parsed().and_then(|stacks| stacks.as_array().map(Vec::len));
                format!("{} stacks", stacks.unwrap_or_else(|| panic!("no stacks: {value}")))
            }
            // How much of a minute is left depends on how long the step before it took.
            "delay" => match value.parse() {
                Ok(ms) if ms > 1000 => format!("{} min", minutes(ms)),
                _ => value.to_owned(),
            },
            _ => self.time(value),
        })
    }

    /// The options without what is there by default, or twice.
    fn options(&self, mut options: Value) -> String {
        if let Some(fields) = options.as_object_mut() {
            fields.retain(|field, value| match field.as_str() {
                "attempts" => !matches!(value.as_u64(), Some(0 | 1)),
                // The job's own, which is in its key already, or beside these options.
                "jobId" => false,
                _ => true,
            });
        }
        // A whole number is one, however it is written.
        options.to_string().replace(".0,", ",").replace(".0}", "}")
    }

    fn entry(&self, fields: &[String]) -> String {
        let pairs = fields.chunks(2).filter(|pair| !OUR_EVENT_FIELDS.contains(&pair[0].as_str()));
        let pairs = pairs.map(|pair| format!("{}={}", pair[0], self.time(&pair[1])));
        let mut pairs: Vec<_> = pairs.collect();
        // Their order means nothing, but the event itself reads best in front.
        pairs[1..].sort();
        pairs.join(" ")
    }

    /// A number of milliseconds near the beginning is a time.
    fn time(&self, value: &str) -> String {
        const DAY: i64 = 24 * 60 * 60 * 1000;
        match value.parse::<i64>() {
            Ok(at) if (at - self.begin).abs() < DAY => {
                format!("(begin + {} min)", minutes(at - self.begin))
            }
            _ => value.to_owned(),
        }
    }
}

/// The nearest number of minutes: what scenarios take is seconds, what they ask for minutes.
fn minutes(ms: i64) -> i64 {
    (ms + 30_000).div_euclid(60_000)
}
