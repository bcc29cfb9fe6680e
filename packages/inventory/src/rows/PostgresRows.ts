/**
 * The inventory over plain rows (L0): no entity, no memory of its own but the layouts. What is free is
 * decided by one conditional upsert a hold, see `RowSeats` and `RowCommands`.
 *
 * It needs nothing of the process it runs in: several may serve one event, and a level with an entity may
 * have had it before or have it afterwards, see `RowJournal`.
 */
import { EventId, type HoldId } from "@onsale/contracts/Ids"
import {
  InventoryClient,
  InventoryUnavailable,
  LayoutRefused
} from "@onsale/contracts/inventory/InventoryClient"
import type {
  AvailabilityView,
  HoldView,
  InventoryAnswer,
  InventoryCommand,
  Refused
} from "@onsale/contracts/inventory/InventoryCommand"
import { SaleLayout } from "@onsale/contracts/inventory/SaleLayout"
import { Clock, Duration, Effect, Layer, Metric, Schedule, Schema } from "effect"
import { SqlClient, SqlError, SqlSchema } from "effect/sql"
import { answerOf, holdView, refusal } from "../InventoryAnswers.ts"
import { type CommandEvent, relayoutProblem } from "../InventoryState.ts"
import { InventoryStore } from "../InventoryStore.ts"
import * as Layout from "../Layout.ts"
import * as RowCommands from "./RowCommands.ts"
import * as RowEvents from "./RowEvents.ts"
import { Outrun } from "./RowJournal.ts"
import { stateOf } from "./RowState.ts"
import { sweeping } from "./RowSweeper.ts"

/** A command that has no answer by then is given up; it may have been carried out. */
const deadline = Duration.seconds(5)
/** How often a command is decided anew when others were faster; each time somebody else got on. */
const triesLimit = 16

const tooLate = new InventoryUnavailable({ reason: "deadline", retryAfterMs: 2_000 })
const overloaded = new InventoryUnavailable({ reason: "overloaded", retryAfterMs: 1_000 })

const decided = Metric.counter("onsale_inventory_commands_total", {
  description: "Commands decided, by outcome",
  incremental: true
})
const won = Metric.withAttributes(decided, { outcome: "won" })
const lost = Metric.withAttributes(decided, { outcome: "refused" })

/** An answer, and what of it only we can know. */
export interface Executed {
  readonly answer: InventoryAnswer
  /** The seats that the command has freed, and the version since when; none when it is a repeat. */
  readonly freed: ReadonlyArray<number>
  readonly version: number
}

/** Trouble on the way to the database is tried again; what stays wrong is a defect. */
const settled = <A, E, R>(effect: Effect.Effect<A, E | SqlError.SqlError | Schema.SchemaError, R>) =>
  effect.pipe(
    Effect.retry({
      while: (error: unknown) => SqlError.isSqlError(error) && error.isRetryable,
      schedule: Schedule.exponential("5 millis").pipe(Schedule.jittered),
      times: 4
    }),
    Effect.catchIf(
      (error: unknown): error is SqlError.SqlError | Schema.SchemaError =>
        SqlError.isSqlError(error) || Schema.isSchemaError(error),
      Effect.die
    )
  )

const Availability = Schema.Struct({
  version: Schema.Int,
  held: Schema.Array(Schema.Int),
  sold: Schema.Array(Schema.Int),
  areas: Schema.Array(Schema.Struct({ area: Schema.Int, taken: Schema.Int }))
})

const sameLayout = Schema.toEquivalence(SaleLayout)

