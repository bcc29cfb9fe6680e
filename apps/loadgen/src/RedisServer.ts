/** The Redis of the designs that need one: given, or `redis-server` where it is installed. */
import { Effect, Option, Schedule } from "effect"
import { ChildProcess } from "effect/process"
import { Redis } from "ioredis"
import { createServer } from "node:net"

export interface RedisServer {
  readonly url: string
  /** Where it was started here. */
  readonly pid: number | undefined
}

const freePort = Effect.callback<number>((resume) => {
  const probe = createServer()
  probe.listen(0, "127.0.0.1", () => {
    const address = probe.address()
    probe.close(() =>
      resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
    )
  })
})

const ping = (url: string) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null })
      // The failure is that of `connect`.
      redis.on("error", () => {})
      return redis
    }),
    (redis) => Effect.tryPromise(() => redis.connect().then(() => redis.ping())),
    (redis) => Effect.sync(() => redis.disconnect())
  )

const patience = Schedule.max([Schedule.spaced("50 millis"), Schedule.recurs(100)])

/** None where no URL is given and there is no `redis-server` on the PATH. It keeps nothing on disk. */
export const make = Effect.fn("RedisServer.make")(function* (given: Option.Option<string>) {
  if (Option.isSome(given)) {
    yield* ping(given.value)
    return Option.some<RedisServer>({ url: given.value, pid: undefined })
  }
  const port = yield* freePort
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
  const handle = yield* Effect.option(
    ChildProcess.make("redis-server", args, { stdout: "ignore", stderr: "inherit" })
  )
  if (Option.isNone(handle)) return Option.none<RedisServer>()
  const url = `redis://127.0.0.1:${port}`
  yield* ping(url).pipe(Effect.retry(patience))
  return Option.some<RedisServer>({ url, pid: handle.value.pid })
})
