//! Gathers the jobs of a batch handler: each attempt joins a batch and waits for its own outcome.

use std::{
    panic::AssertUnwindSafe,
    pin::pin,
    sync::{Arc, OnceLock},
};

use eventyard_core::Clock;
use futures_util::FutureExt;
use tokio::sync::{mpsc, oneshot};

use super::{BatchHandler, BatchItem, BatchOptions, FromJob, Run};
use crate::{Context, JobError, Outcome};

/// A job that joined a batch.
struct Member<L> {
    item: BatchItem<L>,
    /// Closed when the attempt is over before the batch: it timed out or was cancelled.
    reply: oneshot::Sender<Result<Outcome, JobError>>,
}

/// Makes a batch handler one of single jobs, which gathers them.
pub(crate) fn gather<Args: 'static, H: BatchHandler<Args>>(
    handler: H,
    options: BatchOptions,
) -> Run {
    let inbox: Arc<OnceLock<mpsc::Sender<Member<H::Load>>>> = Arc::default();
    Arc::new(move |cx| {
        let (handler, inbox) = (handler.clone(), Arc::clone(&inbox));
        Box::pin(async move {
            // Before it joins: a payload that does not fit fails its own job only.
            let load = H::Load::from_job(cx.job())?;
            let inbox = inbox.get_or_init(|| start(handler, options, &cx));
            join(inbox, BatchItem { load, cx }).await
        })
    })
}

async fn join<L>(inbox: &mpsc::Sender<Member<L>>, item: BatchItem<L>) -> Result<Outcome, JobError> {
    let (reply, ending) = oneshot::channel();
    // Neither fails unless the runtime ends: the gatherer lives as long as its inbox, and answers.
    let joined = inbox.send(Member { item, reply }).await.is_ok();
    let ending = if joined { ending.await.ok() } else { None };
    ending.unwrap_or_else(|| Err(JobError::retry("the batch ended without an outcome")))
}

/// Starts the task that gathers. It ends with the last sender of its inbox.
fn start<Args: 'static, H: BatchHandler<Args>>(
    handler: H,
    options: BatchOptions,
    cx: &Context,
) -> mpsc::Sender<Member<H::Load>> {
    let (sender, inbox) = mpsc::channel(options.max);
    tokio::spawn(gather_from(inbox, handler, options, Arc::clone(cx.clock())));
    sender
}

async fn gather_from<Args: 'static, H: BatchHandler<Args>>(
    mut inbox: mpsc::Receiver<Member<H::Load>>,
    handler: H,
    options: BatchOptions,
    clock: Arc<dyn Clock>,
) {
    while let Some(first) = inbox.recv().await {
        let mut members = vec![first];
        let mut over = pin!(clock.sleep(options.wait));
        while members.len() < options.max {
            tokio::select! {
                biased;
                member = inbox.recv() => match member {
                    Some(member) => members.push(member),
                    None => break,
                },
                () = &mut over => break,
            }
        }
        tokio::spawn(run(handler.clone(), members));
    }
}

/// Runs a batch and tells each job its outcome; stops when no attempt waits for one any more.
async fn run<Args: 'static, H: BatchHandler<Args>>(handler: H, members: Vec<Member<H::Load>>) {
    let waiting = members.into_iter().filter(|member| !member.reply.is_closed());
    let (items, mut replies): (Vec<_>, Vec<_>) =
        waiting.map(|Member { item, reply }| (item, reply)).unzip();
    let jobs = items.len();
    if jobs == 0 {
        return;
    }
    // The handler's own code may run, and panic, when it is called as well as when it is polled.
    let call = AssertUnwindSafe(async { handler.call(items).await }).catch_unwind();
    let abandoned = async {
        for reply in &mut replies {
            reply.closed().await;
        }
    };
    let endings = tokio::select! {
        biased;
        endings = call => endings,
        () = abandoned => return,
    };
    let endings = match endings {
        Ok(endings) if endings.len() == jobs => endings,
        Ok(endings) => {
            let given = endings.len();
            vec![
                Err(JobError::retry(format!(
                    "the batch handler gave {given} outcomes for {jobs} jobs; it must give one for each, in order"
                )));
                jobs
            ]
        }
        Err(panic) => vec![Err(JobError::panicked(&*panic)); jobs],
    };
    for (reply, ending) in replies.into_iter().zip(endings) {
        // An attempt that is over has been settled without this batch.
        let _ = reply.send(ending);
    }
}
