// A client that speaks Engine.IO 4 and Socket.IO 5 by hand, packet by packet, as their specifications have it. It runs
// every case at once and tells on standard output, one JSON object a line, what became of each.
//
//   node protocol.mjs URL TOKEN PING_INTERVAL_MS PING_TIMEOUT_MS MAX_PAYLOAD

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const require = createRequire(join(process.env.EVENTYARD_NODE, "node_modules", "x.js"));
const { WebSocket } = require("ws");

const [url, token, ...numbers] = process.argv.slice(2);
const [pingInterval, pingTimeout, maxPayload] = numbers.map(Number);
const RECORD_SEPARATOR = "\x1e";

const at = (query) => `${url}/socket.io/?${query}`;
const polling = (sid) => at(`EIO=4&transport=polling${sid ? `&sid=${sid}` : ""}`);
const websocket = (sid) => at(`EIO=4&transport=websocket${sid ? `&sid=${sid}` : ""}`);
const post = (sid, body) => fetch(polling(sid), { method: "POST", body });
const connect = (auth = { token }) => `40${JSON.stringify(auth)}`;

// The packets of the next poll, pings answered and left out.
async function poll(sid) {
  for (;;) {
    const response = await fetch(polling(sid));
    if (response.status !== 200) return [`status ${response.status}`];
    const packets = (await response.text()).split(RECORD_SEPARATOR);
    if (packets.includes("2")) await post(sid, "3");
    const others = packets.filter((packet) => packet !== "2");
    if (others.length > 0) return others;
  }
}

// As many packets as are asked for, from one poll or several.
async function polls(sid, count) {
  const packets = [];
  while (packets.length < count) packets.push(...(await poll(sid)));
  return packets;
}

async function openByPolling() {
  const response = await fetch(polling());
  const text = await response.text();
  assert.equal(response.status, 200, text);
  assert.equal(text[0], "0");
  return JSON.parse(text.slice(1));
}

// A WebSocket whose packets are taken one by one. Pings are answered, unless it plays dead.
class Wire {
  #packets = [];
  #waiting = [];
  pings = 0;
  isDead = false;

  constructor(address) {
    this.socket = new WebSocket(address.replace("http", "ws"));
    this.socket.on("message", (data, isBinary) => {
      const packet = isBinary ? data : data.toString();
      if (packet === "2") {
        this.pings += 1;
        if (!this.isDead) this.send("3");
        return;
      }
      this.#arrived(packet);
    });
    this.closed = new Promise((resolve) => this.socket.on("close", () => resolve("closed")));
    this.closed.then(() => this.#arrived("closed"));
    this.socket.on("error", () => {});
  }

  #arrived(packet) {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(packet);
    else this.#packets.push(packet);
  }

