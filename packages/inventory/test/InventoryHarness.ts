/** Inventories on runners that can be stopped and doubled, over one database whose failures can be told. */
import type { EventId } from "@onsale/contracts/Ids"
import { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import type { InventoryCommand } from "@onsale/contracts/inventory/InventoryCommand"
import { bookingShardGroup } from "@onsale/contracts/inventory/InventoryEntity"
import * as Cluster from "@onsale/platform/Cluster"
import * as Sql from "@onsale/platform/Sql"
import { layerDatabase, TestDatabase } from "@onsale/testing/PostgresFixture"
import { SteeredClock } from "@onsale/testing/SteeredClock"
import { Clock, Context, Duration, Effect, Exit, Layer, References, Schedule, Scope } from "effect"
import { Sharding } from "effect/cluster"
import { SqlClient } from "effect/sql"
import { assert } from "vitest"
import * as InventoryAudit from "../src/InventoryAudit.ts"
import * as InventoryClientLayer from "../src/InventoryClient.ts"
import * as InventoryEntity from "../src/InventoryEntity.ts"
import { InventoryStore } from "../src/InventoryStore.ts"
import { snapshotOf } from "../src/InventorySnapshot.ts"
import type { State } from "../src/InventoryState.ts"

type Append = InventoryStore["Service"]["append"]

export interface Options {
  /** Stands around every commit. */
  readonly append?: (append: Append) => Append
}

/** Pauses of half a minute are those of housekeeping; a test does not wait for them. */
const hasty = Layer.effect(
  Clock.Clock,
  Effect.map(Clock.Clock, (clock) => ({
    currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe(),
    currentTimeMillis: clock.currentTimeMillis,
    currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
    currentTimeNanos: clock.currentTimeNanos,
    monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
    monotonicTimeNanos: clock.monotonicTimeNanos,
    sleep: (duration) => clock.sleep(Duration.toMillis(duration) >= 30_000 ? Duration.millis(100) : duration)
  }))
)

const storeWith = ({ append }: Options) =>
  append === undefined
    ? InventoryStore.layer
    : Layer.effect(
        InventoryStore,
        Effect.map(InventoryStore, (store) => InventoryStore.of({ ...store, append: append(store.append) }))
      ).pipe(Layer.provide(InventoryStore.layer))

/** A runner with connections of its own. It lives until it is stopped, or as long as the test. */
export const startRunner = Effect.fnUntraced(function* (options: Options = {}) {
  const { url } = yield* TestDatabase
  const scope = yield* Scope.make()
  yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
  const layer = InventoryClientLayer.layerEntity.pipe(
    Layer.provide(InventoryEntity.layer),
    Layer.provideMerge(storeWith(options)),
    Layer.provideMerge(
      Cluster.layerSingle({ shardGroups: ["default", bookingShardGroup] }).pipe(Layer.provide(hasty))
    ),
    Layer.provide(Sql.layerUrl(url, { maxConnections: 4, applicationName: "runner" })),
    // Most of what goes wrong here is meant to.
    Layer.provide(Layer.succeed(References.MinimumLogLevel, "None"))
  )
  const context = yield* Layer.buildWithMemoMap(layer, Layer.makeMemoMapUnsafe(), scope)
  return {
    inventory: Context.get(context, InventoryClient),
    store: Context.get(context, InventoryStore),
    sharding: Context.get(context, Sharding.Sharding),
    stop: Scope.close(scope, Exit.void)
  }
})

export type Runner = Effect.Success<ReturnType<typeof startRunner>>

/** Sends a command until it is answered, under the same id: what a patient client does. */
export const insist = (runner: Pick<Runner, "inventory">, eventId: EventId, command: InventoryCommand) =>
  runner.inventory
    .execute(eventId, command)
    .pipe(
      Effect.sandbox,
      Effect.retry(Schedule.upTo(Schedule.spaced("20 millis"), { duration: "20 seconds" })),
      Effect.orDie
    )

/** The journal of an event, as commands: which were carried out in which row. */
export const journalOf = Effect.fnUntraced(function* (runner: Pick<Runner, "store">, eventId: EventId) {
  const rows = yield* runner.store.journal.read(eventId, 1, 100_000)
  return {
    rows,
    commands: rows.flatMap((row) => row.events.flatMap((event) => ("cmd" in event ? [event.cmd] : [])))
  }
})

/** All of a state that must be the same whichever way it was read. */
export const comparable = (state: State | null) =>
  state === null
    ? null
    : {
        ...snapshotOf(state),
        holds: snapshotOf(state).holds.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
        sold: snapshotOf(state).sold.toSorted((a, b) => (a.order < b.order ? -1 : 1)),
        answers: [...state.answers],
        freeInRow: [...state.freeInRow],
        areaHeld: state.areaHeld,
        quotaTaken: state.counts.quotaTaken,
        customers: [...state.counts.customers].sort(),
        vouchers: [...state.counts.vouchers].sort(),
        next: state.expiries.nextMs()
      }

export const forgetSnapshots = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) => sql`DELETE FROM inventory.snapshot`
)

/** The breaches of one event. */
export const auditOf = (runner: Pick<Runner, "store">, eventId: EventId) =>
  InventoryAudit.run().pipe(
    Effect.provideService(InventoryStore, runner.store),
    Effect.map((breaches) => breaches.filter(({ detail }) => detail.includes(eventId)))
  )

/** Fails where a command was carried out twice, a row is missing, or an invariant is broken. */
export const expectSound = Effect.fnUntraced(function* (runner: Pick<Runner, "store">, eventId: EventId) {
  const { commands, rows } = yield* journalOf(runner, eventId)
  assert.deepStrictEqual(
    rows.map(({ version }) => version),
    rows.map((_, i) => i + 1)
  )
  assert.lengthOf(new Set(commands), commands.length, "a command was carried out twice")
  assert.deepStrictEqual(yield* auditOf(runner, eventId), [])
})

/** What a test of runners needs. */
export const layerWorld = Layer.mergeAll(layerDatabase, SteeredClock.layer)
