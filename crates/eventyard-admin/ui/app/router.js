// Addresses: which view they name, and going there without a reload.
import { computed, html, signal } from './html.js';

const BASE = '/queues';
const here = signal(location.pathname + location.search);

/** The address without its base and its query. */
export const route = computed(() => {
  const url = new URL(here.value, location.origin);
  return { path: url.pathname.slice(BASE.length).replace(/\/+$/, '') || '/', params: url.searchParams };
});

export function go(address, { replace = false } = {}) {
  const to = BASE + (address === '/' ? '' : address);
  history[replace ? 'replaceState' : 'pushState'](null, '', to);
  here.value = to;
  if (!replace) {
    scrollTo(0, 0);
    // Whoever listens to the page hears that it is another one.
    queueMicrotask(() => document.querySelector('main')?.focus({ preventScroll: true }));
  }
}

/** Changes some of the query; what is empty goes. */
export function amend(changes) {
  const { path, params } = route.peek();
  const query = new URLSearchParams(params);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === null || value === '') query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  go(path + (text ? `?${text}` : ''), { replace: true });
}

addEventListener('popstate', () => {
  here.value = location.pathname + location.search;
});

/** A link within the dashboard; a click with a key held goes the browser's way. */
export function Link({ to, children, ...rest }) {
  const follow = (event) => {
    if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    go(to);
  };
  return html`<a href=${BASE + (to === '/' ? '' : to)} onClick=${follow} ...${rest}>${children}</a>`;
}

/** The parts of the path that a pattern names, or null. `:name` is one part, decoded. */
export function match(pattern, path) {
  const [wanted, given] = [pattern.split('/'), path.split('/')];
  if (wanted.length !== given.length) return null;
  const parts = {};
  for (const [n, want] of wanted.entries()) {
    if (want.startsWith(':')) {
      try {
        parts[want.slice(1)] = decodeURIComponent(given[n]);
      } catch {
        return null;
      }
    } else if (want !== given[n]) return null;
  }
  return parts;
}

export const to = {
  queue: (queue) => `/q/${encodeURIComponent(queue)}`,
  job: (queue, id) => `/q/${encodeURIComponent(queue)}/jobs/${encodeURIComponent(id)}`,
  event: (id) => `/events/${encodeURIComponent(id)}`,
};
