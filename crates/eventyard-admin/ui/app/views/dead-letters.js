// The dead letters of all queues, and replaying them.
import { html, useEffect, useState } from '../html.js';
import { del, get, path, post, query } from '../api.js';
import { ago, count, plural, shortId } from '../format.js';
import { useChanges, useLoad } from '../load.js';
import { now, standing, total } from '../live.js';
import { amend, Link, route, to } from '../router.js';
import { may } from '../session.js';
import { Card, Head, Pager, Time, Wrong } from '../parts/bits.js';
import { Action } from '../parts/dialog.js';
import { Rate } from '../parts/queue-actions.js';

const key = ({ queue, id }) => `${queue}/${id}`;

/** Does something to each, and says how it went: one that is gone already does not stop the others. */
async function each(jobs, act, done) {
  let gone = 0;
  for (const job of jobs) {
    try {
      await act(path`/queues/failed/${job.id}`, query({ queue: job.queue }));
    } catch (problem) {
      if (![404, 409].includes(problem.status)) throw problem;
      gone += 1;
    }
  }
  return `${done} ${plural(jobs.length - gone, 'job')}${gone ? `; ${gone} were gone already` : ''}`;
}

export function DeadLetters() {
  const { params } = route.value;
  const given = { queue: params.get('queue') ?? '', name: params.get('name') ?? '', error: params.get('error') ?? '' };
  const filtered = Boolean(given.name || given.error);
  const [cursors, setCursors] = useState([]);
  const [picked, setPicked] = useState(new Map());
  const asked = { ...given, brief: true, limit: 50, cursor: cursors.at(-1) };
  const list = useLoad(() => get(`/queues/failed${query(asked)}`), [JSON.stringify(asked)]);
  useChanges(given.queue || undefined, () => !filtered && list.reload());
  useEffect(() => {
    setCursors([]);
    setPicked(new Map());
  }, [JSON.stringify(given)]);
  const items = list.data?.items ?? [];
  const failed = given.queue ? standing.value?.get(given.queue)?.counts.failed : total.value.failed;
  const chosen = [...picked.values()];
  const after = () => {
    setPicked(new Map());
    return list.reload();
  };
  const retry = () => ({
    title: `Retry ${plural(chosen.length, 'dead letter')}?`, label: `Retry ${chosen.length}`, text: 'They wait again, with all their attempts.',
    run: async (why) => {
      const said = await each(chosen, (at, of) => post(`${at}/retry${of}`, undefined, why), 'Retried');
      await after();
      return said;
    },
  });
  const remove = () => ({
    title: `Remove ${plural(chosen.length, 'dead letter')}?`, label: `Remove ${chosen.length}`, danger: true, text: 'They are gone, with their history.',
    run: async (why) => {
      const said = await each(chosen, (at, of) => del(at + of, why), 'Removed');
      await after();
      return said;
    },
  });
  const all = items.length > 0 && items.every((job) => picked.has(key(job)));
  const pick = (jobs, on) => {
    const next = new Map(picked);
    for (const job of jobs) on ? next.set(key(job), job) : next.delete(key(job));
    setPicked(next);
  };
  return html`<${Head} title="Dead letters" sub=${`${plural(failed ?? 0, 'job')} that failed for good${given.queue ? ` on ${given.queue}` : ', of all queues'}`}>
      <${Action} ask=${() => replay(given, failed, list.reload)} disabled=${!failed} testid="replay">Replay…<//>
    <//>
    <div class="stack">
      <${Replays} />
      <${Card} testid="dead-letters">
        <div class="bar"><${Filters} given=${given} />
          ${chosen.length > 0 && html`<span class="filters" role="status">
            <span>${chosen.length} chosen</span>
            <${Action} small ask=${retry} testid="retry-chosen">Retry<//>
            <${Action} small role="admin" danger ask=${remove} testid="remove-chosen">Remove<//>
          </span>`}</div>
        <${Wrong} problem=${list.problem} retry=${list.reload} />
        ${items.length === 0
          ? html`<p class="none" role="status">${list.loading ? 'Loading…' : filtered ? 'No dead letter is like that, as far as was looked.' : 'No dead letters.'}</p>`
          : html`<div class="scroll"><table class="cards">
              <thead><tr>${may('operator') && html`<th scope="col" class="pick"><input type="checkbox" aria-label="Choose all on this page" checked=${all} data-testid="choose-all" onChange=${() => pick(items, !all)} /></th>`}
                <th scope="col">Job</th><th scope="col">Queue</th><th scope="col">Name</th><th scope="col">Reason</th><th scope="col" class="n">Attempts</th><th scope="col">Failed</th></tr></thead>
              <tbody>${items.map((job) => html`<tr key=${key(job)} data-testid="dead-letter">
                ${may('operator') && html`<td class="pick"><input type="checkbox" aria-label=${`Choose ${job.id}`} checked=${picked.has(key(job))} onChange=${() => pick([job], !picked.has(key(job)))} /></td>`}
                <td class="lead"><${Link} to=${to.job(job.queue, job.id)} class="mono" title=${job.id}>${shortId(job.id)}<//></td>
                <td data-label="Queue"><${Link} to=${to.queue(job.queue)}>${job.queue}<//></td>
                <td data-label="Name">${job.name}</td>
                <td data-label="Reason" class="clip whole" title=${job.failedReason?.message}><span class="tag failed">${job.failedReason?.kind}</span> ${job.failedReason?.message}</td>
                <td data-label="Attempts" class="n">${job.attemptsMade}</td>
                <td data-label="Failed"><${Time} at=${job.finishedAt} /></td>
              </tr>`)}</tbody>
            </table></div>`}
        <${Pager} cursors=${cursors} setCursors=${setCursors} next=${list.data?.next} />
      <//>
    </div>`;
}

