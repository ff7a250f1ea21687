//! Which job is meant: `QUEUE ID`, `QUEUE/ID`, or the id alone when only one queue has it.

use clap::Args;
use miette::miette;

use crate::client::{Call, Client};

/// One job.
#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    /// The job: QUEUE ID, QUEUE/ID, or ID alone when only one queue has it
    #[arg(value_name = "JOB", num_args = 1..=2, required = true)]
    job: Vec<String>,
    /// The queue that the job is on
    #[arg(long)]
    queue: Option<String>,
}

impl KeyArgs {
    /// The queue and the id.
    ///
    /// # Errors
    /// When it is not clear which job is meant.
    pub(super) async fn find(self, client: &Client) -> miette::Result<(String, String)> {
        match named(self.queue, self.job) {
            Ok(key) => Ok(key),
            Err(id) => search(client, id).await,
        }
    }
}

/// The queue and the id, if both are named; else the id. A queue's name holds no slash, an id may.
fn named(queue: Option<String>, mut job: Vec<String>) -> Result<(String, String), String> {
    let last = job.pop().unwrap_or_default();
    if let Some(queue) = queue.or_else(|| job.pop()) {
        return Ok((queue, last));
    }
    match last.split_once('/') {
        Some((queue, id)) if !queue.is_empty() && !id.is_empty() => {
            Ok((queue.to_owned(), id.to_owned()))
        }
        _ => Err(last),
    }
}

/// Looks for the id on every queue.
async fn search(client: &Client, id: String) -> miette::Result<(String, String)> {
    let answer = client.call(Call::get(["queues"])).await?;
    let queues = answer["items"].as_array().into_iter().flatten();
    let mut found = Vec::new();
    for queue in queues.filter_map(|queue| queue["name"].as_str()) {
        if client.find(Call::get(["queues", queue, "jobs", &id])).await?.is_some() {
            found.push(queue.to_owned());
        }
    }
    match found.len() {
        0 => Err(miette!(
            help = "`eventyard jobs list` shows jobs with their queues and ids",
            "there is no job {id} on any queue"
        )),
        1 => Ok((found.remove(0), id)),
        _ => Err(miette!(
            help = "name one of them: QUEUE/{id}",
            "several queues have a job {id}: {}",
            found.join(", ")
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_named_in_three_ways() {
        let check = |queue: Option<&str>, job: &[&str], expected: Result<(&str, &str), &str>| {
            let job: Vec<String> = job.iter().map(ToString::to_string).collect();
            let named = named(queue.map(str::to_owned), job);
            let named = named.as_ref().map(|(q, id)| (&**q, &**id)).map_err(|id| &**id);
            assert_eq!(named, expected);
        };
        check(None, &["emails", "j-1"], Ok(("emails", "j-1")));
        check(None, &["emails", "a/b"], Ok(("emails", "a/b")));
        check(None, &["emails/a/b"], Ok(("emails", "a/b")));
        check(Some("emails"), &["a/b"], Ok(("emails", "a/b")));
        check(None, &["j-1"], Err("j-1"));
        check(None, &["/j-1"], Err("/j-1"));
    }
}
