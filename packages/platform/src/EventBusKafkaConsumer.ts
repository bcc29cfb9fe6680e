/**
 * A consumer of a group on Kafka. What is handled is committed a partition at a time, up to the first event that
 * is not; whenever the group shares the partitions out anew, all is read again from what is committed.
 */
import { Consumer, type MessagesStream, stringDeserializers } from "@platformatic/kafka"
import { Clock, Effect, Exit, Queue, Schedule, Scope } from "effect"
import * as CloudEvent from "./CloudEvent.ts"
import { type ConsumeOptions, EventBusError } from "./EventBus.ts"
import * as EventAges from "./EventAges.ts"
import * as Lanes from "./EventBusLanes.ts"

export const toBusError = (cause: unknown) =>
  new EventBusError({
    reason: "Unavailable",
    message: cause instanceof Error ? cause.message : String(cause),
    cause
  })

export const ask = <A>(call: () => Promise<A>): Effect.Effect<A, EventBusError> =>
  Effect.tryPromise({ try: call, catch: toBusError })

const commitEvery = "100 millis"

interface Message extends Lanes.Message {
  readonly offset: bigint
}

/** What of a partition is handled, and where the group is to go on. */
interface Progress {
  next: bigint
  committed: bigint
  readonly done: Set<bigint>
  readonly leaderEpoch: number
}

export interface Connection {
  readonly clientId: string
  readonly bootstrapBrokers: Array<string>
}

type Records = MessagesStream<string, string, string, string>

export const consumeTopic = Effect.fnUntraced(function* <E, R>(
  connection: Connection,
  topic: string,
  /** Of the group, in Kafka. */
  groupId: string,
  options: ConsumeOptions<E, R>,
  bury: (
    event: CloudEvent.CloudEvent,
    attempts: number,
    error: string,
    diedAtMs: number
  ) => Effect.Effect<void, EventBusError>
) {
  const { group } = options
  const context = yield* Effect.context<R>()
  const slots = yield* Lanes.makeSlots(options)
  const ages = yield* EventAges.make(topic, group)

  /** Works until the partitions are shared out anew, or the broker is lost. */
  const work = Effect.fnUntraced(function* (
    consumer: Consumer<string, string, string, string>,
    records: Records
  ) {
    const progress = new Map<number, Progress>()
    const lanes = new Map<number, (message: Message) => Effect.Effect<void>>()
    const scope = yield* Effect.scope

    const settled = (partition: number, message: Message) =>
      Effect.sync(() => {
        const at = progress.get(partition)
        if (at === undefined) return
        at.done.add(message.offset)
        while (at.done.delete(at.next)) at.next++
      })

    const laneOf = Effect.fnUntraced(function* (partition: number) {
      const found = lanes.get(partition)
      if (found !== undefined) return found
      const handle: typeof options.handle = (delivery) => options.handle(delivery)
      const made = yield* Lanes.make<Message, E, never>(
        topic,
        { ...options, handle: (delivery) => Effect.provideContext(handle(delivery), context) },
        slots,
        ages,
        {
          handled: (message) => settled(partition, message),
          dead: Effect.fnUntraced(function* (message, attempts, error) {
            yield* bury(message.event, attempts, error, yield* Clock.currentTimeMillis)
            yield* settled(partition, message)
          })
        }
      ).pipe(Scope.provide(scope))
      lanes.set(partition, made)
      return made
    })

    const commit = Effect.gen(function* () {
      const behind = [...progress].filter(([, at]) => at.next !== at.committed)
      if (behind.length === 0) return
      const offsets = behind.map(([partition, { leaderEpoch, next }]) => ({
        topic,
        partition,
        offset: next,
        leaderEpoch
      }))
      yield* ask(() => consumer.commit({ offsets }))
      for (const [i, [, at]] of behind.entries()) at.committed = offsets[i]?.offset ?? at.committed
    })

    const read = Effect.gen(function* () {
      const iterator = records[Symbol.asyncIterator]()
      while (true) {
        const { done, value } = yield* ask(() => iterator.next())
        if (done === true) return
        const { leaderEpoch, offset, partition } = value
        // At once, before any of it is handled: a group that has committed nothing has no place to go back to.
        if (!progress.has(partition)) {
          progress.set(partition, { next: offset, committed: -1n, done: new Set(), leaderEpoch })
          yield* commit
        }
        const addressee = value.headers.get("for")
        const event = yield* Effect.orDie(CloudEvent.decode(value.value))
        const offer = yield* laneOf(partition)
        yield* offer({
          event,
          offset,
          earlier: 0,
          replayed: addressee === group,
          skip: addressee !== undefined && addressee !== group
        })
      }
    })

    yield* Effect.addFinalizer(() => Effect.ignoreCause(Effect.timeoutOption(commit, "2 seconds")))
    const committing = Effect.forever(
      Effect.andThen(
        Effect.sleep(commitEvery),
        Effect.catch(commit, (error) =>
          Effect.logDebug(`bus ${topic}: ${group} cannot commit yet: ${error.message}`)
        )
      )
    )
    yield* Effect.raceFirst(read, committing)
  }, Effect.scoped)

  /** A member of the group, from joining it to losing the broker. */
  const membership = Effect.gen(function* () {
    const joins = yield* Queue.sliding<void>(1)
    const failed = yield* Queue.sliding<EventBusError>(1)
    const consumer = yield* Effect.acquireRelease(
      Effect.sync(
        () =>
          new Consumer<string, string, string, string>({
            ...connection,
            groupId,
            deserializers: stringDeserializers,
            autocommit: false,
            sessionTimeout: 6_000,
            rebalanceTimeout: 6_000,
            heartbeatInterval: 1_000,
            maxWaitTime: 500,
            highWaterMark: 64,
            retries: 3
          })
      ),
      (consumer) =>
        Effect.ignoreCause(
          Effect.timeoutOption(
            ask(() => consumer.close(true)),
            "3 seconds"
          )
        )
    )
    consumer.on("error", (cause: unknown) => Queue.offerUnsafe(failed, toBusError(cause)))
    consumer.on("consumer:heartbeat:error", ({ error }) => Queue.offerUnsafe(failed, toBusError(error)))
    // Kept for as long as the member: without it each new stream would join the group anew, and so would we all.
    consumer.topics.track(topic)
    yield* ask(() => consumer.joinGroup({}))
    consumer.on("consumer:group:join", () => Queue.offerUnsafe(joins, undefined))
    while (true) {
      yield* Queue.clear(joins)
      const scope = yield* Scope.make()
      yield* Effect.acquireRelease(
        ask(() =>
          consumer.consume({
            topics: [topic],
            mode: "committed",
            fallbackMode: "earliest",
            autocommit: false
          })
        ),
        (records) =>
          Effect.ignoreCause(
            Effect.timeoutOption(
              ask(() => records.close()),
              "2 seconds"
            )
          )
      ).pipe(
        Effect.flatMap((records) =>
          Effect.raceFirst(
            work(consumer, records),
            Effect.raceFirst(Queue.take(joins), Effect.flatMap(Queue.take(failed), Effect.fail))
          )
        ),
        Scope.provide(scope),
        Effect.onExit((exit) => Scope.close(scope, Exit.asVoid(exit)))
      )
    }
  }).pipe(
    Effect.scoped,
    Effect.sandbox,
    Effect.tapError((cause) =>
      Effect.logWarning(`bus ${topic}: ${group} has left Kafka, joins again`, cause)
    ),
    Effect.retry(
      Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("2 seconds")]).pipe(Schedule.jittered)
    )
  )
  yield* Effect.forkScoped(membership)
})
