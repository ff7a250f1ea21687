// Small parts that every view uses.
import { html, useRef } from '../html.js';
import { brief, instant, stateName } from '../format.js';

export const State = ({ state }) => html`<span class=${`tag ${state}`}>${stateName(state)}</span>`;

export const Time = ({ at }) => (at ? html`<time datetime=${at} title=${at}>${instant(at)}</time>` : '–');

export const Wrong = ({ problem, retry }) => problem && html`<div class="note bad" role="alert" data-testid="problem">
  <span>${problem.message}</span>
  ${retry && html`<button type="button" class="small" onClick=${retry}>Try again</button>`}
</div>`;

/** The head of a page. */
export function Head({ title, crumbs = [], tags, sub, children }) {
  document.title = `${title} · Eventyard`;
  return html`<div class="head">
    <div class="title">
      ${crumbs.length > 0 && html`<nav class="crumbs" aria-label="Where this is">${crumbs.map((crumb, n) => html`<span key=${n}>${crumb} /</span>`)}</nav>`}
      <div class="line"><h1>${title}</h1>${tags}</div>
      ${sub && html`<div class="sub">${sub}</div>`}
    </div>
    ${children && html`<div class="actions">${children}</div>`}
  </div>`;
}

export const Card = ({ title, bar, children, testid }) => html`<section class="card" aria-label=${title} data-testid=${testid}>
  ${(title || bar) && html`<div class="bar">${title && html`<h2>${title}</h2>`}${bar}</div>`}
  ${children}
</section>`;

export const Figure = ({ name, value, more, bad }) => html`<div class=${bad ? 'figure bad' : 'figure'}>
  <div class="name">${name}</div><div class="value">${value}</div>${more && html`<div class="more">${more}</div>`}
</div>`;

/** Tabs over one panel; the arrow keys move between them. */
export function Tabs({ label, tabs, current, pick, panel }) {
  const list = useRef();
  const move = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = tabs.findIndex(({ id }) => id === current);
    const next = tabs[(at + step + tabs.length) % tabs.length];
    pick(next.id);
    list.current.querySelector(`#tab-${next.id}`)?.focus();
  };
  return html`<div class="tabs" role="tablist" aria-label=${label} ref=${list} onKeyDown=${move}>
    ${tabs.map(
      ({ id, name, n }) => html`<button key=${id} type="button" role="tab" id=${`tab-${id}`} aria-selected=${id === current} aria-controls=${panel}
        tabindex=${id === current ? 0 : -1} onClick=${() => pick(id)} data-testid=${`tab-${id}`}>
        ${name}${n !== undefined && html` <span class="n">${brief(n)}</span>`}
      </button>`,
    )}
  </div>`;
}

/** Back and on through a listing whose pages are cursors. */
export function Pager({ cursors, setCursors, next, children }) {
  return html`<div class="pager">
    <span class="grow">${children}</span>
    <button type="button" class="small" disabled=${!cursors.length} onClick=${() => setCursors(cursors.slice(0, -1))} data-testid="page-back">Back</button>
    <span>Page ${cursors.length + 1}</span>
    <button type="button" class="small" disabled=${!next} onClick=${() => setCursors([...cursors, next])} data-testid="page-next">Next</button>
  </div>`;
}

/** A line of the last hour: jobs completed a minute, and those that failed. */
export function Spark({ history }) {
  if (!history) return html`<svg class="spark" aria-hidden="true"></svg>`;
  const { completed, failed } = history;
  const top = Math.max(1, ...completed, ...failed);
  const line = (values) => values.map((value, n) => `${(n / (values.length - 1)) * 120},${28 - (value / top) * 25}`).join(' ');
  const sum = (values) => values.reduce((all, value) => all + value, 0);
  const label = `In the last hour: ${sum(completed)} completed, ${sum(failed)} failed`;
  return html`<svg class="spark" viewBox="0 0 120 30" preserveAspectRatio="none" role="img" aria-label=${label}>
    <title>${label}</title>
    <polygon class="area" points=${`0,30 ${line(completed)} 120,30`} />
    <polyline class="top" points=${line(completed)} />
    ${sum(failed) > 0 && html`<polyline class="failures" points=${line(failed)} />`}
  </svg>`;
}
