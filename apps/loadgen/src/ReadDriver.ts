/** Reads at a steady rate, in turn over some paths, whatever the answers take. */
import { Effect } from "effect"
import { bodiless, Connection, ConnectionError } from "./Connection.ts"

const tickMs = 10

/** Reads until it is interrupted; counts what was asked, answered otherwise, and left out where all connections were busy. */
export const make = Effect.fnUntraced(function* (options: {
  readonly host: string
  readonly port: number
  readonly paths: ReadonlyArray<string>
  readonly readsPerSecond: number
  readonly connections: number
}) {
  const counts = { asked: 0, other: 0, skipped: 0 }
  const requests = options.paths.map((path) => bodiless("GET", path, options.host))
  const idle = yield* Effect.acquireRelease(
    Effect.promise(() =>
      Promise.all(
        Array.from({ length: options.connections }, () => Connection.open(options.host, options.port))
      )
    ),
    (opened) => Effect.sync(() => opened.forEach((connection) => connection.close()))
  )
  const read = (n: number): void => {
    const request = requests[n % requests.length]
    const connection = idle.pop()
    if (connection === undefined || request === undefined) return void counts.skipped++
    counts.asked++
    connection.send(request, (answer) => {
      if (answer instanceof ConnectionError) return void counts.other++
      if (answer.status !== 200) counts.other++
      idle.push(connection)
    })
  }
  const begun = performance.now()
  let due = 0
  yield* Effect.acquireRelease(
    Effect.sync(() =>
      setInterval(() => {
        const passed = (performance.now() - begun) / 1e3
        for (; due < passed * options.readsPerSecond; due++) read(due)
      }, tickMs)
    ),
    (timer) => Effect.sync(() => clearInterval(timer))
  )
  return counts
})
