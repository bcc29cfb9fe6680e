/**
 * The event bus on Kafka 4 or later: a topic of that name with our partitions, a consumer group `topic.group`, and for
 * its dead letters a compacted topic `topic.group.dead`, in which a replayed letter is overwritten with nothing.
 *
 * Kafka keeps events on disk whether they are acknowledged or not, so what all replicas in sync have taken is
 * settled, the publisher is never held back by a group, and **an event is lost to a group that is behind for longer
 * than the topic's retention** (7 days unless the operator sets more). A Kafka that has lost its disk has
 * lost what groups had not handled: set the relay's cursor back (`docs/runbooks/event-bus.md`).
 *
 * Attempts of a consumer that died do not count. A partition that is full (`inFlight`) holds back the others of
 * the same consumer.
 */
import { Admin, Consumer, Producer, stringDeserializers, stringSerializers } from "@platformatic/kafka"
import { Effect, Layer, Metric, Schedule, Schema } from "effect"
import * as CloudEvent from "./CloudEvent.ts"
import { type DeadLetter, defaultPartitions, EventBus, type EventBusError } from "./EventBus.ts"
import { ask, type Connection, consumeTopic } from "./EventBusKafkaConsumer.ts"
import * as EventBusMetrics from "./EventBusMetrics.ts"
import { partitionOf } from "./Partitions.ts"

export interface Options {
  /** `host:port` of some brokers; the others are learnt from them. */
  readonly brokers: ReadonlyArray<string>
  readonly partitions?: number | undefined
  /** Copies of each topic that we make; the cluster's default when left out. */
  readonly replicas?: number | undefined
}

const Letter = Schema.fromJsonString(
  Schema.Struct({
    event: CloudEvent.CloudEvent,
    attempts: Schema.Int,
    error: Schema.String,
    diedAtMs: Schema.Finite
  })
)

const measureEvery = "2 seconds"
/** A broker that starts anew takes some seconds. */
const retries = 5
const timeout = 5_000

const groupId = (topic: string, group: string) => `${topic}.${group}`
const deadTopic = (topic: string, group: string) => `${topic}.${group}.dead`

