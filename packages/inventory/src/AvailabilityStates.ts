/**
 * States of events for who only looks: read from snapshot and journal once, and then brought forward by the rows that
 * come. Never ahead of what is committed, perhaps ahead of the reader's cursor, as a load has everything.
 */
import type { EventId } from "@onsale/contracts/Ids"
import type { InventoryEvent } from "@onsale/contracts/inventory/InventoryEvent"
import type { JournalRow } from "@onsale/platform/Journal"
import { Clock, Effect } from "effect"
import { apply } from "./InventorySnapshot.ts"
import type { State } from "./InventoryState.ts"
import { InventoryStore } from "./InventoryStore.ts"

/** Seats of all states that are kept, some 250 bytes each; what was looked at longest ago is read again when it is asked for. */
const maxSeats = 400_000

/** How long it works before it lets others have their turn. */
const turnMs = 2

type Row = JournalRow<InventoryEvent>

export const make = Effect.gen(function* () {
  const store = yield* InventoryStore
  const clock = yield* Clock.Clock
  const nowMs = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
  /** The one that was looked at longest ago first. */
  const states = new Map<EventId, State>()
  let seats = 0

  const take = (eventId: EventId): State | undefined => {
    const state = states.get(eventId)
    if (state === undefined) return undefined
    states.delete(eventId)
    seats -= state.layout.seatCount
    return state
  }
  const keep = (eventId: EventId, state: State): void => {
    const other = take(eventId)
    const newer = other !== undefined && other.version > state.version ? other : state
    states.set(eventId, newer)
    seats += newer.layout.seatCount
    for (const id of states.keys()) {
      if (seats <= maxSeats || states.size === 1) return
      take(id)
    }
  }

  /** Undefined where the rows do not follow it, or bring a layout, which a load reads. What fails halfway is not kept. */
  const forward = Effect.fnUntraced(function* (eventId: EventId, rows: ReadonlyArray<Row>) {
    const state = take(eventId)
    if (state === undefined) return undefined
    const { version } = state
    const unseen = rows.filter((row) => row.version > version)
    const follows = unseen.every(
      (row, index) => row.version === version + 1 + index && row.events.every(({ _tag }) => _tag !== "Opened")
    )
    if (!follows) return undefined
    let sinceMs = nowMs()
    for (const row of unseen) {
      apply(state, row, false)
      // Nobody repeats a command here.
      state.answers.clear()
      // Who sells in this process does not wait for all of them. Not after each: where the thread is full the next turn may be
      // a tenth of a second away, and a batch would take half a minute.
      if (nowMs() - sinceMs < turnMs) continue
      yield* Effect.yieldNow
      sinceMs = nowMs()
    }
    return state
  })

  return {
    /** The state of an event that has at least these rows, in their order; null where it was never opened. */
    at: Effect.fnUntraced(function* (eventId: EventId, rows: ReadonlyArray<Row>) {
      const state = (yield* forward(eventId, rows)) ?? (yield* store.load(eventId, { answers: false }))
      if (state !== null) keep(eventId, state)
      return state
    })
  }
})
