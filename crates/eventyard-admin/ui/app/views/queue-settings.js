// What a queue says about its jobs: settings, limits, keys, schedules.
import { html, useState } from '../html.js';
import { get, path, post, query } from '../api.js';
import { ago, count, span } from '../format.js';
import { useChanges, useLoad } from '../load.js';
import { now } from '../live.js';
import { Link } from '../router.js';
import { Pager, Wrong } from '../parts/bits.js';
import { Action } from '../parts/dialog.js';
import { Obliterate } from '../parts/queue-actions.js';

const keep = (rule) => {
  if (rule === undefined || rule === false || rule === null) return 'always kept';
  if (rule === true) return 'removed at once';
  if (typeof rule === 'number') return `the last ${count(rule)} kept`;
  const parts = [rule.count !== undefined && `the last ${count(rule.count)}`, rule.age !== undefined && `for ${span(rule.age * 1000)}`];
  return `kept: ${parts.filter(Boolean).join(', ') || 'always'}`;
};
const backoff = (rule) => (rule ? `${rule.type ?? 'fixed'}, ${span(rule.delay)}${rule.jitter ? `, jitter ${rule.jitter}` : ''}` : 'none');
const per = (limit) => (limit ? `${count(limit.max)} in ${span(limit.per)}` : 'not limited');

export function Settings({ queue }) {
  const one = useLoad(() => get(path`/queues/${queue}`), [queue]);
  const { data } = one;
  if (!data) return html`<${Wrong} problem=${one.problem} retry=${one.reload} /><p class="none" role="status">${one.loading ? 'Loading…' : ''}</p>`;
  const { settings, limits } = data;
  const { defaults = {} } = settings ?? {};
  return html`<div class="stack body" data-testid="settings">
    ${settings
      ? html`<dl class="facts">
          <dt>Concurrency</dt><dd>${settings.concurrency} jobs at once in a process</dd>
          <dt>Lease</dt><dd>${span(settings.leaseMs)}</dd>
          <dt>Attempts</dt><dd>${defaults.attempts ?? 1}</dd>
          <dt>Backoff</dt><dd>${backoff(defaults.backoff)}</dd>
          <dt>Timeout</dt><dd>${defaults.timeout ? span(defaults.timeout) : 'none'}</dd>
          <dt>Priority</dt><dd>${defaults.priority ?? 0}</dd>
          <dt>Completed jobs</dt><dd>${keep(defaults.removeOnComplete)}</dd>
          <dt>Dead letters</dt><dd>${keep(defaults.removeOnFail)}</dd>
        </dl>`
      : html`<div class="note">This process does not declare the queue: no jobs can be added to it here.</div>`}
    <h3>Limits</h3>
    <dl class="facts">
      <dt>Active at once</dt><dd>${limits.concurrency ?? 'not limited'}</dd>
      <dt>Rate</dt><dd>${per(limits.rate)}</dd>
      <dt>Most unfinished jobs</dt><dd>${count(limits.maxLength ?? undefined).replace('–', 'not limited')}</dd>
      <dt>For each key</dt><dd>${limits.keys?.ordered ? 'one at a time, in order' : `${limits.keys?.concurrency ?? 'any number'} at once, rate ${per(limits.keys?.rate)}`}</dd>
    </dl>
    <h3>Schedules</h3>
    <${Schedules} queue=${queue} />
    <h3>Keys with waiting or active jobs</h3>
    <${Keys} queue=${queue} />
    <div><${Obliterate} queue=${queue} /></div>
  </div>`;
}

function Schedules({ queue }) {
  const all = useLoad(() => get('/schedules?limit=1000'), []);
  const own = (all.data?.items ?? []).filter(({ job }) => job.queue === queue);
  if (!own.length) return html`<p class="soft">${all.loading ? 'Loading…' : 'No schedule adds jobs to this queue.'}</p>`;
  return html`<ul>${own.map(({ name, cron, every, nextRun, paused }) => html`<li key=${name}><${Link} to="/schedules">${name}<//> <span class="soft">${cron ?? `every ${span(every)}`}, ${paused ? 'paused' : `next ${ago(nextRun, now.value)}`}</span></li>`)}</ul>`;
}

function Keys({ queue }) {
  const [cursors, setCursors] = useState([]);
  const keys = useLoad(() => get(path`/queues/${queue}/keys` + query({ cursor: cursors.at(-1) })), [queue, cursors.at(-1)]);
  useChanges(queue, keys.reload);
  const items = keys.data?.items ?? [];
  if (!items.length) return html`<${Wrong} problem=${keys.problem} retry=${keys.reload} /><p class="soft">${keys.loading ? 'Loading…' : 'None.'}</p>`;
  const steer = (key, paused) => () => ({
    title: `${paused ? 'Resume' : 'Pause'} ${key} on ${queue}?`, label: paused ? 'Resume' : 'Pause',
    text: paused ? 'Its jobs are handed out again.' : 'No more jobs of this key are handed out.',
    run: async (why) => {
      await post(path`/queues/${queue}/keys/${key}/` + (paused ? 'resume' : 'pause'), undefined, why);
      keys.reload();
      return `${key} ${paused ? 'runs' : 'is paused'}`;
    },
  });
  return html`<div class="scroll"><table class="cards">
    <thead><tr><th scope="col">Key</th><th scope="col" class="n">Waiting</th><th scope="col" class="n">Active</th><th scope="col"><span class="sr">Actions</span></th></tr></thead>
    <tbody>${items.map(({ key, waiting, active, paused }) => html`<tr key=${key}>
      <td class="lead mono">${key} ${paused && html`<span class="tag waiting">paused</span>`}</td>
      <td class="n" data-label="Waiting">${count(waiting)}</td><td class="n" data-label="Active">${count(active)}</td>
      <td class="n"><${Action} small ask=${steer(key, paused)} testid=${`${paused ? 'resume' : 'pause'}-key-${key}`}>${paused ? 'Resume' : 'Pause'}<//></td>
    </tr>`)}</tbody>
  </table></div>
  ${(keys.data.next || cursors.length > 0) && html`<${Pager} cursors=${cursors} setCursors=${setCursors} next=${keys.data.next} />`}`;
}

