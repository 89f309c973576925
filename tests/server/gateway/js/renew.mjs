// Connects, and does what it is told on its standard input: `auth TOKEN` renews its token, `join STREAM` asks for a
// stream. Every answer, and why the connection ended, is one line of JSON.
import { io } from "socket.io-client";
import { createInterface } from "node:readline";

const [url, token] = process.argv.slice(2);
const tell = (fact) => process.stdout.write(JSON.stringify(fact) + "\n");

const socket = io(url, { transports: ["websocket"], reconnection: false, auth: { token } });
socket.on("connect", () => tell({ connected: true }));
socket.on("closed", (message) => tell({ closed: message.reason }));
socket.on("disconnect", () => process.exit(0));

for await (const line of createInterface({ input: process.stdin })) {
  const [event, value] = line.split(" ");
  const payload = event === "auth" ? { token: value } : { stream: value };
  tell(await socket.timeout(5000).emitWithAck(event, payload));
}
