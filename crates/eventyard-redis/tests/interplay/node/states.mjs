// The scenarios that leave the same keys whoever goes through them: here as BullMQ does. Each has its counterpart of the
// same name in `states/scenarios.rs`.

import { setTimeout as delay } from 'node:timers/promises';

const MINUTE = 60_000;
const Q = 'q';

/** Adds a job as the scenarios name it. */
const add = (peer, id, options = {}, name = Q) =>
  peer.queue(name).add('test.job', { job: id }, { jobId: id, ...options });

/** A worker that does nothing by itself. */
const hands = (peer, name = Q, more = {}) =>
  peer.worker(name, null, { autorun: false, name: 'w', lockDuration: MINUTE, ...more });

/** Takes the next job. */
const take = async (peer, name = Q, more = {}) => {
  const job = await hands(peer, name, more).getNextJob('token', { block: false });
  if (!job) throw new Error(`nothing to take on ${name}`);
  return job;
};
const complete = (job, value) => job.moveToCompleted(value, 'token', false);
const fail = (job, message = 'no') => job.moveToFailed(new Error(message), 'token', false);

/** Takes the next job and ends it. */
const run = async (peer, value, name = Q) => complete(await take(peer, name), value);
const bury = async (peer, name = Q) => fail(await take(peer, name));

const find = (peer, id, name = Q) => peer.queue(name).getJob(id);

/** A parent on `q` with children on `c`. */
const flow = (peer, children, options = {}) =>
  peer.flow().add({
    name: 'test.job', queueName: Q, data: { job: 'parent' }, opts: { jobId: 'parent', ...options },
    children: children.map(([id, opts]) => ({
      name: 'test.job', queueName: 'c', data: { job: id }, opts: { jobId: id, ...opts },
    })),
  });

const says = (more) => ({ deduplication: { id: 'same', ...more } });