const make = Effect.fnUntraced(function* (options: Options) {
  const partitions = options.partitions ?? defaultPartitions
  const connection: Connection = { clientId: "onsale", bootstrapBrokers: [...options.brokers] }
  const admin = yield* Effect.acquireRelease(
    Effect.sync(() => new Admin({ ...connection, retries, timeout })),
    (admin) =>
      Effect.ignoreCause(
        Effect.timeoutOption(
          ask(() => admin.close()),
          "2 seconds"
        )
      )
  )
  const producer = yield* Effect.acquireRelease(
    Effect.sync(
      () =>
        new Producer<string, string, string, string>({
          ...connection,
          retries,
          timeout,
          // All replicas in sync.
          acks: -1,
          serializers: stringSerializers
        })
    ),
    (producer) =>
      Effect.ignoreCause(
        Effect.timeoutOption(
          ask(() => producer.close()),
          "2 seconds"
        )
      )
  )

  const made = new Set<string>()
  const ensureTopic = Effect.fnUntraced(function* (topic: string, count: number, compact: boolean) {
    if (made.has(topic)) return
    const topics = yield* ask(() => admin.listTopics())
    if (!topics.includes(topic)) {
      yield* ask(() =>
        admin.createTopics({
          topics: [topic],
          partitions: count,
          replicas: options.replicas ?? -1,
          ...(compact ? { configs: [{ name: "cleanup.policy", value: "compact" }] } : {})
        })
      ).pipe(
        // Another was faster.
        Effect.catch((error) =>
          Effect.flatMap(
            ask(() => admin.listTopics()),
            (now) => (now.includes(topic) ? Effect.void : Effect.fail(error))
          )
        )
      )
    }
    made.add(topic)
  })

  const send = (topic: string, key: string, value: string | undefined, headers = {}, partition = 0) =>
    ask(() =>
      producer.send({
        messages: [{ topic, key, partition, headers, ...(value === undefined ? {} : { value }) }]
      })
    )

  const lag = Effect.fnUntraced(function* (topic: string, group: string) {
    const [ends, groups] = yield* Effect.all([
      endsOf(topic, partitions, -1n),
      ask(() => admin.listConsumerGroupOffsets({ groups: [groupId(topic, group)] }))
    ])
    const committed = new Map(
      groups
        .flatMap(({ topics }) => topics)
        .filter(({ name }) => name === topic)
        .flatMap((each) => each.partitions)
        .map((each) => [each.partitionIndex, each.committedOffset] as const)
    )
    const starts = yield* endsOf(topic, partitions, -2n)
    return ends.reduce((sum, end, partition) => {
      const at = committed.get(partition) ?? -1n
      return sum + Number(end - (at >= 0n ? at : (starts[partition] ?? 0n)))
    }, 0)
  })

  /** The first (-2) or the next (-1) offset of each partition. */
  const endsOf = Effect.fnUntraced(function* (topic: string, count: number, timestamp: bigint) {
    const listed = yield* ask(() =>
      admin.listOffsets({
        topics: [
          {
            name: topic,
            partitions: Array.from({ length: count }, (_, partitionIndex) => ({ partitionIndex, timestamp }))
          }
        ]
      })
    )
    const offsets: Array<bigint> = Array.from({ length: count }, () => 0n)
    for (const { partitions } of listed) {
      for (const each of partitions) offsets[each.partitionIndex] = each.offset
    }
    return offsets
  })

  /** The whole of the topic of dead letters: what was overwritten with nothing is replayed. */
  const readLetters = Effect.fnUntraced(function* (topic: string, group: string) {
    const dead = deadTopic(topic, group)
    yield* ensureTopic(dead, 1, true)
    const letters = new Map<string, string>()
    const [[end], [start]] = [yield* endsOf(dead, 1, -1n), yield* endsOf(dead, 1, -2n)]
    if (end === undefined || start === undefined || end <= start) return letters
    const consumer = yield* Effect.acquireRelease(
      Effect.sync(
        () =>
          new Consumer<string, string, string, string>({
            ...connection,
            groupId: `${dead}.${crypto.randomUUID()}`,
            deserializers: stringDeserializers,
            maxWaitTime: 100,
            retries,
            timeout
          })
      ),
      (consumer) =>
        Effect.ignoreCause(
          Effect.timeoutOption(
            ask(() => consumer.close(true)),
            "2 seconds"
          )
        )
    )
    const records = yield* ask(() =>
      consumer.consume({ topics: [dead], mode: "earliest", autocommit: false })
    )
    const iterator = records[Symbol.asyncIterator]()
    while (true) {
      const { done, value } = yield* ask(() => iterator.next())
      if (done === true) break
      // In a compacted topic the last record is always there.
      if (value.value === undefined || value.value === null || value.value === "") letters.delete(value.key)
      else letters.set(value.key, value.value)
      if (value.offset + 1n >= end) break
    }
    return letters
  }, Effect.scoped)

  const revive = Effect.fnUntraced(function* (topic: string, group: string, id: string) {
    const stored = (yield* readLetters(topic, group)).get(id)
    if (stored === undefined) return false
    const { event } = yield* Effect.orDie(Schema.decodeUnknownEffect(Letter)(stored))
    // In this order: a letter that is replayed twice does less harm than one that never is.
    yield* send(
      topic,
      event.subject,
      CloudEvent.encode(event),
      { for: group },
      partitionOf(event.subject, partitions)
    )
    yield* send(deadTopic(topic, group), id, undefined)
    return true
  })

  return EventBus.of({
    reach: "cluster",
    // By whoever comes: the groups of other processes are not known here.
    wanted: () => Effect.succeed(true),
    publisher: Effect.fn("EventBus.publisher")(function* (topic) {
      yield* ensureTopic(topic, partitions, false)
      const publish = Effect.fn("EventBus.publish")(function* (events: ReadonlyArray<CloudEvent.CloudEvent>) {
        if (events.length === 0) return Effect.void
        const messages = events.map((event) => ({
          topic,
          key: event.subject,
          partition: partitionOf(event.subject, partitions),
          value: CloudEvent.encode(event)
        }))
        yield* ask(() => producer.send({ messages }))
        yield* EventBusMetrics.countPublished(topic, events.length)
        return Effect.void
      })
      return { publish }
    }),

    consume: Effect.fn("EventBus.consume")(function* (options) {
      for (const topic of options.topics) {
        const { group } = options
        const dead = deadTopic(topic, group)
        const ready = Effect.andThen(ensureTopic(topic, partitions, false), ensureTopic(dead, 1, true))
        const bury = (event: CloudEvent.CloudEvent, attempts: number, error: string, diedAtMs: number) =>
          send(dead, event.id, Schema.encodeUnknownSync(Letter)({ event, attempts, error, diedAtMs })).pipe(
            Effect.asVoid
          )
        yield* Effect.forkScoped(
          Effect.andThen(
            Effect.retry(ready, Schedule.spaced("1 second")),
            consumeTopic(connection, topic, groupId(topic, group), options, bury).pipe(
              Effect.andThen(Effect.never)
            )
          ).pipe(Effect.scoped)
        )
        const measure = Effect.flatMap(lag(topic, group), (behind) =>
          Metric.update(Metric.withAttributes(EventBusMetrics.lag, { topic, group }), behind)
        )
        yield* Effect.forkScoped(
          Effect.forever(Effect.andThen(Effect.sleep(measureEvery), Effect.ignoreCause(measure)))
        )
      }
    }),

    deadLetters: Effect.fn("EventBus.deadLetters")(function* (topic, group, limit) {
      const letters = [...(yield* readLetters(topic, group))].slice(0, limit)
      return yield* Effect.forEach(letters, ([id, stored]) =>
        Effect.map(
          Effect.orDie(Schema.decodeUnknownEffect(Letter)(stored)),
          (letter): DeadLetter => ({ id, ...letter })
        )
      )
    }),

    replay: (topic, group, id): Effect.Effect<boolean, EventBusError> => revive(topic, group, id),

    lag: (topic, group) => lag(topic, group)
  })
})

export const layer = (options: Options): Layer.Layer<EventBus> => Layer.effect(EventBus, make(options))
