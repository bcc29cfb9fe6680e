/**
 * The event bus on Redis Streams, of Redis 7 or later: a stream for each partition of a topic, consumer groups,
 * leases on partitions so that a stream has one consumer of a group at a time, dead letters in a stream of
 * their own.
 *
 * Redis may be emptied at any moment (INV-10), so what was published is settled when every group has
 * acknowledged it, and until then it is lost if the connection is: a publisher with a cursor publishes it again.
 * Dead letters count as acknowledged and are lost with an emptied Redis: give it a disk (`appendonly yes`) and
 * `maxmemory-policy noeviction` where they matter.
 *
 * Bound: a partition keeps what every group has acknowledged for a minute, and `backlog` events in all. At the bound
 * those that every group has acknowledged go, and then the publisher waits; an event that a group has not
 * acknowledged never goes. A group counts once a consumer
 * of it has been there: of a topic without any group the oldest events go. A group that Redis has forgotten
 * is waited for until it is back, by all who have seen it.
 */
import { Clock, Duration, Effect, Layer } from "effect"
import { Redis } from "effect/persistence"
import * as CloudEvent from "./CloudEvent.ts"
import { type DeadLetter, defaultPartitions, EventBus, EventBusError } from "./EventBus.ts"
import * as EventBusMetrics from "./EventBusMetrics.ts"
import { consumeTopic, toBusError } from "./EventBusRedisConsumer.ts"
import * as Scripts from "./EventBusRedisScripts.ts"
import * as KnownGroups from "./KnownGroups.ts"
import { partitionOf } from "./Partitions.ts"
import { RedisConnection } from "./Redis.ts"

/** Some 10 MB of events a partition. */
const defaultBacklog = 10_000
/** For a group that starts for the first time, later than others: it reads what is kept. */
const defaultKeep = Duration.minutes(1)
/** A consumer that starts with us makes its group within a second or two. */
const defaultGrace = Duration.seconds(10)
/** Between two looks whether there is room again, and whether all groups have acknowledged. */
const lookEveryMs = 100
const roomLooks = 20

const toLetter = Effect.fnUntraced(function* ([id, fields]: Scripts.StoredEntry) {
  const found = Scripts.fieldsOf(fields)
  return {
    id,
    event: yield* Effect.orDie(CloudEvent.decode(found.get("e"))),
    attempts: Number(found.get("attempts")),
    error: found.get("error") ?? "",
    diedAtMs: Number(found.get("diedAtMs"))
  } satisfies DeadLetter
})

export interface Options {
  readonly partitions?: number | undefined
  /** Events that a partition keeps at most; 10,000 when left out. */
  readonly backlog?: number | undefined
  /**
   * How long after the start nothing counts as settled, for all groups to have come back to a Redis that was
   * emptied while nobody was there to remember them; 10 s when left out.
   */
  readonly groupsAppearWithin?: Duration.Input | undefined
  /** How long events are kept that every group has acknowledged; a minute when left out. */
  readonly keepSettledFor?: Duration.Input | undefined
}

const lost = new EventBusError({
  reason: "Lost",
  message: "Redis was away before all had been acknowledged"
})

