/**
 * `npm run bench -- best`: what the choice of the best seats costs in an arena that fills up, decision by
 * decision, in this process and without HTTP, journal or commit.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { arena } from "@onsale/catalog/demo/ArenaPlan"
import * as EventLayout from "@onsale/catalog/EventLayout"
import { importPlan } from "@onsale/catalog/PlanImport"
import type { StoredEvent } from "@onsale/catalog/StoredEvent"
import type { SeatMap } from "@onsale/contracts/catalog/SeatMap"
import { CommandId, makeEventId, makeHoldId, makeUuidV7, TierId, VenueId } from "@onsale/contracts/Ids"
import { decide } from "@onsale/inventory/Inventory"
import { empty, evolve, type State } from "@onsale/inventory/InventoryState"
import * as Layout from "@onsale/inventory/Layout"
import { Console, Effect, FileSystem, Option, Result, Schema } from "effect"
import { Command, Flag } from "effect/cli"

/** The chart cannot be read. */
class ChartRefused extends Schema.TaggedError<ChartRefused>()("ChartRefused", { message: Schema.String }) {}

const fills = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999] as const
const orders = ["random", "front first"] as const
type Order = (typeof orders)[number]
/** Each with other seats taken. */
const arenas = 5
const repeats = 40
const largest = 10
/** Microseconds that 99 of 100 decisions may take, at any fill. */
const limitMicros = 1_000

const nowMs = 1_000

const layoutOf = (map: SeatMap): Layout.Layout => {
  const event: StoredEvent = {
    id: makeEventId(nowMs),
    number: 1,
    revision: 1,
    state: "published",
    venue: { id: VenueId.make(makeUuidV7(nowMs)), name: map.name, location: "" },
    seatMapVersion: 1,
    mapChanges: 0,
    name: "Bench",
    description: "",
    startsAtMs: 2_000_000_000_000,
    timeZone: "UTC",
    onSaleAtMs: 0,
    saleEndsAtMs: 2_000_000_000_000,
    currency: "EUR",
    maxPerOrder: 250_000,
    holdTtlMs: 3_600_000,
    holdMaxMs: 3_600_000,
    checkoutMaxMs: 900_000,
    tiers: map.categories.map(({ name }, i) => ({
      id: TierId.make(makeUuidV7(nowMs + i)),
      name,
      amount: 4_500,
      categories: [name],
      saleFromMs: null,
      saleUntilMs: null,
      minPerOrder: null,
      maxPerOrder: null,
      voucherOnly: false
    })),
    performers: [],
    openedRevision: 1,
    quotas: [],
    maxPerCustomer: null,
    maxTickets: null,
    accessibleReleased: false,
    cancellation: null,
    organiser: null,
    refundPolicy: null
  }
  return Layout.compile(1, EventLayout.saleLayout(map, event))
}

/** Numbers from 0 to below 1 that depend on the seed and the count alone (splitmix32). */
const randomAt = (seed: number, count: number): number => {
  let z = (seed + Math.imul(count + 1, 0x9e3779b9)) | 0
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
  return ((z ^ (z >>> 16)) >>> 0) / 2 ** 32
}

/** The seats that are for sale, in the order in which they go. */
const goingOrder = (layout: Layout.Layout, order: Order, seed: number): Array<number> => {
  const seats = Array.from(layout.rowsByRank).flatMap((row) => {
    const { count, first } = layout.rows[row]!
    return Array.from({ length: count }, (_, i) => first + i).filter((seat) => layout.seatTier[seat] !== -1)
  })
  if (order === "front first") return seats
  for (let i = seats.length - 1; i > 0; i--) {
    const j = Math.floor(randomAt(seed, i) * (i + 1))
    const moved = seats[i]!
    seats[i] = seats[j]!
    seats[j] = moved
  }
  return seats
}

let commands = 0
const hold = (state: State, seats: ReadonlyArray<number>, quantity: number, tier: string | null) =>
  decide(
    state,
    {
      _tag: "Hold",
      commandId: CommandId.make(`c${commands++}`),
      fingerprint: "",
      holdId: makeHoldId(nowMs, 1),
      seats,
      areas: [],
      best: quantity === 0 ? null : { quantity, tier, section: null, accessible: 0 }
    },
    nowMs
  )

