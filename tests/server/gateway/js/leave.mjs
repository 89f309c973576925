// Connects as browsers do by default, and tells in one line of JSON each what it hears of the end, and whether it means
// to come back by itself; then it goes.
import { io } from "socket.io-client";

const [url, token] = process.argv.slice(2);
const tell = (fact) => process.stdout.write(JSON.stringify(fact) + "\n");

const socket = io(url, { transports: ["websocket"], auth: { token } });
socket.on("connect", () => tell({ connected: true }));
socket.on("closed", (message) => tell({ closed: message.reason }));
socket.on("disconnect", () => {
  tell({ comesBack: socket.active });
  process.exit(0);
});
