// Jobs of every kind that a producer can add, many of each. Each returns the ids of the jobs that must be handled.

const data = (kind) => (_, n) => ({ name: kind, data: { n, kind } });

/** Adds jobs one by one, some at once; returns their ids. */
async function addEach(queue, jobs, optionsOf) {
  const ids = [];
  for (let from = 0; from < jobs.length; from += 50) {
    const some = jobs.slice(from, from + 50);
    const added = some.map((job, i) => queue.add(job.name, job.data, optionsOf(from + i)));
    for (const job of await Promise.all(added)) ids.push(job.id);
  }
  return ids;
}

const each = (kind, optionsOf) => (peer, name, count) =>
  addEach(peer.queue(name), Array.from({ length: count }, data(kind)), optionsOf);

export const kinds = {
  plain: each('plain', () => ({})),
  custom: each('custom', (n) => ({ jobId: `order-${n}` })),
  delayed: each('delayed', (n) => ({ delay: 20 + (n % 50) * 10 })),
  prioritised: each('prioritised', (n) => ({ priority: 1 + (n % 10) })),
  lifo: each('lifo', () => ({ lifo: true })),

  async bulk(peer, name, count) {
    const jobs = Array.from({ length: count }, data('bulk'));
    const added = await peer.queue(name).addBulk(jobs);
    return added.map((job) => job.id);
  },

  /** Each says what another has said: half of them is dropped. */
  async deduplicated(peer, name, count) {
    const jobs = Array.from({ length: count }, data('deduplicated'));
    const ids = await addEach(peer.queue(name), jobs, (n) => ({
      deduplication: { id: `said-${n % (count / 2)}` },
    }));
    return [...new Set(ids)];
  },

  /** Trees of seven jobs in three levels, each level on a queue of its own. */
  async flows(peer, name, count) {
    const node = (level, n, more) => ({
      name: `flow-${level}`, queueName: `${name}-${level}`, data: { n, kind: 'flow' }, ...more,
    });
    const trees = Array.from({ length: Math.ceil(count / 7) }, (_, n) =>
      node('root', n, {
        children: [0, 1].map((m) =>
          node('middle', m, { children: [0, 1].map((l) => node('leaf', l)) }),
        ),
      }),
    );
    const added = [];
    for (let from = 0; from < trees.length; from += 20) {
      added.push(...(await peer.flow().addBulk(trees.slice(from, from + 20))));
    }
    const ids = { root: [], middle: [], leaf: [] };
    for (const { job, children } of added) {
      ids.root.push(job.id);
      for (const { job: middle, children: leaves } of children) {
        ids.middle.push(middle.id);
        ids.leaf.push(...leaves.map((leaf) => leaf.job.id));
      }
    }
    return ids;
  },

  /** Schedulers that run twenty times each and then end. */
  async scheduled(peer, name, count) {
    for (let n = 0; n < count / 20; n += 1) {
      const template = { name: 'scheduled', data: { n, kind: 'scheduled' } };
      await peer.queue(name).upsertJobScheduler(`tick-${n}`, { every: 100, limit: 20 }, template);
    }
    return [];
  },
};
