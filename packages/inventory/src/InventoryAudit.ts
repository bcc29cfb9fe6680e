/**
 * The inventory's invariants checked again from its tables, read-only and on another path than the
 * writer's: a plain replay that knows nothing of `InventoryState`, one event at a time.
 */
import { type CommandId, EventId, type HoldId, OrderId } from "@onsale/contracts/Ids"
import type { InventoryEvent } from "@onsale/contracts/inventory/InventoryEvent"
import { SaleLayout } from "@onsale/contracts/inventory/SaleLayout"
import { Effect, Schema } from "effect"
import { SqlClient, SqlSchema } from "effect/sql"
import { rememberCount, rememberMs } from "./InventoryState.ts"
import { InventoryStore } from "./InventoryStore.ts"
import { LimitBooks } from "./LimitAudit.ts"

const pageSize = 1_000

/** A breach that was found: the invariant, and what in which event. */
export interface Breach {
  readonly invariant: "INV-01" | "INV-02" | "INV-03" | "INV-07" | "INV-08" | "INV-09"
  readonly detail: string
}

interface Claim {
  readonly seats: ReadonlyArray<number>
  readonly areas: ReadonlyArray<{ readonly area: number; readonly quantity: number }>
  expiresAtMs: number
}

const add = (totals: Map<number, number>, key: number, quantity: number): void => {
  totals.set(key, (totals.get(key) ?? 0) + quantity)
}

const inWords = ({ areas, seats }: Pick<Claim, "seats" | "areas">): string =>
  [
    ...seats.toSorted((a, b) => a - b).map((seat) => `seat ${seat}`),
    ...areas.toSorted((a, b) => a.area - b.area).map(({ area, quantity }) => `${quantity} of area ${area}`)
  ].join(", ")

/** The books of one event, kept the plain way. */
class Books {
  readonly breaches: Array<Breach> = []
  private readonly holds = new Map<HoldId, Claim>()
  private readonly soldSeats = new Map<number, OrderId>()
  private readonly soldPlaces = new Map<string, number>()
  // Places by area, of all sales and of all holds on the books, the expired ones too.
  private readonly soldInArea = new Map<number, number>()
  private readonly heldInArea = new Map<number, number>()
  // Commands whose answers are still remembered, the oldest first.
  private readonly carriedOut = new Map<CommandId, number>()
  private layout: typeof SaleLayout.Type | undefined
  private readonly limits = new LimitBooks((invariant, detail) => this.breach(invariant, detail))
  private readonly eventId: EventId

  constructor(eventId: EventId) {
    this.eventId = eventId
  }

  use(layout: typeof SaleLayout.Type): void {
    this.layout = layout
    this.limits.use(layout)
  }

  private breach(invariant: Breach["invariant"], detail: string): void {
    this.breaches.push({ invariant, detail: `event ${this.eventId}: ${detail}` })
  }

  private ended(id: HoldId, what: string, atMs: number): Claim | undefined {
    const claim = this.holds.get(id)
    if (claim === undefined) this.breach("INV-03", `hold ${id} was ${what} and is not there`)
    else if (claim.expiresAtMs <= atMs) this.breach("INV-03", `hold ${id} was ${what} after its time`)
    return claim
  }

  private checkSeat(seat: number, atMs: number, by: string): void {
    const order = this.soldSeats.get(seat)
    if (order !== undefined)
      this.breach("INV-01", `seat ${seat} went to ${by} and was sold to order ${order}`)
    for (const [id, claim] of this.holds) {
      if (claim.expiresAtMs > atMs && claim.seats.includes(seat)) {
        this.breach("INV-01", `seat ${seat} went to ${by} while hold ${id} had it`)
      }
    }
  }

  private checkAreas(atMs: number): void {
    this.layout?.areas.forEach(({ capacity }, area) => {
      const sold = this.soldInArea.get(area) ?? 0
      // Only where the expired holds could make the difference they are told from the others: to look at
      // every hold for each hold would make the audit quadratic.
      if (sold + (this.heldInArea.get(area) ?? 0) <= capacity) return
      let taken = sold
      for (const claim of this.holds.values()) {
        if (claim.expiresAtMs <= atMs) continue
        for (const places of claim.areas) if (places.area === area) taken += places.quantity
      }
      if (taken > capacity)
        this.breach("INV-01", `area ${area} has ${taken} live holds and sales for ${capacity} places`)
    })
  }

