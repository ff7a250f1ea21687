// What was done, or could not be.
import { html, signal } from '../html.js';

const toasts = signal([]);
let number = 0;

export function tell(text, { bad = false } = {}) {
  const own = { id: ++number, text, bad };
  toasts.value = [...toasts.value.slice(-3), own];
  setTimeout(() => drop(own.id), bad ? 12_000 : 5_000);
}

function drop(id) {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

export const Toasts = () => html`<div class="toasts" role="status" aria-live="polite" data-testid="toasts">
  ${toasts.value.map(
    ({ id, text, bad }) => html`<div key=${id} class=${bad ? 'toast bad' : 'toast'}>
      <div class="grow">${text}</div>
      <button type="button" class="plain small" onClick=${() => drop(id)}>Dismiss</button>
    </div>`,
  )}
</div>`;
