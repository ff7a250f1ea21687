// The jobs of a queue that are in a state: paged, filtered, kept up to date.
import { html, useEffect, useState } from '../html.js';
import { get, path, query } from '../api.js';
import { ago, shortId, span } from '../format.js';
import { useChanges, useLoad } from '../load.js';
import { now } from '../live.js';
import { amend, Link, route, to } from '../router.js';
import { Pager, Time, Wrong } from '../parts/bits.js';

const FILTERS = [
  ['name', 'Name', 'text'],
  ['id', 'Id', 'text'],
  ['key', 'Key', 'text'],
  ['error', 'Error text', 'text'],
  ['from', 'From', 'datetime-local'],
  ['to', 'To', 'datetime-local'],
];
/** How many bounded looks one page of a search takes before it asks whether to go on. */
const LOOKS = 20;
const LIMIT = 50;

/** One page; of a search, as many looks as it takes to have something to show. */
async function page(address, params) {
  let { cursor } = params;
  const items = [];
  for (let look = 0; look < LOOKS; look += 1) {
    const answer = await get(address + query({ ...params, cursor, limit: LIMIT - items.length }));
    items.push(...answer.items);
    cursor = answer.next;
    if (!cursor || items.length >= LIMIT) break;
  }
  return { items, next: cursor };
}

export function Jobs({ queue, state }) {
  const { params } = route.value;
  const given = Object.fromEntries(FILTERS.map(([name]) => [name, params.get(name) ?? '']));
  const filtered = Object.values(given).some(Boolean);
  const [cursors, setCursors] = useState([]);
  const instant = (text) => (text ? new Date(text).toISOString() : '');
  const asked = { state, brief: true, ...given, from: instant(given.from), to: instant(given.to), cursor: cursors.at(-1) };
  const key = JSON.stringify(asked);
  useEffect(() => setCursors([]), [JSON.stringify(given)]);
  const list = useLoad(() => page(path`/queues/${queue}/jobs`, asked), [queue, key]);
  // A search over many jobs is not begun again by itself.
  useChanges(queue, () => !filtered && list.reload());
  const items = list.data?.items ?? [];
  return html`<div>
    <div class="bar filters-bar"><${Filters} given=${given} state=${state} /></div>
    <${Wrong} problem=${list.problem} retry=${list.reload} />
    ${items.length === 0
      ? html`<p class="none" role="status">${list.loading ? 'Loading…' : filtered ? (list.data?.next ? 'None found so far. Go on with Next.' : 'No job is like that.') : 'No jobs in this state.'}</p>`
      : html`<div class="scroll"><table class="cards" data-testid="jobs">
          <thead><tr><th scope="col">Job</th><th scope="col">Name</th><th scope="col">Key</th>${state === 'failed' && html`<th scope="col">Reason</th>`}<th scope="col" class="n">Attempts</th><th scope="col">Added</th><th scope="col">${WHEN[state]?.[0] ?? 'Priority'}</th>${TOOK[state] && html`<th scope="col" class="n">Took</th>`}</tr></thead>
          <tbody>${items.map((job) => html`<${Row} key=${job.id} job=${job} state=${state} />`)}</tbody>
        </table></div>`}
    <${Pager} cursors=${cursors} setCursors=${setCursors} next=${list.data?.next}>${filtered && list.loading ? 'Searching…' : ''}<//>
  </div>`;
}

const WHEN = {
  delayed: ['Runs', (job, at) => ago(job.dueAt, at)],
  active: ['Began', (job) => html`<${Time} at=${job.startedAt} />`],
  completed: ['Finished', (job) => html`<${Time} at=${job.finishedAt} />`],
  failed: ['Failed', (job) => html`<${Time} at=${job.finishedAt} />`],
};
const TOOK = { completed: true, active: true };

function Row({ job, state }) {
  const when = WHEN[state];
  const took = Date.parse(job.finishedAt ?? new Date(now.value).toISOString()) - Date.parse(job.startedAt);
  return html`<tr data-testid="job-row">
    <td class="lead"><${Link} to=${to.job(job.queue, job.id)} class="mono" title=${job.id}>${shortId(job.id)}<//></td>
    <td data-label="Name">${job.name}</td>
    <td data-label="Key" class="soft">${job.opts.key ?? '–'}</td>
    ${state === 'failed' && html`<td class="clip whole" data-label="Reason" title=${job.failedReason?.message}>${job.failedReason?.message ?? '–'}</td>`}
    <td class="n" data-label="Attempts">${job.attemptsMade} of ${job.opts.attempts ?? 1}</td>
    <td data-label="Added"><${Time} at=${job.createdAt} /></td>
    <td data-label=${when?.[0] ?? 'Priority'}>${when ? when[1](job, now.value) : (job.opts.priority ?? 0)}</td>
    ${TOOK[state] && html`<td class="n" data-label="Took">${job.startedAt ? span(took) : '–'}</td>`}
  </tr>`;
}

function Filters({ given, state }) {
  const [values, setValues] = useState(given);
  useEffect(() => setValues(given), [JSON.stringify(given)]);
  const submit = (event) => {
    event.preventDefault();
    amend({ state, ...values });
  };
  const shown = FILTERS.filter(([name]) => name !== 'error' || state === 'failed');
  return html`<form class="filters" role="search" aria-label="Filter jobs" onSubmit=${submit}>
    ${shown.map(([name, label, type], n) => html`<input key=${name} type=${type} placeholder=${label} aria-label=${type === 'text' ? label : `${label} (time)`} title=${label}
      value=${values[name]} data-testid=${`filter-${name}`} data-search=${n === 0 ? '' : undefined} onInput=${(event) => setValues({ ...values, [name]: event.target.value })} />`)}
    <button type="submit" data-testid="filter">Search</button>
    ${Object.values(given).some(Boolean) && html`<button type="button" class="plain" data-testid="filter-clear" onClick=${() => amend(Object.fromEntries(FILTERS.map(([name]) => [name, ''])))}>Clear</button>`}
  </form>`;
}
