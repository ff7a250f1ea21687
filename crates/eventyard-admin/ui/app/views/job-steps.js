// What a job has done already and does not do again, in order.
import { html } from '../html.js';
import { Card, Time } from '../parts/bits.js';
import { Json } from '../parts/json.js';

export function Steps({ steps = [] }) {
  if (steps.length === 0) return null;
  return html`<${Card} title="Steps" testid="steps">
    <ol>${steps.map(({ name, savedAt, result }) => html`<li class="attempt" key=${name} data-testid="step">
      <div class="line"><b class="mono">${name}</b><span class="soft">saved <${Time} at=${savedAt} /></span></div>
      <${Json} value=${result} name="The saved result" />
    </li>`)}</ol>
  <//>`;
}
