// Actions: each is confirmed in a dialog, which also asks why.
import { html, signal, useEffect, useRef, useState } from '../html.js';
import { may } from '../session.js';
import { tell } from './toast.js';

const asked = signal(null);

/**
 * Asks before something is done. `run(why, values)` does it; what it returns is told. `form` shows further fields, given
 * their values and a setter; `ready(values)` says whether they can be sent.
 */
export function confirm(question) {
  asked.value = question;
}

export function Dialogs() {
  const question = asked.value;
  return question && html`<${Dialog} key=${question} question=${question} close=${() => (asked.value = null)} />`;
}

function Dialog({ question, close }) {
  const { title, text, label, danger, wide, form: Form, values: given = {}, ready = () => true, run } = question;
  const frame = useRef();
  const [values, setValues] = useState(given);
  const [why, setWhy] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(null);
  useEffect(() => {
    const before = document.activeElement;
    frame.current.showModal();
    frame.current.querySelector('[data-first], input, textarea, select')?.focus();
    return () => before?.focus?.();
  }, []);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    try {
      const said = await run(why, values);
      close();
      if (said) tell(said);
    } catch (failure) {
      setProblem(failure);
      setBusy(false);
    }
  };
  const set = (changes) => setValues((old) => ({ ...old, ...changes }));
  return html`<dialog ref=${frame} class=${wide ? 'wide' : ''} aria-labelledby="dialog-title" onClose=${close} data-testid="dialog">
    <form onSubmit=${submit}>
      <h2 id="dialog-title">${title}</h2>
      ${text && html`<div class="soft">${typeof text === 'function' ? text(values) : text}</div>`}
      ${Form && html`<${Form} values=${values} set=${set} problem=${problem} />`}
      <div class="field">
        <label for="dialog-why">Why (optional; kept in the audit trail)</label>
        <input id="dialog-why" name="why" maxlength="256" autocomplete="off" value=${why} data-testid="why"
          onInput=${(event) => setWhy(event.target.value)} />
      </div>
      ${problem && html`<div class="note bad" role="alert" data-testid="dialog-problem">${problem.message}</div>`}
      <div class="actions">
        <button type="button" onClick=${close} data-testid="dialog-cancel">Cancel</button>
        <button type="submit" class=${danger ? 'danger solid' : 'main'} disabled=${busy || !ready(values)} data-testid="dialog-confirm">
          ${typeof label === 'function' ? label(values) : label}
        </button>
      </div>
    </form>
  </dialog>`;
}

/** A button for an action; who may not do it does not see it. */
export function Action({ role = 'operator', ask, testid, danger, small, disabled, title, children }) {
  if (!may(role)) return null;
  const kind = [danger && 'danger', small && 'small'].filter(Boolean).join(' ');
  return html`<button type="button" class=${kind} disabled=${disabled} title=${title} data-testid=${testid}
    onClick=${() => confirm(ask())}>${children}</button>`;
}
