/** A provider's HTTP server that takes, defers, refuses, hangs, breaks off or forgets, on command. */
import { Effect } from "effect"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { createServer as createTlsServer } from "node:https"
import type { AddressInfo } from "node:net"
import type { Command } from "./ChannelSuite.ts"

export interface Request {
  readonly path: string
  readonly headers: IncomingMessage["headers"]
  readonly body: Buffer
}

export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface ProviderServerOptions {
  /** What it says to each; `taken` of what it takes, once it is on record. */
  readonly reply: (what: "taken" | "defer" | "refuse", request: Request) => Reply
  /** With TLS, by these in PEM. */
  readonly tls?: { readonly key: string; readonly cert: string }
}

/** Ends with the scope. It listens at 127.0.0.1. */
export const make = Effect.fnUntraced(function* ({ reply, tls }: ProviderServerOptions) {
  const received: Array<Request> = []
  const next: Array<Command> = []
  const answer = (response: ServerResponse, { body = "", headers = {}, status }: Reply) =>
    response.writeHead(status, headers).end(body)

  const onRequest = (incoming: IncomingMessage, response: ServerResponse) => {
    const command = next.shift()
    if (command === "hang") return
    const chunks: Array<Buffer> = []
    incoming.on("data", (chunk: Buffer) => void chunks.push(chunk))
    incoming.on("end", () => {
      const request: Request = {
        path: incoming.url ?? "",
        headers: incoming.headers,
        body: Buffer.concat(chunks)
      }
      if (command === "defer" || command === "refuse") return answer(response, reply(command, request))
      received.push(request)
      if (command === "silence") return
      if (command === "vanish") return void incoming.socket.destroy()
      return answer(response, reply("taken", request))
    })
  }
  const server: Server = tls === undefined ? createServer(onRequest) : createTlsServer({ ...tls }, onRequest)
  const listen = (port: number) =>
    Effect.callback<void>((resume) => {
      server.listen(port, "127.0.0.1", () => resume(Effect.void))
    })
  const down = Effect.callback<void>((resume) => {
    if (!server.listening) return resume(Effect.void)
    server.close(() => resume(Effect.void))
    server.closeAllConnections()
  })
  yield* Effect.acquireRelease(listen(0), () => down)
  const { port } = server.address() as AddressInfo
  return { port, received, next, down, up: listen(port) }
})
