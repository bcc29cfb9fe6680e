/** Load from a fixed number of connections, each sending its next request as soon as the last is answered. */
import { Effect } from "effect"
import { type Answer, Connection, ConnectionError } from "./Connection.ts"

export interface LoopOptions {
  readonly host: string
  readonly port: number
  readonly connections: number
  readonly seconds: number
  /** The next request of a connection (from 0), or undefined where there is nothing left to ask. */
  readonly next: (connection: number) => Buffer | undefined
  readonly answered?: (connection: number, answer: Answer) => void
  /** What a connection still has to send when the time is over; it is not counted. */
  readonly finish?: (connection: number) => Buffer | undefined
  /** Whether `answered` wants to see bodies. */
  readonly keepBodies?: boolean
}

export interface LoopResult {
  /** From the first request to the last answer. */
  readonly seconds: number
  readonly byStatus: ReadonlyMap<number, number>
  /** Milliseconds, sorted, by status. */
  readonly latencies: ReadonlyMap<number, Float64Array>
  readonly broken: number
  /** True where `next` had nothing left before the time was over. */
  readonly ranDry: boolean
}

const drive = (
  connection: Connection,
  index: number,
  options: LoopOptions,
  until: number,
  seen: (status: number, ms: number) => void
): Promise<{ readonly broken: number; readonly dry: boolean }> =>
  new Promise((resolve) => {
    const end = (dry: boolean) => {
      const last = options.finish?.(index)
      if (last === undefined) return resolve({ broken: 0, dry })
      connection.send(last, (answer) => resolve({ broken: answer instanceof ConnectionError ? 1 : 0, dry }))
    }
    const step = () => {
      const sent = performance.now()
      if (sent >= until) return end(false)
      const request = options.next(index)
      if (request === undefined) return end(true)
      connection.send(
        request,
        (answer: Answer | ConnectionError) => {
          if (answer instanceof ConnectionError) return resolve({ broken: 1, dry: false })
          seen(answer.status, performance.now() - sent)
          options.answered?.(index, answer)
          step()
        },
        options.keepBodies
      )
    }
    step()
  })

/** Runs the loop to its end. Dies where the server cannot be reached. */
export const run = Effect.fn("ClosedLoop.run")(function* (options: LoopOptions) {
  const connections = yield* Effect.acquireRelease(
    Effect.promise(() =>
      Promise.all(
        Array.from({ length: options.connections }, () => Connection.open(options.host, options.port))
      )
    ),
    (opened) => Effect.sync(() => opened.forEach((connection) => connection.close()))
  )
  const all = new Map<number, Array<number>>()
  const seen = (status: number, ms: number) => {
    const list = all.get(status)
    if (list === undefined) all.set(status, [ms])
    else list.push(ms)
  }
  const begun = performance.now()
  const until = begun + options.seconds * 1000
  const ends = yield* Effect.promise(() =>
    Promise.all(connections.map((connection, index) => drive(connection, index, options, until, seen)))
  )
  const result: LoopResult = {
    seconds: (performance.now() - begun) / 1000,
    byStatus: new Map(Array.from(all, ([status, list]) => [status, list.length] as const)),
    latencies: new Map(
      Array.from(all, ([status, list]) => [status, Float64Array.from(list).sort()] as const)
    ),
    broken: ends.reduce((sum, end) => sum + end.broken, 0),
    ranDry: ends.some((end) => end.dry)
  }
  return result
}, Effect.scoped)

/** The value below which a share `p` of sorted values lies; NaN of none. */
export const quantile = (sorted: Float64Array, p: number): number =>
  sorted.length === 0 ? Number.NaN : sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))]!
