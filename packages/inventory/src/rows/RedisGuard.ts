/**
 * Redis in front of the rows (L1): one script asks for all seats of a hold at once, and who asks for a seat
 * that is known to be taken is refused there, without a statement of Postgres. Who gets through is decided
 * by the rows as ever, so an empty, restarted, old or absent Redis costs speed only, never a hold (INV-10).
 *
 * It never refuses what may be free:
 * - it refuses only for seats that Postgres has said to be taken, and until the time that Postgres has said.
 *   Where somebody is asking Postgres for one at this moment, it waits for what becomes of that;
 * - whatever changes is told to Redis before it is answered. Where it did not get there, or may not have, and
 *   whenever the connection to Redis is a new one (it may have come back with an old copy), what Redis says
 *   of the event counts no more, and begins anew with what Postgres knows: an epoch, see `GuardEpochs`.
 *
 * It never answers a command anew that Postgres has answered: these are known here too. A refusal that was
 * given here is remembered in Redis alone: it costs Postgres nothing, and when Redis is emptied, the same
 * command asked again is decided anew.
 *
 * L1 is one process. Several may share a Redis as long as all of them reach it: one that changes something
 * and cannot tell leaves the others refusing what it has freed, until it can. Holds are right all the same.
 *
 * Areas, best available and a hold that takes the place of another go to the rows at once: their answer is not
 * known from single seats. Quotas, customers and vouchers are counted by the rows alone; that seats are taken is
 * told before these are asked for, so here too.
 */
