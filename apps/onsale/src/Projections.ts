/** What follows journals, of all contexts: where each is, and how old what it has not seen. For the command line. */
import * as CustomerOrders from "@onsale/booking/CustomerOrders"
import * as EventSales from "@onsale/booking/EventSales"
import * as EventPages from "@onsale/catalog/EventPages"
import * as SearchRebuild from "@onsale/catalog/search/SearchRebuild"
import * as EventAvailability from "@onsale/inventory/EventAvailability"
import { InventoryStore } from "@onsale/inventory/InventoryStore"
import type { Cursor } from "@onsale/platform/Journal"
import * as Projection from "@onsale/platform/Projection"
import * as ReadModel from "@onsale/platform/ReadModel"
import { rebuild } from "@onsale/platform/ReadModelRebuild"
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"

/** Those that have no generations; what they do, but for the search's, is not done again. */
const others = [
  { schema: "booking", name: "payment-news", journal: "payments" },
  { schema: "booking", name: "cancelled-events", journal: "catalog" },
  { schema: "catalog", name: "search", journal: "catalog" },
  { schema: "catalog", name: "shared_cache", journal: "catalog" },
  { schema: "notifications", name: "catalog", journal: "catalog" },
  { schema: "notifications", name: "booking", journal: "booking" },
  { schema: "notifications", name: "webhooks-catalog", journal: "catalog" },
  { schema: "notifications", name: "webhooks-booking", journal: "booking" },
  ...["catalog", "inventory", "booking", "payments"].map((schema) => ({
    schema,
    name: "bus",
    journal: schema
  }))
]

const entry = <E>(make: Effect.Effect<ReadModel.Model<E>, never, SqlClient.SqlClient>) =>
  Effect.map(make, (model) => ({
    label: `${model.schema}.${model.name}`,
    journal: model.journal.schema,
    serving: ReadModel.serving(model),
    rebuild: rebuild(model)
  }))

export const models = Effect.all([
  entry(EventPages.model),
  entry(CustomerOrders.model),
  entry(EventSales.model),
  entry(Effect.provide(EventAvailability.model, InventoryStore.layer))
])

/** What can be built anew while it serves. */
export const rebuilds = Effect.map(models, (models) => [
  ...models.map(({ label, rebuild }) => ({ label, rebuild })),
  { label: "catalog.search", rebuild: SearchRebuild.rebuild }
])

export interface Listed {
  readonly name: string
  readonly journal: string
  /** Null where it has not begun. */
  readonly cursor: Cursor | null
  /** Of the oldest row that it has not seen; 0 where it has seen all. */
  readonly lagMs: number
  /** Of a read model: whether it is read; null where it is none. */
  readonly serves: boolean | null
}

const lagOf = (journal: string, cursor: Cursor | null) =>
  cursor === null ? Effect.succeed(0) : Projection.lagMs(journal, cursor)

export const list = Effect.gen(function* () {
  const ofModels = yield* Effect.forEach(
    yield* models,
    Effect.fnUntraced(function* ({ journal, label, serving }) {
      const found = yield* serving
      const cursor = found?.cursor ?? null
      const lagMs = yield* lagOf(journal, cursor)
      return { name: label, journal, cursor, lagMs, serves: found?.ready ?? false } satisfies Listed
    })
  )
  const ofOthers = yield* Effect.forEach(
    others,
    Effect.fnUntraced(function* ({ journal, name, schema }) {
      const cursor = yield* Projection.positionOf(schema, name)
      const lagMs = yield* lagOf(journal, cursor)
      return { name: `${schema}.${name}`, journal, cursor, lagMs, serves: null } satisfies Listed
    })
  )
  return [...ofModels, ...ofOthers] satisfies ReadonlyArray<Listed>
})
