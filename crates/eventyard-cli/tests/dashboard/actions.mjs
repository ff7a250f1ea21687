// Every action, done by mouse and keyboard; what it did is asked of the API.
import { strict as assert } from 'node:assert';
import { url, visit, withBrowser } from './browser.mjs';
import { client, seed, until, work } from './seed.mjs';

const api = client(url);
await seed(api);
const job = (queue, id) => api.get(`/queues/${queue}/jobs/${id}`);

await withBrowser(async (browser) => {
  const { page, at, close } = await visit(browser, { expected: ['/jobs/invoice-4 ', '/jobs/invoice-4', '422 ', 'status of 422'] });
  const open = (address) => page.goto(`${url}/queues${address}`);
  /** Confirms the dialog that is open, with a reason. */
  const confirm = async (why) => {
    await at('dialog').waitFor();
    if (why) await at('why').fill(why);
    await at('dialog-confirm').click();
    await at('dialog').waitFor({ state: 'detached' });
  };
  const told = (text) => at('toasts').getByText(text).first().waitFor();

  // A job: retry, edit and copy, copy as curl, remove.
  await open('/q/invoices/jobs/invoice-3');
  await at('retry').click();
  await confirm('the bank is back');
  await page.locator('[data-testid=job][data-state=waiting]').waitFor();
  assert.equal((await job('invoices', 'invoice-3')).state, 'waiting');
  await at('job-audit').getByText('the bank is back').waitFor();

  await open('/q/invoices/jobs/invoice-5');
  await at('edit').click();
  const edited = (await at('edit-data').inputValue()).replace('"amount": 2004', '"amount": 1');
  await at('edit-data').fill('{');
  assert.ok(await at('dialog-confirm').isDisabled());
  await at('edit-data').fill(edited);
  await at('edit-opts').fill('{"attempts": 0}');
  await at('dialog-confirm').click();
  await at('dialog-problem').waitFor();
  await at('edit-opts').fill('{"attempts": 4}');
  await confirm('wrong amount');
  await page.waitForFunction(() => !location.pathname.endsWith('invoice-5'));
  const copy = decodeURIComponent(page.url().split('/').pop());
  const { jobs } = await api.post('/queues/invoices/claim', { worker: 'looks', max: 50, waitMs: 0, leaseMs: 60_000 });
  const copied = jobs.find(({ id }) => id === copy);
  assert.deepEqual([copied.data.amount, copied.data.cardNumber, copied.opts.attempts], [1, '4111 1111 1111 1111', 4]);
  for (const { lease } of jobs) await api.post(`/leases/${lease.token}/complete`, {});

  await open('/q/invoices/jobs/invoice-4');
  await at('curl').click();
  await told('Copied as curl');
  const line = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(line, /^curl -X POST '.*\/api\/v1\/queues\/invoices\/jobs'/);
  assert.match(line, /\$EVENTYARD_TOKEN/);
  await at('remove').click();
  await confirm();
  await told('invoice-4 is removed');
  assert.equal(await api.status('GET', '/queues/invoices/jobs/invoice-4'), 404);

  // Promote, and cancel: one that waits, one that runs.
  await open('/q/orders/jobs/expiring');
  await at('promote').click();
  await confirm();
  await page.locator('[data-testid=job][data-state=waiting]').waitFor();
  await at('cancel').click();
  await confirm('the order was withdrawn');
  await at('failure').getByText('the order was withdrawn').waitFor();
  await open('/q/orders/jobs/packing');
  await at('cancel').click();
  await confirm();
  await page.locator('[data-testid=job][data-state=failed]').waitFor();

  // A queue: pause, resume, retry all, clean, drain.
  await open('/q/orders');
  await at('pause-orders').click();
  await confirm('stocktaking');
  await at('paused').waitFor();
  assert.equal((await api.get('/queues/orders')).paused, true);
  await at('resume-orders').click();
  await confirm();
  await at('paused').waitFor({ state: 'detached' });

  await at('retry-all').click();
  await at('rate').fill('1000');
  await at('dialog').getByText('Retry 2 dead letters').waitFor();
  await confirm();
  await until(async () => (await api.get('/queues/orders')).counts.failed === 0, 'the retry of all');

  const before = (await api.get('/queues/orders')).counts;
  await page.getByTestId('tab-completed').getByText(String(before.completed)).waitFor();
  await at('clean').click();
  await at('clean-age').fill('3');
  await at('dialog-confirm').getByText(`Remove up to ${before.completed}`).waitFor();
  await at('clean-age').fill('0');
  await at('dialog-confirm').getByText(`Remove ${before.completed}`, { exact: true }).waitFor();
  await confirm('tidying');
  await told(`Removed ${before.completed} jobs`);
  assert.equal((await api.get('/queues/orders')).counts.completed, 0);

  await at('drain').click();
  assert.ok(await at('dialog-confirm').isDisabled());
  await at('drain-name').fill('orders');
  // A job whose time comes in the meantime is told too: the dialog is live.
  let waits;
  await until(async () => {
    const { waiting, prioritized } = (await api.get('/queues/orders')).counts;
    waits = waiting + prioritized;
    return (await at('dialog-confirm').innerText()).includes(`Remove ${waits}`);
  }, 'the number in the dialog');
  await confirm('a test run');
  await told(`Removed ${waits} jobs`);
  const drained = (await api.get('/queues/orders')).counts;
  assert.deepEqual([drained.waiting, drained.prioritized], [0, 0]);

  // A key.
  await api.post('/queues/orders/jobs', { name: 'order.ship', opts: { key: 'umbrella', jobId: 'keyed' } });
  await open('/q/orders?state=settings');
  await at('pause-key-umbrella').click();
  await confirm();
  await at('resume-key-umbrella').click();
  await confirm();
  await at('pause-key-umbrella').waitFor();

  // The whole queue.
  await open('/q/tickets?state=settings');
  await api.post('/queues/tickets/jobs', { name: 'ticket.test', opts: { jobId: 'late', delay: 60_000 } });
  await at('obliterate').click();
  await at('obliterate-name').fill('tickets');
  await confirm();
  await told('Removed 1 job; tickets is empty');
  assert.equal(await api.status('GET', '/queues/tickets/jobs/late'), 404);

  // Searching.
  await open('/q/invoices?state=failed');
  await at('filter-id').fill('invoice-6');
  await at('filter').click();
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=job-row]').length === 1);
  await at('filter-clear').click();
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=job-row]').length > 5);

  await schedules({ page, at, open, confirm, told });
  await publish({ page, at, open });
  await deadLetters({ page, at, open, confirm, told });
  await mailbox({ at, open, confirm });

  // All of it is in the trail.
  await open('/audit');
  await at('audit-row').first().waitFor();
  const { items } = await api.get('/audit?limit=200');
  const done = new Set(items.map(({ what, who }) => `${who} ${what}`));
  for (const what of ['job.retry', 'job.copy', 'job.remove', 'job.promote', 'job.cancel', 'queue.pause', 'queue.resume', 'failed.replay', 'queue.clean', 'queue.drain', 'queue.obliterate', 'key.pause', 'key.resume', 'schedule.set', 'schedule.run', 'schedule.pause', 'schedule.resume', 'schedule.remove', 'event.publish', 'mailbox.empty']) {
    assert.ok(done.has(`ada ${what}`), `${what} is not in the audit trail: ${[...done]}`);
  }
  const whys = items.map(({ why }) => why).filter(Boolean);
  for (const why of ['the bank is back', 'stocktaking', 'tidying']) assert.ok(whys.includes(why), why);
  await close();
});

