// A client of socket.io that does what it is told on standard input, and tells on standard output what it hears:
// one JSON object a line, both ways.
//
//   node client.mjs URL '{"auth": {"token": "…"}, "transports": ["websocket"], "follow": true}'

import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { join } from "node:path";

const require = createRequire(join(process.env.EVENTYARD_NODE, "node_modules", "x.js"));
const { io } = require("socket.io-client");

const [url, given] = process.argv.slice(2);
const { auth = {}, follow = false, ...options } = JSON.parse(given ?? "{}");
const tell = (what) => process.stdout.write(JSON.stringify(what) + "\n");

// As the guide has it: where the client is goes along whenever it connects.
let lastId;
const socket = io(url, {
  reconnectionDelay: 50,
  reconnectionDelayMax: 200,
  ...options,
  auth: (answer) => answer(follow ? { ...auth, lastId } : auth),
});
socket.onAny((event, data, id) => {
  if (id) lastId = id;
  tell({ heard: event, data, id });
});
socket.on("connect", () => tell({ heard: "connect" }));
socket.on("connect_error", (error) => tell({ heard: "connect_error", data: error.message }));
socket.on("disconnect", (reason) => tell({ heard: "disconnect", data: reason }));

const commands = {
  emit: ({ event, args = [] }) => socket.emit(event, ...args),
  ask: async ({ event, args = [] }) => {
    try {
      tell({ heard: "answer", data: await socket.timeout(5000).emitWithAck(event, ...args) });
    } catch (error) {
      tell({ heard: "no answer", data: error.message });
    }
  },
  // As a network that breaks: the client comes back when it is told to.
  drop: () => {
    socket.io.reconnection(false);
    socket.io.engine.close();
  },
  connect: () => {
    socket.io.reconnection(true);
    socket.connect();
  },
  close: () => {
    socket.close();
    process.exit(0);
  },
};
for await (const line of createInterface({ input: process.stdin })) {
  const { do: what, times = 1, ...how } = JSON.parse(line);
  for (let n = 0; n < times; n++) commands[what](how);
}
process.exit(0);
