// The keys: / looks for something, g and a letter goes somewhere, ? says which.
import { signal } from './html.js';
import { go } from './router.js';
import { me, status } from './session.js';

export const PLACES = [
  ['o', '/', 'Overview'],
  ['e', '/events', 'Events'],
  ['d', '/dead-letters', 'Dead letters'],
  ['s', '/schedules', 'Schedules'],
  ['m', '/mailbox', 'Mailbox'],
  ['p', '/publish', 'Publish'],
  ['a', '/audit', 'Audit trail'],
];

export const help = signal(false);

export function keys() {
  let went = 0;
  const press = (event) => {
    const { target, key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || !me.peek()?.caller) return;
    if (target.closest('input, textarea, select, dialog, [contenteditable]')) return;
    const place = Date.now() - went < 1200 && PLACES.find(([letter]) => letter === key);
    went = 0;
    if (place) {
      if (place[1] !== '/mailbox' || status.peek()?.mailbox) go(place[1]);
    } else if (key === 'g') {
      went = Date.now();
    } else if (key === '/') {
      document.querySelector('[data-search]')?.focus();
    } else if (key === '?') {
      help.value = true;
    } else return;
    event.preventDefault();
  };
  addEventListener('keydown', press);
  return () => removeEventListener('keydown', press);
}
