// The frame around every view: where one can go, who looks, whether what is shown is live.
import { html, signal, useEffect, useRef, useState } from '../html.js';
import { brief } from '../format.js';
import { help, PLACES } from '../keyboard.js';
import { connection, total } from '../live.js';
import { Link, route } from '../router.js';
import { me, signOut, status } from '../session.js';
import { Icon, Logo } from './icon.js';

const ICONS = { '/': 'overview', '/events': 'events', '/dead-letters': 'dead', '/schedules': 'schedules', '/mailbox': 'mailbox', '/publish': 'publish', '/audit': 'audit' };
const SPOKEN = { live: 'Live', connecting: 'Connecting…', broken: 'No connection' };

const theme = signal(document.documentElement.dataset.theme ?? 'system');

function pickTheme(next) {
  theme.value = next;
  if (next === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  try {
    if (next === 'system') localStorage.removeItem('eventyard.theme');
    else localStorage.setItem('eventyard.theme', next);
  } catch {
    // It holds until the page is closed.
  }
}
export { theme };

const Connection = () => html`<span class="row" role="status" data-testid="connection" data-state=${connection.value}>
  <span class=${`dot ${connection.value}`}></span>${SPOKEN[connection.value]}
</span>`;

function Theme() {
  const next = { system: 'light', light: 'dark', dark: 'system' }[theme.value];
  const icon = { system: 'auto', light: 'sun', dark: 'moon' }[theme.value];
  const label = `Theme: ${theme.value}. Switch to ${next}`;
  return html`<button type="button" class="plain icon-only" aria-label=${label} title=${label} data-testid="theme" onClick=${() => pickTheme(next)}><${Icon} name=${icon} /></button>`;
}

function Nav({ close }) {
  const { path } = route.value;
  const places = PLACES.filter(([, to]) => to !== '/mailbox' || status.value?.mailbox);
  const here = (to) => (to === '/' ? path === '/' || path.startsWith('/q/') : path === to || path.startsWith(`${to}/`));
  const failed = total.value.failed;
  return html`<nav aria-label="Main" onClick=${close}>
    ${places.map(
      ([, to, name]) => html`<${Link} key=${to} to=${to} aria-current=${here(to) ? 'page' : undefined} data-testid=${`nav-${ICONS[to]}`}>
        <${Icon} name=${ICONS[to]} />${name}
        ${to === '/dead-letters' && failed > 0 && html`<span class="tag failed">${brief(failed)}</span>`}
      <//>`,
    )}
  </nav>`;
}

function Help() {
  const frame = useRef();
  useEffect(() => frame.current.showModal(), []);
  return html`<dialog ref=${frame} onClose=${() => (help.value = false)} aria-labelledby="help-title" data-testid="help">
    <form method="dialog">
      <h2 id="help-title">Keys</h2>
      <dl class="facts">
        <dt><kbd>/</kbd></dt><dd>Search</dd>
        ${PLACES.map(([letter, , name]) => html`<dt key=${letter}><kbd>g</kbd> <kbd>${letter}</kbd></dt><dd>${name}</dd>`)}
        <dt><kbd>?</kbd></dt><dd>These keys</dd>
        <dt><kbd>Esc</kbd></dt><dd>Close what is open</dd>
      </dl>
      <div class="actions"><button type="submit" class="main">Close</button></div>
    </form>
  </dialog>`;
}

export function Shell({ children }) {
  const [open, setOpen] = useState(false);
  const { caller, credentialNeeded } = me.value;
  useEffect(() => {
    const escape = (event) => event.key === 'Escape' && setOpen(false);
    addEventListener('keydown', escape);
    return () => removeEventListener('keydown', escape);
  }, []);
  return html`<div class="shell">
    <a class="skip" href="#main">Skip to the page</a>
    <header class="topbar">
      <button type="button" class="plain icon-only" aria-label="Menu" aria-expanded=${open} aria-controls="side" data-testid="menu" onClick=${() => setOpen(!open)}><${Icon} name=${open ? 'close' : 'menu'} size=${22} /></button>
      <${Link} to="/" class="brand"><${Logo} />Eventyard<//>
      <span class=${`dot ${connection.value}`} title=${SPOKEN[connection.value]}></span>
    </header>
    ${open && html`<button type="button" class="veil" aria-label="Close the menu" onClick=${() => setOpen(false)}></button>`}
    <aside id="side" class=${open ? 'side open' : 'side'} aria-label="Eventyard">
      <${Link} to="/" class="brand"><${Logo} />Eventyard<//>
      <${Nav} close=${() => setOpen(false)} />
      <div class="foot">
        <${Connection} />
        <span class="row" data-testid="caller">${credentialNeeded ? html`<span>${caller.name}</span><span class="tag">${caller.role}</span>` : 'No credential needed here'}</span>
        <span class="row">
          <${Theme} />
          <button type="button" class="plain icon-only" aria-label="Keys" title="Keys (?)" data-testid="keys" onClick=${() => (help.value = true)}><${Icon} name="keys" /></button>
          ${credentialNeeded && html`<button type="button" class="plain small" data-testid="sign-out" onClick=${signOut}>Sign out</button>`}
        </span>
      </div>
    </aside>
    <main class="page" id="main" tabindex="-1">${children}</main>
    ${help.value && html`<${Help} />`}
  </div>`;
}
