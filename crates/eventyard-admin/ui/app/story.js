// The whole story of an event: what led to it, the jobs it became, what those published, and what went out.
import { get, path, query } from './api.js';

/** How many causes are followed upwards. */
const CAUSES = 32;
/** How many jobs are looked at in full. */
const JOBS = 60;

async function maybe(promise) {
  try {
    return await promise;
  } catch (problem) {
    if (problem.status === 404) return null;
    throw problem;
  }
}

/** The event that everything began with, as far as the log still has it. */
async function beginning(event) {
  let first = event;
  for (let n = 0; n < CAUSES && first.causationid && first.causationid !== first.id; n += 1) {
    const cause = await maybe(get(path`/events/${first.causationid}`));
    if (!cause) return { first, lost: true };
    first = cause;
  }
  return { first, lost: false };
}

/** The events and jobs of a tree as one list, each after what caused it. */
function flatten(node, depth, rows) {
  rows.push({ kind: 'event', depth, event: node.event, at: Date.parse(node.event.time) });
  for (const job of node.jobs) rows.push({ kind: 'job', depth: depth + 1, ...job });
  for (const caused of node.caused) flatten(caused, depth + 1, rows);
  return rows;
}

function ofJob(row, job) {
  const begin = Date.parse(row.createdAt);
  const attempts = (job?.attempts ?? []).map(({ attempt, startedAt, endedAt, error }) => ({ attempt, from: Date.parse(startedAt), to: Date.parse(endedAt), error }));
  const last = attempts.at(-1)?.to;
  const started = job?.startedAt && Date.parse(job.startedAt) >= (last ?? 0) ? Date.parse(job.startedAt) : undefined;
  return { ...row, job, at: begin, attempts, started, ended: job?.finishedAt && Date.parse(job.finishedAt) };
}

/** What a job says that it sent: mails, pushes, notifications. */
function sent({ job, depth, ended, queue, jobId }, mails) {
  const result = job?.result;
  const rows = [];
  const mail = mails.find((one) => one.jobId === jobId && one.queue === queue);
  const row = (kind, title, more) => rows.push({ kind, title, more, depth: depth + 1, at: ended ?? Date.now() });
  if (mail) row('mail', `Mail to ${mail.to}`, mail.subject);
  else if (result?.messageId) row('mail', `Mail to ${result.sent}`, result.via);
  else if (result?.sent && job.name === 'push.send') row('push', 'Push to a device', String(result.sent));
  if (result?.notificationId) row('notification', 'Notification in the application', result.notificationId);
  return rows;
}

/** The rows of the time line, with the jobs that jobs have added by themselves. */
export async function story(id, mailbox) {
  const event = await get(path`/events/${id}`);
  const { first, lost } = await beginning(event);
  const tree = await get(path`/events/${first.id}/tree`);
  const flat = flatten(tree, 0, []);
  const mails = mailbox ? (await get(`/mailbox${query({ limit: 200 })}`)).items : [];
  const rows = [];
  let jobs = 0;
  const add = async (row) => {
    const whole = ++jobs <= JOBS ? await maybe(get(path`/queues/${row.queue}/jobs/${row.jobId}`)) : null;
    const own = ofJob(row, whole);
    rows.push(own, ...sent(own, mails));
    for (const push of whole?.result?.pushes ?? []) {
      const job = await maybe(get(path`/queues/${row.queue}/jobs/${push}`));
      if (job) await add({ kind: 'job', depth: row.depth + 1, queue: row.queue, jobId: push, name: job.name, state: job.state, createdAt: job.createdAt });
    }
  };
  for (const row of flat) {
    if (row.kind === 'job') await add(row);
    else rows.push(row);
  }
  const open = rows.some(({ kind, state }) => kind === 'job' && !['completed', 'failed'].includes(state));
  return { event, first, lost, rows, truncated: tree.truncated || jobs > JOBS, open };
}

/** From when to when the rows reach, in milliseconds. */
export function reach(rows, until) {
  const times = rows.flatMap(({ at, ended, started, attempts = [] }) => [at, ended, started, ...attempts.flatMap(({ from, to }) => [from, to])]).filter(Boolean);
  const begin = Math.min(...times);
  return { begin, end: Math.max(begin + 1, ...times, until ?? 0) };
}
