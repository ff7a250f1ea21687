// Jobs that are added again and again.
import { html } from '../html.js';
import { del, get, path, post } from '../api.js';
import { ago, count, plural, span } from '../format.js';
import { useChanges, useLoad } from '../load.js';
import { now } from '../live.js';
import { Link, to } from '../router.js';
import { Card, Head, Time, Wrong } from '../parts/bits.js';
import { Action } from '../parts/dialog.js';
import { edit } from '../parts/schedule-form.js';

export function Schedules() {
  const list = useLoad(() => get('/schedules?limit=1000'), [], { every: 5000 });
  useChanges(undefined, list.reload);
  const items = list.data?.items;
  return html`<${Head} title="Schedules" sub=${items && plural(items.length, 'schedule')}>
      <${Action} ask=${() => edit(null, list.reload)} testid="new-schedule">New schedule<//>
    <//>
    <${Wrong} problem=${list.problem} retry=${list.reload} />
    <${Card}>
      ${!items?.length
        ? html`<p class="none" role="status">${list.loading ? 'Loading…' : 'There are no schedules.'}</p>`
        : html`<div class="scroll"><table class="cards" data-testid="schedules">
            <thead><tr><th scope="col">Schedule</th><th scope="col">When</th><th scope="col">Job</th><th scope="col">Next run</th><th scope="col">Last run</th><th scope="col" class="n">Runs</th><th scope="col"><span class="sr">Actions</span></th></tr></thead>
            <tbody>${items.map((one) => html`<${Row} key=${one.name} one=${one} reload=${list.reload} />`)}</tbody>
          </table></div>`}
    <//>`;
}

function Row({ one, reload }) {
  const { name, cron, timeZone, every, job, paused, runs, limit, lastRun, nextRun } = one;
  const steer = (verb, label, text, said) => () => ({
    title: `${label} ${name}?`, label, text,
    run: async (why) => {
      const answer = await post(path`/schedules/${name}/` + verb, undefined, why);
      await reload();
      return typeof said === 'function' ? said(answer) : said;
    },
  });
  const remove = () => ({
    title: `Remove ${name}?`, label: 'Remove', danger: true,
    text: 'It adds no more jobs; those that it has added stay. One that is declared in code or in the configuration comes back with the next start.',
    run: async (why) => {
      await del(path`/schedules/${name}`, why);
      await reload();
      return `${name} is removed`;
    },
  });
  return html`<tr data-testid=${`schedule-${name}`}>
    <td class="lead"><b>${name}</b> ${paused && html`<span class="tag waiting">paused</span>`}</td>
    <td data-label="When"><span class="mono">${cron ?? `every ${span(every)}`}</span>${timeZone && html` <span class="faint">${timeZone}</span>`}</td>
    <td data-label="Job">${job.name} <${Link} to=${to.queue(job.queue)} class="faint">${job.queue}<//></td>
    <td data-label="Next run" title=${nextRun}>${nextRun ? ago(nextRun, now.value) : paused ? 'paused' : 'ended'}</td>
    <td data-label="Last run"><${Time} at=${lastRun} /></td>
    <td class="n" data-label="Runs">${count(runs)}${limit ? ` of ${count(limit)}` : ''}</td>
    <td class="n whole"><span class="filters">
      <${Action} small ask=${steer('run', 'Run', 'Its job is added at once. The next run stays as it is.', (added) => `Added as ${added.jobId}`)} testid=${`run-${name}`}>Run now<//>
      ${paused
        ? html`<${Action} small ask=${steer('resume', 'Resume', 'It goes on with the next time that it is due.', `${name} runs`)} testid=${`resume-${name}`}>Resume<//>`
        : html`<${Action} small ask=${steer('pause', 'Pause', 'It adds no more jobs until it is resumed.', `${name} is paused`)} testid=${`pause-${name}`}>Pause<//>`}
      <${Action} small ask=${() => edit(one, reload)} testid=${`edit-${name}`}>Edit<//>
      <${Action} small role="admin" danger ask=${remove} testid=${`remove-${name}`}>Remove<//>
    </span></td>
  </tr>`;
}
