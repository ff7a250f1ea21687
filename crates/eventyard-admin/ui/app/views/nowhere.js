// An address that leads nowhere.
import { html } from '../html.js';
import { Link } from '../router.js';
import { Head } from '../parts/bits.js';

export const Nowhere = () => html`<${Head} title="Nothing here" sub="No page of the dashboard has this address." />
  <p><${Link} to="/">To the overview<//></p>`;
