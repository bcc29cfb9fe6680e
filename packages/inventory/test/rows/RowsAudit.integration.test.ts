import { assert, layer } from "@effect/vitest"
import { confirm, held, newOrderId, openSale, sold } from "@onsale/testing/InventorySale"
import { grid, voucher } from "@onsale/testing/SaleLayouts"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import * as PostgresRows from "../../src/rows/PostgresRows.ts"
import * as RowsAudit from "../../src/rows/RowsAudit.ts"
import { ground } from "./RowsHarness.ts"

layer(PostgresRows.layer.pipe(Layer.provideMerge(ground)), {
  excludeTestServices: true,
  timeout: "60 seconds"
})("RowsAudit", (it) => {
  for (const [what, invariant, damage] of [
    [
      "a sold seat that is free",
      "INV-01",
      `UPDATE inventory.row_seat SET order_id = NULL WHERE order_id IS NOT NULL`
    ],
    ["a sale that is lost", "INV-01", `DELETE FROM inventory.sale`],
    [
      "a seat of a hold that ends by itself",
      "INV-02",
      `UPDATE inventory.row_seat SET expires_at_ms = expires_at_ms - 1 WHERE seat = 0`
    ],
    [
      "a seat of a hold that is another's",
      "INV-01",
      `UPDATE inventory.row_seat SET hold_id = gen_random_uuid() WHERE seat = 0`
    ],
    ["a seat that nobody has and nobody can have", "INV-01", `DELETE FROM inventory.row_hold`],
    [
      "a ticket that is not counted against its quota",
      "INV-01",
      `UPDATE inventory.row_quota SET taken = taken - 1`
    ],
    ["a quota that is not counted at all", "INV-01", `DELETE FROM inventory.row_quota`],
    [
      "a ticket that is not counted for its customer",
      "INV-08",
      `UPDATE inventory.row_customer SET tickets = tickets - 1`
    ],
    ["a customer who is not counted", "INV-08", `DELETE FROM inventory.row_customer`],
    [
      "a ticket that is counted twice for a voucher",
      "INV-08",
      `UPDATE inventory.row_voucher SET tickets = tickets + 1`
    ],
    [
      "an order that counts more than it has",
      "INV-08",
      `UPDATE inventory.row_buyer SET tickets = tickets + 1`
    ],
    ["a place that is counted twice", "INV-01", `UPDATE inventory.row_area SET held = held + 1`],
    ["rows that are ahead of the journal", "INV-09", `UPDATE inventory.row_head SET version = version + 1`]
  ] as const) {
    it.effect(`${invariant}: finds ${what}`, () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const sale = yield* openSale(
          grid(1, 10, {
            maxPerCustomer: 8,
            quotas: [{ name: "All", capacity: 8, tiers: [0], areas: [0] }],
            vouchers: [voucher(1)]
          })
        )
        const who = { customer: "somebody", voucherKey: "voucher 1" }
        held(yield* sale.hold({ seats: [0, 1], areas: [{ area: 0, quantity: 2 }], ...who }))
        const { holdId } = held(yield* sale.hold({ seats: [5], ...who }))
        sold(yield* sale.execute(confirm(holdId, newOrderId(), { seats: [5], customer: "somebody" })))
        assert.deepStrictEqual(yield* RowsAudit.run(), [])
        // Failing undoes the damage.
        const breaches = yield* sql
          .withTransaction(
            Effect.andThen(
              sql.unsafe(damage),
              Effect.flatMap(RowsAudit.run(), (found) => Effect.fail({ found }))
            )
          )
          .pipe(
            Effect.catchIf(
              (error) => "found" in error,
              ({ found }) => Effect.succeed(found)
            )
          )
        assert.include(
          breaches.map((breach) => breach.invariant),
          invariant
        )
      })
    )
  }
})
