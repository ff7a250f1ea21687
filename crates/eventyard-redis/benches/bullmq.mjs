// BullMQ through the cases of `eventyard bench`, measured as that does; `cargo xtask bench --against bullmq` runs both.
//
// node bullmq.mjs PORT '{"case":"drain","jobs":20000,"producers":50,"batch":100,"concurrency":50,"payload":200}'

import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const require = createRequire(resolve(process.env.EVENTYARD_NODE, 'package.json'));
const { Queue, Worker } = require('bullmq6');

const [port, text] = process.argv.slice(2);
const { case: name, jobs, producers, batch, concurrency, payload } = JSON.parse(text);
const options = {
  prefix: 'bench',
  connection: { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null },
};
// What a queue of Eventyard says about its jobs unless told otherwise.
const policy = {
  attempts: 3,
  backoff: { type: 'exponential', delay: 2000 },
  removeOnComplete: { age: 24 * 60 * 60, count: 1000 },
  removeOnFail: { age: 7 * 24 * 60 * 60 },
};
const IDLE_JOBS = 1000;
const IDLE_PAUSE = 2;

const queue = new Queue(name, options);
await queue.waitUntilReady();

/** The job with this number: a string of the size of a payload. */
const job = (n) => ({
  name: 'bench',
  data: String(n).padStart(10, '0').padEnd(payload - 2, 'x'),
  opts: policy,
});

const tell = (figure, value, unit) =>
  process.stdout.write(`${JSON.stringify({ case: figure, value, unit })}\n`);
const rate = (begun) => Math.round(jobs / ((performance.now() - begun) / 1000));

/** Adds all jobs, so many in a call, by so many producers at once. */
async function produce(perCall) {
  const share = async (producer) => {
    const [from, to] = [producer, producer + 1].map((n) => Math.floor((jobs * n) / producers));
    for (let n = from; n < to; n += perCall) {
      if (perCall === 1) {
        const { name, data, opts } = job(n);
        await queue.add(name, data, opts);
      } else {
        const numbers = Array.from({ length: Math.min(perCall, to - n) }, (_, i) => n + i);
        await queue.addBulk(numbers.map(job));
      }
    }
  };
  await Promise.all(Array.from({ length: producers }, (_, n) => share(n)));
}

const cases = {
  async 'enqueue-single'() {
    const begun = performance.now();
    await produce(1);
    tell(name, rate(begun), 'jobs/s');
  },

  async 'enqueue-batch'() {
    const begun = performance.now();
    await produce(batch);
    tell(name, rate(begun), 'jobs/s');
  },

  async drain() {
    await produce(batch);
    let [handled, done] = [0, undefined];
    const all = new Promise((resolve) => { done = resolve; });
    const begun = performance.now();
    const worker = new Worker(name, async () => { if (++handled === jobs) done(); }, {
      ...options, concurrency,
    });
    await all;
    tell(name, rate(begun), 'jobs/s');
    await worker.close();
  },

  async 'pickup-idle'() {
    const ages = [];
    let told;
    const worker = new Worker(name, async ({ data }) => {
      ages.push(performance.now() - data);
      told();
    }, { ...options, concurrency });
    await worker.waitUntilReady();
    for (let n = 0; n < IDLE_JOBS; n += 1) {
      const begins = new Promise((resolve) => { told = resolve; });
      await queue.add('bench', performance.now(), policy);
      await begins;
      await delay(IDLE_PAUSE);
    }
    ages.sort((a, b) => a - b);
    const quantile = (q) => Math.round(ages[Math.ceil(q * ages.length) - 1] * 1000) / 1000;
    tell('pickup-idle-p50', quantile(0.5), 'ms');
    tell('pickup-idle-p99', quantile(0.99), 'ms');
    await worker.close();
  },
};

await cases[name]();
await queue.close();
