// Every queue at a glance.
import { html, useState } from '../html.js';
import { get } from '../api.js';
import { age, brief, count, plural, rate, span } from '../format.js';
import { useLoad } from '../load.js';
import { now, standing, total } from '../live.js';
import { Link, to } from '../router.js';
import { refreshStatus, status } from '../session.js';
import { Card, Figure, Head, Spark, Wrong } from '../parts/bits.js';
import { PauseResume } from '../parts/queue-actions.js';

const waiting = (counts) => counts.waiting + counts.prioritized + counts.paused;
const COLUMNS = [
  ['name', 'Queue', (row) => row.queue],
  ['waiting', 'Waiting', (row) => waiting(row.counts), 'n'],
  ['active', 'Active', (row) => row.counts.active, 'n'],
  ['delayed', 'Delayed', (row) => row.counts.delayed + row.counts['waiting-children'], 'n'],
  ['completed', 'Completed', (row) => row.counts.completed, 'n'],
  ['failed', 'Failed', (row) => row.counts.failed, 'n'],
  ['rate', 'Rate', (row) => row.perSecond.completed, 'n'],
  ['oldest', 'Oldest', (row) => -Date.parse(row.metrics?.oldestWaitingSince ?? '9999-01-01'), 'n'],
  ['latency', 'Wait p95', (row) => row.metrics?.waitMs.p95 ?? 0, 'n'],
];

export function Overview() {
  const [search, setSearch] = useState('');
  const [sort, setSort] = useState({ by: 'name', down: false });
  const metrics = useLoad(() => get('/queues/metrics'), [], { every: 5000 });
  useLoad(refreshStatus, [], { every: 15_000 });
  if (!standing.value) return html`<${Head} title="Overview" /><p class="none" role="status">Loading…</p>`;
  const measured = new Map(metrics.data?.items.map((item) => [item.queue, item]));
  const rows = [...standing.value.values()].map((row) => ({ ...row, metrics: measured.get(row.queue) }));
  const shown = rows.filter(({ queue }) => queue.toLowerCase().includes(search.toLowerCase()));
  const [, , value] = COLUMNS.find(([id]) => id === sort.by);
  shown.sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    const order = typeof x === 'string' ? x.localeCompare(y) : x - y;
    return sort.down ? -order : order;
  });
  const sum = (pick) => rows.reduce((all, row) => all + pick(row), 0);
  const counts = total.value;
  return html`<${Head} title="Overview" sub=${plural(rows.length, 'queue')} />
    <div class="stack">
      <div class="figures" aria-label="All queues together" role="group">
        <${Figure} name="Waiting" value=${brief(sum((row) => waiting(row.counts)))} />
        <${Figure} name="Active" value=${brief(counts.active)} />
        <${Figure} name="Delayed" value=${brief(counts.delayed)} />
        <${Figure} name="Completed" value=${brief(counts.completed)} />
        <${Figure} name="Failed" value=${brief(counts.failed)} bad=${counts.failed > 0} />
        <${Figure} name="Rate in" value=${rate(sum((row) => row.perSecond.added))} />
        <${Figure} name="Rate out" value=${rate(sum((row) => row.perSecond.completed))} />
      </div>
      <${Health} />
      <${Wrong} problem=${metrics.problem} retry=${metrics.reload} />
      <${Card} title="Queues" testid="queues" bar=${html`<div class="filters">
        <input type="search" class="wide" placeholder="Search queues" aria-label="Search queues" data-search data-testid="search-queues" value=${search} onInput=${(event) => setSearch(event.target.value)} />
      </div>`}>
        ${shown.length === 0
          ? html`<p class="none">${rows.length ? 'No queue has this in its name.' : 'No queue is declared.'}</p>`
          : html`<div class="scroll"><table class="cards queues">
              <thead><tr>
                ${COLUMNS.map(([id, name, , kind]) => html`<${Sortable} key=${id} id=${id} name=${name} kind=${kind} sort=${sort} setSort=${setSort} />`)}
                <th scope="col" class="n">Run p95</th><th scope="col">Last hour</th><th scope="col">Workers</th><th scope="col"><span class="sr">Actions</span></th>
              </tr></thead>
              <tbody>${shown.map((row) => html`<${Row} key=${row.queue} row=${row} />`)}</tbody>
            </table></div>`}
      <//>
    </div>`;
}

