/**
 * Copies of what a database decides, in Redis beside it (cache-aside). Redis may be emptied, slow or away: answers come
 * from the source then, later and the same (INV-10).
 *
 * What was read before a change is never kept after it. Who finds nothing takes a lease on the key, reads, and may
 * write only while the lease is there; `forget` takes away values and leases alike. So must whoever changes the source,
 * after the commit and before anybody is told.
 *
 * Where a `forget` may not have got there, and whenever the connection is a new one (Redis may have come back with an
 * old copy, and others may have died before they said what they had changed), the whole cache counts for nothing until
 * its epoch is another. A process never reads what it may owe.
 */
import {
  Clock,
  Config,
  Context,
  Deferred,
  Duration,
  Effect,
  Exit,
  Layer,
  Metric,
  Random,
  Schema
} from "effect"
import { CircuitBreaker, Redis } from "effect/persistence"
import * as Scripts from "./CacheScripts.ts"
import { layerUrl, RedisConnection } from "./Redis.ts"

export interface CacheOptions<A, E> {
  /** Part of the names of its keys, and of its metrics. */
  readonly name: string
  /** To be raised with each change of what is stored: copies of another form are never read. */
  readonly version: number
  readonly schema: Schema.Codec<A, unknown>
  /** Reads what the database has; null where there is nothing. */
  readonly source: (key: string) => Effect.Effect<A | null, E>
  readonly ttl: Duration.Duration
  /** When the source will have another value though nobody changes it, in milliseconds since 1970; no later does a copy live. */
  readonly endsAtMs?: (value: A) => number | undefined
  /** Of what is not there; short, as anybody may ask for anything. */
  readonly absentTtl: Duration.Duration
  /** Characters of the largest copy that is kept; 256 Ki when left out. */
  readonly maxSize?: number
}

export interface KeyedCache<A, E> {
  readonly get: (key: string) => Effect.Effect<A | null, E>
  /** Of what nobody asks for again: from its source, and counted as a read that found no copy. */
  readonly direct: (key: string) => Effect.Effect<A | null, E>
  /** After a change: reads that begin once this has returned show it, whatever Redis does. */
  readonly forget: (keys: ReadonlyArray<string>) => Effect.Effect<void>
  /** The same of everything. */
  readonly forgetAll: Effect.Effect<void>
  /** After a sign of somebody else's change: reads that begin later here ask the database. Costs Redis nothing now. */
  readonly doubt: (key: string) => void
}

const requests = Metric.counter("onsale_cache_requests_total", {
  description: "Reads of a cache, by what became of them",
  incremental: true
})

/** hit; miss: read and kept; joined: with another read of this process; leased: another process reads; bypassed: Redis is away or owed to, or nobody asks for it again. */
const outcomes = ["hit", "miss", "joined", "leased", "bypassed"] as const

const defaultMaxSize = 256 * 1024
/** Longer than a read of the source takes; who dies with a lease keeps nobody from reading, only from keeping. */
const leaseMs = 2_000
/** Reads of one process on their way, and keys that are in doubt: beyond these the source is asked, or all forgotten. */
const maxFlights = 10_000
const maxDoubts = 10_000
/** A Redis that is slower than this is slower than Postgres. */
const commandLimit = Duration.millis(50)
const failuresToOpen = 5
const openFor = Duration.seconds(1)
const payEvery = Duration.seconds(1)
/** So that what was kept together does not end together: a copy lives this part of its time at least. */
const shortest = 0.75

interface Service {
  /** False where there is none, and everything is read from its source. */
  readonly shared: boolean
  /** A cache of its own name; its background work lives as long as the service. */
  readonly keyed: <A, E>(options: CacheOptions<A, E>) => Effect.Effect<KeyedCache<A, E>>
}

interface Flight<A, E> {
  readonly deferred: Deferred.Deferred<A | null, E>
}

const token = Effect.map(
  Effect.all([Random.nextInt, Random.nextInt]),
  ([one, other]) => `${one.toString(36)}${other.toString(36)}`
)