  next() {
    if (this.#packets.length > 0) return this.#packets.shift();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async opened() {
    await new Promise((resolve, reject) => this.socket.on("open", resolve).on("error", reject));
    return this;
  }

  send(packet) {
    this.socket.send(packet);
  }
}

async function openByWebSocket() {
  const wire = new Wire(websocket());
  const opened = await wire.next();
  assert.equal(opened[0], "0");
  return [wire, JSON.parse(opened.slice(1))];
}

// A WebSocket whose client is connected to the main namespace.
async function connected() {
  const [wire] = await openByWebSocket();
  wire.send(connect());
  assert.match(await wire.next(), /^40\{"sid":"[^"]+"\}$/);
  // Where the client is, which our server tells everyone who connects.
  assert.match(await wire.next(), /^42\["position",/);
  return wire;
}

// A polling session whose client is connected to the main namespace.
async function connectedByPolling() {
  const { sid } = await openByPolling();
  await post(sid, connect());
  const packets = await polls(sid, 2);
  assert.deepEqual(packets.map((packet) => packet.slice(0, 2)), ["40", "42"]);
  return sid;
}

// Nothing comes but the end, told or not.
async function ends(wire, what) {
  const last = await wire.next();
  assert.ok(["1", "closed"].includes(last), `${what}: ${last}`);
  await wire.closed;
}

const update = (id, data = { projectId: "p" }) => `42${id}["project:update",${JSON.stringify(data)}]`;

// A polling session that is upgraded to a WebSocket.
async function upgraded() {
  const { sid } = await openByPolling();
  const wire = await new Wire(websocket(sid)).opened();
  const hanging = fetch(polling(sid)).then((response) => response.text());
  wire.send("2probe");
  assert.equal(await wire.next(), "3probe");
  const left = await hanging;
  assert.ok(["6", "2"].includes(left), `the poll under way ends: ${left}`);
  wire.send("5");
  wire.send(connect());
  assert.match(await wire.next(), /^40/);
  assert.match(await wire.next(), /^42\["position",/);
  return [wire, sid];
}

const cases = {
  async "a session opens by polling"() {
    const opened = await openByPolling();
    assert.match(opened.sid, /^.{10,}$/);
    assert.deepEqual({ ...opened, sid: 0 }, { sid: 0, upgrades: ["websocket"], pingInterval, pingTimeout, maxPayload });
  },
  async "a session opens by WebSocket"() {
    const [, opened] = await openByWebSocket();
    assert.deepEqual({ ...opened, sid: 0 }, { sid: 0, upgrades: [], pingInterval, pingTimeout, maxPayload });
  },
  async "what is no handshake is refused"() {
    for (const query of ["transport=polling", "EIO=x&transport=polling", "EIO=4", "EIO=4&transport=x", "EIO=4&transport=polling&sid=unknown"]) {
      assert.equal((await fetch(at(query))).status, 400, query);
    }
    for (const method of ["POST", "PUT"]) {
      const { status } = await fetch(polling(), { method, body: method === "POST" ? "4" : undefined });
      assert.equal(status, 400, method);
    }
    for (const query of ["transport=websocket", "EIO=x&transport=websocket", "EIO=4&transport=websocket&sid=unknown"]) {
      assert.equal(await new Wire(at(query)).closed, "closed", query);
    }
  },
  async "several packets go in one body, and their answers come in order"() {
    const sid = await connectedByPolling();
    const response = await post(sid, [update(1), update(2), update(3)].join(RECORD_SEPARATOR));
    assert.deepEqual([response.status, await response.text()], [200, "ok"]);
    const numbers = (await polls(sid, 3)).map((packet) => packet.match(/^43(\d)\[\{"ok":true/)?.[1]);
    assert.deepEqual(numbers, ["1", "2", "3"]);
  },
  async "a packet of no kind ends a session"() {
    const { sid } = await openByPolling();
    assert.equal((await post(sid, "abc")).status, 400);
    assert.deepEqual(await poll(sid), ["status 400"]);
    const [wire] = await openByWebSocket();
    wire.send("abc");
    await wire.closed;
  },
  async "two polls at once end a session"() {
    const sid = await connectedByPolling();
    const first = poll(sid);
    await sleep(50);
    const second = await fetch(polling(sid));
    assert.ok([400, 500].includes(second.status), `${second.status}`);
    await first;
    assert.equal((await fetch(polling(sid))).status, 400);
  },
  async "a body that is too large is refused"() {
    const { sid } = await openByPolling();
    assert.ok((await post(sid, `4${"x".repeat(maxPayload)}`)).status >= 400);
    const [wire] = await openByWebSocket();
    wire.send(`4${"x".repeat(maxPayload)}`);
    await wire.closed;
  },
  async "a client that answers pings stays"() {
    const wire = await connected();
    await sleep(4 * pingInterval);
    assert.ok(wire.pings >= 3, `${wire.pings}`);
    wire.send(update(1));
    assert.match(await wire.next(), /^431\[/);
  },
  async "a client that answers no pings is given up"() {
    const [wire] = await openByWebSocket();
    wire.isDead = true;
    const { sid } = await openByPolling();
    await wire.closed;
    await sleep(pingInterval + pingTimeout);
    assert.equal((await fetch(polling(sid))).status, 400);
  },
  async "a client that closes is gone, and its poll ends at once"() {
    const sid = await connectedByPolling();
    const hanging = fetch(polling(sid)).then((response) => response.text());
    await sleep(20);
    assert.equal((await post(sid, "1")).status, 200);
    assert.match(await hanging, /^(2\x1e)?6?$/);
    assert.equal((await fetch(polling(sid))).status, 400);
    const wire = await connected();
    wire.send("1");
    await wire.closed;
  },
  async "a session goes over to a WebSocket"() {
    const [wire] = await upgraded();
    wire.send(update(7));
    assert.match(await wire.next(), /^437\[\{"ok":true/);
  },
  async "a session that went over is used by nobody else"() {
    const [wire, sid] = await upgraded();
    assert.equal((await fetch(polling(sid))).status, 400);
    assert.equal((await post(sid, update(1))).status, 400);
    await new Wire(websocket(sid)).closed;
    wire.send(update(8));
    assert.match(await wire.next(), /^438\[/);
  },
  async "a client that is refused is told why"() {
    const [wire] = await openByWebSocket();
    wire.send(connect({}));
    assert.match(await wire.next(), /^44\{"message":"/);
  },
  async "other namespaces are refused, and the main one goes on"() {
    const wire = await connected();
    wire.send("40/other,");
    assert.match(await wire.next(), /^44\/other,\{"message":"/);
    wire.send(update(2));
    assert.match(await wire.next(), /^432\[/);
  },
  async "a client leaves a namespace"() {
    const wire = await connected();
    wire.send("41");
    await sleep(50);
    wire.send(update(3));
    await ends(wire);
  },
  async "nothing is heard of a client that has not connected"() {
    const [wire] = await openByWebSocket();
    wire.send(update(1));
    await ends(wire);
  },
  async "a Socket.IO packet of no kind ends the connection"() {
    for (const packet of ["4abc", "42{}", "42abc", '429["x"', "450-"]) {
      const wire = await connected();
      wire.send(packet);
      await ends(wire, packet);
    }
  },
  async "an event with attachments is one message"() {
    const wire = await connected();
    wire.send('451-9["project:update",{"projectId":"p","file":{"_placeholder":true,"num":0}}]');
    wire.send(Buffer.from([1, 2, 3, 4]));
    assert.match(await wire.next(), /^439\[\{"ok":(true|false)/);
    wire.send(update(10));
    assert.match(await wire.next(), /^4310\[\{"ok":true/);
  },
  async "an event without a number is not answered"() {
    const wire = await connected();
    wire.send(update(""));
    wire.send(update(4));
    assert.match(await wire.next(), /^434\[/);
  },
};

const patience = 10 * (pingInterval + pingTimeout);
await Promise.all(
  Object.entries(cases).map(async ([name, run]) => {
    const late = sleep(patience, undefined, { ref: false }).then(() => assert.fail(`nothing happened for ${patience} ms`));
    const problem = await Promise.race([run(), late]).then(() => null, (error) => error.message);
    process.stdout.write(JSON.stringify({ case: name, problem }) + "\n");
  }),
);
process.exit(0);
