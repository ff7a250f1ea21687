// Signing in: the credential that the configuration names.
import { html, useState } from '../html.js';
import { complaint, signIn } from '../session.js';
import { Logo } from '../parts/icon.js';

export function SignIn() {
  const [value, setValue] = useState('');
  const [forLong, setForLong] = useState(false);
  const [busy, setBusy] = useState(false);
  document.title = 'Sign in · Eventyard';
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    await signIn(value, forLong);
    setBusy(false);
  };
  return html`<main class="signin">
    <form onSubmit=${submit}>
      <div class="brand"><${Logo} /><h1>Eventyard</h1></div>
      <div class="field">
        <label for="token">Token</label>
        <input id="token" type="password" autocomplete="current-password" value=${value} autofocus data-testid="token"
          aria-describedby="token-hint" aria-invalid=${complaint.value ? 'true' : undefined} onInput=${(event) => setValue(event.target.value)} />
        <span id="token-hint" class="hint">One of auth.tokens in the server’s configuration.</span>
      </div>
      <label class="check"><input type="checkbox" checked=${forLong} onChange=${(event) => setForLong(event.target.checked)} />Stay signed in on this device</label>
      ${complaint.value && html`<div class="note bad" role="alert" data-testid="complaint">${complaint.value}</div>`}
      <button type="submit" class="main" disabled=${busy || !value.trim()} data-testid="sign-in">Sign in</button>
    </form>
  </main>`;
}
