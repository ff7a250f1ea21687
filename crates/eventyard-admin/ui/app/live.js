// The counts of all queues, as they change: one stream for the whole page, open while somebody looks.
import { batch, computed, effect, signal } from './html.js';
import { headers, parse } from './api.js';
import { me } from './session.js';

/** After how much silence the stream is taken for dead: the server speaks every ten seconds at least. */
const SILENCE = 25_000;
const WAITS = [500, 1000, 2000, 5000, 10_000];

/** How each queue stands, by name; null until it is known. */
export const standing = signal(null);
/** `live`, `connecting` or `broken`. */
export const connection = signal('connecting');
/** Whether the page can be seen. */
export const visible = signal(document.visibilityState !== 'hidden');
/** The time, once a second while the page can be seen: for ages. */
export const now = signal(Date.now());

let open = null;
let tries = 0;
let heard = 0;

export const total = computed(() => {
  const sum = {};
  for (const { counts } of standing.value?.values() ?? []) {
    for (const [state, count] of Object.entries(counts)) sum[state] = (sum[state] ?? 0) + count;
  }
  return sum;
});

function take(changes) {
  const next = new Map(changes.whole ? [] : standing.peek());
  for (const name of changes.removed) next.delete(name);
  for (const item of changes.items) next.set(item.queue, item);
  batch(() => {
    standing.value = new Map([...next].sort(([a], [b]) => a.localeCompare(b)));
    now.value = Date.now();
  });
}

function read(block) {
  const lines = block.split('\n').filter((line) => line.startsWith('data:'));
  if (lines.length) take(parse(lines.map((line) => line.slice(5).trimStart()).join('\n')));
}

async function connect() {
  const own = new AbortController();
  open = own;
  if (connection.peek() === 'live') connection.value = 'connecting';
  try {
    const answer = await fetch('/api/v1/stream/queues', { headers: headers({}), signal: own.signal, cache: 'no-store' });
    if (!answer.ok) throw new Error(`${answer.status}`);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) throw new Error('the stream has ended');
      heard = Date.now();
      tries = 0;
      connection.value = 'live';
      const blocks = (rest + value).split('\n\n');
      rest = blocks.pop();
      blocks.forEach(read);
    }
  } catch {
    if (open !== own) return;
    open = null;
    connection.value = tries > 1 ? 'broken' : 'connecting';
    const wait = WAITS[Math.min(tries, WAITS.length - 1)];
    tries += 1;
    setTimeout(() => open === null && wanted() && connect(), wait);
  }
}

function disconnect() {
  const old = open;
  open = null;
  old?.abort();
}

function wanted() {
  return visible.peek() && Boolean(me.peek()?.caller);
}

document.addEventListener('visibilitychange', () => {
  visible.value = document.visibilityState !== 'hidden';
});
addEventListener('online', () => {
  disconnect();
  if (wanted()) connect();
});

/** Begins to listen, whenever somebody is signed in and looks. */
export function start() {
  effect(() => {
    const look = visible.value && Boolean(me.value?.caller);
    if (!look) disconnect();
    else if (!open) connect();
  });
  setInterval(() => {
    if (!visible.peek()) return;
    now.value = Date.now();
    // A machine that slept does not notice that its connections are gone.
    if (open && heard && Date.now() - heard > SILENCE) {
      heard = Date.now();
      disconnect();
      connect();
    }
  }, 1000);
}
