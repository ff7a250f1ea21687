// Every page: it shows what it should, fits the screen, and can be read by everybody.
import { strict as assert } from 'node:assert';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { accessible, url, visit, withBrowser } from './browser.mjs';
import { client, seed, until } from './seed.mjs';

const PAGES = [
  ['overview', '/', 'queue-orders', /^orders/],
  ['queue', '/q/invoices', 'jobs', /invoice-11/],
  ['search', '/q/invoices?state=failed&name=INVOICE&error=refused&key=acme', 'jobs', /invoice-11/],
  ['settings', '/q/orders?state=settings', 'settings', /Concurrency.*heartbeat/s],
  ['job', '/q/invoices/jobs/invoice-3', 'payload', /masked/],
  ['job-large', '/q/reports/jobs/large', 'payload', /is large/],
  ['job-steps', '/q/orders/jobs/packing', 'steps', /reserve.*B-12.*weigh.*The saved result is large/s],
  ['job-flow', '/q/reports/jobs/merge', 'family', /north.*south/s],
  ['job-active', '/q/orders/jobs/packing', 'log', /looked at the shelf.*found the parcel/s],
  ['events', '/events', 'events', /booking\.confirmed/],
  ['event', '/events/booking-2', 'timeline', /booking\.created.*Mail to grace@example\.com.*booking\.confirmed/s],
  ['dead-letters', '/dead-letters', 'dead-letters', /the bank refused the connection again/],
  ['schedules', '/schedules', 'schedules', /nightly-report.*Europe\/Berlin/s],
  ['mailbox', '/mailbox', 'mail-shown', /Grace Hopper/],
  ['publish', '/publish?type=booking.created', 'publish-form', /userEmail/],
  ['audit', '/audit', 'audit', /queue\.pause.*for the screenshots/s],
];
/** Those of which the documentation has pictures. */
const PICTURES = ['overview', 'queue', 'job', 'event', 'dead-letters', 'publish'];

const api = client(url);
await seed(api);
await fetch(`${url}/api/v1/queues/reports/pause`, { method: 'POST', headers: { authorization: 'Bearer token-of-olga', 'eventyard-reason': 'for%20the%20screenshots' } });
await fetch(`${url}/api/v1/queues/reports/resume`, { method: 'POST', headers: { authorization: 'Bearer token-of-olga' } });

await withBrowser(async (browser) => {
  for (const theme of ['light', 'dark']) {
    for (const width of [1280, 390]) {
      const { page, at, close } = await visit(browser, { theme, width });
      for (const [name, address, testid, shown] of PAGES) {
        const what = `${name}, ${theme}, ${width}`;
        await page.goto(`${url}/queues${address}`);
        await at(testid).first().waitFor();
        await until(async () => shown.test(await at(testid).first().innerText()), `${shown} on ${what}`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(wide <= width, `${what} is ${wide} wide`);
        const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
        assert.equal(background, theme === 'dark' ? 'rgb(14, 17, 22)' : 'rgb(246, 247, 249)', what);
        await accessible(page, what);
        await picture(page, name, theme, width);
      }
      await close();
    }
  }
  await details(browser);
});

/** What is shown only when somebody asks for it. */
async function details(browser) {
  const { page, at, close } = await visit(browser);
  await page.goto(`${url}/queues/q/reports/jobs/large`);
  await at('unfold').click();
  await at('json').first().getByText('[ 400 ]').waitFor();

  await page.goto(`${url}/queues/q/invoices/jobs/invoice-3`);
  const payload = await at('payload').innerText();
  assert.ok(!payload.includes('4111'), payload);
  await at('attempts').getByText('Stack').first().click();
  await at('attempts').getByText('ECONNREFUSED').first().waitFor();
  assert.equal(await at('attempt').count(), 2);

  await page.goto(`${url}/queues/q/orders/jobs/packing`);
  await at('steps').getByText('masked').waitFor();
  await at('steps').getByTestId('unfold').click();
  await at('steps').getByText('[ 400 ]').waitFor();
  assert.equal(await at('step').count(), 2);

  await page.goto(`${url}/queues/mailbox`);
  await page.frameLocator('[data-testid=mail-html]').getByText('Hello Grace Hopper').waitFor();
  await at('tab-text').click();
  await at('mail-text').getByText('Hello Grace Hopper').waitFor();

  // A deep link to what is not there says so.
  await page.goto(`${url}/queues/nowhere/at/all`);
  await page.getByText('No page of the dashboard has this address').waitFor();

  // The pages of a listing, there and back.
  await page.goto(`${url}/queues/q/orders?state=completed`);
  assert.equal(await at('job-row').count() > 0 || await at('job-row').first().waitFor().then(() => true), true);

  // The keys.
  await page.goto(`${url}/queues`);
  await at('queue-orders').waitFor();
  await page.keyboard.press('?');
  await at('help').waitFor();
  await page.keyboard.press('Escape');
  await at('help').waitFor({ state: 'detached' });
  await page.keyboard.press('g');
  await page.keyboard.press('d');
  await at('dead-letters').waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('o');
  await at('search-queues').waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('inv');
  await at('queue-orders').waitFor({ state: 'detached' });
  assert.equal(await at('queue-invoices').count(), 1);

  // The switch wins over the system, and stays.
  await at('theme').click();
  await at('theme').click();
  await page.reload();
  await at('queue-orders').waitFor();
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), 'rgb(14, 17, 22)');
  await at('theme').click();
  await close();
}

async function picture(page, name, theme, width) {
  const folder = process.env.EVENTYARD_SCREENSHOTS;
  const phone = width < 800 && theme === 'light' && ['overview', 'job'].includes(name);
  const dark = width > 800 && theme === 'dark' && ['overview', 'queue'].includes(name);
  const light = width > 800 && theme === 'light' && PICTURES.includes(name);
  if (!folder || !(phone || dark || light)) return;
  mkdirSync(folder, { recursive: true });
  const suffix = phone ? '-phone' : dark ? '-dark' : '';
  await page.waitForTimeout(600);
  await page.screenshot({ path: join(folder, `${name}${suffix}.png`) });
}
