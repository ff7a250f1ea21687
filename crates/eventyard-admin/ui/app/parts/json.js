// JSON, to be read: folded where it is large or deep, masked members marked.
import { html, useState } from '../html.js';
import { bytes, plural } from '../format.js';
import { tell } from './toast.js';

/** What is larger than this is folded as a whole. */
const LARGE = 4096;
/** How many members are shown before the rest is asked for. */
const MANY = 100;
const MASK = '••••••';

export async function copy(text, what = 'Copied') {
  try {
    await navigator.clipboard.writeText(text);
    tell(what);
  } catch {
    tell('The browser does not allow copying here.', { bad: true });
  }
}

export const pretty = (value) => JSON.stringify(value, null, 2);

export function Json({ value, name }) {
  const text = pretty(value) ?? 'null';
  const [shown, show] = useState(text.length <= LARGE);
  const [raw, setRaw] = useState(false);
  if (!shown) {
    return html`<div class="note">
      <span>${name} is large: ${bytes(new Blob([text]).size)}${size(value)}.</span>
      <button type="button" class="small" onClick=${() => show(true)} data-testid="unfold">Show</button>
      <button type="button" class="small" onClick=${() => copy(text)}>Copy</button>
    </div>`;
  }
  return html`<div class="stack">
    <div class="json" data-testid="json">
      ${raw ? html`<pre>${text}</pre>` : html`<${Value} value=${value} depth=${0} small=${text.length <= LARGE} />`}
    </div>
    <div class="filters">
      <button type="button" class="small" onClick=${() => copy(text)}>Copy</button>
      <button type="button" class="small" aria-pressed=${raw} onClick=${() => setRaw(!raw)}>${raw ? 'As a tree' : 'As text'}</button>
    </div>
  </div>`;
}

function size(value) {
  if (Array.isArray(value)) return `, ${plural(value.length, 'item')}`;
  return value && typeof value === 'object' ? `, ${plural(Object.keys(value).length, 'member')}` : '';
}

function Value({ value, depth, small, label }) {
  const plain = word(value);
  if (plain) return html`${label}${plain}`;
  const list = Array.isArray(value);
  const members = list ? value.map((item, n) => [n, item]) : Object.entries(value);
  if (!members.length) return html`${label}<span class="faint">${list ? '[]' : '{}'}</span>`;
  return html`<${Members} list=${list} members=${members} depth=${depth} small=${small} label=${label} />`;
}

/** What has no members. */
function word(value) {
  if (value === MASK) return html`<span class="masked" title="masked by configuration">masked</span>`;
  if (typeof value === 'string') return html`<span class="text">${JSON.stringify(value)}</span>`;
  if (typeof value === 'number' || JSON.isRawJSON?.(value)) return html`<span class="number">${JSON.stringify(value)}</span>`;
  if (value === null || typeof value !== 'object') return html`<span class="word">${String(value)}</span>`;
  return null;
}

function Members({ list, members, depth, small, label }) {
  const [most, setMost] = useState(MANY);
  // A fold that was never opened costs nothing.
  const [open, setOpen] = useState(depth < (small ? 3 : 1));
  return html`<details open=${open} onToggle=${(event) => setOpen(event.currentTarget.open)}>
    <summary>${label}<span class="size">${list ? `[ ${members.length} ]` : `{ ${members.length} }`}</span></summary>
    ${open && html`<ul>
      ${members.slice(0, most).map(
        ([key, item]) => html`<li key=${key}><${Value} value=${item} depth=${depth + 1} small=${small} label=${html`<span class=${list ? 'faint' : 'key'}>${key}</span>: `} /></li>`,
      )}
      ${members.length > most && html`<li><button type="button" class="small" onClick=${() => setMost(most + 10 * MANY)}>${plural(members.length - most, 'more')}</button></li>`}
    </ul>`}
  </details>`;
}
