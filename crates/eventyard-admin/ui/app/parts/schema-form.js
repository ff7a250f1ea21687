// Fields for what a JSON Schema describes.
import { html, useState } from '../html.js';
import { parse } from '../api.js';
import { pretty } from './json.js';

/** A schema without its references, and without the null of what is optional. */
function plain(schema, root, deep = 0) {
  if (!schema || typeof schema !== 'object' || deep > 16) return {};
  if (schema.$ref?.startsWith('#/')) {
    const found = schema.$ref.slice(2).split('/').reduce((at, part) => at?.[part.replaceAll('~1', '/').replaceAll('~0', '~')], root);
    return { ...plain(found, root, deep + 1), ...(schema.description && { description: schema.description }) };
  }
  const choices = (schema.anyOf ?? schema.oneOf)?.filter((choice) => choice.type !== 'null');
  if (choices?.length === 1) return { ...schema, anyOf: undefined, oneOf: undefined, ...plain(choices[0], root, deep + 1) };
  if (Array.isArray(schema.type)) {
    const types = schema.type.filter((type) => type !== 'null');
    return { ...schema, type: types.length === 1 ? types[0] : undefined };
  }
  return schema;
}

/** What a form begins with: the members that are required, and the defaults. */
export function begin(schema, root, deep = 0) {
  const own = plain(schema, root);
  if (own.default !== undefined) return own.default;
  if (own.const !== undefined) return own.const;
  if (own.enum) return own.enum[0];
  if (own.type === 'object' && deep < 8) {
    const wanted = Object.entries(own.properties ?? {}).filter(([name, of]) => own.required?.includes(name) || of.default !== undefined);
    return Object.fromEntries(wanted.map(([name, of]) => [name, begin(of, root, deep + 1)]));
  }
  return { string: '', number: 0, integer: 0, boolean: false, array: [] }[own.type] ?? null;
}

/** One field for each member of an object. */
export function Fields({ schema, root, value, set, errors, at }) {
  const own = plain(schema, root);
  const members = Object.entries(own.properties ?? {});
  if (own.type !== 'object' || !members.length) return html`<${Free} label="Data" value=${value} set=${set} id=${`f-${at}`} />`;
  const given = value && typeof value === 'object' ? value : {};
  return members.map(([name, of]) => {
    const place = at ? `${at}.${name}` : name;
    const change = (next) => {
      const { [name]: _, ...rest } = given;
      set(next === undefined ? rest : { ...given, [name]: next });
    };
    return html`<${Member} key=${name} name=${name} schema=${plain(of, root)} root=${root} required=${own.required?.includes(name)}
      value=${given[name]} set=${change} errors=${errors} at=${place} />`;
  });
}

function Member({ name, schema, root, required, value, set, errors, at }) {
  if (schema.type === 'object' && schema.properties) {
    if (value === undefined) return html`<div><button type="button" class="small" onClick=${() => set(begin(schema, root))}>Add ${name}</button></div>`;
    return html`<fieldset class="group"><legend>${name}</legend>
      <${Fields} schema=${schema} root=${root} value=${value} set=${set} errors=${errors} at=${at} />
      ${!required && html`<div><button type="button" class="small" onClick=${() => set(undefined)}>Leave out ${name}</button></div>`}
    </fieldset>`;
  }
  const id = `f-${at}`;
  const wrong = errors[at];
  const label = html`${name}${required ? '' : html` <span class="faint">optional</span>`}`;
  const more = { id, 'data-testid': `field-${at}`, required, 'aria-invalid': wrong ? 'true' : undefined, 'aria-describedby': wrong ? `${id}-wrong` : undefined };
  const hint = schema.description && html`<span class="hint">${schema.description}</span>`;
  const told = wrong && html`<span class="wrong" id=${`${id}-wrong`}>${wrong}</span>`;
  if (schema.type === 'boolean') {
    return html`<div class="field"><label class="check"><input ...${more} required=${false} type="checkbox" checked=${value === true} onChange=${(event) => set(event.target.checked)} />${label}</label>${hint}${told}</div>`;
  }
  if (schema.enum) {
    return html`<div class="field"><label for=${id}>${label}</label><select ...${more} value=${value === undefined ? '' : JSON.stringify(value)} onChange=${(event) => set(event.target.value ? parse(event.target.value) : undefined)}>
      ${!required && html`<option value="">left out</option>`}
      ${schema.enum.map((one) => html`<option key=${String(one)} value=${JSON.stringify(one)}>${String(one)}</option>`)}
    </select>${hint}${told}</div>`;
  }
  if (schema.type === 'number' || schema.type === 'integer') {
    return html`<div class="field"><label for=${id}>${label}</label><input ...${more} type="number" step=${schema.type === 'integer' ? 1 : 'any'} min=${schema.minimum} max=${schema.maximum} value=${value ?? ''}
      onInput=${(event) => set(event.target.value === '' ? undefined : Number(event.target.value))} />${hint}${told}</div>`;
  }
  if (schema.type === 'string') {
    const type = { email: 'email', uri: 'url', date: 'date' }[schema.format] ?? 'text';
    const example = schema.format === 'date-time' ? '2026-01-31T09:00:00Z' : schema.examples?.[0];
    return html`<div class="field"><label for=${id}>${label}</label><input ...${more} type=${type} placeholder=${example} minlength=${schema.minLength} maxlength=${schema.maxLength} value=${value ?? ''}
      onInput=${(event) => set(event.target.value === '' && !required ? undefined : event.target.value)} />${hint}${told}</div>`;
  }
  return html`<${Free} label=${label} value=${value} set=${set} id=${id} hint=${hint} testid=${`field-${at}`} />${told}`;
}

/** What has no field of its own is written as JSON. */
function Free({ label, value, set, id, hint, testid }) {
  const [text, setText] = useState(value === undefined ? '' : pretty(value));
  const [wrong, setWrong] = useState('');
  const change = (next) => {
    setText(next);
    try {
      set(next.trim() ? parse(next) : undefined);
      setWrong('');
    } catch (error) {
      setWrong(error.message);
    }
  };
  return html`<div class="field"><label for=${id}>${label} (JSON)</label>
    <textarea id=${id} rows="4" spellcheck="false" value=${text} data-testid=${testid} aria-invalid=${wrong ? 'true' : undefined} onInput=${(event) => change(event.target.value)}></textarea>
    ${hint}${wrong && html`<span class="wrong">${wrong}</span>`}</div>`;
}
