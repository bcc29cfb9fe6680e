import { assert, describe, it } from "@effect/vitest"
import { PaymentMethod } from "@onsale/contracts/payments/PaymentIntent"
import { Arbitrary, Schema } from "effect"
import * as CurrencyUnits from "../src/CurrencyUnits.ts"

const currencies = ["EUR", "USD", "JPY", "ISK", "UGX", "MGA", "KWD", "TND", "HUF", "KRW"] as const
const currency = Arbitrary.schema(Schema.Literals(currencies))
const amount = Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100_000_000_000 })))

describe("an amount", () => {
  it.prop("comes back from decimal text as it was", { amount, currency }, ({ amount, currency }) => {
    const text = CurrencyUnits.toDecimal(amount, currency)
    assert.strictEqual(CurrencyUnits.fromDecimal(text, currency), amount)
    assert.strictEqual(text.split(".")[1]?.length ?? 0, CurrencyUnits.decimals(currency))
  })

  it.prop(
    "comes back from Stripe's units as it was, where Stripe can charge it",
    { amount, currency },
    (any) => {
      const stripes = CurrencyUnits.toStripe(any.amount, any.currency)
      if (stripes !== null) assert.strictEqual(CurrencyUnits.fromStripe(stripes, any.currency), any.amount)
    }
  )

  it("is written with the decimals of its currency", () => {
    assert.strictEqual(CurrencyUnits.toDecimal(5, "EUR"), "0.05")
    assert.strictEqual(CurrencyUnits.toDecimal(1_050, "EUR"), "10.50")
    assert.strictEqual(CurrencyUnits.toDecimal(1_050, "JPY"), "1050")
    assert.strictEqual(CurrencyUnits.toDecimal(1_050, "KWD"), "1.050")
  })

  it("is not rounded, and nothing else is an amount", () => {
    for (const text of ["10.505", "-1.00", "1e3", "", "1.", ".5", "1,00", "NaN", "9".repeat(13)]) {
      assert.isNull(CurrencyUnits.fromDecimal(text, "EUR"))
    }
    assert.isNull(CurrencyUnits.fromDecimal("10.0", "JPY"))
    assert.strictEqual(CurrencyUnits.fromDecimal("10.5", "EUR"), 1_050)
  })
})

describe("a method token", () => {
  const isMethod = Schema.is(PaymentMethod)

  it("is any provider's, with capitals and digits", () => {
    for (const token of [
      "tok_ok",
      "tok_late_3600",
      "pm_1MqLiJLkdIwHu7ixUEgbFdYX",
      "tkn_UqAvArS3gw",
      "creditcard"
    ]) {
      assert.isTrue(isMethod(token), token)
    }
  })

  it("is never a card number, however it is dressed up", () => {
    for (const token of [
      "4242424242424242",
      "tok_4242424242424242",
      "card4242424242424242x",
      "pm_4242_4242_4242_4242",
      "pm_424242424242",
      "4242-4242-4242-4242",
      "4242 4242 4242 4242",
      ""
    ]) {
      assert.isFalse(isMethod(token), token)
    }
  })
})
