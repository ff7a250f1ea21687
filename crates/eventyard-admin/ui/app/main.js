// The dashboard begins here: who looks, then the frame with the view that the address names.
import { html, render, useEffect } from './html.js';
import { start } from './live.js';
import { match, route } from './router.js';
import { identify, me } from './session.js';
import { keys } from './keyboard.js';
import { Dialogs } from './parts/dialog.js';
import { Toasts } from './parts/toast.js';
import { Shell } from './parts/shell.js';
import { Audit } from './views/audit.js';
import { DeadLetters } from './views/dead-letters.js';
import { Event } from './views/event.js';
import { Events } from './views/events.js';
import { Job } from './views/job.js';
import { Mailbox } from './views/mailbox.js';
import { Nowhere } from './views/nowhere.js';
import { Overview } from './views/overview.js';
import { Publish } from './views/publish.js';
import { Queue } from './views/queue.js';
import { Schedules } from './views/schedules.js';
import { SignIn } from './views/sign-in.js';

const VIEWS = [
  ['/', Overview],
  ['/q/:queue', Queue],
  ['/q/:queue/jobs/:id', Job],
  ['/events', Events],
  ['/events/:id', Event],
  ['/dead-letters', DeadLetters],
  ['/schedules', Schedules],
  ['/mailbox', Mailbox],
  ['/publish', Publish],
  ['/audit', Audit],
];

function View() {
  const { path } = route.value;
  for (const [pattern, Of] of VIEWS) {
    const parts = match(pattern === '/' ? '' : pattern, path === '/' ? '' : path);
    // Another queue, job or event is another view: nothing of the one before stays.
    if (parts) return html`<${Of} key=${path} ...${parts} />`;
  }
  return html`<${Nowhere} />`;
}

function App() {
  useEffect(() => keys(), []);
  if (me.value === undefined) return html`<p class="none" role="status">Loading…</p>`;
  const inside = me.value.caller ? html`<${Shell}><${View} /><//>` : html`<${SignIn} />`;
  return html`${inside}<${Dialogs} /><${Toasts} />`;
}

render(html`<${App} />`, document.getElementById('app'));
start();
identify();
