//! What a member does beside reading: takes over what was left alone, keeps what it has, and tidies up.

use std::time::Duration;

use redis::Value;
use tokio::time::Instant;

use super::Member;
use crate::{
    connect::Error,
    streams::{
        entry::{self, Claimed},
        script,
    },
};

/// How often the stream is trimmed and consumers that are gone are forgotten.
const UPKEEP_EVERY: Duration = Duration::from_secs(60);

impl Member {
    /// Takes over up to `room` entries that were left alone for too long; returns how many it got.
    pub(super) async fn take_over(&mut self, room: usize) -> Result<usize, Error> {
        if Instant::now() < self.next_claim {
            return Ok(0);
        }
        let (mut from, mut taken) = ("0-0".to_owned(), 0);
        while taken < room {
            let mut claim = redis::cmd("XAUTOCLAIM");
            let options = &self.inner.options;
            claim.arg(&options.stream).arg(&*self.group).arg(&self.subscription.consumer);
            claim.arg(u64::try_from(options.claim_after.as_millis()).unwrap_or(u64::MAX));
            claim.arg(&from).arg("COUNT").arg(room - taken);
            let answer: Value = claim.query_async(&mut self.inner.connections.shared()).await?;
            let Claimed { next, entries, deleted } = entry::of_claim(answer)?;
            self.tell_trimmed(deleted.len()).await;
            // What this member works on is kept with it, unless it was too slow to say so.
            let entries: Vec<_> =
                entries.into_iter().filter(|entry| !self.hand.holds(&entry.id)).collect();
            taken += entries.len();
            let got = entries.len();
            self.hand_out(entries, None).await?;
            if got > 0 {
                tracing::info!(stream = %self.inner.options.stream, group = %self.group, entries = got, "took over entries that were left alone");
            }
            if next == "0-0" {
                self.next_claim = Instant::now() + self.claim_every;
                break;
            }
            from = next;
        }
        Ok(taken)
    }

    /// Trims the stream and forgets consumers that are gone, from time to time.
    pub(super) async fn upkeep(&mut self) -> Result<(), Error> {
        if Instant::now() < self.next_upkeep {
            return Ok(());
        }
        self.next_upkeep = Instant::now() + UPKEEP_EVERY;
        self.inner.trim().await?;
        self.inner.forget_silent(&self.group, self.inner.options.forget_after).await
    }

    /// Keeps others from taking over what this member works on, for as long as it does.
    pub(super) fn keep_hand(&self) -> impl Future<Output = ()> + Send + 'static {
        let (inner, hand) = (self.inner.clone(), self.hand.clone());
        let (group, consumer) = (self.group.clone(), self.subscription.consumer.clone());
        let every = (inner.options.claim_after / 3).max(Duration::from_millis(1));
        async move {
            loop {
                tokio::time::sleep(every).await;
                let entries = hand.entries();
                if entries.is_empty() {
                    continue;
                }
                let mut shared = inner.connections.shared();
                let stream = &inner.options.stream;
                let kept = script::renew(&mut shared, stream, &group, &consumer, &entries).await;
                if let Err(error) = kept {
                    tracing::debug!(%stream, %group, %error, "cannot keep entries that are worked on");
                }
            }
        }
    }
}
