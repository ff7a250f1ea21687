// One job, whole.
import { html } from '../html.js';
import { get, path } from '../api.js';
import { ago, bytes, span } from '../format.js';
import { useChanges, useLoad } from '../load.js';
import { now } from '../live.js';
import { Link, to } from '../router.js';
import { Card, Head, State, Time, Wrong } from '../parts/bits.js';
import { Json } from '../parts/json.js';
import { JobActions } from '../parts/job-actions.js';
import { AuditTable } from './audit.js';
import { Attempts } from './job-attempts.js';
import { Family } from './job-family.js';
import { Steps } from './job-steps.js';

const ENDED = ['completed', 'failed'];

export function Job({ queue, id }) {
  const job = useLoad(() => get(path`/queues/${queue}/jobs/${id}`), [queue, id]);
  const { data, problem } = job;
  const ended = ENDED.includes(data?.state);
  const crumbs = [html`<${Link} to="/">Queues<//>`, html`<${Link} to=${to.queue(queue)}>${queue}<//>`];
  useChanges(queue, () => !ended && job.reload());
  if (!data) {
    return html`<${Head} title=${id} crumbs=${crumbs} />
      ${problem?.status === 404 ? html`<div class="note" data-testid="gone">This job is not there: it was removed, or never added.</div>` : html`<${Wrong} problem=${problem} retry=${job.reload} />`}
      ${job.loading && html`<p class="none" role="status">Loading…</p>`}`;
  }
  const { opts, event } = data;
  return html`<${Head} title=${data.name} crumbs=${crumbs} tags=${html`<${State} state=${data.state} />`} sub=${html`<span class="mono" data-testid="job-id">${id}</span>`}>
      <${JobActions} job=${data} reload=${job.reload} />
    <//>
    <div class="split" data-testid="job" data-state=${data.state}>
      <div class="stack">
        <${Wrong} problem=${problem} retry=${job.reload} />
        ${data.failedReason && html`<div class="note bad" data-testid="failure"><span><b>${data.failedReason.kind}</b>: ${data.failedReason.message}</span></div>`}
        <${Progress} progress=${data.progress} />
        <${Card} title="Payload" testid="payload"><div class="body">
          ${data.dataBase64 !== undefined
            ? html`<div class="note">It is no JSON: ${bytes(atob(data.dataBase64).length)} in Base64.</div><pre class="code">${data.dataBase64.slice(0, 2000)}</pre>`
            : html`<${Json} value=${data.data} name="The payload" />`}
        </div><//>
        ${data.result !== undefined && html`<${Card} title="Result" testid="result"><div class="body"><${Json} value=${data.result} name="The result" /></div><//>`}
        <${Steps} steps=${data.steps} />
        <${Attempts} job=${data} />
        <${Logs} queue=${queue} id=${id} ended=${ended} />
        <${Card} title="What was done to it" testid="job-audit"><${AuditTable} queue=${queue} jobId=${id} every=${5000} /><//>
      </div>
      <div class="stack">
        <${Card} title="Facts"><div class="body"><dl class="facts">
          <dt>Queue</dt><dd><${Link} to=${to.queue(queue)}>${queue}<//></dd>
          <dt>Added</dt><dd><${Time} at=${data.createdAt} /></dd>
          ${data.dueAt && html`<dt>Runs</dt><dd>${ago(data.dueAt, now.value)}</dd>`}
          ${data.startedAt && html`<dt>Began</dt><dd><${Time} at=${data.startedAt} /></dd>`}
          ${data.finishedAt && html`<dt>Finished</dt><dd><${Time} at=${data.finishedAt} /></dd>`}
          ${data.finishedAt && data.startedAt && html`<dt>Took</dt><dd>${span(Date.parse(data.finishedAt) - Date.parse(data.startedAt))}</dd>`}
          ${data.worker && html`<dt>Worker</dt><dd class="mono">${data.worker}</dd>`}
          ${data.leasedUntil && html`<dt>Lease ends</dt><dd>${ago(data.leasedUntil, now.value)}</dd>`}
          <dt>Attempts</dt><dd>${data.attemptsMade} of ${opts.attempts ?? 1}${data.crashes ? `, ${data.crashes} of them crashes` : ''}</dd>
          ${opts.key && html`<dt>Key</dt><dd class="mono">${opts.key}</dd>`}
          ${event && html`<dt>Event</dt><dd><${Link} to=${to.event(event.id)} data-testid="to-event">${event.type}<//></dd>`}
          ${event?.correlationid && html`<dt>Correlation</dt><dd class="mono">${event.correlationid}</dd>`}
        </dl></div><//>
        <${Family} job=${data} />
        <${Card} title="Options" testid="options"><div class="body"><${Json} value=${opts} name="The options" /></div><//>
        ${event && html`<${Card} title="Event attributes"><div class="body"><${Json} value=${event} name="The event" /></div><//>`}
      </div>
    </div>`;
}

function Progress({ progress }) {
  if (progress === undefined) return null;
  const share = typeof progress === 'number' ? progress : progress?.percent;
  return html`<${Card} title="Progress" testid="progress"><div class="body stack">
    ${typeof share === 'number' && html`<div class="progress" role="progressbar" aria-label="Progress" aria-valuemin="0" aria-valuemax="100" aria-valuenow=${share}><div class="done" style=${{ width: `${Math.max(0, Math.min(100, share))}%` }}></div></div>`}
    ${typeof progress === 'number' ? html`<span>${progress} %</span>` : html`<${Json} value=${progress} name="The progress" />`}
  </div><//>`;
}

function Logs({ queue, id, ended }) {
  const logs = useLoad(() => get(path`/queues/${queue}/jobs/${id}/logs`), [queue, id, ended], { every: ended ? 0 : 2000 });
  const items = logs.data?.items ?? [];
  return html`<${Card} title="Log" testid="log">
    ${items.length
      ? html`<ol class="log" tabindex="0" aria-label="Log lines">${items.map(({ at, line }, n) => html`<li key=${n}><span class="at"><${Time} at=${at} /></span>${line}</li>`)}</ol>`
      : html`<p class="none">${logs.problem ? logs.problem.message : 'Its handler has written nothing.'}</p>`}
  <//>`;
}
