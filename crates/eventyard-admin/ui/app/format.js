// Numbers and times for people.

const whole = new Intl.NumberFormat('en');
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

export const count = (n) => (n === undefined || n === null ? '–' : whole.format(n));
export const brief = (n) => (n === undefined || n === null ? '–' : n < 10_000 ? whole.format(n) : short.format(n));

export function plural(n, one, many = `${one}s`) {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** Jobs a second. */
export function rate(perSecond) {
  if (perSecond === undefined || perSecond === null) return '–';
  if (perSecond === 0) return '0/s';
  if (perSecond < 10) return `${perSecond.toFixed(1)}/s`;
  return `${brief(Math.round(perSecond))}/s`;
}

/** A length of time, given in milliseconds. */
export function span(ms) {
  if (ms === undefined || ms === null || Number.isNaN(ms)) return '–';
  if (ms < 1) return '<1 ms';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const s = ms / 1000;
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 60) return `${Math.round(s)} s`;
  const m = Math.floor(s / 60);
  if (m < 60) return `${m} min${s % 60 >= 1 && m < 10 ? ` ${Math.floor(s % 60)} s` : ''}`;
  const h = Math.floor(m / 60);
  if (h < 48) return `${h} h${m % 60 ? ` ${m % 60} min` : ''}`;
  return `${Math.floor(h / 24)} days`;
}

/** How long ago an instant is, or how far off. */
export function ago(instant, now) {
  if (!instant) return '–';
  const ms = now - Date.parse(instant);
  if (Math.abs(ms) < 1500) return 'now';
  return ms > 0 ? `${span(Math.floor(ms / 1000) * 1000)} ago` : `in ${span(Math.ceil(-ms / 1000) * 1000)}`;
}

export const age = (instant, now) => (instant ? span(Math.max(0, now - Date.parse(instant))) : '–');

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3 });
const day = new Intl.DateTimeFormat('en-GB', { day: '2-digit', month: 'short', year: 'numeric' });

/** An instant with its day, unless that is today. */
export function instant(text) {
  if (!text) return '–';
  const at = new Date(text);
  const today = at.toDateString() === new Date().toDateString();
  return today ? clock.format(at) : `${day.format(at)} ${clock.format(at).slice(0, 8)}`;
}

export function bytes(n) {
  if (n < 1024) return `${n} B`;
  if (n < 1024 * 1024) return `${(n / 1024).toFixed(1)} KiB`;
  return `${(n / 1024 / 1024).toFixed(1)} MiB`;
}

/** The beginning of an id that is long. */
export const shortId = (id) => (id.length > 20 ? `${id.slice(0, 8)}…${id.slice(-8)}` : id);

export const STATES = ['waiting', 'prioritized', 'active', 'delayed', 'waiting-children', 'paused', 'failed', 'completed'];
const STATE_NAMES = { 'waiting-children': 'waiting for children' };
export const stateName = (state) => STATE_NAMES[state] ?? state;
