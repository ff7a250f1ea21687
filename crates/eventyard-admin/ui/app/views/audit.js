// The audit trail: who did what, when, and why.
import { html, useState } from '../html.js';
import { get, query } from '../api.js';
import { plural } from '../format.js';
import { useChanges, useLoad } from '../load.js';
import { Link, to } from '../router.js';
import { Card, Head, Pager, Time, Wrong } from '../parts/bits.js';

const details = ({ details: given, count }) => [
  count !== undefined && plural(count, 'job'),
  ...Object.entries(given ?? {}).filter(([, value]) => value !== null && value !== false && value !== 0 && typeof value !== 'object').map(([name, value]) => `${name}: ${value}`),
].filter(Boolean).join(', ');

function On({ entry: { queue, jobId, eventId, schedule } }) {
  if (queue && jobId) return html`<${Link} to=${to.job(queue, jobId)} class="mono">${queue}/${jobId}<//>`;
  if (eventId) return html`<${Link} to=${to.event(eventId)} class="mono">${eventId}<//>`;
  if (schedule) return html`<${Link} to="/schedules">${schedule}<//>`;
  return queue ? html`<${Link} to=${to.queue(queue)}>${queue}<//>` : html`<span class="faint">every queue</span>`;
}

export function AuditTable({ queue, jobId, every }) {
  const [cursors, setCursors] = useState([]);
  const list = useLoad(() => get(`/audit${query({ queue, jobId, cursor: cursors.at(-1), limit: jobId ? 20 : 50 })}`), [queue, jobId, cursors.at(-1)], { every });
  useChanges(queue, list.reload);
  const items = list.data?.items ?? [];
  if (!items.length && !cursors.length) {
    return html`<${Wrong} problem=${list.problem} retry=${list.reload} /><p class="none" role="status">${list.loading ? 'Loading…' : 'Nobody has done anything here.'}</p>`;
  }
  return html`<div class="scroll"><table class="cards" data-testid="audit">
    <thead><tr><th scope="col">When</th><th scope="col">Who</th><th scope="col">What</th>${!jobId && html`<th scope="col">On</th>`}<th scope="col">How</th><th scope="col">Why</th></tr></thead>
    <tbody>${items.map((entry) => html`<tr key=${entry.id} data-testid="audit-row">
      <td data-label="When"><${Time} at=${entry.at} /></td>
      <td data-label="Who">${entry.who} <span class="tag">${entry.role}</span></td>
      <td data-label="What" class="mono">${entry.what}</td>
      ${!jobId && html`<td data-label="On" class="whole"><${On} entry=${entry} /></td>`}
      <td data-label="How" class="soft">${details(entry) || '–'}</td>
      <td data-label="Why" class="whole">${entry.why ?? html`<span class="faint">–</span>`}</td>
    </tr>`)}</tbody>
  </table></div>
  ${(list.data?.next || cursors.length > 0) && html`<${Pager} cursors=${cursors} setCursors=${setCursors} next=${list.data?.next} />`}`;
}

export const Audit = () => html`<${Head} title="Audit trail" sub="Every action on jobs, queues and schedules: who, when, what, and why." />
  <${Card}><${AuditTable} every=${5000} /><//>`;
