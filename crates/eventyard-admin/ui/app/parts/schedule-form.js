// Adding a schedule, and changing one.
import { html } from '../html.js';
import { parse, path, put } from '../api.js';
import { standing } from '../live.js';
import { pretty } from './json.js';

const isJson = (text) => {
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
};

const Form = (known) => ({ values, set, problem }) => {
  const field = (name, label, more = {}) => html`<div class="field"><label for=${`schedule-${name}`}>${label}</label>
    <input id=${`schedule-${name}`} value=${values[name]} autocomplete="off" data-testid=${`schedule-${name}`} onInput=${(event) => set({ [name]: event.target.value })} ...${more} />
    ${problem?.errors?.filter(({ field: at }) => at.endsWith(name)).map(({ problem: what }) => html`<span class="wrong">${what}</span>`)}</div>`;
  return html`<div class="fields">
    <div class="fields two">${field('name', 'Name', { disabled: known })}
      <div class="field"><label for="schedule-kind">Due</label><select id="schedule-kind" value=${values.kind} data-testid="schedule-kind" onChange=${(event) => set({ kind: event.target.value })}><option value="cron">by the calendar</option><option value="every">at an interval</option></select></div></div>
    ${values.kind === 'cron'
      ? html`<div class="fields two">${field('cron', 'Cron pattern', { placeholder: '0 3 * * *' })}${field('timeZone', 'Time zone', { placeholder: 'UTC' })}</div>`
      : field('every', 'Every so many seconds', { type: 'number', min: '1' })}
    <div class="fields two">
      <div class="field"><label for="schedule-queue">Queue</label><select id="schedule-queue" value=${values.queue} data-testid="schedule-queue" onChange=${(event) => set({ queue: event.target.value })}>${[...(standing.value?.keys() ?? [])].map((queue) => html`<option key=${queue} value=${queue}>${queue}</option>`)}</select></div>
      ${field('job', 'Name of the job')}</div>
    <div class="field"><label for="schedule-data">Payload</label><textarea id="schedule-data" rows="4" spellcheck="false" value=${values.data} data-testid="schedule-data" aria-invalid=${isJson(values.data) ? undefined : 'true'} onInput=${(event) => set({ data: event.target.value })}></textarea></div>
  </div>`;
};

/** The question for a new schedule, or for a change of `one`. */
export function edit(one, reload) {
  const values = {
    name: one?.name ?? '', kind: one?.every ? 'every' : 'cron', cron: one?.cron ?? '', timeZone: one?.timeZone ?? '',
    every: one?.every ? String(one.every / 1000) : '60', queue: one?.job.queue ?? [...(standing.peek()?.keys() ?? [])][0] ?? '',
    job: one?.job.name ?? '', data: pretty(one?.job.data ?? null),
  };
  return {
    title: one ? `Edit ${one.name}` : 'New schedule', label: one ? 'Save' : 'Add', wide: true, form: Form(Boolean(one)), values,
    ready: ({ name, job, data }) => name && job && isJson(data),
    run: async (why, { name, kind, cron, timeZone, every, queue, job, data }) => {
      const due = kind === 'cron' ? { cron, ...(timeZone && { timeZone }) } : { every: Math.round(Number(every) * 1000) };
      const { start, end, limit, catchUp } = one ?? {};
      const kept = Object.fromEntries(Object.entries({ start, end, limit, catchUp }).filter(([, value]) => value !== undefined));
      await put(path`/schedules/${name}`, { ...due, ...kept, job: { queue, name: job, data: parse(data), opts: one?.job.opts ?? {} } }, why);
      await reload();
      return `${name} is set`;
    },
  };
}
