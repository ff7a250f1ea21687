// One event, and everything that followed from it on one time line.
import { html, useEffect } from '../html.js';
import { span, stateName } from '../format.js';
import { useChanges, useLoad } from '../load.js';
import { now } from '../live.js';
import { Link, to } from '../router.js';
import { status } from '../session.js';
import { reach, story } from '../story.js';
import { Card, Head, State, Time, Wrong } from '../parts/bits.js';
import { Icon } from '../parts/icon.js';
import { Json } from '../parts/json.js';

const ICONS = { event: 'publish', job: 'job', mail: 'mailbox', push: 'push', notification: 'bell' };

export function Event({ id }) {
  const told = useLoad(() => story(id, status.value?.mailbox), [id, status.value?.mailbox]);
  const { data, problem } = told;
  useChanges(undefined, () => data?.open && told.reload());
  useEffect(() => {
    // What went out may be written a moment after its job is.
    const timer = data && !data.open && setTimeout(told.reload, 1500);
    return () => clearTimeout(timer);
  }, [data?.open]);
  const crumbs = [html`<${Link} to="/events">Events<//>`];
  if (!data) {
    return html`<${Head} title="Event" crumbs=${crumbs} sub=${id} />
      ${problem?.status === 404 ? html`<div class="note">It is not in the log: it was never published, or is too old to be kept.</div>` : html`<${Wrong} problem=${problem} retry=${told.reload} />`}
      ${told.loading && html`<p class="none" role="status">Loading…</p>`}`;
  }
  const { event, first } = data;
  const { data: payload, data_base64: base64, ...attributes } = event;
  return html`<${Head} title=${event.type} crumbs=${crumbs} sub=${html`<span class="mono">${id}</span>`} />
    <div class="stack">
      <${Wrong} problem=${problem} retry=${told.reload} />
      ${first.id !== id && html`<div class="note">It followed from <${Link} to=${to.event(first.id)}>${first.type}<//>, with which the time line begins.</div>`}
      ${data.lost && html`<div class="note warn">What caused the first event is not in the log any more.</div>`}
      ${data.truncated && html`<div class="note warn">There is more than is shown here.</div>`}
      <${Timeline} told=${data} id=${id} />
      <div class="charts">
        <${Card} title="Data" testid="event-data"><div class="body">${base64 === undefined ? html`<${Json} value=${payload ?? null} name="The data" />` : html`<div class="note">It is no JSON.</div><pre class="code">${base64.slice(0, 2000)}</pre>`}</div><//>
        <${Card} title="Attributes"><div class="body"><${Json} value=${attributes} name="The event" /></div><//>
      </div>
    </div>`;
}

function Timeline({ told: { rows, open }, id }) {
  const { begin, end } = reach(rows, open ? now.value : undefined);
  const place = (at) => ((at - begin) / (end - begin)) * 100;
  return html`<${Card} title="What followed" testid="timeline" bar=${html`<span class="soft">${span(end - begin)} in all</span>`}>
    <ol class="timeline">
      ${rows.map((row, n) => html`<${Row} key=${n} row=${row} place=${place} begin=${begin} current=${row.event?.id === id} />`)}
      <li class="row" aria-hidden="true"><span></span><span class="axis"><span>0</span><span>${span((end - begin) / 2)}</span><span>${span(end - begin)}</span></span></li>
    </ol>
  <//>`;
}

function Row({ row, place, begin, current }) {
  const { kind, depth, at } = row;
  return html`<li class=${current ? 'row current' : 'row'} data-testid=${`row-${kind}`} aria-current=${current ? 'true' : undefined}>
    <div class=${`what d${Math.min(depth, 6)}`}>
      <${Icon} name=${ICONS[kind]} />
      <div class="words"><span><${Title} row=${row} /></span><span class="faint">+${span(at - begin)} · ${html`<${More} row=${row} />`}</span></div>
    </div>
    <div class="lane" aria-hidden="true">${kind === 'job' ? html`<${Bars} row=${row} place=${place} />` : html`<span class=${`mark ${kind === 'event' ? 'event' : 'sent'}`} style=${{ left: `${place(at)}%` }}></span>`}</div>
  </li>`;
}

function Title({ row }) {
  if (row.kind === 'event') return html`<${Link} to=${to.event(row.event.id)}><b>${row.event.type}</b><//>`;
  if (row.kind === 'job') return html`<${Link} to=${to.job(row.queue, row.jobId)}>${row.name}<//> <span class="faint">on ${row.queue}</span> <${State} state=${row.state} />`;
  return row.kind === 'mail' && status.value?.mailbox ? html`<${Link} to="/mailbox">${row.title}<//>` : row.title;
}

function More({ row }) {
  if (row.kind === 'event') return row.event.source;
  if (row.kind !== 'job') return row.more ?? '';
  const ran = row.started && row.ended ? `ran ${span(row.ended - row.started)}` : stateName(row.state);
  const failed = row.attempts.length ? `, ${row.attempts.length} failed: ${row.attempts.at(-1).error.message}` : '';
  return ran + failed;
}

/** A job in its lane: how it waited, each attempt that failed, and the last. */
function Bars({ row: { at, attempts, started, ended, state }, place }) {
  const until = ended ?? now.value;
  const bar = (kind, from, to) => html`<span class=${`mark ${kind}`} style=${{ left: `${place(from)}%`, width: `${Math.max(0, place(to) - place(from))}%` }}></span>`;
  return html`
    ${bar('wait', at, started ?? until)}
    ${attempts.map(({ from, to }) => bar('attempt-failed', from, to))}
    ${started && bar(state, started, until)}`;
}
