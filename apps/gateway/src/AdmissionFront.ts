/**
 * Lets requests in, or refuses them for the load, in front of the routes on Node's own request: who waits has no fiber,
 * and nothing of his body is read. A purchase stands in line from when its body is there: until then it costs no place.
 */
import type * as RequestFront from "@onsale/platform/RequestFront"
import { Clock, Effect } from "effect"
import { ProblemDetails } from "effect/http"
import type { IncomingMessage, ServerResponse } from "node:http"
import { AdmissionControl } from "./AdmissionControl.ts"
import * as AdmissionPlace from "./AdmissionPlace.ts"
import * as BodyThere from "./BodyThere.ts"
import { answerHeaders, correlationOf } from "./Correlation.ts"
import * as Patience from "./Patience.ts"
import * as RequestClass from "./RequestClass.ts"

const body = JSON.stringify({
  type: "urn:onsale:problem:overloaded",
  status: 503,
  title: "Too much at once; try again shortly"
})
const length = String(Buffer.byteLength(body))

/** In front of the lean paths, which answer what is in memory: what they leave to the routes is cold, or takes long. */
export const before = Effect.fnUntraced(function* (front: RequestFront.RequestFront) {
  const control = yield* AdmissionControl
  const clock = yield* Clock.Clock

  const refuse = (request: IncomingMessage, response: ServerResponse, retryAfterSeconds: number): void => {
    if (response.destroyed) return
    response.writeHead(503, {
      ...answerHeaders(request.headers, correlationOf(request.headers, clock)),
      "retry-after": String(retryAfterSeconds),
      "content-type": ProblemDetails.contentType,
      "content-length": length
    })
    response.end(request.method === "HEAD" ? undefined : body)
  }

  const admitted: RequestFront.RequestFront = (request, response, next) => {
    const name = RequestClass.of(request.method, request.url ?? "")
    if (name === undefined) return next()
    const untilMs = Patience.came(request, clock)
    const enter = (): void => {
      // The client went away while its body was waited for.
      if (response.destroyed) return
      const place = AdmissionPlace.forRequest(request)
      place.given(control.enter(name, untilMs, next, (seconds) => refuse(request, response, seconds)))
      response.on("close", place.clientLeft)
    }
    if (name === "orders") BodyThere.whenThere(request, enter)
    else enter()
  }

  const fronted: RequestFront.RequestFront = (request, response, next) => {
    const { method, url = "" } = request
    const mayBeRefused =
      method === "GET"
        ? control.refuses("reads")
        : method === "POST" && url.endsWith("/holds") && control.refuses("holds")
    if (mayBeRefused) {
      // Undefined for who watches us, and for what is never refused: these are let through, and not counted.
      const name = RequestClass.of(method, url)
      if (name !== undefined && name !== "orders") return refuse(request, response, control.turnedAway(name))
    }
    front(request, response, () => admitted(request, response, next))
  }
  return fronted
})
