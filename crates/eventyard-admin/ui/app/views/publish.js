// Publishing an event, with a form made from the schema of its type.
import { html, useEffect, useState } from '../html.js';
import { get, parse, post } from '../api.js';
import { plural } from '../format.js';
import { useLoad } from '../load.js';
import { Link, route, to } from '../router.js';
import { may } from '../session.js';
import { Card, Head, Wrong } from '../parts/bits.js';
import { pretty } from '../parts/json.js';
import { begin, Fields } from '../parts/schema-form.js';

export function Publish() {
  const types = useLoad(() => get('/event-types'), []);
  const items = types.data?.items ?? [];
  const [type, setType] = useState(route.value.params.get('type') ?? '');
  const [subject, setSubject] = useState('');
  const [data, setData] = useState({});
  const [text, setText] = useState('{}');
  const [asText, setAsText] = useState(false);
  const [why, setWhy] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(null);
  const [published, setPublished] = useState(null);
  const known = items.find((one) => one.type === type);
  const schema = known?.schema;
  const useText = asText || !schema;
  useEffect(() => {
    const fresh = schema ? begin(schema, schema) : {};
    setData(fresh);
    setText(pretty(fresh));
    setProblem(null);
  }, [type, Boolean(schema)]);
  const change = (next) => {
    setData(next);
    setText(pretty(next));
  };
  const changeText = (next) => {
    setText(next);
    try {
      setData(parse(next));
    } catch {
      // The button says what is wrong with it.
    }
  };
  const wrong = useText ? mistake(text) : '';
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    setPublished(null);
    try {
      const body = useText ? text : JSON.stringify(data);
      const extra = subject ? `,"subject":${JSON.stringify(subject)}` : '';
      setPublished(await post('/events', `{"name":${JSON.stringify(type)},"data":${body}${extra}}`, why));
    } catch (failure) {
      setProblem(failure);
    }
    setBusy(false);
  };
  const errors = Object.fromEntries((problem?.errors ?? []).map(({ field, problem: what }) => [field.replace(/^data\.?/, ''), what]));
  if (!may('operator')) return html`<${Head} title="Publish" /><div class="note" data-testid="forbidden">Publishing needs the role operator.</div>`;
  return html`<${Head} title="Publish" sub="An event, checked by the schema of its type, stored, and routed to queues." />
    <${Wrong} problem=${types.problem} retry=${types.reload} />
    <form class="form-grid" onSubmit=${submit} data-testid="publish-form">
      <${Card} title="Event"><div class="body fields">
        <div class="fields two">
          <div class="field"><label for="type">Type</label>
            <input id="type" list="types" required placeholder="booking.created" autocomplete="off" value=${type} data-testid="type" data-search onInput=${(event) => setType(event.target.value)} />
            <datalist id="types">${items.map((one) => html`<option key=${one.type} value=${one.type}></option>`)}</datalist>
            <span class="hint">${known ? `Version ${known.version}${schema ? ', with a schema' : ''}` : type ? 'Not in the catalogue: its data is not checked.' : plural(items.length, 'known type')}</span></div>
          <div class="field"><label for="subject">Subject (optional)</label><input id="subject" autocomplete="off" value=${subject} onInput=${(event) => setSubject(event.target.value)} /></div>
        </div>
        ${useText
          ? html`<div class="field"><label for="data">Data</label>
              <textarea id="data" rows="14" spellcheck="false" value=${text} data-testid="data" aria-invalid=${wrong ? 'true' : undefined} onInput=${(event) => changeText(event.target.value)}></textarea>
              ${wrong && html`<span class="wrong">${wrong}</span>`}</div>`
          : html`<${Fields} schema=${schema} root=${schema} value=${data} set=${change} errors=${errors} at="" />`}
        ${schema && html`<label class="check"><input type="checkbox" checked=${asText} data-testid="as-text" onChange=${(event) => setAsText(event.target.checked)} />Write the data as JSON</label>`}
        <div class="field"><label for="why">Why (optional; kept in the audit trail)</label><input id="why" maxlength="256" autocomplete="off" value=${why} onInput=${(event) => setWhy(event.target.value)} /></div>
        ${problem && html`<div class="note bad" role="alert" data-testid="publish-problem">${problem.message}</div>`}
        <div><button type="submit" class="main" disabled=${busy || !type || Boolean(wrong)} data-testid="publish">Publish</button></div>
      </div><//>
      <div class="stack">
        ${published && html`<${Done} published=${published} />`}
        <${Card} title="What is sent"><div class="body"><pre class="code" tabindex="0" aria-label="The event as JSON">${pretty({ name: type || '…', data, ...(subject && { subject }) })}</pre></div><//>
      </div>
    </form>`;
}

function mistake(text) {
  try {
    parse(text);
    return '';
  } catch (error) {
    return error.message;
  }
}

const Done = ({ published: { eventId, jobs, unrouted, duplicate } }) => html`<${Card} title="Published" testid="published"><div class="body stack" role="status">
  <p><${Link} to=${to.event(eventId)} class="mono" data-testid="published-event">${eventId}<//>${duplicate && ' was in the log already.'}</p>
  ${unrouted
    ? html`<div class="note warn">No route takes it: it is in the log only.</div>`
    : html`<ul>${jobs.map(({ queue, jobId }) => html`<li key=${queue}>A job on <${Link} to=${to.job(queue, jobId)}>${queue}<//></li>`)}</ul>`}
</div><//>`;
