/** Who buys: a bearer token names the customer; without one a request is anonymous. */
import { Schema } from "effect"
import { HttpApiMiddleware } from "effect/http-api"
import { TokenRejected } from "./Problems.ts"

/** Characters of a customer's id. */
const maxIdLength = 128

/** The subject of a customer's token: a UUID, or whatever the issuer calls its customers; printable ASCII. */
export const CustomerId = Schema.String.check(
  Schema.isPattern(new RegExp(`^[\\x21-\\x7e]{1,${maxIdLength}}$`), {
    expected: `1 to ${maxIdLength} printable ASCII characters without spaces`
  })
).pipe(Schema.brand("CustomerId"))
export type CustomerId = typeof CustomerId.Type

/** Refuses a bearer token that does not hold, and lets those pass who bring none. */
export class CustomerAuth extends HttpApiMiddleware.Service<CustomerAuth>()(
  "@onsale/contracts/http/CustomerAuth",
  { error: TokenRejected }
) {}
