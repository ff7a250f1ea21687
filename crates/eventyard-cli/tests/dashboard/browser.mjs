// A browser that notices what nobody should have to: errors on the console, and requests to other places.
import { strict as assert } from 'node:assert';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const packages = createRequire(join(process.env.EVENTYARD_NODE, 'node_modules/'));
const { chromium } = packages('playwright-core');
const axe = readFileSync(packages.resolve('axe-core/axe.min.js'), 'utf8');

export const url = process.argv[2];

const ARGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

export async function withBrowser(use) {
  const executablePath = process.env.EVENTYARD_CHROMIUM ?? '/usr/bin/chromium';
  const browser = await chromium.launch({ executablePath, args: ARGS });
  try {
    await use(browser);
  } finally {
    await browser.close();
  }
  console.log('all is well');
}

/** A page, and what is wrong with it so far. `expected` are errors that belong to the test. */
export async function visit(browser, { theme = 'light', width = 1280, token = 'token-of-ada', expected = [] } = {}) {
  const context = await browser.newContext({ viewport: { width, height: 860 }, colorScheme: theme, permissions: ['clipboard-read', 'clipboard-write'] });
  if (token) {
    await context.addInitScript((given) => {
      // A frame without an origin keeps nothing.
      if (window === top) sessionStorage.setItem('eventyard.token', given);
    }, token);
  }
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const wrong = [];
  page.on('console', (message) => {
    const text = `${message.text()} ${message.location().url}`;
    if (['error', 'warning'].includes(message.type()) && !expected.some((known) => text.includes(known))) wrong.push(`console: ${text}`);
  });
  page.on('pageerror', (error) => wrong.push(`page: ${error.stack}`));
  page.on('request', (request) => {
    const to = new URL(request.url());
    if (!['data:', 'blob:', 'about:'].includes(to.protocol) && to.origin !== url) wrong.push(`request to ${to}`);
  });
  const close = async () => {
    assert.deepEqual(wrong, []);
    await context.close();
  };
  return { page, context, wrong, close, at: (id) => page.getByTestId(id) };
}

/** Fails if axe finds something serious. */
export async function accessible(page, what) {
  // The policy of the page lets no script in: the rules are evaluated from outside of it.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'], iframes: false }));
  const serious = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
  const told = serious.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html, any }) => `${html} ${any[0]?.message ?? ''}`).join(' | ')}`);
  assert.deepEqual(told, [], `axe on ${what}`);
}
