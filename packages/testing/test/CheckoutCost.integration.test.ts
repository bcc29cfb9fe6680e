/** What a checkout costs the database beside the inventory's batch: four transactions, none of which only reads. */
import { it } from "@effect/vitest"
import { Effect } from "effect"
import { Statement } from "effect/sql"
import { assert, describe } from "vitest"
import * as MoneyBuyer from "../src/money/MoneyBuyer.ts"
import * as MoneyWorld from "../src/money/MoneyWorld.ts"
import { TestDatabase } from "../src/PostgresFixture.ts"
import { grid } from "../src/SaleLayouts.ts"

/** Of the inventory, of those who follow a journal, and of those who look for what is due. */
const beside =
  /inventory\b|"?cursor"?|pg_snapshot_xmin|intent_id = ANY|SKIP LOCKED|webhook_events|^(BEGIN|COMMIT|SELECT 1)/i

/** `INSERT booking.journal`: what a statement does to which table, last. */
const nameOf = (statement: string) => {
  const writes = [...statement.matchAll(/(INSERT INTO|UPDATE|DELETE FROM)\s+"?(\w+)"?\."?(\w+)"?/g)]
  const [, verb, schema, table] = writes.at(-1) ?? ["", "READ", statement, ""]
  return `${verb} ${schema}.${table}`
}

describe("a checkout", () => {
  it.live("costs four transactions beside the inventory's batch", () => {
    const statements: Array<string> = []
    let counting = false
    const count: Statement.Transformer = (statement) => {
      const [text] = statement.compile()
      if (counting && !beside.test(text)) statements.push(text)
      return Effect.succeed(statement)
    }
    return Effect.gen(function* () {
      const { url } = yield* TestDatabase
      const world = yield* MoneyWorld.make({ database: url, providers: ["sandbox"] })
      const buyer = MoneyBuyer.make(world)
      const eventId = yield* world.open(grid(1, 4))
      const hold = yield* buyer.hold(eventId, { seats: [0, 1], areas: [] })
      if (typeof hold === "string") return assert.fail(hold)
      counting = true
      const key = yield* buyer.newKey
      const placed = yield* buyer.place(eventId, hold.holdId, { method: "tok_ok" }, key)
      counting = false
      assert.deepInclude(placed, { _tag: "Order" })
      assert.strictEqual(placed._tag === "Order" ? placed.order.status : "", "confirmed")
      assert.deepStrictEqual(statements.map(nameOf), [
        "INSERT INTO booking.journal",
        "INSERT INTO payments.journal",
        "INSERT INTO payments.journal",
        "INSERT INTO booking.journal"
      ])
    }).pipe(
      Effect.scoped,
      // As nearly all are: who is traced has his webhooks joined to his purchase.
      Effect.withTracerEnabled(false),
      Effect.provideService(Statement.CurrentTransformer, count),
      Effect.provide(TestDatabase.layer("migrated"))
    )
  })
})
