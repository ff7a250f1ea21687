// Who may do what; and that what is shown is the truth, also after the connection was gone.
import { strict as assert } from 'node:assert';
import { accessible, url, visit, withBrowser } from './browser.mjs';
import { client, seed } from './seed.mjs';

const api = client(url);
await seed(api);

await withBrowser(async (browser) => {
  await signIn(browser);
  await viewer(browser);
  await operator(browser);
  await live(browser);
});

async function signIn(browser) {
  const { page, at, close } = await visit(browser, { token: null });
  await page.goto(`${url}/queues/q/invoices/jobs/invoice-3`);
  await at('token').fill('not a token');
  await at('sign-in').click();
  await at('complaint').waitFor();
  await accessible(page, 'the sign-in');
  await at('token').fill('token-of-ada');
  await page.keyboard.press('Enter');
  // The way leads to where one wanted to go.
  await at('job-id').getByText('invoice-3').waitFor();
  await page.reload();
  await at('job-id').getByText('invoice-3').waitFor();
  await at('sign-out').click();
  await at('token').waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length + localStorage.length), 0);
  await close();
}

async function viewer(browser) {
  const { page, at, close } = await visit(browser, { token: 'token-of-vera' });
  await page.goto(`${url}/queues/q/invoices`);
  await at('caller').getByText('viewer').waitFor();
  await at('job-row').first().waitFor();
  for (const action of ['pause-invoices', 'retry-all', 'clean', 'drain']) assert.equal(await at(action).count(), 0, action);
  await page.goto(`${url}/queues/q/invoices/jobs/invoice-3`);
  await at('curl').waitFor();
  for (const action of ['retry', 'edit', 'remove']) assert.equal(await at(action).count(), 0, action);
  await page.goto(`${url}/queues/publish`);
  await at('forbidden').waitFor();
  const vera = client(url, 'token-of-vera');
  assert.equal(await vera.status('POST', '/queues/invoices/pause'), 403);
  assert.equal(await vera.status('POST', '/replays', {}), 403);
  assert.equal(await vera.status('GET', '/audit'), 200);
  await close();
}

async function operator(browser) {
  const { page, at, close } = await visit(browser, { token: 'token-of-olga' });
  await page.goto(`${url}/queues/q/invoices`);
  await at('pause-invoices').waitFor();
  for (const action of ['clean', 'drain']) assert.equal(await at(action).count(), 0, action);
  const olga = client(url, 'token-of-olga');
  assert.equal(await olga.status('POST', '/queues/clean', { queue: 'invoices', state: 'failed' }), 403);
  assert.equal(await olga.status('DELETE', '/queues/invoices/jobs/invoice-3'), 403);
  assert.equal(await client(url, 'nobody').status('GET', '/queues'), 401);
  await close();
}

async function live(browser) {
  const { page, context, at, close } = await visit(browser, { expected: ['ERR_INTERNET_DISCONNECTED', 'ERR_NETWORK_CHANGED'] });
  const asked = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await page.goto(`${url}/queues`);
  await at('waiting-tickets').getByText('0', { exact: true }).waitFor();
  await at('connection').getByText('Live').waitFor();
  await api.post('/queues/reports/pause');
  const add = (n) => api.post('/queues/reports/jobs', Array.from({ length: n }, () => ({ name: 'report.small' })));
  await add(3);
  await at('waiting-reports').getByText('4', { exact: true }).waitFor();

  // However much happens, the page asks for no more.
  asked.length = 0;
  for (let n = 0; n < 40; n += 1) await add(25);
  await at('waiting-reports').getByText('1,004', { exact: true }).waitFor();
  const counted = asked.filter((path) => path !== '/api/v1/queues/metrics' && path !== '/api/v1/status');
  assert.ok(counted.length <= 1, `${counted}`);

  // A laptop that was closed shows the truth when it is opened again.
  await context.setOffline(true);
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await page.locator('[data-testid=connection]:not([data-state=live])').waitFor();
  await add(5);
  await context.setOffline(false);
  await at('waiting-reports').getByText('1,009', { exact: true }).waitFor();
  await at('connection').getByText('Live').waitFor();

  // The queue's own page follows its jobs.
  await page.goto(`${url}/queues/q/tickets?state=waiting`);
  await page.getByText('No jobs in this state').waitFor();
  await api.post('/queues/tickets/pause');
  await api.post('/queues/tickets/jobs', { name: 'ticket.open', opts: { jobId: 'new-ticket' } });
  await at('tab-paused').click();
  await at('jobs').getByText('new-ticket').waitFor();
  await close();
}
