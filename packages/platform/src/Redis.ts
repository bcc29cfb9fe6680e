/**
 * Redis over ioredis: one shared connection, and the library's `Redis` service on it, so that its
 * `RateLimiter`, `CircuitBreaker` and `PersistedQueue` run here.
 *
 * Redis never decides anything (INV-10), so it is never waited for: nothing is queued while there is no
 * connection, a command that a lost connection leaves open fails at once, and one that is not answered
 * fails after `commandTimeout`. All of these are the library's `RedisError`. It connects again by itself,
 * with pauses that grow to a second.
 */
import {
  Config,
  Context,
  Deferred,
  Duration,
  Effect,
  FiberHandle,
  Layer,
  Random,
  Redacted,
  Schedule,
  Schema
} from "effect"
import { Redis } from "effect/persistence"
import { Redis as IoRedis, type RedisOptions as IoRedisOptions } from "ioredis"
import * as RedisMetrics from "./RedisMetrics.ts"

/** What the configuration says is no address of a Redis; without its password. */
export class RedisUrlInvalid extends Schema.TaggedError<RedisUrlInvalid>()("RedisUrlInvalid", {
  message: Schema.String
}) {}

export interface RedisOptions {
  /** `redis://user:password@host:port/number`, or `rediss://` for TLS. */
  readonly url: Redacted.Redacted<string>
  /** After which a command counts as failed; it may have been carried out. 500 ms when left out. */
  readonly commandTimeout?: Duration.Input | undefined
  /** What its metrics call the connection; "shared" when left out. */
  readonly name?: string
  /** How long the start waits for the first connection before it goes on without. 1 s when left out. */
  readonly connectLimit?: Duration.Input | undefined
}

/** A hundred times what Redis takes on a busy day. Who waits longer would be faster without it. */
const defaultCommandTimeout = Duration.millis(500)
const defaultConnectLimit = Duration.seconds(1)
const firstPauseMs = 50
/** So that a Redis that is back is used again within moments. */
const longestPauseMs = 1_000

/** The connection itself, beside the library's service. */
export class RedisConnection extends Context.Service<
  RedisConnection,
  {
    readonly use: <A>(f: (client: IoRedis) => Promise<A>) => Effect.Effect<A, Redis.RedisError>
    /**
     * Counts the connections that were made. When it has gone up, Redis may have been restarted, emptied,
     * restored from an old copy or replaced: what was written to it before may be gone, or older than it was.
     */
    readonly generation: () => number
  }
>()("@onsale/platform/Redis/RedisConnection") {}

const toError = (cause: unknown) => new Redis.RedisError({ cause })

/** What is sent in one turn leaves in one write: at a thousand commands a second those are a twentieth of a full thread. */
const gather = ({ stream }: IoRedis): void => {
  // There is none before the first connection.
  if (stream === undefined || stream.writableCorked > 0) return
  stream.cork()
  process.nextTick(() => stream.uncork())
}

const sendWith =
  (client: IoRedis, timed: RedisMetrics.RedisMetrics["timed"] = (call) => call()) =>
  <A = unknown>(command: string, ...args: ReadonlyArray<string>): Effect.Effect<A, Redis.RedisError> =>
    Effect.tryPromise({
      try: () => {
        gather(client)
        return timed(() => client.call(command, ...args) as Promise<A>)
      },
      catch: toError
    })

const checkUrl = (url: Redacted.Redacted<string>): Effect.Effect<string, RedisUrlInvalid> =>
  Effect.try({
    try: () => {
      const { protocol } = new URL(Redacted.value(url))
      if (protocol !== "redis:" && protocol !== "rediss:") throw new Error("not redis")
      return Redacted.value(url)
    },
    catch: () =>
      new RedisUrlInvalid({
        message: "the Redis URL is not of the form redis://user:password@host:port/number"
      })
  })

