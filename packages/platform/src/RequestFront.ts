/**
 * A place in front of the routes, on Node's own request and response, for the few paths where what a server on
 * fibers costs is most of the work. Whoever stands there answers what it knows, and hands on the rest untouched.
 */
import { Context, Effect, type Scope } from "effect"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Observer } from "./TimedResponse.ts"

/**
 * Answers the request, or calls `next` once with nothing of its body consumed: then the routes answer it. May do
 * either later. Must not throw.
 */
export type RequestFront = (request: IncomingMessage, response: ServerResponse, next: () => void) => void

/** Who stands in front of a server; nobody at first. */
export interface Place {
  front: RequestFront | undefined
  /** Hears of each request when it is answered, whoever answers. */
  observer: Observer | undefined
  /**
   * Whose connection may become something else (`Upgrade`). Such a request passes by who stands in front, and by the time
   * limit of bodies; all others are answered as if they had not asked for it.
   */
  upgrades: ((request: IncomingMessage) => boolean) | undefined
}

/** Of the server that the routes are built for; without one nobody looks at it. */
export const FrontPlace = Context.Reference<Place>("@onsale/platform/RequestFront/FrontPlace", {
  defaultValue: () => ({ front: undefined, observer: undefined, upgrades: undefined })
})

/** Stands in front of the routes for as long as the scope. Dies where somebody else does already. */
export const install = (front: RequestFront): Effect.Effect<void, never, Scope.Scope> =>
  Effect.flatMap(FrontPlace, (place) =>
    Effect.asVoid(
      Effect.acquireRelease(
        Effect.sync(() => {
          if (place.front !== undefined) throw new Error("somebody stands in front of the routes already")
          place.front = front
        }),
        () =>
          Effect.sync(() => {
            place.front = undefined
          })
      )
    )
  )
