/**
 * The event bus of one process: straight to fibers, through bounded queues.
 *
 * What was published is settled when every group has handled it, so a publisher that keeps a cursor loses
 * nothing with the process. A dead letter counts as settled, though, and lives as long as the process: where
 * dead letters must outlast a restart, use a broker. A topic that no group has asked for keeps nothing, so
 * consumers are to be started before publishers.
 */
import { Clock, Deferred, Effect, Exit, Latch, Layer, Metric, Scope, Semaphore } from "effect"
import type { CloudEvent } from "./CloudEvent.ts"
import {
  type ConsumeOptions,
  type DeadLetter,
  type Delivery,
  defaultPartitions,
  EventBus,
  EventBusError
} from "./EventBus.ts"
import * as EventAges from "./EventAges.ts"
import * as Lanes from "./EventBusLanes.ts"
import * as EventBusMetrics from "./EventBusMetrics.ts"
import { partitionOf, shareOf } from "./Partitions.ts"

/** Events of one partition that a group is behind, at most; then the publisher waits. */
const defaultBacklog = 1_024
/** Dead letters of a group and topic; then the next one holds its stream back. */
const maxDeadLetters = 10_000

interface Entry extends Lanes.Message {
  readonly settled: () => void
}

/** What a group has not settled of a partition, in order. */
interface Backlog {
  readonly entries: Array<Entry>
  readonly room: Semaphore.Semaphore
  readonly added: Latch.Latch
  owner: { readonly member: string; readonly scope: Scope.Closeable } | undefined
}

interface Member {
  readonly id: string
  readonly own: (partition: number, backlog: Backlog) => Effect.Effect<void, never, Scope.Scope>
}

interface Group {
  readonly backlogs: ReadonlyArray<Backlog>
  readonly members: Map<string, Member>
  readonly dead: Map<string, DeadLetter>
  readonly rebalancing: Semaphore.Semaphore
}

interface Topic {
  readonly groups: Map<string, Group>
  readonly publishing: Semaphore.Semaphore
}

