/** Search over HTTP. */
import { Api } from "@onsale/contracts/http/Api"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { EventReads } from "./EventReads.ts"
import * as ReadAnswer from "./ReadAnswer.ts"

export const layer = HttpApiBuilder.group(
  Api,
  "search",
  Effect.fn(function* (handlers) {
    const reads = yield* EventReads
    const answer = yield* ReadAnswer.make
    return handlers.handleAll({ events: ({ query, request }) => answer(request, reads.search(query)) })
  })
)
