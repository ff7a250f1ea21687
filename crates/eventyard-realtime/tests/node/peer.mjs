// The same server on socket.io, for comparison: what it is told on standard input it sends.
//
//   node peer.mjs
//   > rooms 2000     a message to a room of ten, so many times
//   > broadcast 20   a message to everyone, so many times

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { join } from "node:path";

const require = createRequire(join(process.env.EVENTYARD_NODE, "node_modules", "x.js"));
const { Server } = require("socket.io");

const server = createServer();
const io = new Server(server, { perMessageDeflate: false, serveClient: false });

const verify = (token) => {
  const [head, claims, signature] = token.split(".");
  const hmac = createHmac("sha256", process.env.JWT_SECRET).update(`${head}.${claims}`).digest();
  if (!timingSafeEqual(hmac, Buffer.from(signature, "base64url"))) throw new Error("signature");
  return JSON.parse(Buffer.from(claims, "base64url"));
};
io.use((socket, next) => {
  try {
    socket.data = verify(socket.handshake.auth.token);
    next();
  } catch {
    next(new Error("unauthenticated"));
  }
});
io.on("connection", (socket) => {
  socket.join(`user:${socket.data.userId}`);
  socket.join(socket.data.rooms);
});

server.listen(0, "127.0.0.1", () => process.stdout.write(`http://127.0.0.1:${server.address().port}\n`));
for await (const line of createInterface({ input: process.stdin })) {
  const [what, times, rooms] = line.split(" ");
  for (let n = 0; n < Number(times); n++) {
    const data = { n, text: "the quick brown fox jumps over the lazy dog" };
    if (what === "broadcast") io.emit("m", data, `id-${n}`);
    else io.to(`room:${n % Number(rooms)}`).emit("m", data, `id-${n}`);
    if (n % 100 === 99) await new Promise(setImmediate);
  }
}
process.exit(0);