async function schedules({ page, at, open, confirm, told }) {
  await open('/schedules');
  await at('new-schedule').click();
  await at('schedule-name').fill('weekly');
  await at('schedule-cron').fill('not a pattern');
  await at('schedule-queue').selectOption('reports');
  await at('schedule-job').fill('weekly.report');
  await at('schedule-data').fill('{"week": true}');
  await at('dialog-confirm').click();
  await at('dialog-problem').waitFor();
  await at('schedule-cron').fill('0 6 * * 1');
  await confirm('asked for by sales');
  await at('schedule-weekly').waitFor();
  await at('run-weekly').click();
  await confirm();
  await told('Added as');
  await at('pause-weekly').click();
  await confirm();
  await at('resume-weekly').click();
  await confirm();
  await at('edit-weekly').click();
  await at('schedule-cron').fill('0 7 * * 1');
  await confirm();
  await at('schedule-weekly').getByText('0 7 * * 1').waitFor();
  assert.deepEqual((await api.get('/schedules/weekly')).job.data, { week: true });
  await at('remove-weekly').click();
  await confirm();
  await at('schedule-weekly').waitFor({ state: 'detached' });
  await page.keyboard.press('Escape');
}

async function publish({ page, at, open }) {
  await open('/publish');
  await at('type').fill('booking.created');
  await at('field-bookingId').fill('b-77');
  await at('field-userId').fill('u-9');
  await at('field-userEmail').fill('ada@example.com');
  await at('publish').click();
  await at('published').getByText('emails').waitFor();
  const id = await at('published-event').innerText();
  assert.equal((await api.get(`/events/${id}`)).data.bookingId, 'b-77');
  // What the schema refuses is told at its field.
  await at('as-text').check();
  await at('data').fill('{"bookingId": 7}');
  await at('publish').click();
  await at('publish-problem').waitFor();
  // Its story grows while one looks.
  await at('as-text').uncheck();
  await at('published-event').click().catch(() => {});
  await open(`/events/${id}`);
  await at('timeline').getByText('Mail to ada@example.com').waitFor();
  // The log follows by itself, and can be searched.
  await open('/events');
  await at('event-row').first().waitFor();
  await api.post('/events', { name: 'parcel.lost', id: 'lost-1', data: { where: 'in the harbour' } });
  await at('events').getByText('parcel.lost').waitFor();
  await at('search-text').fill('HARBOUR');
  await at('search').click();
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=event-row]').length === 1);
  await at('search-clear').click();
  await at('search-type').fill('booking.*');
  await at('search').click();
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=event-row]').length === 3);
}

