/**
 * One command carried out on rows: decided by the same rules as everywhere (`decide`), on the rows that it
 * is about, and written by conditional statements that leave the last word to the database.
 *
 * Every transaction locks in one order: the hold it is about, its seats in their order, the counters of its
 * areas in their order, the event's `row_head`. A hold that is new is locked by nobody else. So nobody waits
 * in a circle.
 *
 * Expiry is judged by the time of the command, which is given as a parameter; the database's clock is not
 * asked. A hold whose seat was taken by somebody with a clock that is ahead has lost it, whatever its own
 * row says: a change that does not find all of its seats is refused as of an expired hold.
 */
import type { EventId } from "@onsale/contracts/Ids"
import type { AreaClaim, InventoryCommand } from "@onsale/contracts/inventory/InventoryCommand"
import { Effect, Schema } from "effect"
import type { SqlClient, Statement } from "effect/sql"
import { decide } from "../Inventory.ts"
import type { CommandEvent, Hold } from "../InventoryState.ts"
import type { Layout } from "../Layout.ts"
import * as RowAnswers from "./RowAnswers.ts"
import * as RowAreas from "./RowAreas.ts"
import * as RowHolds from "./RowHolds.ts"
import * as RowJournal from "./RowJournal.ts"
import * as RowSeats from "./RowSeats.ts"
import { stateOf, unknownHold } from "./RowState.ts"

/** These were somebody else's when it came to taking them: nothing is written. */
export class Lost extends Schema.TaggedError<Lost>()("Lost", {
  seats: Schema.Array(Schema.Int),
  areas: Schema.Array(Schema.Int)
}) {}

/** Seats of the hold are somebody else's already: it has expired by another clock. */
class HoldLost extends Schema.TaggedError<HoldLost>()("HoldLost", {}) {}

/** What a command came to. A refusal is decided, and not written. */
export interface Done {
  readonly event: CommandEvent
  readonly version: number
  /** Seats that are free now because of it. */
  readonly freed: ReadonlyArray<number>
}

export interface Task<C extends InventoryCommand = InventoryCommand> {
  readonly eventId: EventId
  readonly layout: Layout
  readonly command: C
  readonly nowMs: number
}

/** What was read before, outside of the transaction. */
export interface Known {
  /** Of the seats that the command names, those that were not free. */
  readonly taken: ReadonlyArray<number>
  /** A live hold had the id that the command brings. */
  readonly holdIdUsed: boolean
}

type Of<Tag extends InventoryCommand["_tag"]> = Extract<InventoryCommand, { readonly _tag: Tag }>
type OnHold = Of<"Extend" | "Release" | "Freeze" | "Unfreeze" | "Confirm">
type Event<Tag extends CommandEvent["_tag"]> = Extract<CommandEvent, { readonly _tag: Tag }>

/** Holds that one sweep lets go of. */
export const sweepLimit = 512

