// What there is to see: jobs in every state, dead letters, a flow, logs, progress, mails. Put there over the API alone.

export function client(url, token = 'token-of-ada') {
  const ask = async (method, path, body, wanted = true) => {
    const answer = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    const json = text ? JSON.parse(text) : null;
    if (wanted && !answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return wanted ? json : { status: answer.status, json };
  };
  return {
    get: (path) => ask('GET', path),
    post: (path, body) => ask('POST', path, body),
    put: (path, body) => ask('PUT', path, body),
    status: async (method, path, body) => (await ask(method, path, body, false)).status,
  };
}

/** Works on up to `max` jobs of a queue: `end(job)` says how each ends. */
export async function work(api, queue, max, end, worker = 'till-7') {
  const { jobs } = await api.post(`/queues/${queue}/claim`, { worker, max, waitMs: 0, leaseMs: 600_000 });
  for (const job of jobs) await end(job, `/leases/${job.lease.token}`);
  return jobs.length;
}

const STACK = 'PaymentError: the bank refused the connection\n  at charge (/srv/till/charge.js:41:13)\n  at work (/srv/till/worker.js:12:5)\ncaused by: ECONNREFUSED 10.0.0.12:443';

export async function seed(api) {
  await api.put('/users/u-1/preferences', {}).catch(() => {});
  const fail = (message) => (_, lease) => api.post(`${lease}/fail`, { error: message, stack: STACK });

  // Dead letters, some of them with two reasons.
  const bad = Array.from({ length: 12 }, (_, n) => ({ name: 'invoice.send', data: { invoice: n, amount: 1999 + n, cardNumber: '4111 1111 1111 1111' }, opts: { jobId: `invoice-${n}`, key: n % 2 ? 'acme' : 'globex' } }));
  await api.post('/queues/invoices/jobs', bad);
  await work(api, 'invoices', 12, fail('the bank refused the connection'));
  await until(async () => (await api.get('/queues/invoices')).counts.waiting === 12);
  await work(api, 'invoices', 12, fail('the bank refused the connection again'));

  // Running, done, waiting, delayed.
  await api.post('/queues/orders/jobs', { name: 'order.pack', data: { order: 99 }, opts: { jobId: 'packing' } });
  await work(api, 'orders', 1, async (job, lease) => {
    await api.post(`${lease}/log`, { line: 'looked at the shelf' });
    await api.post(`${lease}/log`, { line: 'found the parcel' });
    await api.post(`${lease}/progress`, { progress: 40 });
    await api.post(`${lease}/step`, { name: 'reserve', result: { shelf: 'B-12', secret: 'do not show' } });
    await api.post(`${lease}/step`, { name: 'weigh', result: Array.from({ length: 400 }, (_, n) => ({ n, grams: 250 + n })) });
  });
  await api.post('/queues/orders/jobs', Array.from({ length: 30 }, (_, n) => ({ name: 'order.ship', data: { order: n }, opts: { jobId: `order-${n}`, key: ['acme', 'globex', 'initech'][n % 3] } })));
  await work(api, 'orders', 18, (job, lease) => api.post(`${lease}/complete`, { result: { parcel: `P-${job.data.order}` } }));
  await api.post('/queues/orders/jobs', { name: 'order.expire', data: { order: 7, secret: 'do not show' }, opts: { jobId: 'expiring', delay: 3_600_000 } });
  await api.post('/queues/orders/jobs', { name: 'order.urgent', opts: { jobId: 'urgent', priority: 1 } });

  // A large payload, a flow with a job that waits for two others.
  await api.post('/queues/reports/jobs', { name: 'report.large', data: { rows: Array.from({ length: 400 }, (_, n) => ({ n, text: `row ${n}` })) }, opts: { jobId: 'large' } });
  await api.post('/flows', { queue: 'reports', name: 'report.merge', opts: { jobId: 'merge' }, children: [
    { queue: 'orders', name: 'count.north', opts: { jobId: 'north' } },
    { queue: 'orders', name: 'count.south', opts: { jobId: 'south' } },
  ] });

  // An event that becomes a mail and a notification.
  await api.post('/events', { name: 'booking.created', id: 'booking-1', data: { bookingId: 'b-1', userId: 'u-1', userEmail: 'grace@example.com', userName: 'Grace Hopper' } });
  await api.post('/events', { name: 'booking.confirmed', id: 'booking-2', causationId: 'booking-1', correlationId: 'booking-1', data: { bookingId: 'b-1', userId: 'u-1', userEmail: 'grace@example.com', userName: 'Grace Hopper' } });
  await until(async () => (await api.get('/mailbox')).items.length === 2);
}

export async function until(look, what = 'what was waited for') {
  const end = Date.now() + 30_000;
  for (;;) {
    if (await look()) return;
    if (Date.now() > end) throw new Error(`${what} did not come`);
    await new Promise((wake) => setTimeout(wake, 20));
  }
}