export interface SharedCacheOptions {
  /** After which a command of Redis counts as failed; 50 ms when left out. */
  readonly commandLimit?: Duration.Input
}

const make = Effect.fn("SharedCache.make")(function* (options: SharedCacheOptions) {
  const limit = options.commandLimit ?? commandLimit
  const redis = yield* Redis.Redis
  const connection = yield* RedisConnection
  const scope = yield* Effect.scope
  const breaker = yield* CircuitBreaker.make({
    tripPolicy: CircuitBreaker.consecutive(failuresToOpen),
    openDuration: openFor
  })
  const guarded = <A, E>(effect: Effect.Effect<A, E>) =>
    breaker.execute(Effect.timeout(effect, limit), { key: "cache" })
  const [look, fill] = [redis.eval(Scripts.look), redis.eval(Scripts.fill)]

  const keyed = Effect.fnUntraced(function* <A, E>(options: CacheOptions<A, E>) {
    const prefix = `onsale:cache:${options.name}.${options.version}:`
    const epochKey = `${prefix}epoch`
    const json = Schema.fromJsonString(Schema.NullOr(options.schema))
    const [encode, decode] = [Schema.encodeEffect(json), Schema.decodeUnknownEffect(json)]
    const counted = Object.fromEntries(
      outcomes.map((outcome) => [
        outcome,
        Metric.update(Metric.withAttributes(requests, { cache: options.name, outcome }), 1)
      ])
    ) as Record<(typeof outcomes)[number], Effect.Effect<void>>

    const flights = new Map<string, Flight<A, E>>()
    const doubts = new Set<string>()
    /** Counts what could not be told; what is above `paid` is owed. */
    let owed = 0
    let paid = 0
    /** Of the connection over which the epoch was made. */
    let generation = -1
    let paying = false

    const owes = (): boolean => owed > paid || generation !== connection.generation()
    const owe = (): void => {
      owed++
      flights.clear()
      doubts.clear()
    }

    const pay = Effect.suspend(() => {
      if (paying) return Effect.void
      paying = true
      const [upTo, over] = [owed, connection.generation()]
      return Effect.flatMap(token, (epoch) => guarded(redis.send("SET", epochKey, epoch))).pipe(
        Effect.andThen(
          Effect.sync(() => {
            paid = Math.max(paid, upTo)
            generation = over
          })
        ),
        Effect.ignore,
        Effect.ensuring(Effect.sync(() => void (paying = false)))
      )
    })

    const direct = (key: string) => Effect.andThen(counted.bypassed, options.source(key))

    const keep = Effect.fnUntraced(function* (key: string, lease: string, epoch: string, value: A | null) {
      const text = yield* Effect.orDie(encode(value))
      if (text.length > (options.maxSize ?? defaultMaxSize)) return
      const life = Duration.toMillis(value === null ? options.absentTtl : options.ttl)
      const drawn = Math.ceil(life * (shortest + (1 - shortest) * (yield* Random.next)))
      const endsAtMs = value === null ? undefined : options.endsAtMs?.(value)
      const left = endsAtMs === undefined ? drawn : Math.ceil(endsAtMs - (yield* Clock.currentTimeMillis))
      const ttlMs = Math.min(drawn, left)
      if (ttlMs <= 0) return
      yield* Effect.ignore(guarded(fill({ key: prefix + key, epochKey, token: lease, epoch, text, ttlMs })))
    })

    const fly = Effect.fnUntraced(function* (key: string, deferred: Flight<A, E>["deferred"]) {
      const landed = (exit: Exit.Exit<A | null, E>) => {
        if (flights.get(key)?.deferred === deferred) flights.delete(key)
        return Deferred.done(deferred, exit)
      }
      const directly = Effect.flatMap(Effect.exit(direct(key)), landed)
      if (owes()) yield* pay
      if (owes()) return yield* directly
      const anew = doubts.delete(key)
      const lease = yield* token
      const said = yield* guarded(look({ key: prefix + key, epochKey, token: lease, leaseMs, anew })).pipe(
        Effect.orElseSucceed((): ReadonlyArray<string> => [])
      )
      // Not asked for anew, or perhaps not: the doubt stays.
      if (anew && said.length === 0) doubts.add(key)
      const [what, text = ""] = said
      if (what === "hit") {
        const value = yield* Effect.exit(decode(text))
        if (Exit.isSuccess(value))
          return yield* Effect.andThen(counted.hit, landed(Exit.succeed(value.value)))
        yield* Effect.logWarning(`a copy of ${options.name} in Redis is not of its form`, value.cause)
        doubts.add(key)
        return yield* directly
      }
      if (what === undefined) return yield* directly
      yield* what === "granted" ? counted.miss : counted.leased
      const exit = yield* Effect.exit(options.source(key))
      yield* landed(exit)
      if (what === "granted" && Exit.isSuccess(exit)) yield* keep(key, lease, text, exit.value)
    })

    const forget = (keys: ReadonlyArray<string>) =>
      Effect.suspend(() => {
        if (keys.length === 0) return Effect.void
        // Reads that are on their way may have read before the change.
        for (const key of keys) flights.delete(key)
        if (owes()) return Effect.sync(owe)
        const gone = guarded(redis.send("DEL", ...keys.map((key) => prefix + key)))
        return Effect.catch(Effect.asVoid(gone), () => Effect.andThen(Effect.sync(owe), pay))
      })

    // Also where nobody reads here: others might read what we could not take away.
    yield* Effect.forkIn(
      Effect.forever(
        Effect.andThen(
          Effect.sleep(payEvery),
          Effect.suspend(() => (owes() ? pay : Effect.void))
        )
      ),
      scope
    )

    const cache: KeyedCache<A, E> = {
      direct,
      forget,
      forgetAll: Effect.andThen(Effect.sync(owe), pay),
      doubt: (key) => {
        flights.delete(key)
        if (doubts.size < maxDoubts) doubts.add(key)
        else owe()
      },
      get: (key) =>
        Effect.suspend(() => {
          const flight = flights.get(key)
          if (flight !== undefined) return Effect.andThen(counted.joined, Deferred.await(flight.deferred))
          if (flights.size >= maxFlights) return direct(key)
          const deferred = Deferred.makeUnsafe<A | null, E>()
          flights.set(key, { deferred })
          // Of nobody alone: who goes away does not end it for the others.
          return Effect.andThen(
            Effect.forkIn(
              fly(key, deferred).pipe(
                Effect.onExit((exit) =>
                  Exit.isFailure(exit) ? Deferred.failCause(deferred, exit.cause) : Effect.void
                )
              ),
              scope
            ),
            Deferred.await(deferred)
          )
        })
    }
    return cache
  })

  return { shared: true, keyed } satisfies Service
})

