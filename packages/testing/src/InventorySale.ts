/** One event on sale, with its commands in a few words. */
import { CommandId, HoldId, makeEventId, makeUuidV7, OrderId, type VoucherId } from "@onsale/contracts/Ids"
import { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import type {
  AreaClaim,
  BestAvailable,
  HoldView,
  InventoryAnswer,
  InventoryCommand,
  RefusalCode,
  Refused
} from "@onsale/contracts/inventory/InventoryCommand"
import type { SaleLayout } from "@onsale/contracts/inventory/SaleLayout"
import { Effect } from "effect"
import { assert } from "vitest"

export const newHoldId = (): HoldId => HoldId.make(makeUuidV7(0))
export const newOrderId = (): OrderId => OrderId.make(makeUuidV7(0))
export const newCommandId = (): CommandId => CommandId.make(makeUuidV7(0))

export interface Claims {
  readonly seats?: ReadonlyArray<number>
  readonly areas?: ReadonlyArray<AreaClaim>
}

const claims = ({ seats = [], areas = [] }: Claims) => ({ seats, areas })
const envelope = (commandId: CommandId = newCommandId(), fingerprint = "") => ({ commandId, fingerprint })

export interface Wish extends Claims {
  readonly best?: Partial<BestAvailable>
  readonly holdId?: HoldId
  readonly commandId?: CommandId
  readonly fingerprint?: string
  readonly customer?: string
  readonly voucherKey?: string
  readonly accessible?: boolean
  readonly replaces?: HoldId
  readonly lifeMs?: number
}

/** What is sold, and whom it counts for. */
export interface Sale extends Claims {
  readonly customer?: string
  readonly voucher?: VoucherId
}

/** A command to hold. Without an id of its own it is a new command for a new hold. */
export const hold = ({
  best,
  holdId,
  commandId,
  fingerprint,
  seats = [],
  areas = [],
  ...who
}: Wish): InventoryCommand => ({
  _tag: "Hold",
  ...envelope(commandId, fingerprint),
  holdId: holdId ?? newHoldId(),
  seats,
  areas,
  ...who,
  best: best === undefined ? null : { quantity: 1, tier: null, section: null, accessible: 0, ...best }
})

export const extend = (holdId: HoldId, commandId?: CommandId): InventoryCommand => ({
  _tag: "Extend",
  ...envelope(commandId),
  holdId
})
export const release = (holdId: HoldId, commandId?: CommandId): InventoryCommand => ({
  _tag: "Release",
  ...envelope(commandId),
  holdId
})
export const freeze = (
  holdId: HoldId,
  orderId: OrderId,
  commandId?: CommandId,
  customer?: string
): InventoryCommand => ({
  _tag: "Freeze",
  ...envelope(commandId),
  holdId,
  orderId,
  ...(customer === undefined ? {} : { customer })
})
export const unfreeze = (holdId: HoldId, orderId: OrderId, commandId?: CommandId): InventoryCommand => ({
  _tag: "Unfreeze",
  ...envelope(commandId),
  holdId,
  orderId
})
export const confirm = (
  holdId: HoldId,
  orderId: OrderId,
  { seats = [], areas = [], ...whose }: Sale,
  commandId?: CommandId
): InventoryCommand => ({
  _tag: "Confirm",
  ...envelope(commandId),
  holdId,
  orderId,
  seats,
  areas,
  ...whose
})
/** Named for what it does: `return` is taken. */
export const takeBack = (orderId: OrderId, what: Claims, commandId?: CommandId): InventoryCommand => ({
  _tag: "Return",
  ...envelope(commandId),
  orderId,
  ...claims(what)
})

// --- answers ------------------------------------------------------------------------------------

const told = (answer: InventoryAnswer) => `answered ${JSON.stringify(answer)}`

/** The hold that was answered; fails on any other answer. */
export const held = (answer: InventoryAnswer): HoldView => {
  assert(answer._tag === "Held", told(answer))
  return answer.hold
}

/** The seats of the hold that was answered. */
export const seatsOf = (answer: InventoryAnswer): ReadonlyArray<number> =>
  held(answer).seats.map(({ seat }) => seat)

/** The refusal that was answered; fails where it is not for that reason, or of other seats and areas. */
export const refused = (
  answer: InventoryAnswer | HoldView,
  code: RefusalCode,
  what: Claims = {}
): Refused => {
  assert("_tag" in answer && answer._tag === "Refused", `answered ${JSON.stringify(answer)}`)
  assert.strictEqual(answer.code, code)
  if (what.seats !== undefined) assert.deepStrictEqual([...answer.seats], [...what.seats])
  if (what.areas !== undefined) {
    assert.deepStrictEqual(
      [...answer.areas],
      what.areas.map(({ area }) => area)
    )
  }
  return answer
}

/** The refusal of a hold whose time is over: whether it is still known that it was there is each one's choice. */
export const gone = (answer: InventoryAnswer | HoldView) => {
  assert("_tag" in answer && answer._tag === "Refused", `answered ${JSON.stringify(answer)}`)
  assert.include(["hold_expired", "hold_not_found"], answer.code)
}

export const sold = (answer: InventoryAnswer) => {
  assert(answer._tag === "Sold", told(answer))
  return answer
}

// --- the event ----------------------------------------------------------------------------------

/** Opens the sale of a new event. */
export const openSale = Effect.fnUntraced(function* (layout: SaleLayout) {
  const inventory = yield* InventoryClient
  const eventId = makeEventId(0)
  yield* inventory.open(eventId, layout)
  const availability = Effect.flatMap(inventory.availability(eventId), (view) =>
    view === null ? Effect.die(new Error("the sale is not open")) : Effect.succeed(view)
  )
  return {
    eventId,
    open: (next: SaleLayout) => inventory.open(eventId, next),
    execute: (command: InventoryCommand) => inventory.execute(eventId, command),
    hold: (wish: Wish) => inventory.execute(eventId, hold(wish)),
    look: (holdId: HoldId) => inventory.hold(eventId, holdId),
    availability,
    /** Fails where anything but these is held or sold, or where the areas have other numbers of free places. */
    expectTaken: Effect.fnUntraced(function* (expected: {
      readonly held?: ReadonlyArray<number>
      readonly sold?: ReadonlyArray<number>
      readonly free?: ReadonlyArray<number>
    }) {
      const view = yield* availability
      const sorted = (seats: ReadonlyArray<number>) => [...seats].sort((a, b) => a - b)
      assert.deepStrictEqual(sorted(view.held), sorted(expected.held ?? []))
      assert.deepStrictEqual(sorted(view.sold), sorted(expected.sold ?? []))
      if (expected.free !== undefined) {
        assert.deepStrictEqual(
          view.areas.map(({ available }) => available),
          [...expected.free]
        )
      }
    }),
    /** Fails where the quotas leave other numbers of tickets, in the order of the tiers that draw on one. */
    expectLeft: Effect.fnUntraced(function* (...expected: ReadonlyArray<number>) {
      const { tiers } = yield* availability
      assert.deepStrictEqual(
        tiers.map(({ available }) => available),
        [...expected]
      )
    }),
    /** Holds and buys at once. */
    buy: Effect.fnUntraced(function* (wish: Wish, orderId = newOrderId()) {
      const { areas, holdId, seats } = held(yield* inventory.execute(eventId, hold(wish)))
      const what = {
        seats: seats.map(({ seat }) => seat),
        areas: areas.map(({ area, quantity }) => ({ area, quantity }))
      }
      sold(yield* inventory.execute(eventId, confirm(holdId, orderId, what)))
      return { orderId, ...what }
    })
  }
})
