// Bull Board, served to these tests on a free port.

import { once } from 'node:events';
import Module from 'node:module';

import { require } from './bull.mjs';

/** Serves these queues; returns where, and what ends it. */
export async function board(peer, names) {
  // It asks for BullMQ by its plain name, and gets the version that made the queues.
  const resolve = Module._resolveFilename;
  Module._resolveFilename = (name, ...rest) =>
    resolve(name === 'bullmq' ? `bullmq${peer.version}` : name, ...rest);

  const { createBullBoard } = require('@bull-board/api');
  const { BullMQAdapter } = require('@bull-board/api/bullMQAdapter');
  const { ExpressAdapter } = require('@bull-board/express');
  const express = require('express');

  const serverAdapter = new ExpressAdapter();
  createBullBoard({ queues: names.map((name) => new BullMQAdapter(peer.queue(name))), serverAdapter });
  const app = express();
  app.use('/', serverAdapter.getRouter());
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

/** Asks it as its page does. */
export async function ask({ url }, method, path, body) {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(url + path, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return answer.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text;
}
