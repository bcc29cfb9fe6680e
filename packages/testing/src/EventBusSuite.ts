/** What every event bus must do, whatever carries its events. */
import { assert, layer as testLayer } from "@effect/vitest"
import type { CloudEvent } from "@onsale/platform/CloudEvent"
import type { ConsumeOptions, Delivery, EventBus } from "@onsale/platform/EventBus"
import { Context, Deferred, Effect, Exit, Fiber, Layer, References, Schedule, Scope } from "effect"
import { valueOf } from "./MetricValue.ts"
import { pollUntil } from "./Poll.ts"

/** The carrier under test. */
export class Broker extends Context.Service<
  Broker,
  {
    /** A bus as a process of its own would have it. `backlog`: events that a partition keeps for a group, at most. */
    readonly connect: (options?: {
      readonly backlog?: number
    }) => Effect.Effect<EventBus["Service"], unknown, Scope.Scope>
    /** A consumer whose handler never ends, and that ends without a word, as by kill -9. */
    readonly victim: (
      topic: string,
      group: string
    ) => Effect.Effect<
      { readonly began: Effect.Effect<number>; readonly kill: Effect.Effect<void> },
      unknown,
      Scope.Scope
    >
    /** Ends the broker as a crash would, and starts it again. */
    readonly kill: Effect.Effect<void, unknown>
    readonly start: Effect.Effect<void, unknown>
  }
>()("@onsale/testing/EventBusSuite/Broker") {}

export interface Traits {
  /** There is a broker to kill. */
  readonly broker: boolean
  /** A group that is too far behind holds the publisher back; else the broker keeps what it is behind on disk. */
  readonly holdsBack: boolean
}

let topics = 0
const newTopic = () => `suite-${process.pid}-${++topics}`

const event = (subject: string, sequence: number, data: CloudEvent["data"] = sequence): CloudEvent => ({
  specversion: "1.0",
  id: `${subject}.${sequence}`,
  source: "suite",
  type: sequence % 2 === 0 ? "even" : "odd",
  subject,
  time: "2026-11-26T12:00:00.000Z",
  datacontenttype: "application/json",
  sequence,
  correlationid: `correlation of ${subject}`,
  data
})

/** The events `from` to `to` of each of as many streams, as they are committed: mixed. */
const mixed = (streams: number, from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i).flatMap((sequence) =>
    Array.from({ length: streams }, (_, n) => event(`stream-${n}`, sequence))
  )

const sequences = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

/** What a group was given, repeats left out, by stream. */
const journalOf = () => {
  const seen = new Set<string>()
  const streams = new Map<string, Array<number>>()
  const deliveries: Array<Delivery> = []
  return {
    deliveries,
    streams,
    count: () => seen.size,
    note: (delivery: Delivery) => {
      deliveries.push(delivery)
      const { id, subject, sequence } = delivery.event
      if (seen.has(id)) return
      seen.add(id)
      streams.set(subject, [...(streams.get(subject) ?? []), sequence])
    }
  }
}
type Seen = ReturnType<typeof journalOf>

/** Nothing is missing, and what came first of each event came in order. */
const assertAll = (seen: Seen, streams: number, to: number) => {
  assert.strictEqual(seen.streams.size, streams)
  for (const [stream, got] of seen.streams) assert.deepStrictEqual(got, sequences(1, to), stream)
}

const note = (seen: Seen) => (delivery: Delivery) => Effect.sync(() => seen.note(delivery))

const quick = { backoff: "5 millis", maxBackoff: "20 millis" } as const
const patient = { deadline: "45 seconds" } as const

/** The same batch again until the bus has taken it. */
const insist = (bus: EventBus["Service"], topic: string, events: ReadonlyArray<CloudEvent>) =>
  Effect.flatMap(bus.publisher(topic), ({ publish }) => publish(events)).pipe(
    Effect.retry(Schedule.spaced("50 millis"))
  )

/** As a relay does: with a cursor that moves when a batch is settled, and from which all is published again. */
const relay = Effect.fnUntraced(function* (
  bus: EventBus["Service"],
  topic: string,
  batches: ReadonlyArray<ReadonlyArray<CloudEvent>>
) {
  let cursor = 0
  while (cursor < batches.length) {
    const run = Effect.gen(function* () {
      const { publish } = yield* bus.publisher(topic)
      const receipts = yield* Effect.forEach(batches.slice(cursor), (batch) =>
        publish(batch).pipe(
          Effect.retry({ schedule: Schedule.spaced("50 millis"), while: ({ reason }) => reason !== "Lost" })
        )
      )
      for (const settled of receipts) {
        yield* settled
        cursor++
      }
    })
    yield* Effect.ignore(run)
  }
})

