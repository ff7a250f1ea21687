//! Reading what Node's hands and our scripts have left in a real server; the keys are written by hand.

mod job;
mod listing;
mod record;
#[path = "../../tests/server/mod.rs"]
mod server;

use eventyard_core::Timestamp;

use self::server::RedisServer;
use super::*;
use crate::connect::Options;

struct Fixture {
    connection: Shared,
    reader: Reader,
    _server: RedisServer,
}

impl Fixture {
    async fn start() -> Self {
        let server = RedisServer::start_with(&["appendonly no"]);
        let connections = Connections::new(server.url().parse().unwrap(), Options::default());
        let connection = connections.shared();
        connection.connect().await.unwrap();
        Self { connection, reader: Reader::new(&connections, "bull".into()), _server: server }
    }

    /// Runs commands, one per line. `J:` stands for the keys of the queue `q`, `O:` for ours of it, `E:` for ours.
    async fn run(&self, lines: &str) {
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let mut words = line.split(' ');
            let mut command = redis::cmd(words.next().unwrap());
            for word in words {
                let word = word
                    .strip_prefix("J:")
                    .map_or(word.to_owned(), |rest| format!("bull:q:{rest}"));
                let own = word.strip_prefix("O:").map(|rest| format!("bull::eventyard:q:q:{rest}"));
                let all = word.strip_prefix("E:").map(|rest| format!("bull::eventyard:{rest}"));
                command.arg(own.or(all).unwrap_or(word));
            }
            let done = command.exec_async(&mut self.connection.clone()).await;
            done.unwrap_or_else(|error| panic!("{line}: {error}"));
        }
    }

    /// Makes jobs known, with the numbers that tell their places.
    async fn jobs(&self, ids: impl IntoIterator<Item = (&str, i64)>) {
        for (id, number) in ids {
            let created = 1_700_000_000_000 + number;
            self.run(&format!("HSET J:{id} name n data {{}} opts {{}} timestamp {created}")).await;
            self.run(&format!("HSET J:{id} eyp {number} eyt d priority 0")).await;
        }
    }

    async fn page(
        &self,
        state: JobState,
        limit: usize,
        cursor: &Option<String>,
    ) -> (Vec<String>, Option<String>) {
        let ask = PageAsk { limit, cursor: cursor.clone() };
        let page = self.reader.jobs(Some(&queue("q")), state, ask).await.unwrap();
        assert!(page.items.iter().all(|status| status.state == state), "{:?}", page.items);
        (page.items.iter().map(|status| status.job.id.to_string()).collect(), page.next)
    }

    /// The ids in a state, walked in small pages.
    async fn walk(&self, state: JobState) -> Vec<String> {
        let (mut all, mut next) = (Vec::new(), None);
        loop {
            let (ids, then) = self.page(state, 2, &next).await;
            all.extend(ids);
            if then.is_none() {
                return all;
            }
            next = then;
        }
    }

    async fn status(&self, id: &str) -> JobStatus {
        self.reader.job(&key("q", id)).await.unwrap().unwrap()
    }
}

fn queue(name: &str) -> QueueName {
    QueueName::new(name).unwrap()
}

fn key(name: &str, id: &str) -> JobKey {
    JobKey { queue: queue(name), id: JobId::new(id).unwrap() }
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}
