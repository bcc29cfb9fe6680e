/** Holds over HTTP. */
import { Api } from "@onsale/contracts/http/Api"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import * as HoldOperations from "./HoldOperations.ts"

export const layer = HttpApiBuilder.group(
  Api,
  "holds",
  Effect.fn(function* (handlers) {
    const holds = yield* HoldOperations.make

    return handlers.handleAll({
      create: ({ headers, params, payload }) =>
        holds.create(params.eventId, headers["idempotency-key"], payload),
      get: ({ params }) => holds.get(params.holdId),
      release: ({ params }) => holds.release(params.holdId),
      extend: ({ params }) => holds.extend(params.holdId)
    })
  })
)