const make = Effect.fnUntraced(function* (options: Options) {
  const redis = yield* Redis.Redis
  const connection = yield* RedisConnection
  const partitions = options.partitions ?? defaultPartitions
  const run = {
    publish: Scripts.evaluate(redis, Scripts.publish),
    settled: Scripts.evaluate(redis, Scripts.settled),
    revive: Scripts.evaluate(redis, Scripts.revive)
  }

  const keepMs = Duration.toMillis(Duration.fromInputUnsafe(options.keepSettledFor ?? defaultKeep))

  /** `settled`: the last id of each partition of which this publisher knows that it is settled. */
  const append = (
    topic: string,
    session: string,
    settled: ReadonlyMap<string, string>,
    partition: number,
    events: ReadonlyArray<string>
  ) => {
    const keys = Scripts.keys(topic)
    return run
      .publish(
        keys.partition(partition),
        keys.session(session),
        keys.news,
        partition,
        options.backlog ?? defaultBacklog,
        { upTo: settled.get(keys.partition(partition)) ?? "", keepMs },
        events
      )
      .pipe(
        Effect.mapError(toBusError),
        Effect.flatMap((id) => {
          if (id === "lost") return Effect.fail(lost)
          if (id !== null) return Effect.succeed([keys.partition(partition), id] as const)
          const message = `a group is too far behind in partition ${partition} of ${topic}`
          return Effect.fail(new EventBusError({ reason: "Full", message }))
        }),
        Effect.tapError((error) => (error.reason === "Full" ? Effect.sleep(lookEveryMs) : Effect.void)),
        Effect.retry({ times: roomLooks, while: (error) => error.reason === "Full" })
      )
  }

  const startedAtMs = yield* Clock.currentTimeMillis
  const graceMs = Duration.toMillis(Duration.fromInputUnsafe(options.groupsAppearWithin ?? defaultGrace))
  const groups = new Map<string, ReturnType<typeof KnownGroups.make>>()
  const groupsOf = (topic: string) => {
    const known = groups.get(topic) ?? KnownGroups.make()
    groups.set(topic, known)
    return known
  }

  const settlement = Effect.fnUntraced(function* (
    topic: string,
    generation: number,
    receipts: ReadonlyArray<readonly [partition: string, id: string]>,
    publishedAtMs: number,
    settledUpTo: Map<string, string>
  ) {
    const known = groupsOf(topic)
    // A look before any group can have handled it is for nothing, but where it is the first: a group that was never seen
    // is not waited for when Redis is emptied.
    if (receipts.every(([partition]) => known.knows(partition, generation))) {
      const nowMs = yield* Clock.currentTimeMillis
      yield* Effect.sleep(Math.max(0, Math.min(lookEveryMs, publishedAtMs + lookEveryMs - nowMs)))
    }
    for (const [partition, id] of receipts) {
      while (true) {
        if (connection.generation() !== generation) return yield* lost
        const [state, ...present] = yield* Effect.mapError(run.settled(partition, id), toBusError)
        // Asked after the answer: it may have come from a Redis that was emptied.
        if (state < 0 || connection.generation() !== generation) return yield* lost
        const complete = known.complete(partition, generation, present)
        const nowMs = yield* Clock.currentTimeMillis
        if (state > 0 && complete && nowMs - startedAtMs >= graceMs) break
        yield* Effect.sleep(lookEveryMs)
      }
      settledUpTo.set(partition, id)
    }
  })

  const lag = Effect.fnUntraced(function* (topic: string, group: string) {
    const keys = Scripts.keys(topic)
    const lags = yield* Effect.forEach(
      Array.from({ length: partitions }, (_, partition) => keys.partition(partition)),
      (key) =>
        Effect.gen(function* () {
          const groups = yield* redis.send<ReadonlyArray<ReadonlyArray<string>>>("XINFO", "GROUPS", key)
          const found = groups.map(Scripts.fieldsOf).find((each) => each.get("name") === group)
          if (found === undefined) return 0
          const behind = found.get("lag") ?? (yield* redis.send<number>("XLEN", key))
          return Number(behind) + Number(found.get("pending"))
        }).pipe(
          // Nothing was published there yet.
          Effect.catchIf(
            (error) => String(error.cause).includes("no such key"),
            () => Effect.succeed(0)
          )
        ),
      { concurrency: "unbounded" }
    )
    return lags.reduce((sum, each) => sum + each, 0)
  }, Effect.mapError(toBusError))

  return EventBus.of({
    reach: "cluster",
    // By whoever comes: the groups of other processes are not known here.
    wanted: () => Effect.succeed(true),
    publisher: Effect.fn("EventBus.publisher")(function* (topic) {
      const generation = connection.generation()
      const session = crypto.randomUUID()
      yield* redis
        .send("SET", Scripts.keys(topic).session(session), "", "PX", String(Scripts.sessionMs))
        .pipe(Effect.mapError(toBusError))
      const settledUpTo = new Map<string, string>()
      const publish = Effect.fn("EventBus.publish")(function* (events: ReadonlyArray<CloudEvent.CloudEvent>) {
        if (connection.generation() !== generation) return yield* lost
        const parts = new Map<number, Array<string>>()
        for (const event of events) {
          const partition = partitionOf(event.subject, partitions)
          const part = parts.get(partition) ?? []
          part.push(CloudEvent.encode(event))
          parts.set(partition, part)
        }
        const receipts = yield* Effect.forEach(
          parts,
          ([partition, part]) => append(topic, session, settledUpTo, partition, part),
          { concurrency: "unbounded" }
        )
        yield* EventBusMetrics.countPublished(topic, events.length)
        return settlement(topic, generation, receipts, yield* Clock.currentTimeMillis, settledUpTo)
      })
      return { publish }
    }),

    consume: Effect.fn("EventBus.consume")(function* (options) {
      yield* Effect.forEach(
        options.topics,
        (topic) => consumeTopic(redis, topic, partitions, options, lag(topic, options.group)),
        { discard: true }
      )
    }),

    deadLetters: Effect.fn("EventBus.deadLetters")(function* (topic, group, limit) {
      const entries = yield* redis
        .send<ReadonlyArray<Scripts.StoredEntry>>(
          "XRANGE",
          Scripts.keys(topic).dead(group),
          "-",
          "+",
          "COUNT",
          String(limit)
        )
        .pipe(Effect.mapError(toBusError))
      return yield* Effect.forEach(entries, toLetter)
    }),

    replay: Effect.fn("EventBus.replay")(function* (topic, group, id) {
      const keys = Scripts.keys(topic)
      const [found] = yield* redis
        .send<ReadonlyArray<Scripts.StoredEntry>>("XRANGE", keys.dead(group), id, id)
        .pipe(Effect.mapError(toBusError))
      if (found === undefined) return false
      const { event } = yield* toLetter(found)
      const partition = partitionOf(event.subject, partitions)
      const revived = yield* run
        .revive(
          keys.partition(partition),
          keys.dead(group),
          keys.news,
          id,
          CloudEvent.encode(event),
          group,
          partition
        )
        .pipe(Effect.mapError(toBusError))
      return revived === 1
    }),

    lag: (topic, group) => lag(topic, group)
  })
})

export const layer = (options: Options = {}): Layer.Layer<EventBus, never, Redis.Redis | RedisConnection> =>
  Layer.effect(EventBus, make(options))
