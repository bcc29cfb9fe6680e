/**
 * The inventory over plain rows (L0): no entity, and no memory of its own but the layouts. The commands that
 * wait for an event are carried out as one batch, in one transaction, by the same rules as everywhere: see
 * `RowLanes` and `RowBatch`.
 *
 * It needs nothing of the process it runs in: several may serve one event, and a level with an entity may
 * have had it before or have it afterwards, see `RowRebuild`.
 */
import { EventId, HoldId, OrderId } from "@onsale/contracts/Ids"
import { InventoryClient, type InventoryUnavailable } from "@onsale/contracts/inventory/InventoryClient"
import type {
  AvailabilityView,
  HoldView,
  InventoryCommand,
  Refused,
  SeatHold
} from "@onsale/contracts/inventory/InventoryCommand"
import type { SaleLayout } from "@onsale/contracts/inventory/SaleLayout"
import { Clock, Context, Duration, Effect, Exit, Layer, Metric, Schedule, Schema } from "effect"
import { SqlClient, SqlError, SqlSchema } from "effect/sql"
import * as InventoryAnswers from "../InventoryAnswers.ts"
import { InventoryStore } from "../InventoryStore.ts"
import * as InventorySubmit from "../InventorySubmit.ts"
import type { Layout } from "../Layout.ts"
import { type Lasting, LastingAvailability } from "./LastingAvailability.ts"
import * as RowBatch from "./RowBatch.ts"
import * as RowEvents from "./RowEvents.ts"
import * as RowLanes from "./RowLanes.ts"
import * as RowOpening from "./RowOpening.ts"
import * as RowPart from "./RowPart.ts"
import * as RowRetries from "./RowRetries.ts"
import { stateOf } from "./RowState.ts"
import { sweeping } from "./RowSweeper.ts"
import * as RowView from "./RowView.ts"

/** How often it is begun anew when the layout or the rows are others than they were; each time somebody got on. */
const outrunsLimit = 16
/** How often trouble on the way to the database is tried again. */
const triesLimit = 4
const firstPauseMs = 5

const decided = Metric.counter("onsale_inventory_commands_total", {
  description: "Commands decided, by outcome",
  incremental: true
})
const won = Metric.withAttributes(decided, { outcome: "won" })
const lost = Metric.withAttributes(decided, { outcome: "refused" })

export type Executed = RowBatch.Executed

const settled = <A, E, R>(effect: Effect.Effect<A, E | SqlError.SqlError | Schema.SchemaError, R>) =>
  effect.pipe(
    Effect.sandbox,
    Effect.retry({
      while: RowRetries.isRetryable,
      schedule: Schedule.exponential(Duration.millis(firstPauseMs)).pipe(Schedule.jittered),
      times: triesLimit
    }),
    Effect.catch(Effect.failCause),
    Effect.catchIf(
      (error: unknown): error is SqlError.SqlError | Schema.SchemaError =>
        SqlError.isSqlError(error) || Schema.isSchemaError(error),
      Effect.die
    )
  )

const nobody: RowLanes.Listener = { executed: () => Effect.void, unknown: () => Effect.void }

