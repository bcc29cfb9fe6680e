/**
 * What every call passes: a bound on what its connection has open and on how often its client calls, the name of its
 * customer, a correlation id, and an end to our defects.
 */
import { Internal, Overloaded, TooManyRequests, Unauthorized } from "@onsale/contracts/http/Problems"
import { DoorOnly } from "@onsale/contracts/rpc/DoorRpc"
import { RpcEdge } from "@onsale/contracts/rpc/OnsaleRpc"
import { OrganiserOnly } from "@onsale/contracts/rpc/OrganiserRpc"
import { Cause, Effect, identity, Layer, type Redacted } from "effect"
import { type Rpc, RpcSchema } from "effect/rpc"
import { AdmissionControl } from "../AdmissionControl.ts"
import * as AdmissionPlace from "../AdmissionPlace.ts"
import { Correlation, correlationOf } from "../Correlation.ts"
import { CurrentCustomer } from "../CurrentCustomer.ts"
import { CustomerToken } from "../CustomerToken.ts"
import { checkOf } from "../OrganiserAuth.ts"
import * as DoorAuth from "../DoorAuth.ts"
import * as Patience from "../Patience.ts"
import * as RateLimitFront from "../RateLimitFront.ts"
import * as RequestClass from "../RequestClass.ts"
import { type Class, RateLimits } from "../RateLimits.ts"
import { ViewersPerClient } from "../ViewersPerClient.ts"
import * as Connection from "./Connection.ts"
import * as RpcMetrics from "./RpcMetrics.ts"
import * as RpcTrace from "./RpcTrace.ts"

const hasRoom = (connection: Connection.Connection, kind: "calls" | "streams"): boolean =>
  !connection.closing &&
  connection[kind] < (kind === "calls" ? Connection.maxCalls : Connection.maxStreams) &&
  connection.wire.unreadBytes() <= Connection.maxUnreadBytes

const passes = (rpc: Rpc.AnyWithProps, guard: { readonly key: string }): boolean =>
  Array.from(rpc.middlewares).some(({ key }) => key === guard.key)

const isOrganisers = (rpc: Rpc.AnyWithProps): boolean => passes(rpc, OrganiserOnly)

/** Calls of organisers and of the door carry their key where others carry a token. */
const takesKey = (rpc: Rpc.AnyWithProps): boolean => isOrganisers(rpc) || passes(rpc, DoorOnly)

/** What a call counts as: as its request over HTTP does. */
const classOf = (rpc: Rpc.AnyWithProps): Class => {
  if (isOrganisers(rpc)) return "organiser"
  if (/^(Get|List|Watch)/.test(rpc._tag)) return "reads"
  if (passes(rpc, DoorOnly)) return "checkIns"
  return rpc._tag.endsWith("Hold") ? "holds" : "orders"
}

/** Runs when it is let in, and gives its place back when that and all it has begun has ended; refused where there is too much of its class. */
const admittedBy =
  (control: AdmissionControl["Service"], name: RequestClass.RequestClass | undefined, untilMs?: number) =>
  <A, E, R>(call: Effect.Effect<A, E, R>): Effect.Effect<A, E | Overloaded, R> =>
    name === undefined
      ? call
      : Effect.suspend(() => {
          const place = new AdmissionPlace.AdmissionPlace()
          return Effect.callback<void, Overloaded>((resume) => {
            place.given(
              control.enter(
                name,
                untilMs,
                () => resume(Effect.void),
                (retryAfterSeconds) => resume(Effect.fail(new Overloaded({ retryAfterSeconds })))
              )
            )
          }).pipe(
            Effect.andThen(call),
            Effect.provideService(AdmissionPlace.Current, place),
            Effect.ensuring(Effect.sync(place.clientLeft))
          )
        })

/** A connection's id is that of its calls, but for those that bring one of their own. */
const edge = Layer.effect(
  RpcEdge,
  Effect.gen(function* () {
    const limits = yield* RateLimits
    const control = yield* AdmissionControl
    const tokens = yield* CustomerToken
    const viewers = yield* ViewersPerClient
    const counted = yield* RpcMetrics.make

    const admitted = (name: Class, client: string | null) => {
      const refusal = client === null ? undefined : limits.take(name, client)
      return refusal === undefined
        ? Effect.void
        : Effect.fail(new TooManyRequests(RateLimitFront.told(name, refusal)))
    }

    return RpcEdge.of((call, { headers, rpc }) => {
      const guarded = Effect.gen(function* () {
        const connection = yield* Connection.Current
        const kind = RpcSchema.isStreamSchema(rpc.successSchema) ? "streams" : "calls"
        if (!hasRoom(connection, kind)) return yield* new Overloaded({ retryAfterSeconds: 1 })
        const name = classOf(rpc)
        yield* admitted(name, connection.client)
        const customer = takesKey(rpc) ? null : yield* tokens.from(headers["authorization"])
        if (customer !== null && connection.client !== null) {
          yield* admitted(name, RateLimitFront.customerKey(customer))
        }
        const correlation =
          headers["x-correlation-id"] === undefined
            ? yield* Correlation
            : yield* Effect.clockWith((clock) => Effect.sync(() => correlationOf(headers, clock)))
        const watches = kind === "streams"
        const crowded = watches ? viewers.enter(connection.client) : undefined
        if (crowded !== undefined) return yield* new TooManyRequests(crowded)
        const untilMs = yield* Effect.clockWith((clock) =>
          Effect.sync(() => Patience.untilOf(headers, clock))
        )
        connection[kind]++
        return yield* call.pipe(
          untilMs === undefined ? identity : Effect.provideService(Patience.Until, untilMs),
          admittedBy(control, RequestClass.ofCall(rpc._tag), untilMs),
          Effect.catchCause((cause) =>
            Cause.hasDies(cause)
              ? Effect.andThen(
                  Effect.logError("a call failed", cause),
                  Effect.fail(new Internal({ detail: `correlation id ${correlation}` }))
                )
              : Effect.failCause(cause)
          ),
          Effect.ensuring(
            Effect.sync(() => {
              connection[kind]--
              if (watches) viewers.leave(connection.client)
            })
          ),
          // A stream is open for as long as somebody looks.
          watches ? identity : RpcTrace.traced(rpc._tag, headers, correlation),
          Effect.provideService(Correlation, correlation),
          Effect.provideService(CurrentCustomer, customer),
          Effect.annotateLogs({ correlationId: correlation, rpc: rpc._tag })
        )
      })
      return counted(rpc._tag, RpcSchema.isStreamSchema(rpc.successSchema), guarded)
    })
  })
)

const bearer = /^Bearer +(.+)$/i

const organiserOnly = (key: Redacted.Redacted) =>
  Layer.effect(
    OrganiserOnly,
    Effect.map(checkOf(key), (isKey) =>
      OrganiserOnly.of((call, { headers }) =>
        isKey(bearer.exec(headers["authorization"] ?? "")?.[1] ?? "")
          ? call
          : Effect.fail(new Unauthorized({}))
      )
    )
  )

const doorOnly = (key: Redacted.Redacted) =>
  Layer.effect(
    DoorOnly,
    Effect.map(DoorAuth.check(key), (mayPass) =>
      DoorOnly.of((call, { headers }) =>
        mayPass(headers["authorization"]) ? call : Effect.fail(new Unauthorized({}))
      )
    )
  )

export const layer = (key: Redacted.Redacted) => Layer.mergeAll(edge, organiserOnly(key), doorOnly(key))
