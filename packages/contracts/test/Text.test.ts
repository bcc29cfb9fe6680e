import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Customer } from "../src/booking/Order.ts"
import { NewRefund } from "../src/http/OrdersApi.ts"

const isCustomer = Schema.is(Customer)
const isRefund = Schema.is(NewRefund)

describe("text that is kept", () => {
  it("has no U+0000 and no half of a surrogate pair, which Postgres cannot give back", () => {
    const email = "ada@example.com"
    assert.isTrue(isCustomer({ name: "Zoë 🎟 Müller", email }))
    for (const broken of ["A\0b", "\ud800", "a\udc00b"]) {
      assert.isFalse(isCustomer({ name: broken, email }))
      assert.isFalse(isRefund({ reason: broken }))
    }
    assert.isFalse(isCustomer({ name: "Ada", email: "a@b.org\0" }))
  })
})
