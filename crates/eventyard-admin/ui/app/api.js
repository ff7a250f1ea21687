// The API, as the pages ask it.
import { signal } from './html.js';

/** The credential that was given here; kept for the tab, or for longer if wished. */
export const token = signal(stored('eventyard.token'));
/** Counts up each time the server does not know the credential any more. */
export const refused = signal(0);

function stored(key) {
  try {
    return sessionStorage.getItem(key) ?? localStorage.getItem(key) ?? '';
  } catch {
    return '';
  }
}

export function keepToken(value, forLong) {
  token.value = value;
  try {
    sessionStorage.removeItem('eventyard.token');
    localStorage.removeItem('eventyard.token');
    if (value) (forLong ? localStorage : sessionStorage).setItem('eventyard.token', value);
  } catch {
    // It is known until the page is closed.
  }
}

/** What the API says is wrong: a problem as of RFC 9457. */
export class Problem extends Error {
  constructor(status, body) {
    super(body?.detail ?? `the server answered ${status}`);
    this.status = status;
    this.code = body?.type?.split(':').pop() ?? '';
    this.title = body?.title ?? '';
    this.errors = body?.errors ?? [];
  }
}

export function headers(more) {
  return token.value ? { ...more, authorization: `Bearer ${token.value}` } : { ...more };
}

/** A path, with its parts encoded: path`/queues/${queue}/jobs/${id}`. */
export function path(strings, ...parts) {
  return strings.reduce((all, text, n) => all + encodeURIComponent(parts[n - 1]) + text);
}

/** A query of what is given. */
export function query(params) {
  const given = Object.entries(params).filter(([, value]) => value !== undefined && value !== null && value !== '');
  return given.length ? `?${new URLSearchParams(given)}` : '';
}

// Whole numbers beyond 2^53 keep their digits, in what is shown and in what is sent back.
function exact(_, value, context) {
  const changes = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);
  return changes && context?.source && JSON.rawJSON ? JSON.rawJSON(context.source) : value;
}

export function parse(text) {
  return JSON.parse(text, exact);
}

async function ask(method, address, { body, why, signal } = {}) {
  const sent = headers({});
  if (body !== undefined) sent['content-type'] = 'application/json';
  // Saying why makes an entry in the audit trail of what would have none.
  if (why !== undefined) sent['eventyard-reason'] = encodeURIComponent(why);
  let answer;
  try {
    answer = await fetch(`/api/v1${address}`, {
      method,
      headers: sent,
      body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
      signal,
      cache: 'no-store',
    });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Problem(0, { detail: 'the server cannot be reached' });
  }
  const text = await answer.text();
  let read;
  try {
    read = text ? parse(text) : null;
  } catch {
    read = null;
  }
  if (answer.ok) return read;
  if (answer.status === 401) refused.value += 1;
  throw new Problem(answer.status, read);
}

export const get = (address, options) => ask('GET', address, options);
export const post = (address, body, why) => ask('POST', address, { body, why });
export const put = (address, body, why) => ask('PUT', address, { body, why });
export const del = (address, why) => ask('DELETE', address, { why });
