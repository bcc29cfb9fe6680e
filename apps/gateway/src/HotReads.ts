/**
 * The lean path of what is read most: availability, seat maps, events. It answers addresses that the typed routes have
 * answered before, from the same bodies, with Node's own request; whatever is not of the common form goes on to them
 * (`test/HotReads.test.ts` holds both to the same answers).
 */
import { Overloaded } from "@onsale/contracts/http/Problems"
import * as ReadyHead from "@onsale/platform/ReadyHead"
import type * as RequestFront from "@onsale/platform/RequestFront"
import { Clock, Effect, Exit } from "effect"
import type { IncomingMessage, ServerResponse } from "node:http"
import { AdmissionControl } from "./AdmissionControl.ts"
import { AdmissionPlace } from "./AdmissionPlace.ts"
import type { Leave } from "./AdmissionQueue.ts"
import { answerHeaders, correlationOf } from "./Correlation.ts"
import type { EncodedBody, Representation } from "./EncodedBody.ts"
import type { ReadProblem } from "./EventReads.ts"
import * as LeanAnswer from "./LeanAnswer.ts"
import * as Patience from "./Patience.ts"
import { ReadAddresses } from "./ReadAddresses.ts"

/** Whoever wants JSON, or anything: the routes may know of other types. */
const takesJson = (accept: string | undefined): boolean =>
  accept === undefined ||
  accept === "*/*" ||
  (accept.startsWith("application/json") && !accept.includes("ld+json"))

/** Nothing to read but the headers. A body that comes all the same is the typed route's to refuse. */
const isPlain = ({ headers }: IncomingMessage): boolean =>
  takesJson(headers.accept) &&
  headers["content-length"] === undefined &&
  headers["transfer-encoding"] === undefined

/** Hands on what it has not learnt. */
export const make = Effect.gen(function* () {
  const addresses = yield* ReadAddresses
  const control = yield* AdmissionControl
  const clock = yield* Clock.Clock
  const writeRare = yield* LeanAnswer.makeWrite
  const ready = ReadyHead.make(clock)

  const write = (
    request: IncomingMessage,
    response: ServerResponse,
    { bytes, headers, notModified: head, validators }: Representation,
    notModified: boolean
  ): void => {
    // The client went away.
    if (response.destroyed) return
    if (notModified && request.headers.traceparent === undefined) {
      const id = correlationOf(request.headers, clock)
      // For who counts answers: the head is written past it.
      response.statusCode = 304
      if (ready.write(request, response, `${head}x-correlation-id: ${id}\r\n`)) return
    }
    const own = notModified ? validators.slice() : headers.slice()
    const answer = answerHeaders(request.headers, correlationOf(request.headers, clock))
    for (const name in answer) own.push(name, answer[name]!)
    response.writeHead(notModified ? 304 : 200, own)
    response.end(notModified ? undefined : bytes)
  }

  const front: RequestFront.RequestFront = (request, response, next) => {
    const source = addresses.find(request.url ?? "")
    if (source === undefined || !isPlain(request)) return next()
    const rare = (answer: Parameters<LeanAnswer.Write>[3]): void =>
      writeRare(request, response, correlationOf(request.headers, clock), answer)
    let over: Leave | undefined
    const answer = (exit: Exit.Exit<EncodedBody, ReadProblem>): void => {
      over?.()
      if (Exit.isFailure(exit)) return rare(Effect.catch(Effect.failCause(exit.cause), LeanAnswer.ofProblem))
      try {
        exit.value.answer(request.headers, (representation, notModified) =>
          write(request, response, representation, notModified)
        )
      } catch (defect) {
        rare(Effect.die(defect))
      }
    }
    source(answer, (ask) => {
      // It is no read of memory, and is let in as it would be by the routes.
      const place = new AdmissionPlace()
      const go = (): void => {
        over = place.stay()
        ask()
      }
      place.given(
        control.enter("cold", Patience.came(request, clock), go, (retryAfterSeconds) =>
          answer(Exit.fail(new Overloaded({ retryAfterSeconds })))
        )
      )
      response.on("close", place.clientLeft)
    })
  }
  return front
})