async function deadLetters({ page, at, open, confirm, told }) {
  await open('/dead-letters');
  await at('dead-letter').first().waitFor();
  await at('dead-letter').getByRole('checkbox').nth(0).check();
  await at('dead-letter').getByRole('checkbox').nth(1).check();
  await at('retry-chosen').click();
  await confirm();
  await told('Retried 2 jobs');
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=dead-letter]').length === 8);
  await at('dead-letter').getByRole('checkbox').first().check();
  await at('remove-chosen').click();
  await confirm('a duplicate');
  await told('Removed 1 job');
  // A replay at two a second is slow enough to be stopped.
  await at('dead-error').fill('refused');
  await at('dead-filter').click();
  await at('replay').click();
  await at('rate').fill('2');
  await confirm();
  await at('stop-replay').click();
  await confirm();
  await page.locator('[data-testid=replay-row][data-state=stopped]').waitFor();
  await at('replay').click();
  await at('rate').fill('');
  await confirm();
  await page.locator('[data-testid=replay-row][data-state=completed]').first().waitFor();
  await until(async () => (await api.get('/queues/failed')).items.length === 0, 'the replay');
  // They fail again, and are there again without a reload.
  await until(async () => (await work(api, 'invoices', 20, (_, lease) => api.post(`${lease}/fail`, { error: 'refused once more', deadLetter: true }))) > 0);
  await at('dead-letters').getByText('refused once more').first().waitFor();
}

async function mailbox({ at, open, confirm }) {
  await open('/mailbox');
  await at('mail').first().waitFor();
  await at('empty-mailbox').click();
  await confirm();
  await at('mail').first().waitFor({ state: 'detached' });
  assert.equal((await api.get('/mailbox')).items.length, 0);
}
