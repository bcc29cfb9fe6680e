/**
 * The place of a request among those at work. A purchase goes on when its client leaves, and so does what it costs: the
 * place is given back when the client is gone, or answered, and all that was begun for it has ended.
 */
import { NodeHttpServerRequest } from "@effect/platform-node"
import { Context, Effect, Fiber, type Scope } from "effect"
import type { HttpServerRequest } from "effect/http"
import type { IncomingMessage } from "node:http"
import type { Leave } from "./AdmissionQueue.ts"

export class AdmissionPlace {
  private leave: Leave | undefined
  /** The client, until he is gone. */
  private stays = 1

  /** What the queue gave for it; it may have been let in, and have begun, before. */
  given(leave: Leave): void {
    this.leave = leave
  }

  /** Something was begun that goes on for itself; what comes back is to be called when it has ended, once. */
  stay(): Leave {
    this.stays++
    return this.end()
  }

  /** To be called when the client is answered, or gone; does nothing the second time. */
  readonly clientLeft: Leave = this.end()

  private end(): Leave {
    let here = true
    return () => {
      if (!here) return
      here = false
      this.stays--
      if (this.stays === 0) this.leave?.()
    }
  }
}

/** Of the request that is answered now; undefined where it needs none. */
export const Current = Context.Reference<AdmissionPlace | undefined>("@onsale/gateway/AdmissionPlace", {
  defaultValue: () => undefined
})

/** Those of the requests that have not ended, for the routes. */
const places = new WeakMap<object, AdmissionPlace>()

/** A place for a request that comes, before it is let in. */
export const forRequest = (request: IncomingMessage): AdmissionPlace => {
  const place = new AdmissionPlace()
  places.set(request, place)
  return place
}

/** Of a request that has come to the routes. */
export const ofRequest = (request: HttpServerRequest.HttpServerRequest): AdmissionPlace | undefined =>
  places.get(NodeHttpServerRequest.toIncomingMessage(request))

/**
 * How to begin work that is not undone when nobody waits for it: it goes on in the scope, with its place, until it ends.
 * It must have a deadline of its own.
 */
export const keeping =
  (scope: Scope.Scope) =>
  <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(Current, (place) => {
        // It keeps nobody out, as an organiser's refund: nothing has to be given back.
        if (place === undefined) return restore(work)
        const over = place.stay()
        return Effect.flatMap(
          Effect.forkIn(Effect.ensuring(restore(work), Effect.sync(over)), scope),
          (fiber) => restore(Fiber.join(fiber))
        )
      })
    )
