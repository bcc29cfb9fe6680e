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
const nothing = Buffer.alloc(0)

export class Connection {
  private readonly socket: Socket
  /** What has come of a head. */
  private head: Buffer = nothing
  private status = 0
  /** Of the body that is being read, bytes to come; -1 between two answers. */
  private left = -1
  private readonly body: Array<Buffer> = []
  private waiting: ((answer: Answer | ConnectionError) => void) | undefined
  private keepBody = false
  /** The other side has ended it, or it broke. */
  closed = false

  private constructor(socket: Socket) {
    this.socket = socket
    socket.setNoDelay(true)
    socket.on("data", (chunk) => this.read(chunk))
    const lost = (cause?: Error) => {
      this.closed = true
      this.settle(new ConnectionError(cause?.message ?? "the connection was closed"))
    }
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
    this.closed = true
    this.socket.destroy()
  }

  private settle(answer: Answer | ConnectionError): void {
    const done = this.waiting
    this.waiting = undefined
    done?.(answer)
  }

  /** A body that nobody wants is counted, and not copied. */
  private read(chunk: Buffer): void {
    if (this.left === -1) {
      const bytes = this.head.length === 0 ? chunk : Buffer.concat([this.head, chunk])
      const end = bytes.indexOf(headEnd)
      if (end === -1) {
        this.head = bytes
        return
      }
      const head = bytes.toString("latin1", 0, end)
      const length = /\r\ncontent-length: *(\d+)/i.exec(head)
      this.head = nothing
      this.status = Number(head.slice(9, 12))
      this.left = length === null ? 0 : Number(length[1])
      chunk = bytes.subarray(end + headEnd.length)
    }
    if (this.keepBody) this.body.push(chunk)
    this.left -= chunk.length
    if (this.left > 0) return
    this.left = -1
    const body = this.keepBody ? Buffer.concat(this.body).toString("utf8") : undefined
    this.body.length = 0
    this.settle({ status: this.status, body })
  }
}

/** The bytes of a POST of JSON. */
export const post = (path: string, host: string, headers: string, body: string): Buffer =>
  Buffer.from(
    `POST ${path} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  )

/** The bytes of a request without a body. `headers` are lines with their ends. */
export const bodiless = (method: string, path: string, host: string, headers = ""): Buffer =>
  Buffer.from(`${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n${headers}\r\n`)