const make = Effect.fn("Redis.make")(function* (options: RedisOptions) {
  const url = yield* checkUrl(options.url)
  const random = yield* Random.Random
  const runFork = Effect.runForkWith(yield* Effect.context<never>())
  const pause = (attempt: number) =>
    Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(attempt, 10)) *
    (0.75 + random.nextDoubleUnsafe() / 4)
  const settings = {
    lazyConnect: true,
    // The shapes of replies that the library's modules are written for.
    protocol: 2,
    connectionName: "onsale",
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 2_000,
    commandTimeout: Duration.toMillis(
      Duration.fromInputUnsafe(options.commandTimeout ?? defaultCommandTimeout)
    ),
    retryStrategy: pause
  } satisfies IoRedisOptions

  let generation = 0
  let away = false
  const connected = yield* Deferred.make<void>()
  // A client without a listener for its errors ends the process; each of our commands reports its own.
  const watch = (client: IoRedis) =>
    client.on("error", (cause: unknown) => {
      if (away) return
      away = true
      runFork(Effect.logWarning(`Redis is away, we go on without it: ${String(cause)}`))
    })

  const client = yield* Effect.acquireRelease(
    Effect.sync(() => new IoRedis(url, settings)),
    (client) => Effect.sync(() => client.disconnect())
  )
  watch(client)
  const { timed } = yield* RedisMetrics.make(options.name ?? "shared", client)
  client.on("ready", () => {
    generation++
    if (away) runFork(Effect.logInfo("Redis is there again"))
    away = false
    Deferred.doneUnsafe(connected, Effect.void)
  })
  // Whether it is there now is not our start's business: it is tried again for as long as we live.
  yield* Effect.sync(() => void client.connect().catch(() => undefined))
  yield* Effect.timeoutOption(Deferred.await(connected), options.connectLimit ?? defaultConnectLimit)

  const dedicated = Effect.fnUntraced(function* (settings: IoRedisOptions) {
    const connection = client.duplicate(settings)
    watch(connection)
    yield* Effect.tryPromise({ try: () => connection.connect(), catch: toError }).pipe(
      Effect.onError(() => Effect.sync(() => connection.disconnect()))
    )
    return connection
  })

  const redis = yield* Redis.make({
    send: sendWith(client, timed),
    // For commands that block: no time limit but the caller's, and a connection that is lost stays lost.
    connect: Effect.map(
      dedicated({ commandTimeout: undefined, retryStrategy: () => null }),
      (connection) => ({
        send: sendWith(connection),
        close: Effect.sync(() => connection.disconnect())
      })
    ),
    subscribe: Effect.fnUntraced(function* (channel, onMessage) {
      const ended = yield* Deferred.make<void, Redis.RedisError>()
      const resubscribe = yield* FiberHandle.makeRuntime<never, void>()
      /** Where the connection is gone, the next one subscribes; one that lives and refuses is asked again. */
      const again = (subscriber: IoRedis) =>
        Effect.tryPromise({ try: () => subscriber.subscribe(channel), catch: toError }).pipe(
          Effect.tapError((error) =>
            subscriber.status === "ready"
              ? Effect.logWarning(`Redis does not let us hear of ${channel}, we ask again`, error.cause)
              : Effect.void
          ),
          Effect.retry({ schedule: Schedule.spaced("1 second"), while: () => subscriber.status === "ready" }),
          Effect.ignore
        )
      yield* Effect.acquireRelease(
        // We subscribe again after a lost connection, as the client's own way of it has a rejection that nobody can catch, and
        // that ends the process, where the new connection is lost at once.
        dedicated({ retryStrategy: pause, autoResubscribe: false }).pipe(
          Effect.tap((subscriber) =>
            Effect.tryPromise({
              try: () => {
                subscriber.on("message", (from, message) => onMessage({ channel: from, message }))
                subscriber.on("end", () =>
                  Deferred.doneUnsafe(ended, Effect.fail(toError(new Error("the subscription has ended"))))
                )
                subscriber.on("ready", () => void resubscribe(again(subscriber)))
                return subscriber.subscribe(channel)
              },
              catch: toError
            }).pipe(Effect.onError(() => Effect.sync(() => subscriber.disconnect())))
          )
        ),
        (subscriber) => Effect.sync(() => subscriber.disconnect())
      )
      return Deferred.await(ended)
    }),
    pool: { acquireTimeout: Duration.seconds(5) }
  })

  const connection = RedisConnection.of({
    use: (f) =>
      Effect.tryPromise({
        try: () => {
          gather(client)
          return timed(() => f(client))
        },
        catch: toError
      }),
    generation: () => generation
  })
  return Context.make(RedisConnection, connection).pipe(Context.add(Redis.Redis, redis))
})

/**
 * `RedisConnection` and the library's `Redis` for a server that the caller chose. A Redis that is away does
 * not fail it: commands do, until it is there.
 */
export const layerUrl = (
  options: RedisOptions
): Layer.Layer<RedisConnection | Redis.Redis, RedisUrlInvalid> => Layer.effectContext(make(options))

/** `ONSALE_REDIS_URL`, and `ONSALE_REDIS_COMMAND_TIMEOUT` (500 ms). */
const config = Config.all({
  url: Config.Redacted("ONSALE_REDIS_URL"),
  commandTimeout: Config.Duration("ONSALE_REDIS_COMMAND_TIMEOUT").pipe(
    Config.withDefault(defaultCommandTimeout)
  )
})

/** The same for the server that the configuration names. */
export const layer: Layer.Layer<RedisConnection | Redis.Redis, RedisUrlInvalid | Config.ConfigError> =
  Layer.unwrap(Effect.map(config, layerUrl))
