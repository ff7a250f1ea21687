// BullMQ in either version, from the folder of the tests' packages, and how it connects.

import { createRequire } from 'node:module';
import { resolve } from 'node:path';

export const require = createRequire(resolve(process.env.EVENTYARD_NODE, 'package.json'));

/** BullMQ on one Redis, under one prefix. */
export function bull(port, prefix, version) {
  const library = require(`bullmq${version}`);
  const connection = { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null };
  const options = { connection, prefix };
  const opened = new Map();

  /** Makes a thing once, and closes it with the others. */
  const once = (kind, name, make) => {
    const key = `${kind} ${name}`;
    if (!opened.has(key)) {
      const made = make();
      // A server that restarts is no reason to end; what is lost shows in the test.
      made.on('error', () => {});
      // Each waitUntilFinished listens.
      made.setMaxListeners(0);
      opened.set(key, made);
    }
    return opened.get(key);
  };

  return {
    library,
    options,
    version: Number(version),
    queue: (name) => once('queue', name, () => new library.Queue(name, options)),
    flow: () => once('flow', '', () => new library.FlowProducer(options)),
    events: (name) => once('events', name, () => new library.QueueEvents(name, options)),
    worker: (name, process, more = {}) =>
      once('worker', name, () => new library.Worker(name, process, { ...options, ...more })),
    /** Closes what is open, workers first: they wait for their jobs. */
    async close() {
      const workersFirst = [...opened].sort(([a], [b]) => b.localeCompare(a));
      opened.clear();
      for (const [, one] of workersFirst) await one.close();
    },
    /** Closes one worker; it waits for its jobs. */
    async closeWorker(name) {
      const key = `worker ${name}`;
      const worker = opened.get(key);
      opened.delete(key);
      await worker?.close();
    },
  };
}

/** What a job, or anything that holds jobs, is as plain JSON. */
export function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  if (value.asJSON && value.moveToCompleted) {
    const { id, name, data, opts, progress, returnvalue, failedReason, stacktrace } = value;
    const { attemptsMade, attemptsStarted, stalledCounter, processedBy, priority, delay } = value;
    const { timestamp, processedOn, finishedOn, parentKey, deduplicationId, repeatJobKey } = value;
    return {
      id, name, data, opts, progress, returnvalue, failedReason, stacktrace,
      attemptsMade, attemptsStarted, stalledCounter, processedBy, priority, delay,
      timestamp, processedOn, finishedOn, parentKey, deduplicationId, repeatJobKey,
    };
  }
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
}
