// What can be done to a queue.
import { html } from '../html.js';
import { path, post } from '../api.js';
import { count, plural, stateName } from '../format.js';
import { standing } from '../live.js';
import { Action } from './dialog.js';

export function PauseResume({ queue, paused, small }) {
  const ask = () => (paused
    ? {
        title: `Resume ${queue}?`, label: 'Resume',
        text: 'Its jobs are handed out again.',
        run: async (why) => {
          await post(path`/queues/${queue}/resume`, undefined, why);
          return `${queue} runs`;
        },
      }
    : {
        title: `Pause ${queue}?`, label: 'Pause',
        text: 'No more jobs are handed out; those that run end as usual. Jobs can still be added.',
        run: async (why) => {
          await post(path`/queues/${queue}/pause`, undefined, why);
          return `${queue} is paused`;
        },
      });
  return html`<${Action} ask=${ask} small=${small} testid=${`${paused ? 'resume' : 'pause'}-${queue}`}>${paused ? 'Resume' : 'Pause'}<//>`;
}

const counts = (queue) => standing.value?.get(queue)?.counts ?? {};

export function RetryAll({ queue }) {
  const failed = standing.value?.get(queue)?.counts.failed ?? 0;
  const ask = () => ({
    title: `Retry ${plural(failed, 'dead letter')} of ${queue}?`, label: `Retry ${count(failed)}`,
    text: 'They wait again, with all their attempts. It goes on in the background; the dead letters page shows how far it is.',
    values: { perSecond: '' },
    form: Rate,
    run: async (why, { perSecond }) => {
      await post('/replays', { queue, ...(perSecond && { perSecond: Number(perSecond) }) }, why);
      return `Replaying the dead letters of ${queue}`;
    },
  });
  return html`<${Action} ask=${ask} disabled=${!failed} testid="retry-all">Retry all<//>`;
}

export const Rate = ({ values, set }) => html`<div class="field">
  <label for="rate">Jobs a second</label>
  <input id="rate" type="number" min="1" max="100000" placeholder="as fast as the store takes them" value=${values.perSecond} data-testid="rate" onInput=${(event) => set({ perSecond: event.target.value })} />
</div>`;

const CLEANABLE = ['completed', 'failed', 'waiting', 'prioritized', 'delayed', 'paused', 'waiting-children'];
const UNITS = { minutes: 60_000, hours: 3_600_000, days: 86_400_000 };

const CleanForm = (queue) => ({ values, set }) => html`<div class="fields two">
  <div class="field"><label for="clean-state">Jobs that are</label>
    <select id="clean-state" data-testid="clean-state" value=${values.state} onChange=${(event) => set({ state: event.target.value })}>
      ${CLEANABLE.map((state) => html`<option key=${state} value=${state}>${stateName(state)} (${count(counts(queue)[state])})</option>`)}
    </select></div>
  <div class="field"><label for="clean-age">For at least</label>
    <span class="check"><input id="clean-age" type="number" min="0" value=${values.age} data-testid="clean-age" onInput=${(event) => set({ age: event.target.value })} />
      <select aria-label="Unit" value=${values.unit} onChange=${(event) => set({ unit: event.target.value })}>${Object.keys(UNITS).map((unit) => html`<option key=${unit} value=${unit}>${unit}</option>`)}</select></span></div>
</div>`;

export function Clean({ queue }) {
  const of = (values) => counts(queue)[values.state] ?? 0;
  const form = CleanForm(queue);
  const ask = () => ({
    title: `Clean ${queue}?`, danger: true, form,
    values: { state: 'completed', age: '0', unit: 'hours' },
    text: (values) => (Number(values.age) > 0
      ? `Removes those of ${plural(of(values), `${stateName(values.state)} job`)} that have been so for ${values.age} ${values.unit}. They cannot be brought back.`
      : `Removes ${plural(of(values), `${stateName(values.state)} job`)}. They cannot be brought back.`),
    label: (values) => (Number(values.age) > 0 ? `Remove up to ${count(of(values))}` : `Remove ${count(of(values))}`),
    ready: (values) => of(values) > 0,
    run: async (why, { state, age, unit }) => {
      const { removed } = await post('/queues/clean', { queue, state, olderThanMs: Number(age) * UNITS[unit] }, why);
      return `Removed ${plural(removed, 'job')}`;
    },
  });
  return html`<${Action} role="admin" danger ask=${ask} testid="clean">Clean<//>`;
}

const DrainForm = (queue) => ({ values, set }) => html`<div class="fields">
  <label class="check"><input type="checkbox" checked=${values.delayed} data-testid="drain-delayed" onChange=${(event) => set({ delayed: event.target.checked })} />Also ${plural(counts(queue).delayed ?? 0, 'delayed job')}</label>
  <div class="field"><label for="drain-name">Type <b>${queue}</b> to confirm</label>
    <input id="drain-name" autocomplete="off" value=${values.name} data-testid="drain-name" onInput=${(event) => set({ name: event.target.value })} /></div>
</div>`;

export function Drain({ queue }) {
  const of = ({ delayed }) => {
    const { waiting = 0, prioritized = 0, paused = 0, delayed: later = 0 } = counts(queue);
    return waiting + prioritized + paused + (delayed ? later : 0);
  };
  const form = DrainForm(queue);
  const ask = () => ({
    title: `Drain ${queue}?`, danger: true, form,
    values: { delayed: false, name: '' },
    text: (values) => `Removes ${plural(of(values), 'job')} that wait. Those that run and the finished ones stay. They cannot be brought back.`,
    label: (values) => `Remove ${count(of(values))}`,
    ready: (values) => values.name === queue,
    run: async (why, { delayed }) => {
      const { removed } = await post(path`/queues/${queue}/drain`, { delayed }, why);
      return `Removed ${plural(removed, 'job')}`;
    },
  });
  return html`<${Action} role="admin" danger ask=${ask} testid="drain">Drain<//>`;
}

const NameForm = (queue) => ({ values, set }) => html`<div class="field"><label for="obliterate-name">Type <b>${queue}</b> to confirm</label>
  <input id="obliterate-name" autocomplete="off" value=${values.name} data-testid="obliterate-name" onInput=${(event) => set({ name: event.target.value })} /></div>`;

export function Obliterate({ queue }) {
  const form = NameForm(queue);
  const all = () => Object.values(counts(queue)).reduce((sum, count) => sum + count, 0);
  const ask = () => ({
    title: `Obliterate ${queue}?`, danger: true, form, values: { name: '' },
    text: `Pauses the queue and removes all of its ${plural(all(), 'job')}, the finished ones too. They cannot be brought back. While jobs run it is refused.`,
    label: `Remove ${count(all())}`,
    ready: (values) => values.name === queue,
    run: async (why) => {
      const { removed } = await post(path`/queues/${queue}/obliterate`, undefined, why);
      return `Removed ${plural(removed, 'job')}; ${queue} is empty`;
    },
  });
  return html`<${Action} role="admin" danger ask=${ask} testid="obliterate">Obliterate the queue<//>`;
}