export const make = (sql: SqlClient.SqlClient) => {
  const answers = RowAnswers.make(sql)
  const areas = RowAreas.make(sql)
  const holds = RowHolds.make(sql)
  const journal = RowJournal.make(sql, answers)
  const seats = RowSeats.make(sql)

  const append = (task: Task, event: CommandEvent, ...also: ReadonlyArray<Statement.Fragment>) =>
    journal.append({
      eventId: task.eventId,
      layout: task.layout.version,
      atMs: task.nowMs,
      event,
      also
    })

  const changesOf = (layout: Layout, claims: ReadonlyArray<AreaClaim>, held: -1 | 0 | 1, sold: -1 | 0 | 1) =>
    claims.map(({ area, quantity }) => ({
      area,
      held: held * quantity,
      sold: sold * quantity,
      capacity: layout.source.areas[area]!.capacity
    }))

  /** Changes the counters of all of these areas; of one that has not the places it dies: they were locked. */
  const count = Effect.fnUntraced(function* (
    { eventId, layout }: Task,
    claims: ReadonlyArray<AreaClaim>,
    held: -1 | 0 | 1,
    sold: -1 | 0 | 1
  ) {
    if (claims.length === 0) return
    const done = yield* areas.add(eventId, changesOf(layout, claims, held, sold))
    if (done.length !== claims.length) throw new Error("INV-01: an area has more holds and sales than places")
  })

  /**
   * Takes seats and places for a hold or a sale, all of them or, by rolling back, nothing. `over` is the hold
   * that a sale comes too late for, whose places are still counted as held.
   */
  const claim = Effect.fnUntraced(function* (
    { command, eventId, layout, nowMs }: Task,
    event: Event<"Held" | "Sold">,
    over?: Hold
  ) {
    const sold = event._tag === "Sold"
    const taken =
      event.seats.length === 0
        ? []
        : yield* seats.claim({
            eventId,
            seats: event.seats,
            holdId: event.hold,
            cmd: command.commandId,
            orderId: sold ? event.order : null,
            expiresAtMs: sold ? RowSeats.neverMs : event.exp,
            nowMs
          })
    const changes = new Map(
      changesOf(layout, event.areas, sold ? 0 : 1, sold ? 1 : 0).map((change) => [change.area, change])
    )
    for (const change of changesOf(layout, over?.areas ?? [], -1, 0)) {
      const { held } = changes.get(change.area) ?? { held: 0 }
      changes.set(change.area, { ...change, ...changes.get(change.area), held: held + change.held })
    }
    const places = changes.size === 0 ? [] : yield* areas.add(eventId, Array.from(changes.values()))
    if (taken.length === event.seats.length && places.length === changes.size) return
    const mine = new Set(taken.map(({ seat }) => seat))
    return yield* new Lost({
      seats: event.seats.filter((seat) => !mine.has(seat)),
      areas: Array.from(changes.keys()).filter((area) => !places.includes(area))
    })
  })

  const sellRows = (eventId: EventId, event: Event<"Sold">) =>
    event.seats.length === 0
      ? []
      : [
          sql`INSERT INTO inventory.sale (event_id, seat, order_id) SELECT ${eventId}::uuid, seat, ${event.order}::uuid
            FROM unnest(${[...event.seats]}::int[]) AS sold (seat)`
        ]

  const hold = Effect.fnUntraced(function* (task: Task<Of<"Hold">>, known: Known) {
    const { command, eventId, layout, nowMs } = task
    const state = stateOf({
      layout,
      holds: known.holdIdUsed ? [unknownHold(command.holdId, nowMs)] : [],
      // Who wants the best must be shown what there is.
      claims: command.best === null ? [] : yield* seats.claims({ eventId, nowMs }),
      // Who wants places as well is told of these and the seats together, by the transaction.
      taken: command.areas.length === 0 ? known.taken : []
    })
    const event = decide(state, command, nowMs)
    if (event._tag !== "Held") return { event, version: 0, freed: [] }
    const made: Hold = {
      id: event.hold,
      seats: event.seats,
      areas: event.areas,
      expiresAtMs: event.exp,
      ownExpiryMs: event.exp,
      capMs: event.cap,
      order: null,
      frozenOnce: false,
      customer: null,
      voucher: null,
      gone: false
    }
    const version = yield* sql.withTransaction(
      Effect.andThen(claim(task, event), append(task, event, holds.insert(eventId, made)))
    )
    return { event, version, freed: [] }
  })

  /** The part of the state that a sale without its hold, or a return, is about. Locks it. */
  const lockClaims = Effect.fnUntraced(function* ({
    command,
    eventId,
    layout,
    nowMs
  }: Task<Of<"Confirm" | "Return">>) {
    const named = command.seats.filter(
      (seat) => Number.isInteger(seat) && seat >= 0 && seat < layout.seatCount
    )
    const areaIds = command.areas
      .map(({ area }) => area)
      .filter((area) => layout.source.areas[area] !== undefined)
    const claims = named.length === 0 ? [] : yield* seats.lockClaimsOn({ eventId, seats: named, nowMs })
    const counters = areaIds.length === 0 ? [] : yield* areas.lock({ eventId, areas: areaIds })
    const places = areaIds.length === 0 ? [] : yield* areas.soldTo({ eventId, orderId: command.orderId })
    return { layout, claims, counters, sales: { order: command.orderId, places } }
  })

  /** Writes another end of a hold, for its row and its seats. */
  const prolong = Effect.fnUntraced(function* (task: Task, hold: Hold, event: CommandEvent) {
    const { eventId, nowMs } = task
    if (hold.seats.length > 0) {
      const changed = yield* seats.change({
        eventId,
        seats: hold.seats,
        holdId: hold.id,
        orderId: null,
        expiresAtMs: hold.expiresAtMs,
        nowMs
      })
      if (changed.length !== hold.seats.length) return yield* new HoldLost()
    }
    return { event, version: yield* append(task, event, holds.update(eventId, hold)), freed: [] }
  })

  const confirmHeld = Effect.fnUntraced(function* (task: Task, held: Hold, event: Event<"Sold">) {
    const { eventId, nowMs } = task
    if (held.seats.length > 0) {
      const changed = yield* seats.change({
        eventId,
        seats: held.seats,
        holdId: held.id,
        orderId: event.order,
        expiresAtMs: RowSeats.neverMs,
        nowMs
      })
      if (changed.length !== held.seats.length) return yield* new HoldLost()
    }
    yield* count(task, held.areas, -1, 1)
    if (event.areas.length > 0) yield* areas.addSold(eventId, event.order, event.areas)
    const version = yield* append(task, event, holds.remove(eventId, held.id), ...sellRows(eventId, event))
    return { event, version, freed: [] }
  })

  const reclaim = Effect.fnUntraced(function* (task: Task, over: Hold | undefined, event: Event<"Sold">) {
    const { eventId } = task
    yield* claim(task, event, over)
    if (event.areas.length > 0) yield* areas.addSold(eventId, event.order, event.areas)
    const ended = over === undefined ? [] : [holds.remove(eventId, over.id)]
    const version = yield* append(task, event, ...ended, ...sellRows(eventId, event))
    return { event, version, freed: [] }
  })

  const onHold = Effect.fnUntraced(function* (task: Task<OnHold>) {
    const { command, eventId, layout, nowMs } = task
    const found = yield* holds.lock(eventId, command.holdId)
    const live = found !== undefined && found.expiresAtMs > nowMs
    const part = command._tag === "Confirm" && !live ? yield* lockClaims({ ...task, command }) : { layout }
    const event = decide(stateOf({ ...part, holds: found === undefined ? [] : [found] }), command, nowMs)
    switch (event._tag) {
      case "Refused":
        return { event, version: 0, freed: [] }
      case "SoldBefore":
        return { event, version: yield* append(task, event), freed: [] }
      case "Sold":
        return yield* live ? confirmHeld(task, found, event) : reclaim(task, found, event)
    }
    if (found === undefined) throw new Error(`${event._tag} was decided of a hold that is not there`)
    switch (event._tag) {
      case "Extended":
        return yield* prolong(task, { ...found, ownExpiryMs: event.exp, expiresAtMs: event.exp }, event)
      case "Frozen":
        return yield* prolong(
          task,
          { ...found, order: event.order, frozenOnce: true, expiresAtMs: event.until },
          event
        )
      case "Unfrozen":
        return yield* prolong(task, { ...found, order: null, expiresAtMs: event.exp }, event)
      case "Released": {
        if (found.seats.length > 0) {
          const freed = yield* seats.change({
            eventId,
            seats: found.seats,
            holdId: found.id,
            orderId: null,
            expiresAtMs: 0,
            nowMs
          })
          if (freed.length !== found.seats.length) return yield* new HoldLost()
        }
        yield* count(task, found.areas, -1, 0)
        return {
          event,
          version: yield* append(task, event, holds.remove(eventId, found.id)),
          freed: found.seats
        }
      }
      default:
        throw new Error(`${event._tag} was decided of a hold`)
    }
  })

  const giveBack = Effect.fnUntraced(function* (task: Task<Of<"Return">>) {
    const { command, eventId, nowMs } = task
    const event = decide(stateOf(yield* lockClaims(task)), command, nowMs)
    if (event._tag !== "Returned") return { event, version: 0, freed: [] }
    if (event.seats.length > 0) {
      const freed = yield* seats.giveBack({ eventId, seats: event.seats, orderId: event.order })
      if (freed.length !== event.seats.length) throw new Error("INV-01: a sold seat is not the order's")
    }
    yield* count(task, event.areas, 0, -1)
    if (event.areas.length > 0) {
      const less = event.areas.map(({ area, quantity }) => ({ area, quantity: -quantity }))
      yield* areas.addSold(eventId, event.order, less)
    }
    const version = yield* append(
      task,
      event,
      sql`DELETE FROM inventory.sale WHERE event_id = ${eventId}::uuid AND seat = ANY (${[...event.seats]}::int[])`
    )
    return { event, version, freed: event.seats }
  })

  return {
    answers,
    areas,
    holds,
    seats,

    /** Carries out a command that has no answer yet. */
    run: (task: Task, known: Known) => {
      const { command } = task
      switch (command._tag) {
        case "Hold":
          return hold({ ...task, command }, known)
        case "Return":
          return sql.withTransaction(giveBack({ ...task, command }))
        default:
          return sql
            .withTransaction(onHold({ ...task, command }))
            .pipe(Effect.catchTag("HoldLost", () => Effect.succeed(expired(task))))
      }
    },

    /** Of the areas claimed, those that have not the places at `nowMs`, swept or not. */
    short: Effect.fnUntraced(function* (
      eventId: EventId,
      layout: Layout,
      claims: ReadonlyArray<AreaClaim>,
      nowMs: number
    ) {
      const isThere = ({ area }: AreaClaim) => layout.source.areas[area] !== undefined
      const none = claims.filter((claim) => !isThere(claim)).map(({ area }) => area)
      const changes = changesOf(layout, claims.filter(isThere), 1, 0)
      return [...none, ...(yield* areas.short(eventId, changes, nowMs))]
    }),

    /** Lets go of at most `sweepLimit` holds whose time is over, and answers how many: their places are free again. */
    sweep: (eventId: EventId, layout: Layout, nowMs: number) =>
      sql.withTransaction(
        Effect.gen(function* () {
          const over = yield* holds.takeExpired(eventId, nowMs, sweepLimit)
          if (over.length === 0) return 0
          const places = new Map<number, number>()
          for (const { areas } of over) {
            for (const { area, quantity } of areas) places.set(area, (places.get(area) ?? 0) + quantity)
          }
          if (places.size > 0) {
            const changes = Array.from(places, ([area, quantity]) => ({ area, quantity }))
            yield* areas.add(eventId, changesOf(layout, changes, -1, 0))
          }
          yield* journal.append({
            eventId,
            layout: layout.version,
            atMs: nowMs,
            event: { _tag: "Expired", holds: over.map(({ id }) => id) },
            also: []
          })
          return over.length
        })
      )
  }
}

export type RowCommands = ReturnType<typeof make>

const expired = ({ command }: Task): Done => ({
  event: {
    _tag: "Refused",
    cmd: command.commandId,
    fp: command.fingerprint,
    code: "hold_expired",
    seats: [],
    areas: [],
    limit: null
  },
  version: 0,
  freed: []
})
