/**
 * The lean path of the hottest route, POST /events/{eventId}/holds, in front of the typed one and of the HTTP
 * server's fibers.
 *
 * It takes the form that nearly every client sends (seats, areas or a wish, an Idempotency-Key, a short body) with
 * Node's own request and plain callbacks. Whatever is not exactly so goes on to the typed route untouched, which
 * has the schema and the errors: what is accepted, and what is answered, is the same on both
 * (`test/HotHolds.test.ts` and `test/HotHoldsFront.test.ts` hold them to it).
 */
import { Catalog } from "@onsale/catalog/Catalog"
import { maxKeyLength } from "@onsale/contracts/http/Common"
import type { KeyInUse, Overloaded } from "@onsale/contracts/http/Problems"
import { EventId } from "@onsale/contracts/Ids"
import type { InventoryAnswer } from "@onsale/contracts/inventory/InventoryCommand"
import type * as RequestFront from "@onsale/platform/RequestFront"
import * as Tracing from "@onsale/platform/Tracing"
import { Clock, Effect, Exit, FiberSet, Random, Schema } from "effect"
import { type HttpServerResponse, ProblemDetails } from "effect/http"
import type { IncomingMessage, ServerResponse } from "node:http"
import * as BodyThere from "./BodyThere.ts"
import { answerHeaders, correlationOf } from "./Correlation.ts"
import { HoldDesk } from "./HoldDesk.ts"
import { claimsOf, holdJson, soldOutJson, takenJson } from "./HoldsJson.ts"
import { holdRefused } from "./InventoryProblems.ts"
import * as LeanAnswer from "./LeanAnswer.ts"
import * as Patience from "./Patience.ts"
import * as RequestTrace from "./RequestTrace.ts"

const prefix = "/api/v1/events/"
const suffix = "/holds"
const idLength = 36
const urlLength = prefix.length + idLength + suffix.length
/** A hundred seats; a longer body is not worth a shortcut. */
const maxBody = 8 * 1024
/** Events whose numbers are kept; they never change. */
const maxEvents = 10_000
/** Events whose numbers are asked for at once; their requests go the typed way meanwhile. */
const maxLearning = 64

const isEventId = Schema.is(EventId)
/** The catalog takes others as well. */
const isLowerCase = (id: string): boolean => id === id.toLowerCase()

const isJson = ({ headers }: IncomingMessage): boolean => {
  const type = headers["content-type"]
  return type === undefined || type === "application/json"
}

const ofNode = ({ headers, method, url }: IncomingMessage) => ({
  method: method ?? "",
  url: url ?? "",
  headers
})

/** Of what is not answered by hand. */
const respond = Effect.fnUntraced(function* (
  eventId: EventId,
  exit: Exit.Exit<InventoryAnswer, KeyInUse | Overloaded>
) {
  const answer = yield* exit
  return answer._tag === "Refused"
    ? yield* holdRefused(eventId, answer)
    : yield* Effect.die(new Error(`a hold was answered with ${answer._tag}`))
}, Effect.catch(LeanAnswer.ofProblem))

