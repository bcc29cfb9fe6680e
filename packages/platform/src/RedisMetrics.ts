/**
 * What Redis does for this process: how long its commands take, as we wait for them, and what the server says of its
 * memory. A thread that is busy hears late of an answer: `onsale_event_loop_lag_seconds` tells by how much.
 */
import { Duration, Effect, Metric, Scope } from "effect"
import type { Redis as IoRedis } from "ioredis"
import * as DurationSeries from "./DurationSeries.ts"
import * as ReadMetrics from "./ReadMetrics.ts"

const family: DurationSeries.Family = {
  count: {
    name: "onsale_redis_commands_total",
    description: "Commands to Redis, by connection and what became of them"
  },
  duration: {
    name: "onsale_redis_command_duration_seconds",
    description: "From a command to its answer, by connection"
  },
  // The objective's 5 ms is one of them.
  boundaries: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5]
}

const lookEvery = Duration.seconds(15)
/** While there is no connection. */
const connectEvery = Duration.seconds(1)

const evicted = Metric.counter("onsale_redis_evicted_keys_total", {
  description: "Keys that the server threw away for want of memory, since it started",
  incremental: true
})
const memory = Metric.gauge("onsale_redis_memory_bytes", { description: "Memory that the server uses" })
const memoryLimit = Metric.gauge("onsale_redis_memory_limit_bytes", {
  description: "Memory that the server may use; 0 where there is no limit"
})

/** The numbers of `INFO` by their names. */
export const parseInfo = (text: string): ReadonlyMap<string, number> =>
  new Map(
    [...text.matchAll(/^(\w+):(\d+)\r?$/gm)].map(([, name = "", value]) => [name, Number(value)] as const)
  )

export interface RedisMetrics {
  /** The promise of `call`, which is counted. */
  readonly timed: <A>(call: () => Promise<A>) => Promise<A>
}

/** Of one connection, while the scope is open. The server is asked every 15 s while the connection stands. */
export const make = Effect.fnUntraced(function* (
  connection: string,
  client: IoRedis
): Effect.fn.Return<RedisMetrics, never, Scope.Scope> {
  const context = yield* Effect.context<never>()
  const series = DurationSeries.make(context, yield* Metric.MetricRegistry, family)
  const took = series.histogram({ connection })
  const done = series.counter({ connection, outcome: "done" })
  const failed = series.counter({ connection, outcome: "failed" })
  let info: ReadonlyMap<string, number> = new Map()
  const said = (name: string): number => info.get(name) ?? 0
  yield* Effect.addFinalizer(() => Effect.sync(series.remove))
  const scope = yield* Effect.scope
  /** With the first answer: a counter that began with nothing would have all evictions of the server's life happen then. */
  const show = Effect.all([
    ReadMetrics.counter(evicted, () => said("evicted_keys")),
    ReadMetrics.gauge(memory, () => said("used_memory")),
    ReadMetrics.gauge(memoryLimit, () => said("maxmemory"))
  ]).pipe(Scope.provide(scope))
  let told = false
  const look = Effect.suspend(() =>
    client.status === "ready" ? Effect.tryPromise(() => client.info()) : Effect.succeed("")
  ).pipe(
    Effect.flatMap((text) => {
      if (text === "") return Effect.void
      const isFirst = info.size === 0
      info = parseInfo(text)
      return isFirst ? show : Effect.void
    }),
    // One who may not ask is told of once; that it is away, the connection says itself.
    Effect.catch((error) =>
      told || client.status !== "ready"
        ? Effect.void
        : Effect.andThen(
            Effect.sync(() => void (told = true)),
            Effect.logWarning("Redis does not tell of its memory (INFO)", error.cause)
          )
    )
  )
  const pause = Effect.suspend(() => Effect.sleep(client.status === "ready" ? lookEvery : connectEvery))
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(look, pause)))

  return {
    timed: (call) => {
      const begun = performance.now()
      const answer = call()
      answer.then(
        () => {
          done.value++
          took((performance.now() - begun) / 1e3, undefined)
        },
        () => {
          failed.value++
        }
      )
      return answer
    }
  }
})
