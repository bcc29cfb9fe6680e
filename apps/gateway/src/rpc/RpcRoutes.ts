/** RPC at `/rpc`: POST for one call or several, with the answers as they come; GET for a WebSocket. */
import { OnsaleRpc, rpcPath } from "@onsale/contracts/rpc/OnsaleRpc"
import { NodeHttpServerRequest } from "@effect/platform-node"
import * as HttpConnection from "@onsale/platform/HttpConnection"
import { FrontPlace } from "@onsale/platform/RequestFront"
import { Stopping } from "@onsale/platform/Stopping"
import { Cause, Duration, Effect, Layer, Metric } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { RpcSerialization, RpcServer } from "effect/rpc"
import { Socket } from "effect/socket"
import type { IncomingMessage } from "node:http"
import { problem, unanswered } from "../FailedRequest.ts"
import { ClientKey } from "../ClientKey.ts"
import * as Connection from "./Connection.ts"
import * as RpcWire from "./RpcWire.ts"

/** Of this process: each has buffers of its own. */
const maxWebSockets = 10_000
/** Calls that run when the server stops have this time; streams are ended at once. */
const drain = Duration.seconds(10)
/** A client that is told that its WebSocket ends answers within this time, or is cut off. */
const farewell = Duration.seconds(2)
const drainEvery = Duration.millis(50)

const open = Metric.gauge("onsale_rpc_websockets", { description: "WebSockets of RPC clients that are open" })

/** Whose connection becomes a WebSocket. */
const upgrades = ({ headers, method, url }: Pick<IncomingMessage, "headers" | "method" | "url">): boolean =>
  method === "GET" && url?.split("?", 1)[0] === rpcPath && headers.upgrade?.toLowerCase() === "websocket"

const options = { disableFatalDefects: true, spanPrefix: "Rpc" }

const upgradeNeeded = HttpServerResponse.setHeader(
  problem(426, "upgrade-required", "This needs a WebSocket, or POST"),
  "upgrade",
  "websocket"
)
const tooMany = unanswered({ retryAfterSeconds: 5 })

/** Ends when the server stops, and the calls that it was asked before are answered. */
const drained = Effect.fnUntraced(function* (
  connection: Connection.Connection,
  stopping: Effect.Effect<void>
) {
  yield* stopping
  connection.closing = true
  yield* Effect.sleep(drainEvery).pipe(
    Effect.repeat({ until: () => connection.calls === 0 }),
    Effect.timeoutOption(drain)
  )
})

/** What a client did to its socket is its own affair. */
const isSocketError = (cause: Cause.Cause<unknown>): boolean =>
  cause.reasons.some((reason) => Cause.isDieReason(reason) && Socket.isSocketError(reason.defect))

const webSocket = Effect.gen(function* () {
  const answer = yield* RpcServer.toHttpEffectWebsocket(OnsaleRpc, options)
  const router = yield* HttpRouter.HttpRouter
  // The server's own, which a request does not carry.
  const stopping = yield* Stopping
  const clientOf = yield* ClientKey
  const scope = yield* Effect.scope
  const place = yield* FrontPlace
  place.upgrades = upgrades
  let sockets = 0
  const count = (change: number) =>
    Effect.suspend(() => {
      sockets += change
      return Metric.update(open, sockets)
    })

  const served = Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest) {
    const connection = Connection.make(HttpConnection.of(request), clientOf(request))
    return yield* answer.pipe(
      Effect.provideService(Connection.Current, connection),
      Effect.catchCause((cause) =>
        isSocketError(cause)
          ? Effect.as(Effect.logDebug("a socket broke", cause), HttpServerResponse.empty())
          : Effect.failCause(cause)
      ),
      Effect.raceFirst(Effect.as(Connection.lost(connection), HttpServerResponse.empty())),
      Effect.raceFirst(Effect.as(drained(connection, stopping), HttpServerResponse.empty())),
      Effect.ensuring(Effect.forkIn(Effect.delay(Effect.sync(connection.wire.destroy), farewell), scope))
    )
  })

  yield* router.add(
    "GET",
    rpcPath,
    Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      // The router is less strict about a path: what did not become something else is answered here.
      if (!upgrades(NodeHttpServerRequest.toIncomingMessage(request))) return upgradeNeeded
      if (sockets >= maxWebSockets) return tooMany
      return yield* Effect.acquireUseRelease(
        count(1),
        () => served(request),
        () => count(-1)
      )
    })
  )
})

const http = Effect.gen(function* () {
  const answer = yield* RpcServer.toHttpEffect(OnsaleRpc, options)
  const clientOf = yield* ClientKey
  const router = yield* HttpRouter.HttpRouter
  yield* router.add(
    "POST",
    rpcPath,
    Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      const connection = Connection.make(HttpConnection.of(request), clientOf(request))
      return yield* Effect.provideService(answer, Connection.Current, connection)
    })
  )
})

export const layer = Layer.merge(Layer.effectDiscard(http), Layer.effectDiscard(webSocket)).pipe(
  Layer.provide(Layer.succeed(RpcSerialization.RpcSerialization, RpcWire.serialization))
)