const make = Effect.fnUntraced(function* (options: {
  readonly partitions?: number | undefined
  readonly backlog?: number | undefined
}) {
  const partitions = options.partitions ?? defaultPartitions
  const busScope = yield* Effect.scope
  const topics = new Map<string, Topic>()
  let ids = 0

  const topicOf = (name: string): Topic => {
    const found = topics.get(name)
    if (found !== undefined) return found
    const made = { groups: new Map(), publishing: Semaphore.makeUnsafe(1) }
    topics.set(name, made)
    return made
  }

  const groupOf = (topic: string, name: string): Group => {
    const { groups } = topicOf(topic)
    const found = groups.get(name)
    if (found !== undefined) return found
    const made: Group = {
      backlogs: Array.from({ length: partitions }, () => ({
        entries: [],
        room: Semaphore.makeUnsafe(options.backlog ?? defaultBacklog),
        added: Latch.makeUnsafe(),
        owner: undefined
      })),
      members: new Map(),
      dead: new Map(),
      rebalancing: Semaphore.makeUnsafe(1)
    }
    groups.set(name, made)
    return made
  }

  const known = (topic: string, name: string) => topics.get(topic)?.groups.get(name)

  const lagOf = (group: Group) => group.backlogs.reduce((sum, { entries }) => sum + entries.length, 0)

  const measure = (topic: string, name: string, group: Group) =>
    Effect.andThen(
      Metric.update(Metric.withAttributes(EventBusMetrics.lag, { topic, group: name }), lagOf(group)),
      Metric.update(
        Metric.withAttributes(EventBusMetrics.deadLetters, { topic, group: name }),
        group.dead.size
      )
    )

  const add = Effect.fnUntraced(function* (
    group: Group,
    event: CloudEvent,
    replayed: boolean,
    settled: () => void
  ) {
    const backlog = group.backlogs[partitionOf(event.subject, partitions)]
    if (backlog === undefined) return
    yield* backlog.room.take(1)
    backlog.entries.push({ event, earlier: 0, replayed, settled })
    backlog.added.openUnsafe()
  })

  const remove = Effect.fnUntraced(function* (backlog: Backlog, entry: Entry) {
    const at = backlog.entries.indexOf(entry)
    if (at === -1) return
    backlog.entries.splice(at, 1)
    entry.settled()
    yield* backlog.room.release(1)
  })

  /** Gives each partition to who should have it; what its last owner did not settle comes first. */
  const rebalance = (group: Group) =>
    Effect.gen(function* () {
      const members = [...group.members.keys()]
      const owners = new Map(
        members.flatMap((id) => shareOf(id, members, partitions).map((partition) => [partition, id] as const))
      )
      for (const [partition, backlog] of group.backlogs.entries()) {
        const next = owners.get(partition)
        if (backlog.owner?.member === next) continue
        if (backlog.owner !== undefined) yield* Scope.close(backlog.owner.scope, Exit.void)
        backlog.owner = undefined
        const member = next === undefined ? undefined : group.members.get(next)
        if (member === undefined) continue
        const scope = yield* Scope.fork(busScope)
        backlog.owner = { member: member.id, scope }
        yield* Scope.provide(member.own(partition, backlog), scope)
      }
    }).pipe(group.rebalancing.withPermit, Effect.uninterruptible)

  const join = Effect.fnUntraced(function* <E, R>(
    topic: string,
    options: ConsumeOptions<E, R>,
    slots: Semaphore.Semaphore
  ) {
    const context = yield* Effect.context<R>()
    const handle = (delivery: Delivery) => Effect.provideContext(options.handle(delivery), context)
    const group = groupOf(topic, options.group)
    const ages = yield* EventAges.make(topic, options.group)
    const own = Effect.fnUntraced(function* (_: number, backlog: Backlog) {
      const offer = yield* Lanes.make<Entry, E, never>(topic, { ...options, handle }, slots, ages, {
        handled: (entry) => Effect.andThen(remove(backlog, entry), measure(topic, options.group, group)),
        dead: Effect.fnUntraced(function* (entry, attempts, error) {
          if (group.dead.size >= maxDeadLetters) {
            return yield* new EventBusError({
              reason: "Full",
              message: `${options.group} has ${group.dead.size} dead letters`
            })
          }
          const id = String(++ids)
          const diedAtMs = yield* Clock.currentTimeMillis
          group.dead.set(id, { id, event: entry.event, attempts, error, diedAtMs })
          yield* remove(backlog, entry)
          yield* measure(topic, options.group, group)
        })
      })
      const taken = new WeakSet<Entry>()
      const pump = Effect.gen(function* () {
        yield* backlog.added.await
        backlog.added.closeUnsafe()
        // Not the array itself: it shrinks meanwhile.
        for (const entry of backlog.entries.filter((each) => !taken.has(each))) {
          taken.add(entry)
          yield* offer(entry)
        }
      })
      backlog.added.openUnsafe()
      yield* Effect.forkScoped(Effect.forever(pump))
    })
    const id = String(++ids)
    yield* Effect.acquireRelease(
      Effect.suspend(() => {
        group.members.set(id, { id, own })
        return rebalance(group)
      }),
      () =>
        Effect.suspend(() => {
          group.members.delete(id)
          return rebalance(group)
        })
    )
  })

  const publish = Effect.fn("EventBus.publish")(function* (topic: string, events: ReadonlyArray<CloudEvent>) {
    const { groups, publishing } = topicOf(topic)
    const done = yield* Deferred.make<void>()
    let open = 1
    const settled = () => {
      if (--open === 0) Deferred.doneUnsafe(done, Effect.void)
    }
    yield* Effect.gen(function* () {
      for (const event of events) {
        for (const group of groups.values()) {
          open++
          yield* add(group, event, false, settled)
        }
      }
    }).pipe(publishing.withPermit)
    settled()
    yield* Effect.forEach(groups, ([name, group]) => measure(topic, name, group), { discard: true })
    yield* EventBusMetrics.countPublished(topic, events.length)
    return Deferred.await(done)
  })

  return EventBus.of({
    reach: "process",
    wanted: (topic) => Effect.sync(() => (topics.get(topic)?.groups.size ?? 0) > 0),
    publisher: (topic) => Effect.succeed({ publish: (events) => publish(topic, events) }),

    consume: Effect.fn("EventBus.consume")(function* (options) {
      const slots = yield* Lanes.makeSlots(options)
      yield* Effect.forEach(options.topics, (topic) => join(topic, options, slots), { discard: true })
    }),

    deadLetters: (topic, group, limit) =>
      Effect.sync(() => [...(known(topic, group)?.dead.values() ?? [])].slice(0, limit)),

    replay: Effect.fn("EventBus.replay")(function* (topic, name, id) {
      const group = known(topic, name)
      const letter = group?.dead.get(id)
      if (group === undefined || letter === undefined) return false
      group.dead.delete(id)
      yield* add(group, letter.event, true, () => undefined).pipe(
        Effect.onInterrupt(() => Effect.sync(() => group.dead.set(id, letter)))
      )
      yield* measure(topic, name, group)
      return true
    }),

    lag: (topic, name) =>
      Effect.sync(() => {
        const group = known(topic, name)
        return group === undefined ? 0 : lagOf(group)
      })
  })
})

export const layer = (
  options: { readonly partitions?: number | undefined; readonly backlog?: number | undefined } = {}
): Layer.Layer<EventBus> => Layer.effect(EventBus, make(options))
