/** Search over HTTP. */
import { Api } from "@onsale/contracts/http/Api"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import * as SearchOperations from "./SearchOperations.ts"

export const layer = HttpApiBuilder.group(
  Api,
  "search",
  Effect.fn(function* (handlers) {
    const search = yield* SearchOperations.make
    return handlers.handleAll({ events: ({ query }) => search.events(query) })
  })
)
