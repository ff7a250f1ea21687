// Many sockets in one process, as cheap as they can be, so that the server is what is measured: the protocol by hand
// on plain WebSockets. Standard input says how many messages to expect in all ("expect 20000"); standard output says
// "ready" when all are connected, and "done" each time that many have come.
//
//   node crowd.mjs URL FILE-OF-TOKENS

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { join } from "node:path";

const require = createRequire(join(process.env.EVENTYARD_NODE, "node_modules", "x.js"));
const { WebSocket } = require("ws");

const [url, file] = process.argv.slice(2);
const tokens = JSON.parse(readFileSync(file, "utf8"));
const address = `${url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`;

let heard = 0;
let expected = Infinity;
const check = () => {
  if (heard >= expected) {
    expected = Infinity;
    process.stdout.write(`done ${heard}\n`);
  }
};

const connect = ({ token, rooms }) =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(address, { perMessageDeflate: false });
    socket.on("error", reject);
    socket.on("message", (data) => {
      const [kind, sub] = [data[0], data[1]];
      if (kind === 0x30) socket.send("40" + JSON.stringify({ token, rooms }));
      else if (kind === 0x32) socket.send("3");
      else if (kind === 0x34 && sub === 0x30) resolve(socket);
      else if (kind === 0x34 && sub === 0x34) reject(new Error(data.toString()));
      // 42["m",…: what is measured, and not where the client is.
      else if (kind === 0x34 && sub === 0x32 && data[4] === 0x6d && data[5] === 0x22) {
        heard++;
        check();
      }
    });
  });

for (let n = 0; n < tokens.length; n += 50) {
  await Promise.all(tokens.slice(n, n + 50).map(connect));
}
process.stdout.write("ready\n");
for await (const line of createInterface({ input: process.stdin })) {
  expected = Number(line.split(" ")[1]);
  check();
}
process.exit(0);
