/** The lean paths of the hottest routes, in front of the typed ones. */
import * as RequestFront from "@onsale/platform/RequestFront"
import { Effect, Layer } from "effect"
import * as AdmissionFront from "./AdmissionFront.ts"
import * as AvailabilityStreams from "./AvailabilityStreams.ts"
import * as HotHolds from "./HotHolds.ts"
import * as HotReads from "./HotReads.ts"
import * as RateLimitFront from "./RateLimitFront.ts"
import * as ViewersPerClient from "./ViewersPerClient.ts"

/** Stands in front of the routes, behind what refuses clients that ask for too much, and what there is too much of. */
export const layer = Layer.effectDiscard(
  Effect.all([HotReads.make, HotHolds.make]).pipe(
    Effect.map(
      ([reads, holds]): RequestFront.RequestFront =>
        (request, response, next) =>
          request.method === "GET" ? reads(request, response, next) : holds(request, response, next)
    ),
    Effect.flatMap(AvailabilityStreams.before),
    Effect.flatMap(AdmissionFront.before),
    Effect.flatMap(ViewersPerClient.before),
    Effect.flatMap(RateLimitFront.before),
    Effect.flatMap(RequestFront.install)
  )
)