/** Hands on what is not of the common form. */
export const make = Effect.gen(function* () {
  const catalog = yield* Catalog
  const desk = yield* HoldDesk
  const clock = yield* Clock.Clock
  const collector = yield* Tracing.CurrentCollector
  const random = (yield* Random.Random).nextDoubleUnsafe
  const slowNanos = BigInt(Math.round((collector?.slowMs ?? 0) * 1e6))
  const writeRare = yield* LeanAnswer.makeWrite
  const run = yield* FiberSet.makeRuntime<never, void, never>()
  const numbers = new Map<string, number>()
  const learning = new Set<string>()

  const learn = (id: string): void => {
    if (learning.has(id) || learning.size === maxLearning) return
    if (!isEventId(id) || !isLowerCase(id)) return
    learning.add(id)
    run(
      Effect.matchCause(catalog.eventNumber(id), {
        // The typed route tells what is wrong.
        onFailure: () => {},
        onSuccess: (number) => {
          // Who was learnt first makes room; where it is still asked for, it is learnt again.
          if (numbers.size >= maxEvents) numbers.delete(numbers.keys().next().value!)
          numbers.set(id, number)
        }
      }).pipe(
        Effect.ensuring(
          Effect.sync(() => {
            learning.delete(id)
          })
        )
      )
    )
  }

  const answerWith = (
    eventId: EventId,
    request: IncomingMessage,
    response: ServerResponse,
    exit: Exit.Exit<InventoryAnswer, KeyInUse | Overloaded>,
    startNanos: bigint
  ): void => {
    const correlation = correlationOf(request.headers, clock)
    const write = (status: number, type: string, body: string): void => {
      const headers = Object.assign(answerHeaders(request.headers, correlation), Patience.applied(request))
      const bytes = Buffer.byteLength(body)
      headers["content-type"] = type
      headers["content-length"] = String(bytes)
      // The same bytes where all are ASCII, and nothing to encode.
      response.writeHead(status, headers).end(body, bytes === body.length ? "latin1" : "utf8")
      if (collector !== undefined && clock.currentTimeNanosUnsafe() - startNanos >= slowNanos) {
        run(RequestTrace.tellOf(ofNode(request), status, startNanos))
      }
    }
    const writeEffect = (answer: Effect.Effect<HttpServerResponse.HttpServerResponse>): void =>
      writeRare(
        request,
        response,
        correlation,
        Effect.tap(answer, ({ status }) => RequestTrace.tellOf(ofNode(request), status, startNanos))
      )
    try {
      const answer = Exit.isSuccess(exit) ? exit.value : undefined
      if (answer?._tag === "Held") return write(201, "application/json", holdJson(eventId, answer.hold))
      if (answer?._tag === "Refused" && answer.code === "seats_taken") {
        const named = answer.seats.length + answer.areas.length > 0
        return write(409, ProblemDetails.contentType, named ? takenJson(eventId, answer) : soldOutJson)
      }
      writeEffect(respond(eventId, exit))
    } catch (defect) {
      writeEffect(Effect.die(defect))
    }
  }

  const front: RequestFront.RequestFront = (request, response, next) => {
    const { url } = request
    if (request.method !== "POST" || url?.length !== urlLength) return next()
    // Whose it is, the typed route finds out.
    if (request.headers.authorization !== undefined) return next()
    if (!url.startsWith(prefix) || !url.endsWith(suffix)) return next()
    const id = url.slice(prefix.length, prefix.length + idLength)
    const number = numbers.get(id)
    if (number === undefined) {
      learn(id)
      return next()
    }
    // One that is traced has a span for each step, which the typed route makes.
    if (RequestTrace.isLeft(collector, request, random)) return next()
    const startNanos = collector === undefined ? 0n : clock.currentTimeNanosUnsafe()
    const eventId = EventId.make(id, { disableChecks: true })
    const key = request.headers["idempotency-key"]
    if (typeof key !== "string" || key.length === 0 || key.length > maxKeyLength || !isJson(request)) {
      return next()
    }
    const length = BodyThere.lengthOf(request)
    if (!(length > 0 && length <= maxBody)) return next()
    BodyThere.whenThere(request, () => {
      // The client went away.
      if (response.destroyed) return
      const body: unknown = request.read()
      if (!(body instanceof Buffer)) return next()
      const claims = claimsOf(eventId, body.toString("utf8"))
      if (claims === undefined) {
        request.unshift(body)
        return next()
      }
      const forget = desk.submit(
        { id: eventId, number },
        key,
        claims,
        (exit) => answerWith(eventId, request, response, exit, startNanos),
        undefined,
        Patience.untilOf(request.headers, clock)
      )
      response.on("close", forget)
    })
  }
  return front
})
