// The jobs that wait for a job, and those that it waits for, as a tree.
import { html, useState } from '../html.js';
import { get, path, query } from '../api.js';
import { useChanges, useLoad } from '../load.js';
import { Link, to } from '../router.js';
import { Card, State } from '../parts/bits.js';

/** How many parents are followed upwards. */
const GENERATIONS = 10;

/** The parents, from the topmost down. */
async function parents(job) {
  const all = [];
  let { parent } = job.opts;
  while (parent && all.length < GENERATIONS) {
    const { queue, id } = parent;
    let found = null;
    try {
      found = await get(path`/queues/${queue}/jobs/${id}`);
    } catch (problem) {
      if (problem.status !== 404) throw problem;
    }
    all.unshift({ queue, id, name: found?.name, state: found?.state });
    parent = found?.opts.parent;
  }
  return all;
}

export function Family({ job }) {
  const above = useLoad(() => parents(job), [job.queue, job.id, job.state]);
  if (!job.opts.parent && !job.children) return null;
  const line = above.data ?? [];
  const self = html`<li><span class="self">${job.name}</span> <${State} state=${job.state} />${job.children && html`<${Children} queue=${job.queue} id=${job.id} />`}</li>`;
  const nest = (n) => (n === line.length ? self : html`<li><${Relative} ...${line[n]} /><ul>${nest(n + 1)}</ul></li>`);
  return html`<${Card} title="Parent and children" testid="family"><div class="body tree"><ul>${nest(0)}</ul></div><//>`;
}

const Relative = ({ queue, id, name, state, outcome }) => html`<span data-testid="relative">
  <${Link} to=${to.job(queue, id)}>${name ?? id}<//> <span class="faint">${queue}</span> ${(state ?? outcome) && html`<${State} state=${state ?? outcome} />`}
</span>`;

function Children({ queue, id }) {
  const [most, setMost] = useState(50);
  const list = useLoad(() => get(path`/queues/${queue}/jobs/${id}/children` + query({ limit: most })), [queue, id, most]);
  useChanges(undefined, list.reload);
  return html`<ul>
    ${(list.data?.items ?? []).map(({ queue: of, jobId, outcome }) => html`<li key=${`${of}/${jobId}`}><${Child} queue=${of} id=${jobId} outcome=${outcome} /></li>`)}
    ${list.data?.next && html`<li><button type="button" class="small" onClick=${() => setMost(Math.min(1000, most * 4))}>More</button></li>`}
  </ul>`;
}

/** A child, whose own children are asked for when somebody wants to see them. */
function Child({ queue, id, outcome }) {
  const [open, setOpen] = useState(false);
  return html`<${Relative} queue=${queue} id=${id} outcome=${outcome} />
    <button type="button" class="plain small" aria-expanded=${open} aria-label=${`Children of ${id}`} onClick=${() => setOpen(!open)}>${open ? '−' : '+'}</button>
    ${open && html`<${Children} queue=${queue} id=${id} />`}`;
}
