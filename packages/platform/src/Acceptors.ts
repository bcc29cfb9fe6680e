/**
 * Several listeners on one port, whose connections go to one server. Node (libuv since 1.50) takes up one connection of a
 * listener in a turn of its event loop: while turns take 10 ms, the last of a crowd of 2,000 waits for 20 s, unseen by
 * everything that measures requests. The kernel deals connections out to those who share a port (`SO_REUSEPORT`).
 */
import { createServer, type ListenOptions, type Server, type Socket } from "node:net"

/** Where ports can be shared so. Elsewhere there is one listener, as ever. */
const canShare = process.platform === "linux"

/** Connections that are taken up in a turn at most: as few that those who are here go on between them. */
export const acceptors = 16

/** A failed start is told, and whatever was begun is ended. */
type Done = (error?: Error) => void

/** Whether nobody has the port: who shares one would take half of another process' connections without a word. */
const probe = (options: ListenOptions, done: Done): void => {
  const alone = createServer()
  alone.once("error", done)
  alone.listen({ port: options.port, host: options.host }, () => alone.close(() => done()))
}

export class Acceptors {
  private readonly taken: (socket: Socket) => void
  private readonly listeners: Array<Server> = []

  /** `taken` gets each connection. */
  constructor(taken: (socket: Socket) => void) {
    this.taken = taken
  }

  /** How the first listener is to listen, which is not of these; fails where somebody else has the port. */
  prepare(options: ListenOptions, done: (options: ListenOptions, error?: Error) => void): void {
    if (!canShare || options.port === undefined) return done(options)
    const shared = { ...options, reusePort: true }
    if (options.port === 0) return done(shared)
    probe(options, (error) => done(shared, error))
  }

  /** The others, beside the first one on its port. */
  listen(options: ListenOptions, done: Done): void {
    if (options.reusePort !== true) return done()
    let waiting = acceptors - 1
    let failed = false
    for (let i = 1; i < acceptors; i++) {
      // As an HTTP server has them.
      const listener = createServer({ allowHalfOpen: true, noDelay: true }, this.taken)
      this.listeners.push(listener)
      const notStarted = (error: Error) => {
        if (failed) return
        failed = true
        this.close(() => done(error))
      }
      listener.once("error", notStarted)
      listener.listen(options, () => {
        listener.off("error", notStarted)
        if (--waiting === 0 && !failed) done()
      })
    }
  }

  /** Takes up no more; calls back when all that were taken up have ended. */
  close(done: () => void): void {
    const listeners = this.listeners.splice(0)
    let waiting = listeners.length
    if (waiting === 0) return done()
    for (const listener of listeners) {
      // One that never listened has nothing to end.
      listener.close(() => {
        if (--waiting === 0) done()
      })
    }
  }
}
