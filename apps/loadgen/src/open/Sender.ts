/**
 * Sends requests when they are due over as many connections as it takes, up to a limit, and counts latency from
 * when each was due: the wait for a connection, or for this thread, is part of it.
 */
import { type Answer, Connection, ConnectionError } from "../Connection.ts"

export interface SenderOptions {
  readonly host: string
  /** Connections take turns over them. */
  readonly ports: ReadonlyArray<number>
  readonly connections: number
}

interface Waiting {
  readonly request: Buffer
  readonly keepBody: boolean
  readonly done: (answer: Answer | ConnectionError) => void
}

/** As long as a buyer waits for an answer. */
export const patienceMs = 30_000
const sweepMs = 1_000
/** Requests that wait for a connection; those beyond are given up at once, and are errors. */
const longestQueue = 100_000

export class Sender {
  private readonly options: SenderOptions
  private readonly idle: Array<Connection> = []
  private readonly busy = new Map<Connection, number>()
  private readonly queue: Array<Waiting> = []
  private taken = 0
  private opening = 0
  private opened = 0
  private readonly sweeper: NodeJS.Timeout

  constructor(options: SenderOptions) {
    this.options = options
    this.sweeper = setInterval(() => this.sweep(), sweepMs)
  }

  /** Answers with what came, or with why nothing did. */
  ask(request: Buffer, keepBody: boolean): Promise<Answer | ConnectionError> {
    return new Promise((done) => {
      const waiting = { request, keepBody, done }
      const connection = this.free()
      if (connection !== undefined) return this.send(connection, waiting)
      if (this.queue.length - this.taken >= longestQueue)
        return done(new ConnectionError("too much waits for a connection"))
      this.queue.push(waiting)
      if (this.busy.size + this.opening < this.options.connections) this.open()
    })
  }

  close(): void {
    clearInterval(this.sweeper)
    for (const connection of [...this.idle, ...this.busy.keys()]) connection.close()
  }

  private free(): Connection | undefined {
    for (let next = this.idle.pop(); next !== undefined; next = this.idle.pop()) if (!next.closed) return next
    return undefined
  }

  private open(): void {
    this.opening++
    const { host, ports } = this.options
    Connection.open(host, ports[this.opened++ % ports.length] ?? 0).then(
      (connection) => {
        this.opening--
        this.release(connection)
      },
      (error: Error) => {
        this.opening--
        this.next()?.done(new ConnectionError(error.message))
      }
    )
  }

  private next(): Waiting | undefined {
    if (this.taken >= this.queue.length) return undefined
    const waiting = this.queue[this.taken++]
    // Not at each one: it copies the rest.
    if (this.taken > 1_024 && this.taken * 2 > this.queue.length) {
      this.queue.splice(0, this.taken)
      this.taken = 0
    }
    return waiting
  }

  private release(connection: Connection): void {
    const waiting = this.next()
    if (waiting === undefined) this.idle.push(connection)
    else this.send(connection, waiting)
  }

  private send(connection: Connection, { done, keepBody, request }: Waiting): void {
    this.busy.set(connection, performance.now())
    connection.send(
      request,
      (answer) => {
        this.busy.delete(connection)
        if (answer instanceof ConnectionError || connection.closed) {
          if (this.taken < this.queue.length) this.open()
        } else this.release(connection)
        done(answer)
      },
      keepBody
    )
  }

  private sweep(): void {
    const now = performance.now()
    for (const [connection, since] of this.busy) if (now - since > patienceMs) connection.close()
  }
}
