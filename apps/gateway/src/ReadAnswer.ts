/** How typed routes answer what is encoded once: the lean path in front of them learns each address that they have answered. */
import { Effect } from "effect"
import { type HttpServerRequest, HttpServerResponse } from "effect/http"
import * as AdmissionPlace from "./AdmissionPlace.ts"
import type { EncodedBody, Representation } from "./EncodedBody.ts"
import type { ReadProblem, Source } from "./EventReads.ts"
import { ReadAddresses } from "./ReadAddresses.ts"

/** The body has a type and a length of its own. */
const ofTheBody = new Set(["content-type", "content-length"])

const responseOf = (
  { bytes, headers, validators }: Representation,
  notModified: boolean
): HttpServerResponse.HttpServerResponse => {
  const pairs = notModified ? validators : headers
  const named: Record<string, string> = {}
  for (let i = 0; i < pairs.length; i += 2) {
    const name = pairs[i]!
    if (!ofTheBody.has(name)) named[name] = pairs[i + 1]!
  }
  return notModified
    ? HttpServerResponse.empty({ status: 304, headers: named })
    : HttpServerResponse.uint8Array(bytes, { contentType: "application/json", headers: named })
}

/** Answers a request from its source. */
export const make = Effect.map(
  ReadAddresses,
  (addresses) =>
    <E extends ReadProblem>(request: HttpServerRequest.HttpServerRequest, source: Source<E>) =>
      Effect.flatMap(AdmissionPlace.Current, (place) =>
        Effect.callback<EncodedBody, E>((resume) => {
          // What is asked for is for all who read it: it goes on when its first reader leaves.
          const over = place?.stay()
          source((exit) => {
            over?.()
            resume(exit)
          })
        })
      ).pipe(
        Effect.flatMap((body) =>
          Effect.callback<HttpServerResponse.HttpServerResponse>((resume) => {
            addresses.learn(request.url, source)
            body.answer(request.headers, (representation, notModified) =>
              resume(Effect.succeed(responseOf(representation, notModified)))
            )
          })
        )
      )
)
