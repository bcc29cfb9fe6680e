import { assert, describe, it } from "@effect/vitest"
import { BookingUnavailable } from "@onsale/contracts/booking/OrderEntity"
import { type Overloaded, OverloadedProblem } from "@onsale/contracts/http/Problems"
import { InventoryUnavailable } from "@onsale/contracts/inventory/InventoryClient"
import { Effect, Schema } from "effect"
import { unanswered, unsettled } from "../src/InventoryProblems.ts"
import * as OrderView from "../src/OrderView.ts"

const inventory = (reason: InventoryUnavailable["reason"]) =>
  new InventoryUnavailable({ reason, retryAfterMs: 1_500 })
const booking = (reason?: "overloaded" | "not_begun") =>
  new BookingUnavailable({ retryAfterMs: 1_500, ...(reason === undefined ? {} : { reason }) })
const ofOrder = (error: BookingUnavailable) => Effect.runSync(Effect.flip(OrderView.unsettled(error)))

const cases: ReadonlyArray<readonly [what: string, error: Overloaded, type: string]> = [
  ["a question, a queue that is full", unanswered(inventory("overloaded")), "overloaded"],
  ["a question, no answer in time", unanswered(inventory("deadline")), "unavailable"],
  ["a command, a queue that is full", unsettled(inventory("overloaded")), "overloaded"],
  ["a command that was not begun", unsettled(inventory("not_begun")), "unavailable"],
  ["a command, no answer in time", unsettled(inventory("deadline")), "outcome-unknown"],
  ["an order, a mailbox that is full", ofOrder(booking("overloaded")), "overloaded"],
  ["an order that was not begun", ofOrder(booking("not_begun")), "unavailable"],
  ["an order, anything else", ofOrder(booking()), "outcome-unknown"]
]

describe("a 503", () => {
  for (const [what, error, type] of cases) {
    it.effect(`says why (${what})`, () =>
      Effect.gen(function* () {
        const encoded = yield* Schema.encodeEffect(OverloadedProblem)(error)
        assert.deepStrictEqual(encoded.headers, { "retry-after": 2 })
        assert.deepStrictEqual([encoded.body.type, encoded.body.status], [`urn:onsale:problem:${type}`, 503])
        assert.strictEqual(
          encoded.body.title === "Too much at once; try again shortly",
          type === "overloaded"
        )
        assert.strictEqual(
          encoded.body.detail?.includes("with the same Idempotency-Key") ?? false,
          type === "outcome-unknown"
        )
        // Clients of the typed API have the error back.
        assert.deepStrictEqual(yield* Schema.decodeEffect(OverloadedProblem)(encoded), error)
      })
    )
  }
})