const filled = (layout: Layout.Layout, order: Order, share: number, seed: number): State => {
  const state = empty(layout)
  const seats = goingOrder(layout, order, seed)
  // A few who have them all: whose they are makes no difference to who looks for others.
  const taken = seats.slice(0, Math.round(seats.length * share))
  for (let at = 0; at < taken.length; at += 1_000) {
    evolve(state, hold(state, taken.slice(at, at + 1_000), 0, null), at + 1, nowMs)
  }
  return state
}

interface Row {
  readonly order: Order
  readonly fill: number
  readonly decisions: number
  readonly refused: number
  /** Microseconds. */
  readonly p50: number
  readonly p99: number
  readonly max: number
}

const measure = (layout: Layout.Layout, order: Order, fill: number): Row => {
  const micros: Array<number> = []
  let refused = 0
  const tiers = layout.source.tiers.map(({ id }) => id)
  for (let seed = 1; seed <= arenas; seed++) {
    const state = filled(layout, order, fill, seed)
    for (let repeat = 0; repeat < repeats; repeat++) {
      for (let quantity = 1; quantity <= largest; quantity++) {
        // Every other wish names a price level, each of them in turn.
        const tier = repeat % 2 === 0 ? null : (tiers[(repeat >> 1) % tiers.length] ?? null)
        const begun = performance.now()
        const event = hold(state, [], quantity, tier)
        micros.push((performance.now() - begun) * 1_000)
        if (event._tag === "Refused") refused++
      }
    }
  }
  const sorted = Float64Array.from(micros).sort()
  const at = (p: number) => sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? Number.NaN
  return { order, fill, decisions: sorted.length, refused, p50: at(0.5), p99: at(0.99), max: at(1) }
}

const table = (rows: ReadonlyArray<Row>): string =>
  [
    "| taken       | fill   |  p50 µs |  p99 µs |  max µs | refused |",
    "| ----------- | ------ | ------- | ------- | ------- | ------- |",
    ...rows.map(
      (row) =>
        `| ${row.order.padEnd(11)} | ${`${(row.fill * 100).toFixed(1)}%`.padStart(6)} | ${[
          row.p50,
          row.p99,
          row.max
        ]
          .map((micros) => micros.toFixed(1).padStart(7))
          .join(" | ")} | ${`${((100 * row.refused) / row.decisions).toFixed(0)}%`.padStart(7)} |`
    )
  ].join("\n")

const chartOf = Effect.fnUntraced(function* (file: Option.Option<string>) {
  if (Option.isNone(file)) return arena
  const fs = yield* FileSystem.FileSystem
  const imported = importPlan("seatsio", yield* fs.readFileString(file.value))
  return Result.isSuccess(imported)
    ? imported.success.map
    : yield* new ChartRefused({ message: `${file.value} cannot be imported as it is` })
})

Command.make(
  "best",
  {
    chart: Flag.String("chart").pipe(
      Flag.withDescription("A seats.io chart; our own arena of 8,897 seats when left out"),
      Flag.optional
    ),
    json: Flag.String("json").pipe(Flag.withDescription("Write the figures to this file"), Flag.optional)
  },
  Effect.fn(function* ({ chart, json }) {
    const map = yield* chartOf(chart)
    const layout = layoutOf(map)
    // The compiler's, which nobody waits for on the day.
    for (const order of orders) for (const fill of fills) measure(layout, order, fill)
    const rows = orders.flatMap((order) => fills.map((fill) => measure(layout, order, fill)))
    const worst = Math.max(...rows.map(({ p99 }) => p99))
    yield* Console.log(
      [
        `${map.name}: ${layout.seatCount} seats, ${layout.forSale} for sale, ${layout.rows.length} rows, ${layout.source.tiers.length} price levels; ` +
          `1 to ${largest} seats a wish, every other one of a price level; ${rows[0]?.decisions ?? 0} decisions a line`,
        "",
        table(rows),
        "",
        `the worst p99 is ${worst.toFixed(0)} µs (at most ${limitMicros}): ${worst <= limitMicros ? "within" : "MISSED"}`
      ].join("\n")
    )
    if (Option.isSome(json)) {
      const fs = yield* FileSystem.FileSystem
      yield* fs.writeFileString(
        json.value,
        JSON.stringify({ chart: map.name, seats: layout.seatCount, rows }, null, 2)
      )
    }
  })
).pipe(
  Command.withDescription("Decisions on the best available seats, by how full the arena is"),
  Command.run({ version: "1" }),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain
)
