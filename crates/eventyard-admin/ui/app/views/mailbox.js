// Mails as they were sent, kept instead of leaving.
import { html, useEffect, useRef, useState } from '../html.js';
import { del, get, query } from '../api.js';
import { ago, plural } from '../format.js';
import { useChanges, useLoad } from '../load.js';
import { now } from '../live.js';
import { Link, to } from '../router.js';
import { Card, Head, Tabs, Time, Wrong } from '../parts/bits.js';
import { Action } from '../parts/dialog.js';

export function Mailbox() {
  const [most, setMost] = useState(50);
  const [chosen, setChosen] = useState(null);
  const list = useLoad(() => get(`/mailbox${query({ limit: most })}`), [most], { every: 5000 });
  useChanges(undefined, list.reload);
  const items = list.data?.items ?? [];
  const mail = items.find(({ id }) => id === chosen) ?? items[0];
  const empty = () => ({
    title: `Remove ${plural(items.length, 'mail')}?`, label: 'Empty the mailbox', danger: true, text: 'All mails in the mailbox are removed.',
    run: async (why) => {
      const { removed } = await del('/mailbox', why);
      await list.reload();
      return `Removed ${plural(removed, 'mail')}`;
    },
  });
  return html`<${Head} title="Mailbox" sub="Mails that were kept here instead of sent.">
      <${Action} role="admin" danger ask=${empty} disabled=${!items.length} testid="empty-mailbox">Empty<//>
    <//>
    <${Wrong} problem=${list.problem} retry=${list.reload} />
    ${items.length === 0
      ? html`<${Card}><p class="none" role="status">${list.loading ? 'Loading…' : 'No mail yet.'}</p><//>`
      : html`<div class="mailbox">
          <${Card} title=${plural(items.length, 'mail')}><div class="mails">
            ${items.map((one) => html`<button type="button" key=${one.id} aria-current=${one.id === mail.id ? 'true' : undefined} data-testid="mail" onClick=${() => setChosen(one.id)}>
              <span class="subject">${one.subject}</span><span class="soft">${one.to}</span><span class="faint">${ago(one.at, now.value)}</span>
            </button>`)}
            ${list.data.next && html`<button type="button" onClick=${() => setMost(Math.min(1000, most * 2))}>More</button>`}
          </div><//>
          <${Mail} key=${mail.id} mail=${mail} />
        </div>`}`;
}

function Mail({ mail }) {
  const [tab, setTab] = useState('html');
  return html`<${Card} title=${mail.subject} testid="mail-shown">
    <div class="body"><dl class="facts">
      <dt>To</dt><dd>${mail.toName ? `${mail.toName} <${mail.to}>` : mail.to}</dd>
      <dt>From</dt><dd>${mail.from}</dd>
      <dt>Sent</dt><dd><${Time} at=${mail.at} /></dd>
      <dt>Job</dt><dd><${Link} to=${to.job(mail.queue, mail.jobId)} class="mono">${mail.jobId}<//></dd>
      <dt>Message-ID</dt><dd class="mono">${mail.messageId}</dd>
    </dl></div>
    <${Tabs} label="How the mail is shown" tabs=${[{ id: 'html', name: 'HTML' }, { id: 'text', name: 'Text' }]} current=${tab} pick=${setTab} panel="mail-panel" />
    <div id="mail-panel" role="tabpanel" aria-labelledby=${`tab-${tab}`}>
      ${tab === 'html' ? html`<${Frame} html=${mail.html} />` : html`<div class="body"><pre data-testid="mail-text">${mail.text}</pre></div>`}
    </div>
  <//>`;
}

/** The mail in a frame of its own, which can reach nothing here and load nothing. */
function Frame({ html: content }) {
  const frame = useRef();
  useEffect(() => {
    const send = () => frame.current?.contentWindow.postMessage({ html: content }, '*');
    const ready = (event) => event.source === frame.current?.contentWindow && event.data === 'mail-frame' && send();
    addEventListener('message', ready);
    send();
    return () => removeEventListener('message', ready);
  }, [content]);
  return html`<iframe class="mail-body" ref=${frame} sandbox="allow-scripts" src="/queues/assets/mail-frame.html" title="The mail" data-testid="mail-html"></iframe>`;
}
