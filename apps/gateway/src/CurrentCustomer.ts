/** Who asks: the customer whom a token has named, of the request that is being answered. */
import type { CustomerId } from "@onsale/contracts/http/CustomerAuth"
import { Context } from "effect"

/** Null for who is anonymous. */
export const CurrentCustomer = Context.Reference<CustomerId | null>("@onsale/gateway/CurrentCustomer", {
  defaultValue: () => null
})
