// One queue: how it does, its jobs by state, its settings, what was done to it.
import { html } from '../html.js';
import { get } from '../api.js';
import { age, brief, rate, span, STATES, stateName } from '../format.js';
import { useLoad } from '../load.js';
import { now, standing } from '../live.js';
import { amend, Link, route } from '../router.js';
import { Card, Figure, Head, Tabs, Wrong } from '../parts/bits.js';
import { Chart } from '../parts/chart.js';
import { Clean, Drain, PauseResume, RetryAll } from '../parts/queue-actions.js';
import { AuditTable } from './audit.js';
import { Jobs } from './queue-jobs.js';
import { Settings } from './queue-settings.js';

const OTHER = [['settings', 'Settings'], ['history', 'Audit trail']];

export function Queue({ queue }) {
  const own = standing.value?.get(queue);
  const metrics = useLoad(() => get(`/queues/metrics?${new URLSearchParams({ queue })}`), [queue], { every: 5000 });
  const { params } = route.value;
  const counts = own?.counts ?? {};
  const busy = STATES.find((state) => state !== 'completed' && counts[state] > 0);
  const tab = params.get('state') ?? busy ?? 'completed';
  const measured = metrics.data?.items[0];
  if (metrics.problem?.status === 404) {
    return html`<${Head} title=${queue} crumbs=${[html`<${Link} to="/">Queues<//>`]} sub="There is no such queue: it is not declared, and the store has no jobs of it." />`;
  }
  const shown = STATES.filter((state) => state !== 'paused' || own?.paused || counts.paused);
  const tabs = [...shown.map((state) => ({ id: state, name: stateName(state), n: counts[state] ?? 0 })), ...OTHER.map(([id, name]) => ({ id, name }))];
  return html`<${Head} title=${queue} crumbs=${[html`<${Link} to="/">Queues<//>`]} tags=${own?.paused && html`<span class="tag waiting" data-testid="paused">paused</span>`}>
      <${PauseResume} queue=${queue} paused=${own?.paused} />
      <${RetryAll} queue=${queue} /><${Clean} queue=${queue} /><${Drain} queue=${queue} />
    <//>
    <div class="stack">
      <${Wrong} problem=${metrics.problem} retry=${metrics.reload} />
      <div class="figures" role="group" aria-label="Now">
        <${Figure} name="Added" value=${rate(own?.perSecond.added)} />
        <${Figure} name="Completed" value=${rate(own?.perSecond.completed)} />
        <${Figure} name="Failed" value=${rate(own?.perSecond.failed)} bad=${own?.perSecond.failed > 0} />
        <${Figure} name="Oldest waiting" value=${age(measured?.oldestWaitingSince, now.value)} />
        <${Figure} name="Wait, median" value=${span(measured?.waitMs.p50)} more=${`p95 ${span(measured?.waitMs.p95)}`} />
        <${Figure} name="Run, median" value=${span(measured?.runMs.p50)} more=${`p95 ${span(measured?.runMs.p95)}`} />
        <${Figure} name="Workers" value=${brief(measured?.workers.length ?? 0)} more=${measured?.workers[0]} />
      </div>
      ${measured && html`<${Charts} history=${measured.history} />`}
      <div class="card">
        <${Tabs} label="Jobs by state, and more" tabs=${tabs} current=${tab} panel="panel" pick=${(state) => amend({ state, name: '', id: '', key: '', error: '', from: '', to: '' })} />
        <div id="panel" role="tabpanel" aria-labelledby=${`tab-${tab}`}>
          ${tab === 'settings'
            ? html`<${Settings} queue=${queue} />`
            : tab === 'history'
              ? html`<${AuditTable} queue=${queue} />`
              : html`<${Jobs} key=${tab} queue=${queue} state=${tab} />`}
        </div>
      </div>
    </div>`;
}

/** The fewest minutes that a chart shows. */
const SHORTEST = 15;

/** An hour, without the minutes before anything happened. */
function recent({ from, stepMs: step, added, completed, failed, wait, run }) {
  const first = added.findIndex((count, n) => count + completed[n] + failed[n] > 0);
  const begin = Math.max(0, Math.min(first < 0 ? added.length : first - 1, added.length - SHORTEST));
  const cut = (values) => values.slice(begin);
  const both = ({ p50, p95 }) => ({ p50: cut(p50), p95: cut(p95) });
  const at = new Date(Date.parse(from) + begin * step).toISOString();
  return { from: at, step, added: cut(added), completed: cut(completed), failed: cut(failed), wait: both(wait), run: both(run) };
}

function Charts({ history }) {
  const { from, step, added, completed, failed, wait, run } = recent(history);
  const flow = [
    { name: 'Added', values: added, colour: '--info', key: 'c2' },
    { name: 'Completed', values: completed, colour: '--accent', key: 'c1' },
    { name: 'Failed', values: failed, colour: '--danger', key: 'c3' },
  ];
  const times = [
    { name: 'Wait p50', values: wait.p50, colour: '--warn', key: 'c5', dots: true },
    { name: 'Wait p95', values: wait.p95, colour: '--danger', key: 'c3', dots: true },
    { name: 'Run p50', values: run.p50, colour: '--accent', key: 'c1', dots: true },
    { name: 'Run p95', values: run.p95, colour: '--violet', key: 'c4', dots: true },
  ];
  return html`<div class="charts">
    <${Card} title="Throughput, jobs a minute" testid="throughput"><${Chart} title="Jobs a minute" from=${from} step=${step} series=${flow} /><//>
    <${Card} title="Latency" testid="latency"><${Chart} title="Latency" from=${from} step=${step} series=${times} millis /><//>
  </div>`;
}

