/**
 * A client of one HTTP/1.1 connection that costs little: requests are bytes, and of an answer only the
 * status and the length of the body are read. One request at a time; bodies must have a Content-Length.
 */
import { connect, type Socket } from "node:net"

export interface Answer {
  readonly status: number
  /** Undefined unless `keepBody`. */
  readonly body: string | undefined
}

export class ConnectionError extends Error {
  override readonly name = "ConnectionError"
}

const headEnd = Buffer.from("\r\n\r\n")

export class Connection {
  private readonly socket: Socket
  private pending: Buffer = Buffer.alloc(0)
  private waiting: ((answer: Answer | ConnectionError) => void) | undefined
  private keepBody = false

  private constructor(socket: Socket) {
    this.socket = socket
    socket.setNoDelay(true)
    socket.on("data", (chunk) => {
      this.pending = this.pending.length === 0 ? chunk : Buffer.concat([this.pending, chunk])
      this.read()
    })
    const lost = (cause?: Error) =>
      this.settle(new ConnectionError(cause?.message ?? "the connection was closed"))
    socket.on("error", lost)
    socket.on("close", () => lost())
  }

  /** Opens a connection; fails where nobody listens. */
  static open(host: string, port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port })
      socket.once("error", reject)
      socket.once("connect", () => {
        socket.off("error", reject)
        resolve(new Connection(socket))
      })
    })
  }

  /** Sends a request as it stands and calls back with the answer. */
  send(request: Buffer, done: (answer: Answer | ConnectionError) => void, keepBody = false): void {
    this.waiting = done
    this.keepBody = keepBody
    this.socket.write(request)
  }

  close(): void {
    this.socket.destroy()
  }

  private settle(answer: Answer | ConnectionError): void {
    const done = this.waiting
    this.waiting = undefined
    done?.(answer)
  }

  private read(): void {
    const end = this.pending.indexOf(headEnd)
    if (end === -1) return
    const head = this.pending.toString("latin1", 0, end)
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)
    const bodyLength = length === null ? 0 : Number(length[1])
    const total = end + 4 + bodyLength
    if (this.pending.length < total) return
    const body = this.keepBody ? this.pending.toString("utf8", end + 4, total) : undefined
    this.pending = this.pending.subarray(total)
    this.settle({ status: Number(head.slice(9, 12)), body })
  }
}

/** The bytes of a POST of JSON. */
export const post = (path: string, host: string, headers: string, body: string): Buffer =>
  Buffer.from(
    `POST ${path} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  )

/** The bytes of a request without a body. */
export const bodiless = (method: string, path: string, host: string): Buffer =>
  Buffer.from(`${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n\r\n`)
