/**
 * A consumer of a group on Redis Streams: it says that it is alive, takes its share of the partitions by
 * leases, and of each first what a dead owner left, then what is new.
 *
 * A lease lasts 5 s and is renewed every 1.5 s. A consumer that could not renew begins nothing more once it
 * has run out, and drops the partition; one that was frozen finds out when it wakes. What either had begun may
 * still be running while the new owner does it again.
 */
import { Clock, Deferred, Duration, Effect, Exit, Latch, Metric, Queue, Scope } from "effect"
import type { Redis } from "effect/persistence"
import * as CloudEvent from "./CloudEvent.ts"
import { type ConsumeOptions, EventBusError } from "./EventBus.ts"
import * as EventAges from "./EventAges.ts"
import * as Lanes from "./EventBusLanes.ts"
import * as EventBusMetrics from "./EventBusMetrics.ts"
import * as Scripts from "./EventBusRedisScripts.ts"
import { shareOf } from "./Partitions.ts"

const leaseMs = 5_000
const renewEvery = Duration.millis(1_500)
/** When the news of an event got lost, as while their connection is made anew. */
const lookEvery = Duration.seconds(1)
/** Events in one answer: some 100 kB. */
const mostInARead = 64
/** Dead letters of a group and topic; then the next one holds its stream back. */
const maxDeadLetters = 10_000

export const toBusError = (cause: Redis.RedisError) =>
  new EventBusError({ reason: "Unavailable", message: String(cause.cause), cause })

interface Message extends Lanes.Message {
  readonly entry: string
  readonly reclaimed: boolean
}

interface Acknowledgements {
  readonly entries: Array<string>
  readonly done: Deferred.Deferred<void, Redis.RedisError>
}

interface Owned {
  readonly scope: Scope.Closeable
  readonly news: Latch.Latch
}

