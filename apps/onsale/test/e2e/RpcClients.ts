/** Typed clients of the service's RPC, over either transport. */
import { NodeHttpClient, NodeSocket } from "@effect/platform-node"
import { OnsaleRpc, rpcPath } from "@onsale/contracts/rpc/OnsaleRpc"
import { Effect, Layer } from "effect"
import { RpcClient, RpcSerialization } from "effect/rpc"
import { connect, type Socket } from "node:net"

export type Transport = "HTTP" | "WebSocket"
export type Client = Effect.Success<ReturnType<typeof make>>

const webSocketUrl = (url: string): string => `${url.replace(/^http/, "ws")}${rpcPath}`

const protocol = (transport: Transport, url: string) =>
  (transport === "HTTP"
    ? RpcClient.layerProtocolHttp({ url: url + rpcPath }).pipe(Layer.provide(NodeHttpClient.layerUndici))
    : RpcClient.layerProtocolSocket().pipe(Layer.provide(NodeSocket.layerWebSocket(webSocketUrl(url))))
  ).pipe(Layer.provide(RpcSerialization.layerNdjson))

/** Its connection lasts as long as the scope. */
export const make = (transport: Transport, url: string) =>
  Effect.gen(function* () {
    const services = yield* Layer.build(protocol(transport, url))
    return yield* Effect.provideContext(RpcClient.make(OnsaleRpc), services)
  })

/** A WebSocket that sends what it is told and keeps what it gets. */
export const raw = Effect.fnUntraced(function* (url: string) {
  const frames: Array<string> = []
  const closed: { code?: number } = {}
  const socket = yield* Effect.acquireRelease(
    Effect.callback<WebSocket>((resume) => {
      const made = new WebSocket(webSocketUrl(url))
      made.addEventListener("open", () => resume(Effect.succeed(made)))
      made.addEventListener("message", ({ data }) => frames.push(String(data)))
      made.addEventListener("close", ({ code }) => {
        closed.code = code
      })
    }),
    (socket) => Effect.sync(() => socket.close())
  )
  return { frames, closed, send: (text: string) => socket.send(text) }
})

/** A WebSocket whose client answers nothing, not even that it is closed. */
export const mute = (url: string) =>
  Effect.acquireRelease(
    Effect.callback<Socket>((resume) => {
      const { hostname, port } = new URL(url)
      const made = connect({ host: hostname, port: Number(port) })
      made.once("data", () => resume(Effect.succeed(made)))
      made.on("error", () => {})
      made.write(
        [
          `GET ${rpcPath} HTTP/1.1`,
          `host: ${hostname}`,
          "connection: upgrade",
          "upgrade: websocket",
          "sec-websocket-version: 13",
          `sec-websocket-key: ${Buffer.alloc(16, 7).toString("base64")}`,
          "",
          ""
        ].join("\r\n")
      )
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )
