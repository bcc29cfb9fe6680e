/**
 * A batch of commands carried out on rows, in one transaction, by the loop that the writer of the entity has:
 * sweep, then recall, decide and evolve one after the other. The state is the part of it that the batch is
 * about, see `RowPart`; what became of it is written as a difference, see `RowChanges`.
 *
 * The first thing that a transaction does is to lock the event's `row_head`: the batches of an event follow one
 * another, in all processes, so what one has read is true until it is written, nobody waits in a circle, and
 * versions are taken in the order of commits. Batches of different events have nothing in common.
 *
 * Followers of the journal read by transaction id. A transaction has its id from its first write or lock on,
 * here mostly after it has got hold of the head, and so in the order of versions; `row_head` keeps the newest
 * one, and a row is written with the newer of that and its own, because an id may have been given while it
 * waited. (One that is above its own is no trouble: its own still runs, so no reader has come so far.)
 *
 * The key of the journal is the fence against other levels: where the journal has gone on without the rows,
 * nothing is written. Time never goes back in a stream, whichever machine's clock it is.
 */
import type { EventId } from "@onsale/contracts/Ids"
import type { InventoryAnswer, InventoryCommand } from "@onsale/contracts/inventory/InventoryCommand"
import type { InventoryEvent } from "@onsale/contracts/inventory/InventoryEvent"
import type { Journal } from "@onsale/platform/Journal"
import { Clock, Effect, Schema } from "effect"
import { type SqlClient, SqlError, SqlSchema } from "effect/sql"
import { isSeat } from "../Decision.ts"
import { decide, recall, sweep } from "../Inventory.ts"
import { answerOf } from "../InventoryAnswers.ts"
import { evolve, type State } from "../InventoryState.ts"
import type { Layout } from "../Layout.ts"
import { changesOf } from "./RowChanges.ts"
import * as RowPart from "./RowPart.ts"
import { stateOf } from "./RowState.ts"
import * as RowWrites from "./RowWrites.ts"

/**
 * The layout was replaced, or the journal went on without these rows: nothing is written, and everything is to
 * be read again.
 */
export class Outrun extends Schema.TaggedError<Outrun>()("Outrun", {}) {}

/** Until when a seat is taken, by the rows: 0 for one that is free. Milliseconds since 1970. */
export interface SeatNews {
  readonly seat: number
  readonly untilMs: number
}

/** An answer, and what has become of the seats that the command was about. */
export interface Executed {
  readonly answer: InventoryAnswer
  /** True where the command had been answered before. */
  readonly recalled: boolean
  /** Of the inventory that the seats are told of. */
  readonly version: number
  /** Null where an earlier try, whose outcome nobody heard of, may have changed some that are not known. */
  readonly seats: ReadonlyArray<SeatNews> | null
}

/** A process that stops in the middle of a batch must not keep the event's head from the others. */
const idleInTransactionMs = 5_000

const Head = Schema.Struct({ version: Schema.Int, layout: Schema.Int, atMs: Schema.Int })

/** Fails as `Outrun` where another owner of the event wrote the same version, or opened it at the same time. */
export const outrunOnConflict = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | Outrun, R> =>
  Effect.mapError(effect, (error) =>
    SqlError.isSqlError(error) &&
    error.reason._tag === "UniqueViolation" &&
    (error.reason.constraint === "journal_pkey" || error.reason.constraint === "layout_pkey")
      ? new Outrun()
      : error
  )

/**
 * The head of the event, locked until the transaction ends; undefined where there is none.
 *
 * The plans of what follows are made once, perhaps while the tables are small, and kept: each row is looked up by
 * its key, and nothing else would do when they have grown.
 */
export const lockHead = (sql: SqlClient.SqlClient, eventId: EventId) =>
  SqlSchema.findAll({
    Request: Schema.Void,
    Result: Head,
    execute: () => sql`SELECT version::int4 AS version, layout, at_ms::float8 AS "atMs",
        set_config('idle_in_transaction_session_timeout', ${String(idleInTransactionMs)}, true),
        set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
        set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
        set_config('enable_material', 'off', true)
      FROM inventory.row_head WHERE event_id = ${eventId}::uuid FOR UPDATE`
  })().pipe(Effect.map(([head]) => head))

/** The time of what is done now in a stream whose newest row is of `atMs`. */
export const timeAfter = (atMs: number) =>
  Effect.map(Clock.currentTimeMillis, (nowMs) => Math.max(nowMs, atMs))

/** What was decided. */
interface Decided {
  readonly events: ReadonlyArray<InventoryEvent>
  readonly answers: ReadonlyArray<InventoryAnswer>
  /** Whether the command had been answered before. */
  readonly recalled: ReadonlyArray<boolean>
  readonly refused: number
}

export interface Done {
  /** In the order of the commands. */
  readonly executed: ReadonlyArray<Executed>
  /** Of the commands that were decided now. */
  readonly won: number
  readonly refused: number
  /** There was more to sweep than one batch may: the commands have not been looked at. */
  readonly onlySwept: boolean
}

const decideAll = (state: State, commands: ReadonlyArray<InventoryCommand>, nowMs: number): Decided => {
  const version = state.version + 1
  const events: Array<InventoryEvent> = []
  const recalled: Array<boolean> = []
  let refused = 0
  const expired = sweep(state, nowMs)
  if (expired !== undefined) {
    evolve(state, expired, version, nowMs)
    events.push(expired)
  }
  const answers = commands.map((command) => {
    const seen = recall(state, command)
    recalled.push(seen !== undefined)
    if (seen !== undefined) return seen
    const event = decide(state, command, nowMs)
    evolve(state, event, version, nowMs)
    events.push(event)
    if (event._tag === "Refused") refused++
    return answerOf(state.layout, event, version)
  })
  return { events, answers, recalled, refused }
}

const newsOf = (state: State, seat: number): SeatNews => ({
  seat,
  untilMs: state.sold[seat] === undefined ? (state.owner[seat]?.expiresAtMs ?? 0) : RowPart.neverMs
})

export const make = (sql: SqlClient.SqlClient, journal: Pick<Journal<InventoryEvent>, "announce">) => {
  const read = RowPart.make(sql)
  const writes = RowWrites.make(sql)

  /**
   * Carries out the commands, in their order. Fails with `Outrun` where it has to begin with another layout,
   * or with other rows; dies where an invariant would break. Nothing is written then.
   */
  const run = Effect.fnUntraced(function* (
    eventId: EventId,
    layout: Layout,
    commands: ReadonlyArray<InventoryCommand>
  ) {
    const head = yield* lockHead(sql, eventId)
    if (head === undefined || head.layout !== layout.version) return yield* new Outrun()
    const nowMs = yield* timeAfter(head.atMs)
    const part = yield* read(RowPart.questionOf(eventId, layout, commands, nowMs))
    if (part.newest !== head.version) return yield* new Outrun()
    const expired = part.holds.reduce((sum, hold) => sum + (hold.expiresAtMs <= nowMs ? 1 : 0), 0)
    const onlySwept = expired === RowPart.sweepLimit
    const state = stateOf(layout, part, head)
    const { answers, events, recalled, refused } = decideAll(state, onlySwept ? [] : commands, nowMs)
    if (events.length > 0) {
      const changes = changesOf(part, state, nowMs, events)
      yield* writes.batch({ eventId, version: state.version, nowMs, events, ...changes })
      yield* journal.announce
    }
    const seatsOfHold = new Map(part.holds.map(({ id, seats }) => [id, seats]))
    const seatsOfEvent = new Map(
      events.flatMap((event) => ("cmd" in event && "seats" in event ? [[event.cmd, event.seats]] : []))
    )
    const about = (command: InventoryCommand): ReadonlySet<number> =>
      new Set([
        ...RowPart.seatsOf(layout, command),
        ...RowPart.holdsOf(command).flatMap((hold) => seatsOfHold.get(hold) ?? []),
        ...(seatsOfEvent.get(command.commandId) ?? []).filter((seat) => isSeat(layout.seatCount, seat))
      ])
    const done: Done = {
      executed: answers.map((answer, i) => ({
        answer,
        recalled: recalled[i]!,
        version: state.version,
        // As they are after the whole batch, so that it is no matter which command's news arrive first.
        seats: Array.from(about(commands[i]!), (seat) => newsOf(state, seat))
      })),
      won: recalled.filter((before) => !before).length - refused,
      refused,
      onlySwept
    }
    return done
  })

  return (eventId: EventId, layout: Layout, commands: ReadonlyArray<InventoryCommand>) =>
    outrunOnConflict(sql.withTransaction(run(eventId, layout, commands)))
}
