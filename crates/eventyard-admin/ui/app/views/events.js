// The event log: searched, or followed as it grows.
import { html, useEffect, useState } from '../html.js';
import { get, query } from '../api.js';
import { shortId } from '../format.js';
import { useLoad } from '../load.js';
import { amend, Link, route, to } from '../router.js';
import { Card, Head, Pager, Time, Wrong } from '../parts/bits.js';

const FILTERS = [
  ['text', 'Text in the event', 'text'],
  ['type', 'Type, or booking.*', 'text'],
  ['correlationId', 'Correlation', 'text'],
  ['from', 'From', 'datetime-local'],
  ['to', 'To', 'datetime-local'],
];
/** How many bounded looks one page of a search takes. */
const LOOKS = 20;
const LIMIT = 50;

async function page(params) {
  let { after } = params;
  const items = [];
  for (let look = 0; look < LOOKS; look += 1) {
    const answer = await get(`/events${query({ ...params, after, limit: LIMIT - items.length })}`);
    items.push(...answer.items);
    after = answer.next;
    if (!after || items.length >= LIMIT) break;
  }
  return { items, next: after };
}

export function Events() {
  const { params } = route.value;
  const given = Object.fromEntries(FILTERS.map(([name]) => [name, params.get(name) ?? '']));
  const filtered = Object.values(given).some(Boolean);
  const [tail, setTail] = useState(true);
  const [cursors, setCursors] = useState([]);
  const instant = (text) => (text ? new Date(text).toISOString() : '');
  const asked = { ...given, from: instant(given.from), to: instant(given.to), after: cursors.at(-1) };
  useEffect(() => setCursors([]), [JSON.stringify(given)]);
  const live = tail && cursors.length === 0;
  const list = useLoad(() => page(asked), [JSON.stringify(asked)], { every: live ? (filtered ? 5000 : 1000) : 0 });
  const items = list.data?.items ?? [];
  return html`<${Head} title="Events" sub="What happened, the newest first.">
      <label class="check"><input type="checkbox" checked=${tail} data-testid="tail" onChange=${(event) => setTail(event.target.checked)} />Live tail</label>
    <//>
    <${Card} testid="events">
      <div class="bar"><${Filters} given=${given} /></div>
      <${Wrong} problem=${list.problem} retry=${list.reload} />
      ${items.length === 0
        ? html`<p class="none" role="status">${list.loading ? 'Loading…' : filtered ? (list.data?.next ? 'None found so far. Go on with Next.' : 'No event is like that.') : 'No events yet.'}</p>`
        : html`<div class="scroll"><table class="cards">
            <thead><tr><th scope="col">Event</th><th scope="col">Type</th><th scope="col">Source</th><th scope="col">Subject</th><th scope="col">Happened</th><th scope="col">Data</th></tr></thead>
            <tbody>${items.map((event) => html`<${Row} key=${event.id} event=${event} />`)}</tbody>
          </table></div>`}
      <${Pager} cursors=${cursors} setCursors=${setCursors} next=${list.data?.next}>${live ? 'New events appear by themselves.' : ''}<//>
    <//>`;
}

function Row({ event }) {
  const { id, type, source, subject, time, data } = event;
  const line = data === undefined ? '' : JSON.stringify(data).slice(0, 200);
  return html`<tr data-testid="event-row">
    <td class="lead"><${Link} to=${to.event(id)} class="mono" title=${id}>${shortId(id)}<//></td>
    <td data-label="Type"><b>${type}</b></td>
    <td data-label="Source" class="soft">${source}</td>
    <td data-label="Subject" class="soft">${subject ?? '–'}</td>
    <td data-label="Happened"><${Time} at=${time} /></td>
    <td data-label="Data" class="clip whole mono faint">${line}</td>
  </tr>`;
}

function Filters({ given }) {
  const [values, setValues] = useState(given);
  useEffect(() => setValues(given), [JSON.stringify(given)]);
  const submit = (event) => {
    event.preventDefault();
    amend(values);
  };
  return html`<form class="filters" role="search" aria-label="Search events" onSubmit=${submit}>
    ${FILTERS.map(([name, label, type], n) => html`<input key=${name} type=${type} class=${n === 0 ? 'wide' : ''} placeholder=${label} aria-label=${type === 'text' ? label : `${label} (time)`} title=${label}
      value=${values[name]} data-testid=${`search-${name}`} data-search=${n === 0 ? '' : undefined} onInput=${(event) => setValues({ ...values, [name]: event.target.value })} />`)}
    <button type="submit" data-testid="search">Search</button>
    ${Object.values(given).some(Boolean) && html`<button type="button" class="plain" data-testid="search-clear" onClick=${() => amend(Object.fromEntries(FILTERS.map(([name]) => [name, ''])))}>Clear</button>`}
  </form>`;
}