const consume = (bus: EventBus["Service"], options: ConsumeOptions<unknown, never>) =>
  Effect.gen(function* () {
    const scope = yield* Scope.fork(yield* Effect.scope)
    yield* Scope.provide(bus.consume({ ...quick, ...options }), scope)
    return Scope.close(scope, Exit.void)
  })

/** Declares the whole suite. */
export const suite = <E>(name: string, broker: Layer.Layer<Broker, E>, traits: Traits): void =>
  testLayer(broker.pipe(Layer.provideMerge(Layer.succeed(References.MinimumLogLevel, "None"))), {
    excludeTestServices: true,
    timeout: "120 seconds"
  })(name, (it) => {
    const test = (
      title: string,
      run: (topic: string) => Effect.Effect<void, unknown, Broker | Scope.Scope>,
      // What only a bus with a broker of its own can be asked.
      applies = true
    ) => {
      if (applies) it.effect(title, () => Effect.suspend(() => run(newTopic())), 90_000)
    }

    test(
      "an event arrives as it was published",
      Effect.fnUntraced(function* (topic) {
        const bus = yield* (yield* Broker).connect()
        const seen = journalOf()
        yield* consume(bus, { group: "readers", topics: [topic], handle: note(seen) })
        const sent = event("one", 7, { text: 'é \u2028 "', list: [1, null, true] })
        yield* yield* insist(bus, topic, [sent])
        yield* pollUntil(Effect.sync(seen.count), (count) => count === 1, patient)
        assert.deepStrictEqual(seen.deliveries[0], { event: sent, attempt: 1, replayed: false })
      })
    )

    test(
      "two consumers of a group share the streams, and each stream is in order",
      Effect.fnUntraced(function* (topic) {
        const broker = yield* Broker
        const seen = journalOf()
        const handled = [0, 0]
        for (const n of [0, 1]) {
          yield* consume(yield* broker.connect(), {
            group: "workers",
            topics: [topic],
            handle: (delivery) =>
              Effect.gen(function* () {
                yield* Effect.sleep(delivery.event.sequence % 3)
                handled[n] = (handled[n] ?? 0) + 1
                seen.note(delivery)
              })
          })
        }
        const bus = yield* broker.connect()
        // Until both have got their share of the partitions.
        let upTo = 0
        yield* pollUntil(
          Effect.gen(function* () {
            yield* insist(bus, topic, mixed(24, upTo + 1, upTo + 5))
            upTo += 5
            yield* pollUntil(Effect.sync(seen.count), (count) => count === 24 * upTo, patient)
            return [...handled]
          }),
          (counts) => counts.every((count) => count > 20),
          patient
        )
        assertAll(seen, 24, upTo)
        yield* pollUntil(bus.lag(topic, "workers"), (lag) => lag === 0, patient)
      })
    )

    test(
      "each of two groups gets them all, of the types it asks for",
      Effect.fnUntraced(function* (topic) {
        const bus = yield* (yield* Broker).connect()
        const [all, even] = [journalOf(), journalOf()]
        yield* consume(bus, { group: "all", topics: [topic], handle: note(all) })
        yield* consume(bus, { group: "even", topics: [topic], types: ["even"], handle: note(even) })
        yield* yield* insist(bus, topic, mixed(5, 1, 20))
        yield* pollUntil(
          Effect.sync(() => [all.count(), even.count()]),
          ([a, b]) => a === 100 && b === 50,
          patient
        )
        assertAll(all, 5, 20)
        assert.deepStrictEqual(even.streams.get("stream-0"), [2, 4, 6, 8, 10, 12, 14, 16, 18, 20])
      })
    )

    test(
      "what a consumer had begun when it was killed is given to another, in order",
      Effect.fnUntraced(function* (topic) {
        const broker = yield* Broker
        const victim = yield* broker.victim(topic, "workers")
        const bus = yield* broker.connect()
        yield* insist(bus, topic, mixed(12, 1, 10))
        yield* pollUntil(victim.began, (count) => count >= 3, patient)
        const seen = journalOf()
        yield* consume(bus, { group: "workers", topics: [topic], handle: note(seen) })
        yield* victim.kill
        yield* pollUntil(Effect.sync(seen.count), (count) => count === 120, patient)
        assertAll(seen, 12, 10)
      })
    )

    test(
      "the broker is killed and started again: no event is missing, order is kept",
      Effect.fnUntraced(function* (topic) {
        const broker = yield* Broker
        const seen = journalOf()
        const slowly = (delivery: Delivery) => Effect.andThen(Effect.sleep(2), note(seen)(delivery))
        for (const _ of [1, 2]) {
          yield* consume(yield* broker.connect(), { group: "workers", topics: [topic], handle: slowly })
        }
        const bus = yield* broker.connect()
        const publishing = yield* Effect.forkChild(
          relay(
            bus,
            topic,
            sequences(1, 40).map((n) => mixed(6, n, n))
          )
        )
        yield* pollUntil(Effect.sync(seen.count), (count) => count > 12, patient)
        yield* broker.kill
        yield* broker.start
        yield* Fiber.join(publishing)
        yield* pollUntil(Effect.sync(seen.count), (count) => count === 240, patient)
        assertAll(seen, 6, 40)
      }),
      traits.broker
    )

    test(
      "what cannot be handled is a dead letter, its stream goes on, and a replay gives it to its group alone",
      Effect.fnUntraced(function* (topic) {
        const bus = yield* (yield* Broker).connect()
        const [seen, other] = [journalOf(), journalOf()]
        let repaired = false
        yield* consume(bus, {
          group: "fragile",
          topics: [topic],
          maxAttempts: 3,
          isFinal: (error) => error === "final",
          handle: (delivery) => {
            if (delivery.event.data === "poison" && !repaired) return Effect.fail("cannot")
            if (delivery.event.data === "final" && !repaired) return Effect.fail("final")
            if (delivery.event.data === "bug" && !repaired) return Effect.die(new Error("a bug"))
            return note(seen)(delivery)
          }
        })
        yield* consume(bus, { group: "sturdy", topics: [topic], handle: note(other) })
        const bad = ["poison", "final", "bug"]
        const events = sequences(1, 30).flatMap((n) =>
          ["a", "b"].map((stream) => event(stream, n, n % 5 === 0 ? (bad[n % 3] ?? "") : n))
        )
        yield* yield* insist(bus, topic, events)
        const letters = yield* pollUntil(
          bus.deadLetters(topic, "fragile", 100),
          (letters) => letters.length === 12,
          patient
        )
        yield* pollUntil(Effect.sync(seen.count), (count) => count === 48, patient)
        assert.deepStrictEqual(
          seen.streams.get("a"),
          sequences(1, 30).filter((n) => n % 5 !== 0)
        )
        const byData = (data: string) => letters.filter((letter) => letter.event.data === data)
        assert.isTrue(byData("poison").every(({ attempts, error }) => attempts === 3 && error === "cannot"))
        assert.isTrue(byData("final").every(({ attempts }) => attempts === 1))
        assert.isTrue(byData("bug").every(({ error }) => error.includes("a bug")))
        assert.lengthOf(yield* bus.deadLetters(topic, "sturdy", 100), 0)

        repaired = true
        for (const { id } of letters) assert.isTrue(yield* bus.replay(topic, "fragile", id))
        yield* pollUntil(Effect.sync(seen.count), (count) => count === 60, patient)
        // What was never a dead letter is never replayed, and each letter was. One that a group that is forming reads
        // again, as it has not committed it, may come the usual way as well, now that it can be handled.
        const isLetter = ({ event }: Delivery) => event.sequence % 5 === 0
        assert.isTrue(seen.deliveries.every((delivery) => isLetter(delivery) || !delivery.replayed))
        const replayed = () =>
          new Set(seen.deliveries.filter(({ replayed }) => replayed).map(({ event }) => event.id)).size
        yield* pollUntil(Effect.sync(replayed), (count) => count === 12, patient)
        if (traits.holdsBack)
          assert.isTrue(seen.deliveries.every((delivery) => delivery.replayed === isLetter(delivery)))
        yield* pollUntil(bus.lag(topic, "sturdy"), (lag) => lag === 0, patient)
        // Where a group that is forming reads again what it has not committed, there may be repeats.
        if (traits.holdsBack) assert.lengthOf(other.deliveries, 60)
        assert.lengthOf(yield* bus.deadLetters(topic, "fragile", 100), 0)
        assert.isFalse(yield* bus.replay(topic, "fragile", letters[0]?.id ?? ""))
      })
    )

    test(
      "a failing event holds back its own stream and no other",
      Effect.fnUntraced(function* (topic) {
        const bus = yield* (yield* Broker).connect()
        const seen = journalOf()
        let broken = true
        yield* consume(bus, {
          group: "workers",
          topics: [topic],
          maxAttempts: 100_000,
          // Fewer than there are failing streams would be: a pause takes nobody's place.
          concurrency: 1,
          handle: (delivery) =>
            broken && delivery.event.subject === "stream-3" && delivery.event.sequence === 2
              ? Effect.fail("not yet")
              : note(seen)(delivery)
        })
        yield* insist(bus, topic, mixed(16, 1, 4))
        yield* pollUntil(Effect.sync(seen.count), (count) => count === 61, patient)
        assert.deepStrictEqual(seen.streams.get("stream-3"), [1])
        assert.isAbove(yield* bus.lag(topic, "workers"), 0)
        broken = false
        yield* pollUntil(Effect.sync(seen.count), (count) => count === 64, patient)
        assertAll(seen, 16, 4)
      })
    )

    test(
      "a slow consumer holds the publisher back, and nothing grows without a bound",
      Effect.fnUntraced(function* (topic) {
        const bus = yield* (yield* Broker).connect({ backlog: 20 })
        const seen = journalOf()
        const gate = yield* Deferred.make<void>()
        yield* consume(bus, {
          group: "slow",
          topics: [topic],
          inFlight: 4,
          handle: (delivery) => Effect.andThen(Deferred.await(gate), note(seen)(delivery))
        })
        let taken = 0
        const publishing = yield* Effect.forkChild(
          Effect.forEach(
            sequences(1, 100),
            (n) =>
              Effect.andThen(
                insist(bus, topic, [event("one", n)]),
                Effect.sync(() => taken++)
              ),
            { discard: true }
          )
        )
        if (traits.holdsBack) {
          yield* pollUntil(
            Effect.sync(() => taken),
            (n) => n >= 20,
            patient
          )
          // As many rounds over the bus as would do to publish the rest.
          for (const _ of sequences(1, 100)) yield* Effect.andThen(bus.lag(topic, "slow"), Effect.yieldNow)
          assert.isAtMost(taken, 24)
        }
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.join(publishing)
        yield* pollUntil(Effect.sync(seen.count), (count) => count === 100, patient)
        assertAll(seen, 1, 100)
      })
    )

    test(
      "how late a group is grows while an event is not handled, and is nothing once nothing is behind",
      Effect.fnUntraced(function* (topic) {
        const bus = yield* (yield* Broker).connect()
        const seen = journalOf()
        const gate = yield* Deferred.make<void>()
        const lagMs = valueOf("onsale_bus_lag_ms", { topic, group: "late" })
        yield* consume(bus, {
          group: "late",
          topics: [topic],
          handle: (delivery) => Effect.andThen(Deferred.await(gate), note(seen)(delivery))
        })
        yield* pollUntil(lagMs, (ms) => ms === 0, patient)
        yield* insist(bus, topic, [event("one", 1)])
        const first = yield* pollUntil(lagMs, (ms) => ms !== undefined && ms > 0, patient)
        yield* pollUntil(lagMs, (ms) => ms !== undefined && ms > first!, patient)
        yield* Deferred.succeed(gate, undefined)
        yield* pollUntil(Effect.sync(seen.count), (count) => count === 1, patient)
        yield* pollUntil(lagMs, (ms) => ms === 0, patient)
      })
    )

    test(
      "an event that is delivered twice has the same id, by which it is known",
      Effect.fnUntraced(function* (topic) {
        const bus = yield* (yield* Broker).connect()
        const seen = journalOf()
        yield* consume(bus, { group: "once", topics: [topic], handle: note(seen) })
        yield* insist(bus, topic, mixed(3, 1, 10))
        yield* insist(bus, topic, mixed(3, 1, 11))
        yield* pollUntil(Effect.sync(seen.count), (count) => count === 33, patient)
        yield* pollUntil(bus.lag(topic, "once"), (lag) => lag === 0, patient)
        assert.isAtLeast(seen.deliveries.length, 63)
        assertAll(seen, 3, 11)
      })
    )
  })