export const states = {
  // Adding.
  add: (peer) => add(peer, 'a'),
  async add_some(peer) {
    for (const id of ['a', 'b', 'c']) await add(peer, id);
  },
  add_bulk: (peer) =>
    peer.queue(Q).addBulk(
      ['a', 'b', 'c'].map((id) => ({ name: 'test.job', data: { job: id }, opts: { jobId: id } })),
    ),
  add_delayed: (peer) => add(peer, 'a', { delay: 5 * MINUTE }),
  async add_delayed_earlier(peer) {
    await add(peer, 'a', { delay: 9 * MINUTE });
    await add(peer, 'b', { delay: 5 * MINUTE });
  },
  async add_prioritised(peer) {
    await add(peer, 'a', { priority: 3 });
    await add(peer, 'b', { priority: 1 });
    await add(peer, 'c', { priority: 3 });
  },
  add_delayed_prioritised: (peer) => add(peer, 'a', { delay: MINUTE, priority: 7 }),
  async add_lifo(peer) {
    await add(peer, 'a');
    await add(peer, 'b', { lifo: true });
  },
  add_with_options: (peer) =>
    add(peer, 'a', {
      attempts: 5,
      backoff: { type: 'exponential', delay: 2000 },
      removeOnComplete: { age: 3600, count: 100 },
      removeOnFail: 50,
    }),
  async add_twice(peer) {
    await add(peer, 'a');
    await add(peer, 'a', { priority: 5 });
  },
  async add_while_paused(peer) {
    await peer.queue(Q).pause();
    await add(peer, 'a');
    await add(peer, 'b', { priority: 2 });
    await add(peer, 'c', { delay: MINUTE });
  },

  // Jobs that say the same.
  async same(peer) {
    await add(peer, 'a', says());
    await add(peer, 'b', says());
  },
  async same_for_a_time(peer) {
    await add(peer, 'a', says({ ttl: 5 * MINUTE }));
    await add(peer, 'b', says({ ttl: 5 * MINUTE }));
  },
  async same_for_a_time_that_begins_anew(peer) {
    await add(peer, 'a', says({ ttl: 5 * MINUTE, extend: true }));
    await add(peer, 'b', says({ ttl: 5 * MINUTE, extend: true }));
  },
  async same_replaces(peer) {
    const options = { ...says({ ttl: 5 * MINUTE, replace: true }), delay: 5 * MINUTE };
    await add(peer, 'a', options);
    await add(peer, 'b', options);
  },
  async same_replaces_without_a_time(peer) {
    const options = { ...says({ replace: true }), delay: 5 * MINUTE };
    await add(peer, 'a', options);
    await add(peer, 'b', options);
  },
  async same_keeps_the_last(peer) {
    await add(peer, 'a', says({ keepLastIfActive: true }));
    await take(peer);
    await add(peer, 'b', says({ keepLastIfActive: true }));
    await add(peer, 'c', says({ keepLastIfActive: true }));
  },
  async same_ends_when_completed(peer) {
    await add(peer, 'a', says());
    await run(peer, 1);
    await add(peer, 'b', says());
  },
  async same_outlives_its_job(peer) {
    await add(peer, 'a', says({ ttl: 5 * MINUTE }));
    await run(peer, 1);
    await add(peer, 'b', says({ ttl: 5 * MINUTE }));
  },
  async same_ends_when_removed(peer) {
    await add(peer, 'a', says());
    await (await find(peer, 'a')).remove();
  },

  // Taking.
  async take(peer) {
    await add(peer, 'a');
    await add(peer, 'b');
    await take(peer);
  },
  async take_the_last(peer) {
    await add(peer, 'a');
    await take(peer);
  },
  async take_prioritised(peer) {
    await add(peer, 'a', { priority: 2 });
    await add(peer, 'b', { priority: 1 });
    await take(peer);
  },
  async take_what_is_due(peer) {
    await add(peer, 'a', { delay: 20 });
    await add(peer, 'b', { delay: 5 * MINUTE });
    await delay(30);
    await take(peer);
  },
  async take_what_is_due_by_priority(peer) {
    await add(peer, 'a', { delay: 20, priority: 4 });
    await add(peer, 'b', { priority: 9 });
    await delay(30);
    await take(peer);
  },

  // Completing.
  async complete(peer) {
    await add(peer, 'a');
    await run(peer, { sent: true });
  },
  async complete_with_nothing(peer) {
    await add(peer, 'a');
    await run(peer);
  },
  async complete_one_of_two(peer) {
    await add(peer, 'a');
    await add(peer, 'b');
    await run(peer, 1);
  },
  async complete_and_remove(peer) {
    await add(peer, 'a', { removeOnComplete: true });
    await run(peer, 1);
  },
  async complete_and_keep_one(peer) {
    for (const id of ['a', 'b', 'c']) await add(peer, id, { removeOnComplete: 1 });
    for (const n of [1, 2, 3]) await run(peer, n);
  },
  async complete_and_keep_for_an_age(peer) {
    await add(peer, 'a', { removeOnComplete: { age: 3600 } });
    await run(peer, 1);
  },

  // Failing.
  async retry_later(peer) {
    await add(peer, 'a', { attempts: 3, backoff: { type: 'fixed', delay: MINUTE } });
    await bury(peer);
  },
  async retry_at_once(peer) {
    await add(peer, 'a', { attempts: 3 });
    await bury(peer);
  },
  async retry_at_once_by_priority(peer) {
    await add(peer, 'a', { attempts: 3, priority: 6 });
    await bury(peer);
  },
  async retry_and_complete(peer) {
    await add(peer, 'a', { attempts: 3 });
    await bury(peer);
    await run(peer, 1);
  },
  async fail(peer) {
    await add(peer, 'a');
    await bury(peer);
  },
  async fail_the_second_time(peer) {
    await add(peer, 'a', { attempts: 2 });
    await bury(peer);
    await bury(peer);
  },
  async fail_and_remove(peer) {
    await add(peer, 'a', { removeOnFail: true });
    await bury(peer);
  },

  // While it runs.
  async progress(peer) {
    await add(peer, 'a');
    const job = await take(peer);
    await job.updateProgress(40);
    await job.updateProgress({ percent: 60 });
  },
  async log(peer) {
    await add(peer, 'a');
    const job = await take(peer);
    await job.log('one');
    await job.log('two');
  },
  async renew(peer) {
    await add(peer, 'a');
    await (await take(peer)).extendLock('token', 5 * MINUTE);
  },
  async snooze(peer) {
    await add(peer, 'a');
    await (await take(peer)).moveToDelayed(Date.now() + 5 * MINUTE, 'token');
  },
  async give_back(peer) {
    await add(peer, 'a');
    await add(peer, 'b');
    await (await take(peer)).moveToWait('token');
  },
  async give_back_prioritised(peer) {
    await add(peer, 'a', { priority: 5 });
    await add(peer, 'b', { priority: 5 });
    await (await take(peer)).moveToWait('token');
  },
  async stall(peer) {
    const more = { lockDuration: 20, stalledInterval: 20 };
    await add(peer, 'a');
    await take(peer, Q, more);
    await hands(peer, Q, more).moveStalledJobsToWait();
    await delay(50);
    await hands(peer, Q, more).moveStalledJobsToWait();
  },

  // Steering jobs.
  async update(peer) {
    await add(peer, 'a');
    await (await find(peer, 'a')).updateData({ other: [1, 2] });
  },
  async promote(peer) {
    await add(peer, 'a', { delay: MINUTE });
    await add(peer, 'b', { delay: 5 * MINUTE });
    await (await find(peer, 'a')).promote();
  },
  async promote_prioritised(peer) {
    await add(peer, 'a', { delay: MINUTE, priority: 8 });
    await (await find(peer, 'a')).promote();
  },
  async retry_failed(peer) {
    await add(peer, 'a');
    await bury(peer);
    await (await find(peer, 'a')).retry('failed', {
      resetAttemptsMade: true, resetAttemptsStarted: true,
    });
  },
  async retry_failed_prioritised(peer) {
    await add(peer, 'a', { priority: 4 });
    await bury(peer);
    await (await find(peer, 'a')).retry('failed', {
      resetAttemptsMade: true, resetAttemptsStarted: true,
    });
  },
  async retry_completed(peer) {
    await add(peer, 'a');
    await run(peer, 1);
    await (await find(peer, 'a')).retry('completed', {
      resetAttemptsMade: true, resetAttemptsStarted: true,
    });
  },
  async remove_waiting(peer) {
    await add(peer, 'a');
    await add(peer, 'b');
    await (await find(peer, 'a')).remove();
  },
  async remove_delayed(peer) {
    await add(peer, 'a', { delay: MINUTE });
    await (await find(peer, 'a')).remove();
  },
  async remove_prioritised(peer) {
    await add(peer, 'a', { priority: 2 });
    await (await find(peer, 'a')).remove();
  },
  async remove_completed(peer) {
    await add(peer, 'a');
    const job = await take(peer);
    await job.log('one');
    await complete(job, 1);
    await job.remove();
  },
  async remove_failed(peer) {
    await add(peer, 'a');
    await bury(peer);
    await (await find(peer, 'a')).remove();
  },
  async prioritise_waiting(peer) {
    await add(peer, 'a');
    await add(peer, 'b');
    await (await find(peer, 'a')).changePriority({ priority: 5 });
  },
  async prioritise_again(peer) {
    await add(peer, 'a', { priority: 5 });
    await add(peer, 'b', { priority: 5 });
    await (await find(peer, 'a')).changePriority({ priority: 7 });
  },
  async prioritise_no_more(peer) {
    await add(peer, 'a', { priority: 5 });
    await (await find(peer, 'a')).changePriority({ priority: 0 });
  },
  async reschedule(peer) {
    await add(peer, 'a', { delay: MINUTE });
    await add(peer, 'b', { delay: 5 * MINUTE });
    await (await find(peer, 'a')).changeDelay(9 * MINUTE);
  },

  // Steering queues.
  async pause(peer) {
    await add(peer, 'a');
    await add(peer, 'b', { priority: 3 });
    await peer.queue(Q).pause();
  },
  pause_empty: (peer) => peer.queue(Q).pause(),
  async resume(peer) {
    await add(peer, 'a');
    await peer.queue(Q).pause();
    await add(peer, 'b');
    await peer.queue(Q).resume();
  },
  async resume_with_delayed(peer) {
    await peer.queue(Q).pause();
    await add(peer, 'a', { delay: MINUTE });
    await peer.queue(Q).resume();
  },
  async complete_while_paused(peer) {
    await add(peer, 'a');
    const job = await take(peer);
    await add(peer, 'b');
    await peer.queue(Q).pause();
    await complete(job, 1);
  },
  async retry_while_paused(peer) {
    await add(peer, 'a', { attempts: 3 });
    const job = await take(peer);
    await peer.queue(Q).pause();
    await fail(job);
  },
  async clean_completed(peer) {
    for (const id of ['a', 'b', 'c']) await add(peer, id);
    for (const n of [1, 2, 3]) await run(peer, n);
    await delay(5);
    await peer.queue(Q).clean(0, 2, 'completed');
  },
  async clean_failed(peer) {
    for (const id of ['a', 'b']) await add(peer, id);
    await bury(peer);
    await bury(peer);
    await delay(5);
    await peer.queue(Q).clean(0, 100, 'failed');
  },
  async clean_delayed(peer) {
    await add(peer, 'a', { delay: MINUTE });
    await add(peer, 'b');
    await delay(5);
    await peer.queue(Q).clean(0, 100, 'delayed');
  },
  async clean_waiting(peer) {
    for (const id of ['a', 'b', 'c']) await add(peer, id);
    await delay(5);
    await peer.queue(Q).clean(0, 2, 'wait');
  },
  async limit_concurrency(peer) {
    await peer.queue(Q).setGlobalConcurrency(1);
    await add(peer, 'a');
    await take(peer);
    await add(peer, 'b');
  },
  limit_rate: (peer) => peer.queue(Q).setGlobalRateLimit(100, MINUTE),

  // Flows.
  flow: (peer) => flow(peer, [['x'], ['y']]),
  flow_prioritised: (peer) => flow(peer, [['x', { priority: 3 }]], { priority: 2 }),
  async flow_first_child_completed(peer) {
    await flow(peer, [['x'], ['y']]);
    await run(peer, { n: 1 }, 'c');
  },
  async flow_children_completed(peer) {
    await flow(peer, [['x'], ['y']]);
    await run(peer, { n: 1 }, 'c');
    await run(peer, { n: 2 }, 'c');
  },
  async flow_children_completed_for_a_prioritised_parent(peer) {
    await flow(peer, [['x']], { priority: 2 });
    await run(peer, { n: 1 }, 'c');
  },
  async flow_children_completed_and_removed(peer) {
    await flow(peer, [['x', { removeOnComplete: true }]]);
    await run(peer, { n: 1 }, 'c');
  },
  async flow_completed(peer) {
    await flow(peer, [['x']]);
    await run(peer, 1, 'c');
    await run(peer, 2);
  },
  async flow_child_fails_and_parent_waits(peer) {
    await flow(peer, [['x'], ['y']]);
    await bury(peer, 'c');
  },
  async flow_child_fails_its_parent(peer) {
    await flow(peer, [['x', { failParentOnFailure: true }], ['y']]);
    await bury(peer, 'c');
  },
  async flow_child_fails_and_is_ignored(peer) {
    await flow(peer, [['x', { ignoreDependencyOnFailure: true }], ['y']]);
    await bury(peer, 'c');
  },
  async flow_only_child_fails_and_is_ignored(peer) {
    await flow(peer, [['x', { ignoreDependencyOnFailure: true }]]);
    await bury(peer, 'c');
  },
  async flow_child_fails_and_parent_goes_on(peer) {
    await flow(peer, [['x', { continueParentOnFailure: true }], ['y']]);
    await bury(peer, 'c');
  },
  async flow_failed_child_is_retried(peer) {
    await flow(peer, [['x']]);
    await bury(peer, 'c');
    await (await find(peer, 'x', 'c')).retry('failed', {
      resetAttemptsMade: true, resetAttemptsStarted: true,
    });
  },
  async flow_child_is_removed(peer) {
    await flow(peer, [['x']]);
    await (await find(peer, 'x', 'c')).remove();
  },
  async flow_grows_while_it_runs(peer) {
    await add(peer, 'parent');
    const job = await take(peer);
    await peer.queue('c').add('test.job', { job: 'x' }, {
      jobId: 'x', parent: { id: 'parent', queue: job.queueQualifiedName },
    });
    if (!(await job.moveToWaitingChildren('token'))) throw new Error('it has no children');
  },
  flow_of_three_levels: (peer) =>
    peer.flow().add({
      name: 'test.job', queueName: Q, data: { job: 'root' }, opts: { jobId: 'root' },
      children: [{
        name: 'test.job', queueName: Q, data: { job: 'middle' }, opts: { jobId: 'middle' },
        children: [{
          name: 'test.job', queueName: Q, data: { job: 'leaf' }, opts: { jobId: 'leaf' },
        }],
      }],
    }),
};
