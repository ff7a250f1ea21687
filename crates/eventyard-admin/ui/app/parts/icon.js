// The icons, as strokes.
import { html } from '../html.js';

const PATHS = {
  overview: 'M3 3h6v6H3zM11 3h6v4h-6zM11 9h6v8h-6zM3 11h6v6H3z',
  events: 'M3 5h14M3 10h14M3 15h9',
  dead: 'M10 3l7.5 13.5h-15zM10 8.5v3.5M10 14.4v.1',
  schedules: 'M10 2.5a7.5 7.5 0 100 15 7.5 7.5 0 000-15zM10 6v4.2l2.8 1.8',
  mailbox: 'M2.5 5h15v10.5h-15zM2.5 5.5l7.5 5.6 7.5-5.6',
  publish: 'M17 3L8.5 11.5M17 3l-5.2 14-3.3-5.5L3 8.2z',
  audit: 'M5 2.5h7l3.5 3.5v11.5H5zM12 2.5V6h3.5M7.5 10h5M7.5 13.5h5',
  job: 'M3 6.5h14v10H3zM7 6.5V4h6v2.5',
  push: 'M6 2.5h8v15H6zM9 15h2',
  bell: 'M5 14V9a5 5 0 0110 0v5l1.5 1.5h-13zM8.5 17.5h3',
  menu: 'M3 5.5h14M3 10h14M3 14.5h14',
  close: 'M5 5l10 10M15 5L5 15',
  sun: 'M10 6.5a3.5 3.5 0 100 7 3.5 3.5 0 000-7zM10 1.5v2M10 16.5v2M1.5 10h2M16.5 10h2M4 4l1.4 1.4M14.6 14.6L16 16M4 16l1.4-1.4M14.6 5.4L16 4',
  moon: 'M16.5 12A7 7 0 018 3.5a7 7 0 108.5 8.5z',
  auto: 'M10 2.5a7.5 7.5 0 100 15 7.5 7.5 0 000-15zM10 2.5v15',
  keys: 'M2.5 5.5h15v9h-15zM5.5 8.5h.1M8.5 8.5h.1M11.5 8.5h.1M14.5 8.5h.1M6 11.8h8',
};

export const Icon = ({ name, size = 18 }) => html`<svg
  class="icon" width=${size} height=${size} viewBox="0 0 20 20" fill="none" stroke="currentColor" stroke-width="1.5"
  stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d=${PATHS[name]} /></svg>`;

export const Logo = () => html`<svg width="24" height="24" viewBox="0 0 32 32" aria-hidden="true">
  <rect width="32" height="32" rx="7" fill="#0f766e" />
  <path d="M9 9h14M9 16h9M9 23h14" stroke="#fff" stroke-width="3" stroke-linecap="round" fill="none" />
  <circle cx="23" cy="16" r="2.4" fill="#99f6e4" />
</svg>`;