/** The question for a replay of all that the filters show. */
function replay(given, failed, reload) {
  const narrow = given.name || given.error;
  return {
    title: 'Replay dead letters', label: narrow ? 'Replay those that match' : (`Replay ${count(failed)}`), form: Rate, values: { perSecond: '20' },
    text: `All dead letters${given.queue ? ` of ${given.queue}` : ' of every queue'}${given.name ? `, whose name holds “${given.name}”` : ''}${given.error ? `, whose reason holds “${given.error}”` : ''} wait again, the newest first. It goes on in the background, also when this page is closed.`,
    run: async (why, { perSecond }) => {
      const ask = Object.fromEntries(Object.entries(given).filter(([, value]) => value));
      await post('/replays', { ...ask, ...(perSecond && { perSecond: Number(perSecond) }) }, why);
      await reload();
      return 'The replay has begun';
    },
  };
}

function Replays() {
  const list = useLoad(() => get('/replays'), [], { every: 2000 });
  useChanges(undefined, list.reload);
  const items = (list.data?.items ?? []).slice(0, 5);
  if (!items.length) return null;
  const stop = (id) => () => ({
    title: 'Stop this replay?', label: 'Stop', text: 'What was replayed until now stays so.',
    run: async (why) => {
      await del(path`/replays/${id}`, why);
      await list.reload();
      return 'Stopped';
    },
  });
  return html`<${Card} title="Replays" testid="replays"><div class="scroll"><table class="cards">
    <thead><tr><th scope="col">Of</th><th scope="col">State</th><th scope="col" class="n">Replayed</th><th scope="col" class="n">Jobs a second</th><th scope="col">By</th><th scope="col">Began</th><th scope="col"><span class="sr">Actions</span></th></tr></thead>
    <tbody>${items.map(({ id, queue, name, error, state, replayed, perSecond, by, startedAt, problem }) => html`<tr key=${id} data-testid="replay-row" data-state=${state}>
      <td class="lead">${queue ?? 'every queue'}${name && `, name “${name}”`}${error && `, reason “${error}”`}</td>
      <td data-label="State"><span class=${`tag ${state}`}>${state}</span> ${problem && html`<span class="red">${problem}</span>`}</td>
      <td class="n" data-label="Replayed">${count(replayed)}</td>
      <td class="n" data-label="Jobs a second">${perSecond ? count(perSecond) : 'no limit'}</td>
      <td data-label="By">${by}</td>
      <td data-label="Began">${ago(startedAt, now.value)}</td>
      <td class="n">${state === 'running' && html`<${Action} small ask=${stop(id)} testid="stop-replay">Stop<//>`}</td>
    </tr>`)}</tbody>
  </table></div><//>`;
}

function Filters({ given }) {
  const [values, setValues] = useState(given);
  useEffect(() => setValues(given), [JSON.stringify(given)]);
  const submit = (event) => {
    event.preventDefault();
    amend(values);
  };
  const set = (name) => (event) => setValues({ ...values, [name]: event.target.value });
  return html`<form class="filters" role="search" aria-label="Filter dead letters" onSubmit=${submit}>
    <select aria-label="Queue" value=${values.queue} data-testid="dead-queue" onChange=${(event) => amend({ ...values, queue: event.target.value })}>
      <option value="">Every queue</option>
      ${[...(standing.value?.keys() ?? [])].map((queue) => html`<option key=${queue} value=${queue}>${queue}</option>`)}
    </select>
    <input placeholder="Name" aria-label="Name" value=${values.name} data-testid="dead-name" data-search onInput=${set('name')} />
    <input class="wide" placeholder="Text in the reason" aria-label="Text in the reason" value=${values.error} data-testid="dead-error" onInput=${set('error')} />
    <button type="submit" data-testid="dead-filter">Search</button>
  </form>`;
}
