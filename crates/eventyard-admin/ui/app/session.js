// Who looks, and what that allows.
import { computed, signal } from './html.js';
import { get, keepToken, refused, token } from './api.js';

const ROLES = ['viewer', 'operator', 'admin'];

/** undefined while it is asked; `caller` is null when a credential is needed. */
export const me = signal(undefined);
/** What runs here; null until it is known. */
export const status = signal(null);
/** Why nobody is signed in, when that needs saying. */
export const complaint = signal('');

export const role = computed(() => me.value?.caller?.role ?? 'none');

/** Whether the caller has at least this role. */
export function may(needed) {
  return ROLES.indexOf(role.value) >= ROLES.indexOf(needed);
}

export async function identify() {
  try {
    me.value = await get('/me');
    complaint.value = token.value && !me.value.caller ? 'This credential is not known here.' : '';
    if (me.value.caller) await refreshStatus();
  } catch (problem) {
    me.value = { credentialNeeded: true, caller: null };
    complaint.value = problem.message;
  }
}

export async function refreshStatus() {
  status.value = await get('/status');
}

export async function signIn(value, forLong) {
  keepToken(value.trim(), forLong);
  await identify();
  if (!me.value.caller) keepToken('', false);
}

export function signOut() {
  keepToken('', false);
  status.value = null;
  me.value = { credentialNeeded: true, caller: null };
  complaint.value = '';
}

// A credential that was taken back shows the sign-in again, once.
refused.subscribe((times) => {
  if (times > 0 && me.peek()?.caller) {
    signOut();
    complaint.value = 'The credential is not known any more. Sign in again.';
  }
});
