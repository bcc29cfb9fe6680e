/** The cheapest server there is, in a thread: the same bytes for each request. It tells its port. */
import { createServer } from "node:net"
import { parentPort } from "node:worker_threads"

const answer = Buffer.from("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")

const server = createServer((socket) => {
  socket.setNoDelay(true)
  // A request at a time, of less than a packet.
  socket.on("data", () => socket.write(answer))
  socket.on("error", () => socket.destroy())
})
server.listen(0, "127.0.0.1", () => {
  const address = server.address()
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(typeof address === "object" && address !== null ? address.port : 0)
})
