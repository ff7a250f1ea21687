// A Node service with BullMQ that does what it is told: `node peer.mjs PORT PREFIX VERSION`.
//
// A line in is a call: {"id":1,"on":"queue","name":"emails","call":"add","args":["name",{},{}]}. A line out is its
// answer, {"id":1,"ok":…} or {"id":1,"error":"…"}, or news: {"news":"handled","queue":"emails","job":"7",…}.
// When its input ends it closes what it opened.

import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

import { ask, board } from './board.mjs';
import { bull, plain } from './bull.mjs';
import { kinds } from './kinds.mjs';
import { states } from './states.mjs';

const [port, prefix, version] = process.argv.slice(2);
const peer = bull(port, prefix, version);
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

/** Handles a job as its data says: fails so often, takes so long, never ends. */
async function handle(job) {
  const { fail = 0, reject = false, sleep = 0, hang = false, n = null } = job.data ?? {};
  const attempt = job.attemptsMade + 1;
  say({ news: 'handled', queue: job.queueName, job: job.id, name: job.name, attempt });
  if (sleep) await delay(sleep);
  if (hang) await new Promise(() => {});
  if (reject) throw new peer.library.UnrecoverableError('it makes no sense');
  if (attempt <= fail) throw new Error(`attempt ${attempt} fails`);
  return { by: 'node', n };
}

/** What QueueEvents have told, by queue: how often each event, and the jobs of each. */
const told = new Map();

function listen(name) {
  const events = peer.events(name);
  const heard = { counts: {}, jobs: {} };
  told.set(name, heard);
  const emit = events.emit.bind(events);
  events.emit = (event, ...rest) => {
    const [first] = rest;
    // Each event is emitted twice: under its name, and under its name and its job's id.
    if (first && typeof first === 'object' && !(first instanceof Error) && !event.includes(':')) {
      heard.counts[event] = (heard.counts[event] ?? 0) + 1;
      if (first.jobId) (heard.jobs[event] ??= []).push(first.jobId);
    }
    return emit(event, ...rest);
  };
  return events.waitUntilReady();
}

let served;

const calls = {
  queue: ({ name, call, args }) => peer.queue(name)[call](...args),
  flow: ({ call, args }) => peer.flow()[call](...args),
  async job({ name, job, call, args }) {
    const found = await peer.queue(name).getJob(job);
    if (!found) throw new Error(`there is no job ${job} on ${name}`);
    return found[call](...args);
  },
  async events({ name, call, args }) {
    if (call === 'listen') return void (await listen(name));
    if (call === 'told') return told.get(name);
    if (call !== 'results') throw new Error(`events cannot ${call}`);
    // How each of these jobs ended, as whoever waits for it is told.
    const [ids, within] = args;
    const ends = ids.map(async (id) => {
      const job = await peer.queue(name).getJob(id);
      if (!job) return { id, error: 'is not there' };
      const end = job.waitUntilFinished(peer.events(name), within);
      return end.then((ok) => ({ id, ok }), (error) => ({ id, error: error.message }));
    });
    return Promise.all(ends);
  },
  async worker({ name, call, args }) {
    if (call === 'close') return peer.closeWorker(name);
    if (call !== 'start') throw new Error(`workers cannot ${call}`);
    const worker = peer.worker(name, handle, args[0]);
    for (const event of ['stalled', 'failed']) {
      worker.on(event, (job) => say({ news: event, queue: name, job: job?.id ?? job }));
    }
    return void (await worker.waitUntilReady());
  },
  async board({ call, args }) {
    if (call === 'ask') return ask(served, ...args);
    if (call !== 'serve') throw new Error(`the board cannot ${call}`);
    served = await board(peer, args);
    return served.url;
  },
  kind: ({ name, call, args }) => kinds[call](peer, name, ...args),
  state: ({ call }) => states[call](peer),
  async peer({ call }) {
    if (call === 'states') return Object.keys(states);
    return peer[call]();
  },
};

const lines = createInterface({ input: process.stdin });
lines.on('line', async (line) => {
  const { id, on, ...rest } = JSON.parse(line);
  try {
    say({ id, ok: plain((await calls[on]({ args: [], ...rest })) ?? null) });
  } catch (error) {
    say({ id, error: error.message, stack: error.stack });
  }
});
lines.on('close', async () => {
  served?.close();
  await peer.close();
  process.exit(0);
});
say({ news: 'ready' });