  private hold(id: HoldId, claim: Claim): void {
    this.drop(id)
    this.holds.set(id, claim)
    for (const { area, quantity } of claim.areas) add(this.heldInArea, area, quantity)
  }

  private drop(id: HoldId): void {
    for (const { area, quantity } of this.holds.get(id)?.areas ?? []) add(this.heldInArea, area, -quantity)
    this.holds.delete(id)
  }

  private checkOnce(cmd: CommandId, atMs: number): void {
    if ((this.carriedOut.get(cmd) ?? Number.NEGATIVE_INFINITY) > atMs - rememberMs)
      this.breach("INV-07", `command ${cmd} was carried out twice`)
    this.carriedOut.delete(cmd)
    this.carriedOut.set(cmd, atMs)
    for (const [oldest, at] of this.carriedOut) {
      if (this.carriedOut.size <= rememberCount && at > atMs - rememberMs) break
      this.carriedOut.delete(oldest)
    }
  }

  apply(event: InventoryEvent, atMs: number): void {
    if ("cmd" in event) this.checkOnce(event.cmd, atMs)
    this.limits.apply(event, atMs)
    switch (event._tag) {
      case "Held": {
        const quantity = event.seats.length + event.areas.reduce((sum, claim) => sum + claim.quantity, 0)
        if (this.layout !== undefined && quantity > this.layout.maxPerOrder) {
          this.breach(
            "INV-08",
            `hold ${event.hold} has ${quantity} tickets of at most ${this.layout.maxPerOrder}`
          )
        }
        if (new Set(event.seats).size !== event.seats.length)
          this.breach("INV-01", `hold ${event.hold} names a seat twice`)
        if ((this.holds.get(event.hold)?.expiresAtMs ?? 0) > atMs)
          this.breach("INV-01", `hold ${event.hold} was made twice`)
        if (event.replaces !== undefined) {
          const before = this.ended(event.replaces, "changed", atMs)
          if (before !== undefined && event.exp > before.expiresAtMs)
            this.breach("INV-03", `hold ${event.replaces} gained time by being changed`)
          this.drop(event.replaces)
        }
        for (const seat of event.seats) this.checkSeatFast(seat, atMs, `hold ${event.hold}`)
        this.hold(event.hold, { seats: event.seats, areas: event.areas, expiresAtMs: event.exp })
        for (const seat of event.seats) this.holder.set(seat, event.hold)
        if (event.areas.length > 0) this.checkAreas(atMs)
        return
      }
      case "Extended":
      case "Unfrozen": {
        const claim = this.ended(event.hold, event._tag.toLowerCase(), atMs)
        if (claim !== undefined) claim.expiresAtMs = event.exp
        return
      }
      case "Frozen": {
        const claim = this.ended(event.hold, "frozen", atMs)
        if (claim !== undefined) claim.expiresAtMs = event.until
        return
      }
      case "Released":
        this.ended(event.hold, "released", atMs)
        this.drop(event.hold)
        return
      case "Expired":
        for (const id of event.holds) {
          const claim = this.holds.get(id)
          if (claim !== undefined && claim.expiresAtMs > atMs)
            this.breach("INV-03", `hold ${id} was swept before its time`)
          this.drop(id)
        }
        return
      case "Sold": {
        if (!event.reclaimed) {
          const claim = this.ended(event.hold, "sold", atMs)
          if (claim !== undefined && inWords(claim) !== inWords(event)) {
            this.breach(
              "INV-02",
              `of hold ${event.hold} (${inWords(claim)}) was sold something else (${inWords(event)})`
            )
          }
        }
        this.drop(event.hold)
        for (const seat of event.seats) {
          this.checkSeatFast(seat, atMs, `order ${event.order}`)
          this.soldSeats.set(seat, event.order)
        }
        for (const { area, quantity } of event.areas) {
          const key = `${area}:${event.order}`
          this.soldPlaces.set(key, (this.soldPlaces.get(key) ?? 0) + quantity)
          add(this.soldInArea, area, quantity)
        }
        if (event.areas.length > 0) this.checkAreas(atMs)
        return
      }
      case "Returned":
        for (const seat of event.seats) {
          if (this.soldSeats.get(seat) !== event.order)
            this.breach("INV-01", `seat ${seat} was returned by order ${event.order}, which did not have it`)
          this.soldSeats.delete(seat)
        }
        for (const { area, quantity } of event.areas) {
          const key = `${area}:${event.order}`
          const left = (this.soldPlaces.get(key) ?? 0) - quantity
          if (left < 0)
            this.breach("INV-01", `order ${event.order} returned more of area ${area} than it had`)
          this.soldPlaces.set(key, left)
          add(this.soldInArea, area, -quantity)
        }
        return
      case "Opened":
      case "SoldBefore":
      case "Refused":
        return
    }
  }