export const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { journal } = yield* InventoryStore
  const events = yield* RowEvents.make
  const commands = RowCommands.make(sql)
  const encodeLayout = Schema.encodeEffect(Schema.fromJsonString(SaleLayout))

  /** The event as it is in the database now; waits for others who make its rows. */
  const eventOf = (eventId: EventId) =>
    events.get(eventId).pipe(Effect.retry({ while: (error) => error._tag === "Outrun", times: triesLimit }))

  /** Lets go of all holds whose time is over, and answers how many these were. */
  const sweep = Effect.fnUntraced(
    function* (eventId: EventId, layout: Layout.Layout, nowMs: number) {
      let total = 0
      for (;;) {
        const count = yield* commands.sweep(eventId, layout, nowMs)
        total += count
        if (count > 0) yield* journal.announce
        if (count < RowCommands.sweepLimit) return total
      }
    },
    // Somebody else sells by another layout.
    Effect.catchTag(["Outrun", "HoldIdUsed"], () => Effect.succeed(0))
  )

  /** Remembers the refusal and answers it; undefined where the command has another answer by now. */
  const refuse = Effect.fnUntraced(function* (
    { eventId, layout, nowMs }: RowCommands.Task,
    event: CommandEvent
  ) {
    if (!(yield* commands.answers.refuse(eventId, event, nowMs))) return undefined
    yield* Metric.update(lost, 1)
    return { answer: answerOf(layout, event, 0), freed: [], version: 0 }
  })

  const refusedEvent = (
    command: InventoryCommand,
    code: Refused["code"],
    seats: ReadonlyArray<number> = [],
    areas: ReadonlyArray<number> = []
  ): CommandEvent => ({
    ...refusal(code, seats, areas),
    cmd: command.commandId,
    fp: command.fingerprint
  })

  /**
   * Of the areas that were short of places by their counters, those that are by the time: the others have
   * holds whose time is over, which are let go of.
   */
  const reallyShort = Effect.fnUntraced(function* (task: RowCommands.Task, areas: ReadonlyArray<number>) {
    if (areas.length === 0) return areas
    const { command, eventId, layout, nowMs } = task
    const short = yield* commands.short(eventId, layout, "areas" in command ? command.areas : [], nowMs)
    if (short.length < areas.length) yield* sweep(eventId, layout, nowMs)
    return areas.filter((area) => short.includes(area))
  })

  /** Undefined where it is to be done again from the beginning. */
  const attempt = Effect.fnUntraced(function* (eventId: EventId, command: InventoryCommand) {
    const event = yield* eventOf(eventId)
    if (event === null) return { answer: refusal("event_not_found"), freed: [], version: 0 }
    const { layout } = event
    const nowMs = yield* Clock.currentTimeMillis
    const task = { eventId, layout, command, nowMs }
    const known = yield* commands.answers.ask(task)
    if (known.answer !== undefined) return { answer: known.answer, freed: [], version: 0 }

    const best = command._tag === "Hold" && command.best !== null
    const transaction = commands.run(task, known)
    const outcome = yield* event.inTurn(best ? event.alone(transaction) : transaction).pipe(
      Effect.catchTag("Lost", ({ areas, seats }) => Effect.succeed({ _tag: "Lost" as const, areas, seats })),
      Effect.catchTag("HoldIdUsed", (error) => Effect.succeed(error)),
      Effect.catchTag("Outrun", (error) => Effect.as(events.forget(eventId), error))
    )
    if (!("_tag" in outcome)) {
      const { event, freed, version } = outcome
      if (event._tag !== "Refused") {
        yield* journal.announce
        yield* Metric.update(won, 1)
        return { answer: answerOf(layout, event, version), freed, version }
      }
      if (event.code !== "seats_taken") return yield* refuse(task, event)
      const areas = yield* reallyShort(task, event.areas)
      return areas.length < event.areas.length && event.seats.length + areas.length === 0
        ? undefined
        : yield* refuse(task, { ...event, areas })
    }
    switch (outcome._tag) {
      case "Outrun":
        return undefined
      case "HoldIdUsed":
        // A live one is found out when it is asked for again.
        yield* sweep(eventId, layout, nowMs)
        return undefined
      case "Lost": {
        const areas = yield* reallyShort(task, outcome.areas)
        // Seats that we have chosen and somebody else was faster with: there may be others.
        const named = new Set("seats" in command ? command.seats : [])
        const seats = outcome.seats.filter((seat) => named.has(seat))
        return seats.length + areas.length === 0
          ? undefined
          : yield* refuse(task, refusedEvent(command, "seats_taken", seats, areas))
      }
    }
  })

  const execute = Effect.fn("PostgresRows.execute")(
    function* (eventId: EventId, command: InventoryCommand) {
      for (let tries = 0; tries < triesLimit; tries++) {
        const result = yield* settled(attempt(eventId, command))
        if (result !== undefined) return result
      }
      return yield* overloaded
    },
    Effect.timeoutOrElse({ duration: deadline, orElse: () => Effect.fail(tooLate) })
  )

  const open = Effect.fn("PostgresRows.open")(function* (eventId: EventId, source: SaleLayout) {
    const before = yield* eventOf(eventId)
    if (before !== null && sameLayout(before.layout.source, source)) return
    const nowMs = yield* Clock.currentTimeMillis
    if (before !== null) yield* sweep(eventId, before.layout, nowMs)
    const next = yield* Effect.try({
      try: () => Layout.compile((before?.layout.version ?? 0) + 1, source),
      catch: (cause) => new LayoutRefused({ problem: String(cause) })
    }).pipe(Effect.orDie)
    const json = yield* Effect.orDie(encodeLayout(source))
    yield* sql
      .withTransaction(
        Effect.gen(function* () {
          yield* sql`INSERT INTO inventory.row_head (event_id, version, layout, txid)
          VALUES (${eventId}::uuid, 0, 0, '0'::xid8) ON CONFLICT DO NOTHING`
          // Who commits before this is seen below, who commits after it finds another layout and begins anew.
          yield* sql`SELECT version FROM inventory.row_head WHERE event_id = ${eventId}::uuid FOR UPDATE`
          if (before !== null) {
            const problem = relayoutProblem(yield* wholeState(eventId, before.layout, nowMs), next)
            if (problem !== undefined) return yield* Effect.die(new LayoutRefused({ problem }))
          }
          yield* sql`INSERT INTO inventory.layout (event_id, version, layout)
          VALUES (${eventId}::uuid, ${next.version}::int, ${json}::json)`
          const rows = yield* sql`WITH head AS (UPDATE inventory.row_head SET version = version + 1,
            layout = ${next.version}::int, txid = greatest(txid, pg_current_xact_id())
            WHERE event_id = ${eventId}::uuid AND layout = ${next.version - 1}::int RETURNING version, txid)
          INSERT INTO inventory.journal (stream, version, at, txid, events)
          SELECT ${eventId}::uuid, head.version, to_timestamp(${nowMs}::float8 / 1000), head.txid,
            ${JSON.stringify([{ _tag: "Opened", layout: next.version }])}::json
          FROM head RETURNING version`
          if (rows.length === 0) return yield* new Outrun()
        })
      )
      .pipe(
        // Another has opened it at the same time.
        Effect.catchIf(
          (error): error is SqlError.SqlError =>
            SqlError.isSqlError(error) && error.reason._tag === "UniqueViolation",
          () => Effect.fail(new Outrun())
        ),
        Effect.ensuring(events.forget(eventId))
      )
    yield* journal.announce
  })

  const wholeState = Effect.fnUntraced(function* (eventId: EventId, layout: Layout.Layout, nowMs: number) {
    const state = stateOf({
      layout,
      holds: yield* commands.holds.all(eventId),
      claims: yield* commands.seats.claims({ eventId, nowMs }),
      counters: yield* commands.areas.counters(eventId)
    })
    const returns = yield* sql<{ readonly cmd: string }>`SELECT cmd FROM inventory.row_answer
      WHERE event_id = ${eventId}::uuid AND returned LIMIT 1`
    for (const { cmd } of returns) state.returns.add(cmd)
    return state
  })

  const findVersion = (eventId: EventId) =>
    Effect.map(
      sql<{ readonly version: number }>`SELECT version::int4 AS version FROM inventory.row_head
        WHERE event_id = ${eventId}::uuid`,
      ([row]) => row?.version ?? 0
    )

  const hold = Effect.fn("PostgresRows.hold")(function* (eventId: EventId, holdId: HoldId) {
    const event = yield* eventOf(eventId)
    if (event === null) return refusal("event_not_found")
    const nowMs = yield* Clock.currentTimeMillis
    const found = yield* commands.holds.find(eventId, holdId)
    const version = yield* findVersion(eventId)
    const state = stateOf({ layout: event.layout, version, holds: found === undefined ? [] : [found] })
    return holdView(state, holdId, nowMs)
  })

  const findAvailability = SqlSchema.findOne({
    Request: Schema.Struct({ eventId: EventId, nowMs: Schema.Int }),
    Result: Availability,
    // The places of holds whose time is over are free, though nobody has swept them yet.
    execute: ({ eventId, nowMs }) => sql`SELECT head.version::int4 AS version,
        ARRAY(SELECT seat FROM inventory.row_seat WHERE event_id = head.event_id
          AND expires_at_ms > ${nowMs}::bigint AND order_id IS NULL ORDER BY seat) AS held,
        ARRAY(SELECT seat FROM inventory.row_seat WHERE event_id = head.event_id
          AND order_id IS NOT NULL ORDER BY seat) AS sold,
        (SELECT coalesce(json_agg(json_build_object('area', counter.area, 'taken',
            counter.held + counter.sold - coalesce(over.places, 0))), '[]')
          FROM inventory.row_area AS counter
          LEFT JOIN (SELECT claim.area, sum(claim.quantity) AS places FROM inventory.row_hold AS hold,
              unnest(hold.areas, hold.quantities) AS claim (area, quantity)
            WHERE hold.event_id = ${eventId}::uuid AND hold.expires_at_ms <= ${nowMs}::bigint
            GROUP BY claim.area) AS over ON over.area = counter.area
          WHERE counter.event_id = head.event_id) AS areas
      FROM inventory.row_head AS head WHERE head.event_id = ${eventId}::uuid`
  })

  const availability = Effect.fn("PostgresRows.availability")(function* (eventId: EventId) {
    const event = yield* eventOf(eventId)
    if (event === null) return null
    const nowMs = yield* Clock.currentTimeMillis
    const { areas, held, sold, version } = yield* findAvailability({ eventId, nowMs }).pipe(
      Effect.catchTag("NoSuchElementError", Effect.die)
    )
    const taken = new Map(areas.map(({ area, taken }) => [area, taken]))
    const view: AvailabilityView = {
      version,
      total: event.layout.forSale,
      held,
      sold,
      areas: event.layout.source.areas.map(({ capacity }, area) => ({
        capacity,
        available: capacity - (taken.get(area) ?? 0)
      })),
      tiers: []
    }
    return view
  })

  const withDeadline = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.timeoutOrElse(effect, { duration: deadline, orElse: () => Effect.fail(tooLate) })
  const outrunAgain = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E | Outrun, R>) =>
    effect.pipe(
      Effect.retry({ while: (error) => error._tag === "Outrun", times: triesLimit }),
      Effect.catchTag("Outrun", () => Effect.fail(overloaded))
    )

  yield* sweeping(commands, (eventId, nowMs) =>
    settled(
      Effect.gen(function* () {
        const event = yield* eventOf(eventId)
        return event === null ? 0 : yield* sweep(eventId, event.layout, nowMs)
      })
    )
  )

  return {
    execute: (eventId: EventId, command: InventoryCommand): Effect.Effect<Executed, InventoryUnavailable> =>
      outrunAgain(execute(eventId, command)),
    open: (eventId: EventId, layout: SaleLayout): Effect.Effect<void, InventoryUnavailable> =>
      withDeadline(outrunAgain(settled(open(eventId, layout)))),
    hold: (eventId: EventId, holdId: HoldId): Effect.Effect<HoldView | Refused, InventoryUnavailable> =>
      withDeadline(outrunAgain(settled(hold(eventId, holdId)))),
    availability: (eventId: EventId): Effect.Effect<AvailabilityView | null, InventoryUnavailable> =>
      withDeadline(outrunAgain(settled(availability(eventId)))),
    /** The layout that is sold by; null for an event whose sale was never opened. */
    layoutOf: (eventId: EventId): Effect.Effect<Layout.Layout | null, InventoryUnavailable> =>
      outrunAgain(settled(Effect.map(eventOf(eventId), (event) => event?.layout ?? null))),
    /** The commands that were answered after a time. */
    answeredSince: (eventId: EventId, sinceMs: number) =>
      settled(commands.answers.since({ eventId, sinceMs })),
    /** The claims that count at `nowMs`, of this version of the inventory or a later one. */
    claims: (eventId: EventId, nowMs: number) =>
      settled(
        Effect.gen(function* () {
          const version = yield* findVersion(eventId)
          return { version, claims: yield* commands.seats.claims({ eventId, nowMs }) }
        })
      ),
    /** The same on these seats. */
    claimsOn: (eventId: EventId, seats: ReadonlyArray<number>, nowMs: number) =>
      settled(
        Effect.gen(function* () {
          const version = yield* findVersion(eventId)
          return { version, claims: yield* commands.seats.claimsOn({ eventId, seats, nowMs }) }
        })
      )
  }
})

export type PostgresRows = Effect.Success<typeof make>

/** The contract over rows. Needs the database and its `InventoryStore`. */
export const layer = Layer.effect(
  InventoryClient,
  Effect.map(make, (rows) =>
    InventoryClient.of({
      ...rows,
      execute: (eventId, command) => Effect.map(rows.execute(eventId, command), ({ answer }) => answer)
    })
  )
)