function Sortable({ id, name, kind, sort, setSort }) {
  const own = sort.by === id;
  const down = own ? !sort.down : id !== 'name';
  return html`<th scope="col" class=${kind} aria-sort=${own ? (sort.down ? 'descending' : 'ascending') : undefined}>
    <button type="button" class="plain small" data-testid=${`sort-${id}`} onClick=${() => setSort({ by: id, down })}>${name}${own ? (sort.down ? ' ↓' : ' ↑') : ''}</button>
  </th>`;
}

function Row({ row }) {
  const { queue, counts, paused, perSecond, metrics } = row;
  const n = (value) => (value ? 'n' : 'n zero');
  const later = counts.delayed + counts['waiting-children'];
  return html`<tr data-testid=${`queue-${queue}`}>
    <td class="lead"><${Link} to=${to.queue(queue)} class="name">${queue}<//> ${paused && html`<span class="tag waiting">paused</span>`}</td>
    <td class=${n(waiting(counts))} data-label="Waiting" data-testid=${`waiting-${queue}`}>${brief(waiting(counts))}</td>
    <td class=${n(counts.active)} data-label="Active">${brief(counts.active)}</td>
    <td class=${n(later)} data-label="Delayed">${brief(later)}</td>
    <td class=${n(counts.completed)} data-label="Completed" data-testid=${`completed-${queue}`}>${brief(counts.completed)}</td>
    <td class=${n(counts.failed)} data-label="Failed"><${Link} to=${`${to.queue(queue)}?state=failed`} class=${counts.failed ? 'red' : 'faint'} aria-label=${`${count(counts.failed)} failed on ${queue}`}>${brief(counts.failed)}<//></td>
    <td class=${n(perSecond.completed)} data-label="Rate">${rate(perSecond.completed)}</td>
    <td class=${n(metrics?.oldestWaitingSince)} data-label="Oldest">${age(metrics?.oldestWaitingSince, now.value)}</td>
    <td class=${n(metrics?.waitMs.p95)} data-label="Wait p95">${span(metrics?.waitMs.p95)}</td>
    <td class=${n(metrics?.runMs.p95)} data-label="Run p95">${span(metrics?.runMs.p95)}</td>
    <td data-label="Last hour"><${Spark} history=${metrics?.history} /></td>
    <td data-label="Workers"><${Workers} names=${metrics?.workers ?? []} /></td>
    <td class="n"><${PauseResume} queue=${queue} paused=${paused} small /></td>
  </tr>`;
}

const Workers = ({ names }) => (names.length
  ? html`<span class="workers mono" title=${names.join('\n')}>${names.length === 1 ? names[0] : names.length}</span>`
  : html`<span class="faint">–</span>`);

function Health() {
  const known = status.value;
  if (!known) return null;
  return html`<div class="card health" role="group" aria-label="Health" data-testid="health">
    <span class="item"><span class=${`dot ${known.storeAnswers ? 'live' : 'broken'}`}></span><span>Store <b>${known.store}</b> ${known.storeAnswers ? 'answers' : `does not answer: ${known.problem}`}</span></span>
    <span class="item"><span class="soft">Durability</span><span>${known.durabilityText}</span></span>
    <span class="item"><span class="soft">Transports</span><span>${known.transports?.length ? known.transports.map(({ name, kind, connected, problem }) => html`<span key=${name} title=${problem}><span class=${`dot inline ${connected ? 'live' : 'broken'}`}></span> ${name} <span class="faint">${kind}</span> ${connected ? 'connected' : 'not connected'} </span>`) : 'none configured'}</span></span>
    <span class="item"><span class="soft">Version</span><span>${known.version}</span></span>
  </div>`;
}