  // Who held a seat last: a scan of all holds for each seat would make the audit quadratic.
  private readonly holder = new Map<number, HoldId>()

  private checkSeatFast(seat: number, atMs: number, by: string): void {
    const last = this.holder.get(seat)
    const claim = last === undefined ? undefined : this.holds.get(last)
    if (this.soldSeats.has(seat) || (claim !== undefined && claim.expiresAtMs > atMs))
      this.checkSeat(seat, atMs, by)
  }

  /** Compares with the sales that the database keeps apart. */
  compareSales(stored: ReadonlyMap<number, OrderId>): void {
    for (const [seat, order] of this.soldSeats) {
      if (stored.get(seat) !== order)
        this.breach(
          "INV-01",
          `seat ${seat} is sold to order ${order} in the journal and not in the table of sales`
        )
    }
    for (const [seat, order] of stored) {
      if (this.soldSeats.get(seat) !== order)
        this.breach(
          "INV-01",
          `seat ${seat} is sold to order ${order} in the table of sales and not in the journal`
        )
    }
  }
}

/** Replays every event's journal and answers what is broken. Reads one event at a time, in pages. */
export const run = Effect.fn("InventoryAudit.run")(function* () {
  const sql = yield* SqlClient.SqlClient
  const { journal } = yield* InventoryStore
  const streams = yield* SqlSchema.findAll({
    Request: Schema.Void,
    Result: Schema.Struct({ stream: EventId, rows: Schema.Int, last: Schema.Int }),
    execute: () => sql`SELECT stream::text AS stream, count(*)::int AS rows, max(version)::int AS last
      FROM inventory.journal GROUP BY stream`
  })()
  const findLayouts = SqlSchema.findAll({
    Request: EventId,
    Result: Schema.Struct({ version: Schema.Int, layout: SaleLayout }),
    execute: (id) => sql`SELECT version, layout FROM inventory.layout WHERE event_id = ${id}::uuid`
  })
  const findSales = SqlSchema.findAll({
    Request: EventId,
    Result: Schema.Struct({ seat: Schema.Int, order: OrderId }),
    execute: (id) =>
      sql`SELECT seat, order_id::text AS "order" FROM inventory.sale WHERE event_id = ${id}::uuid`
  })
  const breaches: Array<Breach> = []
  for (const { stream, rows, last } of streams) {
    const books = new Books(stream)
    if (rows !== last)
      breaches.push({
        invariant: "INV-09",
        detail: `event ${stream}: the journal has ${rows} rows up to version ${last}`
      })
    const layouts = new Map((yield* findLayouts(stream)).map(({ version, layout }) => [version, layout]))
    // One snapshot for journal and sales: the event may be on sale while it is audited.
    yield* sql.withTransaction(
      Effect.gen(function* () {
        yield* sql`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY`
        for (let from = 1; ; ) {
          const page = yield* journal.read(stream, from, pageSize)
          for (const row of page) {
            for (const event of row.events) {
              if (event._tag === "Opened") {
                const layout = layouts.get(event.layout)
                if (layout !== undefined) books.use(layout)
              }
              books.apply(event, row.atMs)
            }
          }
          if (page.length < pageSize) break
          from = page[page.length - 1]!.version + 1
        }
        books.compareSales(new Map((yield* findSales(stream)).map(({ seat, order }) => [seat, order])))
      })
    )
    breaches.push(...books.breaches)
  }
  return breaches
}, Effect.orDie)