const none: Service = {
  shared: false,
  keyed: ({ source }) =>
    Effect.succeed({
      get: source,
      direct: source,
      forget: () => Effect.void,
      forgetAll: Effect.void,
      doubt: () => undefined
    })
}

/** Without a layer there is no cache: everything is read from its source. */
export const SharedCache = Context.Reference<Service>("@onsale/platform/SharedCache", {
  defaultValue: () => none
})

/** Over the library's `Redis` and `RedisConnection` of the caller. */
export const layerOver = (options: SharedCacheOptions) =>
  Layer.effect(SharedCache, make(options)).pipe(Layer.provide(CircuitBreaker.layerStoreMemory()))

/**
 * Over a connection of its own to the server of the configuration: what others do on theirs does not make it late.
 * `ONSALE_CACHE_LIMIT` is how long it waits for Redis, 50 ms when left out.
 */
export const layer = Layer.unwrap(
  Effect.map(
    Config.all({
      url: Config.Redacted("ONSALE_REDIS_URL"),
      limit: Config.Duration("ONSALE_CACHE_LIMIT").pipe(Config.withDefault(commandLimit))
    }),
    ({ limit, url }) =>
      layerOver({ commandLimit: limit }).pipe(
        Layer.provide(layerUrl({ url, commandTimeout: limit, name: "cache" }))
      )
  )
)