import type { EventId } from "@onsale/contracts/Ids"
import { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import type { InventoryAnswer, InventoryCommand } from "@onsale/contracts/inventory/InventoryCommand"
import { RedisConnection } from "@onsale/platform/Redis"
import { Clock, Context, Duration, Effect, Layer, Metric, Schema } from "effect"
import { CircuitBreaker, Redis } from "effect/persistence"
import { decide } from "../Inventory.ts"
import { refusal } from "../InventoryAnswers.ts"
import { type CommandEvent, rememberMs, type State } from "../InventoryState.ts"
import type { Layout } from "../Layout.ts"
import * as GuardEpochs from "./GuardEpochs.ts"
import * as Scripts from "./GuardScripts.ts"
import { LastingAvailability } from "./LastingAvailability.ts"
import * as PostgresRows from "./PostgresRows.ts"
import type { SeatNews } from "./RowBatch.ts"
import { nothing } from "./RowPart.ts"
import { stateOf } from "./RowState.ts"

/** Longer than Postgres takes to say yes or no; a claim whose process died stands in the way no longer. */
const pendingMs = 2_000
/** For what somebody else's claim comes to: some tenths of a second, then Postgres is asked. */
const waitForPending = Duration.millis(5)
const waitsLimit = 60
/** A Redis that fails so many times in a row is left alone for a second. */
const failuresToOpen = 5
const openFor = Duration.seconds(1)

const asked = Metric.counter("onsale_inventory_guard_total", {
  description: "Holds that came to the Redis guard, by outcome",
  incremental: true
})
const turnedAway = Metric.withAttributes(asked, { outcome: "refused" })
const passed = Metric.withAttributes(asked, { outcome: "passed" })
const without = Metric.withAttributes(asked, { outcome: "without_redis" })

const Lost = Schema.fromJsonString(
  Schema.Struct({ fp: Schema.String, seats: Schema.Array(Schema.Int), atMs: Schema.Int })
)
const decodeLost = Schema.decodeEffect(Lost)

type HoldCommand = Extract<InventoryCommand, { readonly _tag: "Hold" }>

/** What the guard says of a hold. */
type Verdict =
  | { readonly _tag: "Refused"; readonly answer: InventoryAnswer }
  /** Somebody else asks Postgres for one of the seats at this moment. */
  | { readonly _tag: "Pending" }
  /** Postgres is to be asked. */
  | { readonly _tag: "Ask" }

const pending: Verdict = { _tag: "Pending" }
const askRows: Verdict = { _tag: "Ask" }
const refusedBy = (answer: InventoryAnswer): Verdict => ({ _tag: "Refused", answer })

const newsOf = (seats: ReadonlyArray<SeatNews>): ReadonlyArray<Scripts.News> =>
  seats.map((one) => ({ ...one, cmd: "" }))

const emptyByLayout = new WeakMap<Layout, State>()

/** The inventory as if nothing were taken. Only to be looked at. */
const emptyOf = (layout: Layout): State => {
  const known = emptyByLayout.get(layout)
  if (known !== undefined) return known
  const state = stateOf(layout, nothing)
  emptyByLayout.set(layout, state)
  return state
}

/** What the guard can tell of: named seats and nothing else. */
const isOfSeats = ({ areas, best, replaces }: HoldCommand): boolean =>
  best === null && areas.length === 0 && replaces === undefined

export const make = Effect.gen(function* () {
  const redis = yield* Redis.Redis
  const connection = yield* RedisConnection
  const scope = yield* Effect.scope
  const breaker = yield* CircuitBreaker.make({
    tripPolicy: CircuitBreaker.consecutive(failuresToOpen),
    openDuration: openFor
  })
  const guarded = <A, E, R>(effect: Effect.Effect<A, E, R>) => breaker.execute(effect, { key: "redis" })
  const [claim, tell] = [redis.eval(Scripts.claim), redis.eval(Scripts.tell)]

  // A batch is told at once, before anybody is answered. Where the news do not get there, Redis knows nothing of
  // the event.
  const rows = yield* PostgresRows.make({
    executed: Effect.fnUntraced(function* (eventId, commands, executed) {
      const seats = new Map<number, SeatNews>()
      for (const one of executed) {
        if (one.seats === null) return yield* epochs.distrust(eventId)
        for (const news of one.seats) seats.set(news.seat, news)
      }
      const nowMs = yield* Clock.currentTimeMillis
      const params = {
        eventId,
        nowMs,
        rememberMs,
        commands: commands.map(({ commandId }) => commandId),
        version: executed[0]?.version ?? 0,
        news: newsOf(Array.from(seats.values()))
      }
      yield* guarded(tell(params)).pipe(Effect.catch(() => epochs.distrust(eventId)))
    }),
    unknown: (eventId) => epochs.distrust(eventId)
  })
  const epochs = GuardEpochs.make({
    redis,
    generation: connection.generation,
    known: Effect.fnUntraced(function* (eventId, nowMs, sinceMs) {
      const { seats, version } = yield* rows.claims(eventId, nowMs)
      // After the claims: who has made one of them is among these.
      return { version, news: newsOf(seats), commands: yield* rows.answeredSince(eventId, sinceMs) }
    }),
    scope,
    guarded
  })
  const execute = (eventId: EventId, command: InventoryCommand) =>
    Effect.map(rows.execute(eventId, command), ({ answer }) => answer)

  const ask = Effect.fnUntraced(function* (
    eventId: EventId,
    command: HoldCommand,
    event: CommandEvent,
    epoch: GuardEpochs.Epoch,
    nowMs: number
  ) {
    const allowed = event._tag === "Held"
    const [said, ...rest] = yield* claim({
      eventId,
      seats: allowed ? event.seats : [],
      cmd: command.commandId,
      fp: command.fingerprint,
      nowMs,
      pendingUntilMs: nowMs + pendingMs,
      rememberMs
    })
    switch (said) {
      case "emptied":
        epoch.state = "lost"
        return askRows
      case "lost": {
        const { fp, seats } = yield* decodeLost(rest[0] ?? "")
        return refusedBy(fp === command.fingerprint ? refusal("seats_taken", seats) : refusal("key_reused"))
      }
      case "taken":
        return refusedBy(refusal("seats_taken", rest.map(Number)))
      case "pending":
        return pending
      // Free, or answered before, or not known.
      default:
        return askRows
    }
  })

  const verdict = Effect.fnUntraced(function* (eventId: EventId, command: HoldCommand) {
    const layout = yield* rows.layoutOf(eventId)
    if (layout === null) return askRows
    for (let waits = 0; waits < waitsLimit; waits++) {
      const nowMs = yield* Clock.currentTimeMillis
      const epoch = yield* epochs.current(eventId, nowMs)
      if (epoch === undefined) break
      // The rules come first: that seats are taken is no news of a hold that is not allowed.
      const event = decide(emptyOf(layout), command, nowMs)
      const said: Verdict = yield* guarded(ask(eventId, command, event, epoch, nowMs)).pipe(
        Effect.catch(() => Effect.as(Metric.update(without, 1), askRows))
      )
      if (said._tag !== "Pending") return said
      yield* Effect.sleep(waitForPending)
    }
    return askRows
  })

  const hold = Effect.fnUntraced(function* (eventId: EventId, command: HoldCommand) {
    const said = isOfSeats(command) ? yield* verdict(eventId, command) : askRows
    if (said._tag === "Refused") {
      yield* Metric.update(turnedAway, 1)
      return said.answer
    }
    yield* Metric.update(passed, 1)
    return yield* execute(eventId, command)
  })

  return Context.make(InventoryClient, {
    open: rows.open,
    hold: rows.hold,
    holdOf: rows.holdOf,
    availability: rows.availability,
    execute: Effect.fn("RedisGuard.execute")((eventId, command) =>
      command._tag === "Hold" ? hold(eventId, command) : execute(eventId, command)
    )
  }).pipe(Context.add(LastingAvailability, { get: rows.lasting }))
})

/** The contract over Redis and rows. Needs the database, its `InventoryStore`, and Redis. */
export const layer = Layer.effectContext(make).pipe(Layer.provide(CircuitBreaker.layerStoreMemory()))