/** The inventory, with what only we can know of it told to `listener`. */
export const make = Effect.fnUntraced(function* (listener: RowLanes.Listener) {
  const sql = yield* SqlClient.SqlClient
  const { journal } = yield* InventoryStore
  const events = yield* RowEvents.make
  const runBatch = RowBatch.make(sql, journal)
  const writeLayout = RowOpening.make(sql, journal)
  const readView = RowView.make(sql)

  const afterOutrun = <A, E extends { readonly _tag: string }, R>(
    eventId: EventId,
    effect: Effect.Effect<A, E | RowBatch.Outrun, R>
  ) =>
    effect.pipe(
      Effect.tapErrorTag("Outrun", () => events.forget(eventId)),
      Effect.retry({ while: (error) => error._tag === "Outrun", times: outrunsLimit }),
      Effect.catchTag("Outrun", () => Effect.fail(RowLanes.overloaded))
    )

  const once = Effect.fnUntraced(function* (eventId: EventId, commands: ReadonlyArray<InventoryCommand>) {
    for (;;) {
      const layout = yield* events.layout(eventId)
      if (layout === null) {
        const answer = InventoryAnswers.refusal("event_not_found")
        return commands.map((): Executed => ({ answer, recalled: false, version: 0, seats: [] }))
      }
      const { executed, onlySwept, refused, won: winners } = yield* runBatch(eventId, layout, commands)
      if (onlySwept) continue
      if (winners > 0) yield* Metric.update(won, winners)
      if (refused > 0) yield* Metric.update(lost, refused)
      return executed
    }
  })

  /**
   * A batch with its retries. Where nobody heard whether a try was committed, the next one finds the answers:
   * it gets the head of the event when that try has come to its end.
   */
  const carryOut = Effect.fn("PostgresRows.carryOut")(function* (
    eventId: EventId,
    commands: ReadonlyArray<InventoryCommand>
  ) {
    for (let tries = 0; ; tries++) {
      const exit = yield* Effect.exit(afterOutrun(eventId, once(eventId, commands)))
      if (Exit.isSuccess(exit)) {
        return tries === 0
          ? exit.value
          : exit.value.map((one) => (one.recalled ? { ...one, seats: null } : one))
      }
      if (!RowRetries.isRetryable(exit.cause)) {
        return yield* Effect.failCause(exit.cause).pipe(
          Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
        )
      }
      if (tries === triesLimit) {
        yield* Effect.logError(`the rows of event ${eventId} cannot be reached`, exit.cause)
        return yield* InventorySubmit.tooLate
      }
      yield* Effect.sleep(Duration.millis(firstPauseMs * 2 ** tries))
    }
  })

  const lanes = yield* RowLanes.make(carryOut, listener)
  yield* sweeping(lanes.sweep)

  const open = Effect.fn("PostgresRows.open")(function* (eventId: EventId, source: SaleLayout) {
    const before = yield* events.layout(eventId)
    if (before !== null && RowOpening.isKnown(before.source, source)) return
    // What has expired is nobody's: it is no reason against a layout.
    if (before !== null) yield* lanes.sweep(eventId)
    yield* writeLayout(eventId, before, source).pipe(
      Effect.catchTag("LayoutRefused", Effect.die),
      // It may have been written all the same.
      Effect.onError(() => events.forget(eventId)),
      Effect.flatMap((layout) => events.learn(eventId, layout))
    )
  })

  /** The layout that the event is sold by, and all of it at a glance. */
  const look = Effect.fnUntraced(function* (eventId: EventId) {
    const layout = yield* events.layout(eventId)
    if (layout === null) return null
    const nowMs = yield* Clock.currentTimeMillis
    const view = yield* readView(eventId, nowMs)
    if (view === undefined || view.layout !== layout.version || view.newest !== view.version)
      return yield* new RowBatch.Outrun()
    const atMs = Math.max(nowMs, view.atMs)
    const found: Lasting = {
      view: InventoryAnswers.availability(RowView.stateOf(layout, view, atMs), atMs),
      nextExpiryMs: view.nextExpiryMs
    }
    return found
  })

  const findHold = SqlSchema.findAll({
    Request: Schema.Struct({ eventId: EventId, holdId: HoldId }),
    Result: Schema.Struct({
      version: Schema.Int,
      layout: Schema.Int,
      atMs: Schema.Int,
      newest: Schema.Int,
      hold: Schema.NullOr(RowPart.HoldRow)
    }),
    execute: ({
      eventId,
      holdId
    }) => sql`SELECT head.version::int4 AS version, head.layout, head.at_ms::float8 AS "atMs",
        (SELECT coalesce(max(version), 0) FROM inventory.journal WHERE stream = ${eventId}::uuid)::int4 AS newest,
        (SELECT to_json(hold) FROM (SELECT ${RowPart.holdColumns(sql)} FROM inventory.row_hold
          WHERE event_id = ${eventId}::uuid AND hold_id = ${holdId}::uuid) AS hold) AS hold
      FROM inventory.row_head AS head WHERE event_id = ${eventId}::uuid`
  })

  const hold = Effect.fnUntraced(function* (eventId: EventId, holdId: HoldId) {
    const layout = yield* events.layout(eventId)
    if (layout === null) return InventoryAnswers.refusal("event_not_found")
    const [found] = yield* findHold({ eventId, holdId })
    if (found === undefined || found.layout !== layout.version || found.newest !== found.version)
      return yield* new RowBatch.Outrun()
    const nowMs = Math.max(yield* Clock.currentTimeMillis, found.atMs)
    const part = { ...RowPart.nothing, holds: found.hold === null ? [] : [found.hold] }
    return InventoryAnswers.holdView(stateOf(layout, part, found), holdId, nowMs)
  })

  const findHoldOf = SqlSchema.findAll({
    Request: Schema.Struct({ eventId: EventId, seat: Schema.Int, nowMs: Schema.Int }),
    Result: Schema.Struct({
      version: Schema.Int,
      newest: Schema.Int,
      holdId: Schema.NullOr(HoldId),
      customer: Schema.NullOr(Schema.String),
      orderId: Schema.NullOr(OrderId)
    }),
    execute: ({ eventId, nowMs, seat }) => sql`SELECT head.version::int4 AS version,
        (SELECT coalesce(max(version), 0) FROM inventory.journal WHERE stream = ${eventId}::uuid)::int4 AS newest,
        hold.hold_id::text AS "holdId", hold.customer, hold.order_id::text AS "orderId"
      FROM inventory.row_head AS head
      LEFT JOIN inventory.row_seat AS mine ON mine.event_id = head.event_id AND mine.seat = ${seat}::int4
      LEFT JOIN inventory.row_hold AS hold ON hold.event_id = head.event_id AND hold.hold_id = mine.hold_id
        AND hold.expires_at_ms > greatest(head.at_ms, ${nowMs}::bigint)
      WHERE head.event_id = ${eventId}::uuid`
  })

  const holdOf = Effect.fnUntraced(function* (eventId: EventId, seat: number) {
    if ((yield* events.layout(eventId)) === null) return null
    const [found] = yield* findHoldOf({ eventId, seat, nowMs: yield* Clock.currentTimeMillis })
    if (found === undefined || found.newest !== found.version) return yield* new RowBatch.Outrun()
    const { customer, holdId, orderId } = found
    return holdId === null ? null : { holdId, customer, orderId }
  })

  const read = <A, E extends { readonly _tag: string }>(eventId: EventId, effect: Effect.Effect<A, E>) =>
    RowLanes.withDeadline(settled(afterOutrun(eventId, effect)))

  const lockHead = (eventId: EventId) =>
    sql`SELECT version FROM inventory.row_head WHERE event_id = ${eventId}::uuid FOR SHARE`

  const findClaims = SqlSchema.findAll({
    Request: Schema.Struct({ eventId: EventId, nowMs: Schema.Int }),
    Result: Schema.Struct({
      version: Schema.Int,
      seats: Schema.Array(Schema.Int),
      untilMs: Schema.Array(Schema.Int)
    }),
    execute: ({ eventId, nowMs }) => sql`WITH claim AS MATERIALIZED (
        SELECT seat, expires_at_ms::float8 AS until_ms FROM inventory.row_seat
        WHERE event_id = ${eventId}::uuid AND expires_at_ms > ${nowMs}::bigint)
      SELECT version::int4 AS version, ARRAY(SELECT seat FROM claim) AS seats,
        ARRAY(SELECT until_ms FROM claim) AS "untilMs"
      FROM inventory.row_head WHERE event_id = ${eventId}::uuid`
  })

  const findAnswered = SqlSchema.findAll({
    Request: Schema.Struct({ eventId: EventId, sinceMs: Schema.Int }),
    Result: Schema.Struct({ cmd: Schema.String, atMs: Schema.Int }),
    execute: ({ eventId, sinceMs }) => sql`SELECT cmd, at_ms::float8 AS "atMs" FROM inventory.row_answer
      WHERE event_id = ${eventId}::uuid AND at_ms > ${sinceMs}::bigint`
  })

  const lasting = (eventId: EventId): Effect.Effect<Lasting | null, InventoryUnavailable> =>
    read(eventId, look(eventId))

  return {
    execute: lanes.execute,
    open: (eventId: EventId, layout: SaleLayout): Effect.Effect<void, InventoryUnavailable> =>
      read(eventId, open(eventId, layout)),
    hold: (eventId: EventId, holdId: HoldId): Effect.Effect<HoldView | Refused, InventoryUnavailable> =>
      read(eventId, hold(eventId, holdId)),
    holdOf: (eventId: EventId, seat: number): Effect.Effect<SeatHold | null, InventoryUnavailable> =>
      read(eventId, holdOf(eventId, seat)),
    availability: (eventId: EventId): Effect.Effect<AvailabilityView | null, InventoryUnavailable> =>
      Effect.map(lasting(eventId), (found) => found?.view ?? null),
    lasting,
    /** The layout that is sold by; null for an event whose sale was never opened. */
    layoutOf: (eventId: EventId): Effect.Effect<Layout | null, InventoryUnavailable> =>
      // Nearly always it is there: the machinery for when it is not costs more than the rest of a refusal.
      Effect.catch(events.layout(eventId), () => settled(afterOutrun(eventId, events.layout(eventId)))),
    /** The commands that were answered after a time. */
    answeredSince: (eventId: EventId, sinceMs: number) => settled(findAnswered({ eventId, sinceMs })),
    /**
     * The claims that count at `nowMs`, as of a version of the inventory. Waits for who is writing: a batch that
     * was given up may be about to commit, and nobody would tell of it afterwards.
     */
    claims: (eventId: EventId, nowMs: number) =>
      settled(sql.withTransaction(Effect.andThen(lockHead(eventId), findClaims({ eventId, nowMs })))).pipe(
        Effect.map(([found]) => ({
          version: found?.version ?? 0,
          seats: (found?.seats ?? []).map(
            (seat, i): RowBatch.SeatNews => ({ seat, untilMs: found?.untilMs[i] ?? 0 })
          )
        }))
      )
  }
})

export type PostgresRows = Effect.Success<ReturnType<typeof make>>

/** The contract over rows. Needs the database and its `InventoryStore`. */
export const layer = Layer.effectContext(
  Effect.map(make(nobody), ({ availability, execute, hold, holdOf, lasting, open }) =>
    Context.make(InventoryClient, {
      availability,
      hold,
      holdOf,
      open,
      execute: (eventId, command) => Effect.map(execute(eventId, command), ({ answer }) => answer)
    }).pipe(Context.add(LastingAvailability, { get: lasting }))
  )
)
