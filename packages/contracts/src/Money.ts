/** Money is an integer of minor units (cents, pence, yen) and an ISO 4217 code. */
import { Schema } from "effect"

export const Currency = Schema.String.check(
  Schema.isPattern(/^[A-Z]{3}$/, { expected: "an ISO 4217 code, three capital letters" })
)

/** At most a billion major units: larger sums in one order are an error of somebody's. */
export const maxAmount = 100_000_000_000

/** Minor units, 0 or more. */
export const Amount = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: maxAmount }))

export const Money = Schema.Struct({ amount: Amount, currency: Currency })
export type Money = typeof Money.Type
