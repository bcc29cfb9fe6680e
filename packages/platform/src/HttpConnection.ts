/** The connection beneath a request: how far its client has read what was written to it. */
import { NodeHttpServerRequest } from "@effect/platform-node"
import type { HttpServerRequest } from "effect/http"

export interface HttpConnection {
  /** Bytes that wait in this process for the client to read. */
  readonly unreadBytes: () => number
  /** Bytes that the client's machine has taken since the connection began. */
  readonly takenBytes: () => number
  /** Ends it at once, without a word. */
  readonly destroy: () => void
}

export const of = (request: HttpServerRequest.HttpServerRequest): HttpConnection => {
  const { socket } = NodeHttpServerRequest.toIncomingMessage(request)
  return {
    unreadBytes: () => socket.writableLength,
    takenBytes: () => socket.bytesWritten - socket.writableLength,
    destroy: () => void socket.destroy()
  }
}