export const consumeTopic = Effect.fnUntraced(function* <E, R>(
  redis: Redis.Redis["Service"],
  topic: string,
  partitions: number,
  options: ConsumeOptions<E, R>,
  measureLag: Effect.Effect<number, EventBusError>
) {
  const { group } = options
  const keys = Scripts.keys(topic)
  const id = crypto.randomUUID()
  const context = yield* Effect.context<R>()
  const slots = yield* Lanes.makeSlots(options)
  const ages = yield* EventAges.make(topic, group)
  const own = yield* Effect.scope
  const owned = new Map<number, Owned>()
  let leasedUntilMs = 0

  const run = {
    meet: Scripts.evaluate(redis, Scripts.meet),
    lease: Scripts.evaluate(redis, Scripts.lease),
    release: Scripts.evaluate(redis, Scripts.release),
    read: Scripts.evaluate(redis, Scripts.read),
    reclaim: Scripts.evaluate(redis, Scripts.reclaim),
    bury: Scripts.evaluate(redis, Scripts.bury)
  }

  /** Those of one turn of the loop in one command. */
  const acknowledging = (partition: string, scope: Scope.Scope) => {
    let next: Acknowledgements | undefined
    const send = Effect.suspend(() => {
      const entries = next?.entries ?? []
      next = undefined
      return redis.send("XACK", partition, group, ...entries)
    })
    return (entry: string) =>
      Effect.suspend(() => {
        if (next !== undefined) {
          next.entries.push(entry)
          return Deferred.await(next.done)
        }
        const done = Deferred.makeUnsafe<void, Redis.RedisError>()
        next = { entries: [entry], done }
        return Effect.yieldNow.pipe(
          Effect.andThen(send),
          Effect.asVoid,
          Deferred.into(done),
          Effect.forkIn(scope),
          Effect.andThen(Deferred.await(done))
        )
      })
  }

  const settleOn = (partition: string, scope: Scope.Scope): Lanes.Settle<Message> => {
    const acknowledge = acknowledging(partition, scope)
    const field = (message: Message) => `${partition} ${message.entry}`
    const forget = (message: Message) =>
      message.reclaimed ? redis.send("HDEL", keys.begun(group), field(message)) : Effect.void
    return {
      beginning: Effect.fnUntraced(function* (message: Message) {
        if ((yield* Clock.currentTimeMillis) >= leasedUntilMs) return yield* Effect.never
        // Counted only here: on the first delivery an attempt costs no round to Redis.
        if (message.reclaimed) {
          yield* Effect.mapError(redis.send("HINCRBY", keys.begun(group), field(message), "1"), toBusError)
        }
      }),
      handled: (message) =>
        acknowledge(message.entry).pipe(
          Effect.andThen(forget(message)),
          Effect.mapError(toBusError),
          Effect.asVoid
        ),
      dead: Effect.fnUntraced(function* (message: Message, attempts: number, error: string) {
        const diedAtMs = yield* Clock.currentTimeMillis
        const event = CloudEvent.encode(message.event)
        const done = yield* run
          .bury(partition, keys.dead(group), {
            group,
            id: message.entry,
            most: maxDeadLetters,
            event,
            attempts,
            error,
            diedAtMs
          })
          .pipe(Effect.tap(forget(message)), Effect.mapError(toBusError))
        if (done === 0) {
          return yield* new EventBusError({
            reason: "Full",
            message: `${group} has ${maxDeadLetters} dead letters of ${topic}`
          })
        }
      })
    }
  }

  const decode = Effect.fnUntraced(function* (entry: Scripts.StoredEntry, begun?: number) {
    const [at, fields] = entry
    const found = Scripts.fieldsOf(fields)
    // What is not ours to understand was not put there by us: that is a mistake, to be seen and not skipped.
    const event = yield* Effect.orDie(CloudEvent.decode(found.get("e")))
    const addressee = found.get("for")
    return {
      event,
      entry: at,
      earlier: begun ?? 0,
      reclaimed: begun !== undefined,
      replayed: addressee === group,
      skip: addressee !== undefined && addressee !== group
    } satisfies Message
  })

  /** Works on a partition until its scope ends, or the lease turns out to be another's. */
  const work = Effect.fnUntraced(function* (partition: number, news: Latch.Latch) {
    const key = keys.partition(partition)
    const lease = keys.lease(group, partition)
    const offer = yield* Lanes.make(
      topic,
      { ...options, handle: (delivery) => Effect.provideContext(options.handle(delivery), context) },
      slots,
      ages,
      settleOn(key, yield* Effect.scope)
    )
    const count = Math.min(options.inFlight ?? mostInARead, mostInARead)
    let from = "0-0"
    while (true) {
      const left = yield* run.reclaim(key, lease, keys.begun(group), id, group, from, count)
      if (left === null) return
      for (const [i, entry] of left[1].entries()) yield* offer(yield* decode(entry, left[2][i] ?? 0))
      from = left[0]
      if (from === "0-0") break
    }
    while (true) {
      news.closeUnsafe()
      const entries = yield* run.read(key, lease, id, group, count)
      if (entries === null) return
      for (const entry of entries) yield* offer(yield* decode(entry))
      // What came after that has opened the latch.
      if (entries.length < count) yield* Effect.timeoutOption(news.await, lookEvery)
    }
  })

  const drop = Effect.fnUntraced(function* (partition: number) {
    const was = owned.get(partition)
    owned.delete(partition)
    if (was !== undefined) yield* Scope.close(was.scope, Exit.void)
  })

  const take = Effect.fnUntraced(function* (partition: number) {
    if (owned.has(partition)) return
    const scope = yield* Scope.fork(own)
    const news = yield* Latch.make()
    owned.set(partition, { scope, news })
    // A partition that cannot be read is dropped, and taken again with what it has left open.
    yield* work(partition, news).pipe(
      Effect.catchCause((cause) =>
        Effect.logWarning(`bus ${topic}: ${group} cannot read partition ${partition}`, cause)
      ),
      Effect.andThen(Effect.forkIn(drop(partition), own)),
      Effect.forkIn(scope),
      Scope.provide(scope)
    )
  })

  /** Renews what we have, takes what we should have, gives back the rest. */
  const tend = Effect.gen(function* () {
    const beforeMs = yield* Clock.currentTimeMillis
    // Its lanes have stopped, and another may have had it since.
    if (beforeMs >= leasedUntilMs) yield* Effect.forEach([...owned.keys()], drop, { discard: true })
    const members = yield* run.meet(keys.members(group), id, leaseMs)
    const share = new Set(shareOf(id, members, partitions))
    for (const partition of owned.keys()) {
      if (share.has(partition)) continue
      yield* drop(partition)
      yield* run.release(keys.lease(group, partition), id)
    }
    const wanted = [...share]
    const mine = yield* run.lease(
      wanted.map((partition) => keys.lease(group, partition)),
      id,
      leaseMs
    )
    leasedUntilMs = beforeMs + leaseMs
    for (const [i, partition] of wanted.entries()) {
      yield* mine[i] === 1 ? take(partition) : drop(partition)
    }
    // One of the group is enough.
    if (!owned.has(0)) return
    yield* Metric.update(Metric.withAttributes(EventBusMetrics.lag, { topic, group }), yield* measureLag)
    yield* Metric.update(
      Metric.withAttributes(EventBusMetrics.deadLetters, { topic, group }),
      yield* redis.send<number>("XLEN", keys.dead(group))
    )
  }).pipe(
    Effect.catchCause((cause) =>
      Effect.gen(function* () {
        yield* Effect.logDebug(`bus ${topic}: ${group} cannot renew its leases`, cause)
        if ((yield* Clock.currentTimeMillis) < leasedUntilMs) return
        yield* Effect.forEach([...owned.keys()], drop, { discard: true })
      })
    )
  )

  yield* Effect.addFinalizer(() =>
    Effect.gen(function* () {
      const had = [...owned.keys()]
      yield* Effect.forEach(had, drop, { discard: true })
      yield* redis.send("ZREM", keys.members(group), id)
      yield* Effect.forEach(had, (partition) => run.release(keys.lease(group, partition), id), {
        discard: true
      })
    }).pipe(Effect.timeoutOption("1 second"), Effect.ignore)
  )

  const listen = Effect.gen(function* () {
    const messages = yield* redis.subscribe(keys.news)
    // What was published before went unheard.
    for (const { news } of owned.values()) news.openUnsafe()
    yield* Effect.forever(
      Effect.map(Queue.take(messages), ({ message }) => owned.get(Number(message))?.news.openUnsafe())
    )
  }).pipe(Effect.scoped, Effect.ignoreCause, Effect.andThen(Effect.sleep(renewEvery)), Effect.forever)

  yield* tend
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(renewEvery), tend)))
  yield* Effect.forkScoped(listen)
})
