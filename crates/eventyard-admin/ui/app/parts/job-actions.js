// What can be done to a job.
import { html } from '../html.js';
import { del, parse, path, post } from '../api.js';
import { go, to } from '../router.js';
import { me } from '../session.js';
import { Action } from './dialog.js';
import { copy, pretty } from './json.js';

const ENDED = ['completed', 'failed'];

const DESCRIBED = {
  retry: (id) => ({ title: 'Retry this job?', label: 'Retry', text: 'It waits again, with all its attempts. Its history stays.', done: `${id} waits again` }),
  promote: (id) => ({ title: 'Promote this job?', label: 'Promote', text: 'It waits at once, instead of until its time.', done: `${id} waits` }),
};

/** The line that adds the same job again. */
export function curl({ queue, name, data, opts }) {
  const { jobId, parent, deduplication, ...rest } = opts;
  const body = JSON.stringify({ name, data, ...(Object.keys(rest).length && { opts: rest }) });
  const quoted = `'${body.replaceAll("'", "'\\''")}'`;
  const credential = me.peek()?.credentialNeeded ? ' \\\n  -H "authorization: Bearer $EVENTYARD_TOKEN"' : '';
  return `curl -X POST '${location.origin}/api/v1${path`/queues/${queue}/jobs`}' \\\n  -H 'content-type: application/json'${credential} \\\n  -d ${quoted}`;
}

const EditForm = ({ values, set, problem }) => html`<div class="fields">
  <div class="field"><label for="edit-data">Payload</label>
    <textarea id="edit-data" rows="12" spellcheck="false" value=${values.data} data-testid="edit-data" data-first aria-invalid=${wrong(values.data) ? 'true' : undefined} onInput=${(event) => set({ data: event.target.value })}></textarea>
    ${wrong(values.data) ? html`<span class="wrong">${wrong(values.data)}</span>` : html`<span class="hint">What is masked keeps its value.</span>`}</div>
  <div class="field"><label for="edit-opts">Options to change</label>
    <textarea id="edit-opts" rows="3" spellcheck="false" value=${values.opts} data-testid="edit-opts" aria-invalid=${wrong(values.opts) ? 'true' : undefined} onInput=${(event) => set({ opts: event.target.value })}></textarea>
    ${wrong(values.opts) && html`<span class="wrong">${wrong(values.opts)}</span>`}</div>
  ${problem?.errors?.length > 0 && html`<ul>${problem.errors.map(({ field, problem: what }) => html`<li class="red" key=${field}><code>${field}</code> ${what}</li>`)}</ul>`}
</div>`;

function wrong(text) {
  try {
    parse(text);
    return '';
  } catch (error) {
    return error.message;
  }
}

export function JobActions({ job, reload }) {
  const { queue, id, state } = job;
  const at = path`/queues/${queue}/jobs/${id}`;
  const simple = (verb) => () => {
    const { done, ...question } = DESCRIBED[verb](id);
    return { ...question, run: async (why) => {
      await post(`${at}/${verb}`, undefined, why);
      await reload();
      return done;
    } };
  };
  const edit = () => ({
    title: 'Retry as an edited copy', label: 'Add the copy', wide: true, form: EditForm,
    values: { data: pretty(job.data) ?? 'null', opts: '{}' },
    text: 'A copy is added under a new id; this job stays as it is.',
    ready: ({ data, opts }) => !wrong(data) && !wrong(opts),
    run: async (why, { data, opts }) => {
      const added = await post(`${at}/retry`, `{"data":${data},"opts":${opts}}`, why);
      go(to.job(added.queue, added.jobId));
      return `Added as ${added.jobId}`;
    },
  });
  const cancel = () => ({
    title: 'Cancel this job?', label: 'Cancel the job', danger: true,
    text: state === 'active' ? 'It runs: its worker is told, and nothing of the attempt is kept. It becomes a dead letter.' : 'It becomes a dead letter.',
    run: async (why) => {
      await post(`${at}/cancel`, why ? { reason: why } : undefined, why);
      await reload();
      return `${id} is cancelled`;
    },
  });
  const remove = () => ({
    title: 'Remove this job?', label: 'Remove', danger: true, text: 'It is gone, with its history. It cannot be brought back.',
    run: async (why) => {
      await del(at, why);
      go(to.queue(queue));
      return `${id} is removed`;
    },
  });
  const ended = ENDED.includes(state);
  return html`
    ${ended && html`<${Action} ask=${simple('retry')} testid="retry">Retry<//>`}
    ${state === 'delayed' && html`<${Action} ask=${simple('promote')} testid="promote">Promote<//>`}
    ${job.dataBase64 === undefined && html`<${Action} ask=${edit} testid="edit">Edit and copy<//>`}
    ${!ended && html`<${Action} danger ask=${cancel} testid="cancel">Cancel<//>`}
    ${state !== 'active' && html`<${Action} role="admin" danger ask=${remove} testid="remove">Remove<//>`}
    <button type="button" data-testid="curl" onClick=${() => copy(curl(job), 'Copied as curl')}>Copy as curl</button>`;
}
