// Socket.IO 4 as its documentation has it: rooms, acks, and Postgres through pg.
//   node socketio_server.mjs --engine ws|uws --port N [--writes insert|group]   (Postgres from PGHOST, PGPORT, PGUSER, PGDATABASE)
import { createServer } from "node:http";
import { parseArgs } from "node:util";

import { Server } from "socket.io";

import { GroupCommit, PooledInserts } from "./commands.mjs";

const { values: flags } = parseArgs({
  options: {
    engine: { type: "string", default: "ws" },
    port: { type: "string" },
    writes: { type: "string" },
  },
});
const port = Number(flags.port);
const log =
  flags.writes === undefined
    ? null
    : flags.writes === "group"
      ? await GroupCommit.open()
      : await PooledInserts.open();

const io = new Server({ transports: ["websocket"], perMessageDeflate: false, pingInterval: 20_000, pingTimeout: 10_000 });

io.on("connection", (socket) => {
  socket.on("join", ({ stream }, ack) => {
    socket.join(stream);
    ack({ mode: "resume", cursor: "0.0" });
  });
  socket.on("awareness", (message) => io.to(message.stream).emit("awareness", message));
  socket.on("command", async (command, ack) => {
    try {
      const entry = await log.append(command);
      ack({ cursor: `${entry.seq}.1`, at: entry.at, result: {} });
      io.to(command.stream).emit("entries", { stream: command.stream, entries: [entry] });
    } catch (error) {
      console.error(error);
      ack({ error: { code: "internal", message: String(error), retryable: true } });
    }
  });
});

if (flags.engine === "uws") {
  const { default: uws } = await import("@trufflesuite/uws-js-unofficial");
  const app = uws.App();
  io.attachApp(app);
  app.listen("127.0.0.1", port, (listening) => {
    if (!listening) throw new Error(`cannot listen on ${port}`);
  });
} else {
  const server = createServer();
  io.attach(server);
  server.listen(port, "127.0.0.1", 4096);
}
