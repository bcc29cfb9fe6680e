/** What every call passes: a bound on what its connection has open, a correlation id, and an end to our defects. */
import { Internal, Overloaded, Unauthorized } from "@onsale/contracts/http/Problems"
import { RpcEdge } from "@onsale/contracts/rpc/OnsaleRpc"
import { OrganiserOnly } from "@onsale/contracts/rpc/OrganiserRpc"
import { Cause, Effect, Layer, type Redacted } from "effect"
import { RpcSchema } from "effect/rpc"
import { Correlation, correlationOf } from "../Correlation.ts"
import { checkOf } from "../OrganiserAuth.ts"
import * as Connection from "./Connection.ts"

const hasRoom = (connection: Connection.Connection, kind: "calls" | "streams"): boolean =>
  !connection.closing &&
  connection[kind] < (kind === "calls" ? Connection.maxCalls : Connection.maxStreams) &&
  connection.wire.unreadBytes() <= Connection.maxUnreadBytes

/** A connection's id is that of its calls, but for those that bring one of their own. */
const edge = Layer.succeed(RpcEdge, (call, { headers, rpc }) =>
  Effect.gen(function* () {
    const connection = yield* Connection.Current
    const kind = RpcSchema.isStreamSchema(rpc.successSchema) ? "streams" : "calls"
    if (!hasRoom(connection, kind)) return yield* new Overloaded({ retryAfterSeconds: 1 })
    const correlation =
      headers["x-correlation-id"] === undefined
        ? yield* Correlation
        : yield* Effect.clockWith((clock) =>
            Effect.sync(() => correlationOf(headers, clock.currentTimeMillisUnsafe()))
          )
    connection[kind]++
    return yield* call.pipe(
      Effect.catchCause((cause) =>
        Cause.hasDies(cause)
          ? Effect.andThen(
              Effect.logError("a call failed", cause),
              Effect.fail(new Internal({ detail: `correlation id ${correlation}` }))
            )
          : Effect.failCause(cause)
      ),
      Effect.ensuring(Effect.sync(() => connection[kind]--)),
      Effect.provideService(Correlation, correlation),
      Effect.annotateLogs({ correlationId: correlation, rpc: rpc._tag })
    )
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

export const layer = (key: Redacted.Redacted) => Layer.merge(edge, organiserOnly(key))
