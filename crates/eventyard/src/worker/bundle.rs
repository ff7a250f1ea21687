//! Attempts that share a task.
//!
//! A task for each attempt lets slow handlers run on all processors at once. To start one costs a few microseconds, and
//! mostly another thread is woken for it: more than a quick handler takes. So quick ones are run some at a time.

use std::{future::Future, pin::Pin, task::Poll};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::sync::mpsc;

use super::attempt::{Attempt, Ended};

/// Starts attempts, in at most `tasks` tasks; each tells those that have ended.
pub(super) fn start(mut attempts: Vec<Attempt>, tasks: usize, ended: &mpsc::Sender<Vec<Ended>>) {
    let share = attempts.len().div_ceil(tasks.max(1)).max(1);
    while !attempts.is_empty() {
        let rest = attempts.split_off(share.min(attempts.len()));
        tokio::spawn(run(std::mem::replace(&mut attempts, rest), ended.clone()));
    }
}

/// Runs attempts side by side. Those that never wait are told together.
async fn run(attempts: Vec<Attempt>, ended: mpsc::Sender<Vec<Ended>>) {
    let mut done = Vec::new();
    let waiting = FuturesUnordered::new();
    for attempt in attempts {
        let mut attempt = Box::pin(attempt.run());
        match poll_once(attempt.as_mut()).await {
            Poll::Ready(ended) => done.push(ended),
            Poll::Pending => waiting.push(attempt),
        }
    }
    // The worker is gone only when the application is; the leases then end by themselves.
    if !done.is_empty() {
        let _ = ended.send(done).await;
    }
    let mut waiting = waiting.map(|ended| vec![ended]);
    while let Some(done) = waiting.next().await {
        let _ = ended.send(done).await;
    }
}

/// Gives a future one chance to end.
async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}
