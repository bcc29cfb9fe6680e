/** Who buys: a bearer token names the customer; without one a request is anonymous. */
import { HttpApiMiddleware } from "effect/http-api"
import { TokenRejected } from "./Problems.ts"

/** Refuses a bearer token that does not hold, and lets those pass who bring none. */
export class CustomerAuth extends HttpApiMiddleware.Service<CustomerAuth>()(
  "@onsale/contracts/http/CustomerAuth",
  { error: TokenRejected }
) {}
