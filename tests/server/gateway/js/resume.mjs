// Is refused once, then follows a project, sends a command, loses the connection, and resumes from its cursor.
// Every step is told as one line of JSON. The last argument names the parser: `json` or `msgpack`.
import { io } from "socket.io-client";
import msgpack from "socket.io-msgpack-parser";

const [url, token, wish, parser] = process.argv.slice(2);
const command = JSON.parse(wish);
const options = {
  transports: ["websocket"],
  reconnectionDelay: 20,
  reconnectionDelayMax: 100,
  ...(parser === "msgpack" ? { path: "/socket.io-msgpack/", parser: msgpack } : {}),
};

const tell = (fact) => process.stdout.write(JSON.stringify(fact) + "\n");

async function refusal() {
  const socket = io(url, { ...options, auth: { token: "wrong" }, forceNew: true });
  const error = await new Promise((resolve) => socket.on("connect_error", resolve));
  socket.disconnect();
  return { message: error.message, code: error.data.code };
}

tell({ refusal: await refusal() });

const socket = io(url, { ...options, auth: { token } });
let entries = [];
let project = null;
let cursor;
let awaited = () => {};

socket.on("snapshot", (part) => {
  project = part.state.project?.name ?? project;
});
socket.on("entries", (message) => {
  entries.push(...message.entries);
  const last = message.entries.at(-1);
  cursor = `${last.seq}.${last.epoch}`;
  awaited();
});

const until = (condition) =>
  new Promise((resolve) => {
    awaited = () => condition() && resolve();
    awaited();
  });

let connections = 0;
socket.on("connect", async () => {
  connections += 1;
  const joined = await socket.timeout(5000).emitWithAck("join", { stream: command.stream, cursor });
  if (connections === 1) {
    const answer = await socket.timeout(5000).emitWithAck("command", command);
    await until(() => entries.length === 1);
    tell({ joined, project, answer, entries: entries.splice(0) });
  } else {
    await until(() => entries.length === 3);
    tell({ joined, entries });
    socket.disconnect();
  }
});
