// Every attempt of a job, the last one first.
import { html } from '../html.js';
import { span } from '../format.js';
import { now } from '../live.js';
import { Card, Time } from '../parts/bits.js';

/** The attempts that failed, and the one that is under way or ended well. */
function attempts(job) {
  const all = (job.attempts ?? []).map((attempt) => ({ ...attempt, state: 'failed' }));
  const known = all.some(({ startedAt }) => startedAt === job.startedAt);
  if (job.startedAt && !known && ['active', 'completed'].includes(job.state)) {
    const { state, worker, startedAt, finishedAt: endedAt } = job;
    all.push({ attempt: (all.at(-1)?.attempt ?? 0) + 1, worker, startedAt, endedAt, state });
  }
  return all.reverse();
}

export function Attempts({ job }) {
  const all = attempts(job);
  return html`<${Card} title="Attempts" testid="attempts">
    ${all.length === 0 && html`<p class="none">No attempt yet.</p>`}
    <ol>${all.map(({ attempt, worker, startedAt, endedAt, error, state }) => html`<li class="attempt" key=${`${attempt}-${startedAt}`} data-testid="attempt">
      <div class="line">
        <b>Attempt ${attempt}</b><span class=${`tag ${state}`}>${state === 'failed' ? error.kind : state}</span>
        <span class="soft"><${Time} at=${startedAt} /> to ${endedAt ? html`<${Time} at=${endedAt} />` : 'now'}</span>
        <span class="soft">${span((endedAt ? Date.parse(endedAt) : now.value) - Date.parse(startedAt))}</span>
        <span class="mono faint">${worker}</span>
      </div>
      ${error && html`<div class="message red">${error.message}</div>`}
      ${error?.stack && html`<details><summary>Stack</summary><pre class="code" tabindex="0">${error.stack}</pre></details>`}
    </li>`)}</ol>
  <//>`;
}
