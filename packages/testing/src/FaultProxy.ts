/**
 * A proxy that strikes: it stands between a client and an HTTP server, and does to the next call that may
 * change something what was asked for, over real sockets. Questions (GET) pass.
 */
import { Effect, type Scope } from "effect"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { setTimeout } from "node:timers/promises"

/**
 * `before`: the server never hears of the call. `after`: it has carried it out. `timeout`: no answer comes;
 * `reset`: the connection is cut; `error`: 500; `unreadable` and `oversized`: an answer of a good status, after.
 */
export const faults = [
  "timeout_before",
  "timeout_after",
  "reset_before",
  "reset_after",
  "error_before",
  "error_after",
  "unreadable",
  "oversized"
] as const
export type Fault = (typeof faults)[number]

/**
 * The header by which a call asks for its own fault, beside those that are struck by turn: one of `faults`, or
 * `slow:<milliseconds>` for a call that is passed on that much later, whoever still waits for it. The server
 * does not get to see it.
 */
export const faultHeader = "x-fault"

export interface FaultProxy {
  /** Such as `http://127.0.0.1:49152`. */
  readonly url: string
  /** Strikes the next call, once. */
  readonly strike: (fault: Fault) => Effect.Effect<void>
  /** Keeps the next call from the server until the effect it answers with is run. */
  readonly hold: Effect.Effect<Effect.Effect<void>>
}

/** More than any client should take in. */
const oversizedBytes = 8 * 1024 * 1024

/** Headers that are the connection's own. */
const hopByHop = new Set([
  "connection",
  "host",
  "transfer-encoding",
  "content-length",
  "keep-alive",
  faultHeader
])

const faultOf = (asked: string | Array<string> | undefined): Fault | Held | null => {
  if (typeof asked !== "string") return null
  const slowMs = Number(/^slow:(\d+)$/.exec(asked)?.[1] ?? Number.NaN)
  if (slowMs >= 0) return { released: setTimeout(slowMs, undefined, { ref: false }) }
  return faults.find((fault) => fault === asked) ?? null
}

interface Held {
  readonly released: Promise<void>
}

/** Listens until the scope ends; what it still holds then is cut off. */
export const make = (target: string): Effect.Effect<FaultProxy, never, Scope.Scope> =>
  Effect.gen(function* () {
    let next: Fault | Held | null = null
    const server = createServer((request, response) => {
      const own = faultOf(request.headers[faultHeader])
      const fault = own ?? (request.method === "GET" ? null : next)
      if (own === null && request.method !== "GET") next = null
      serve(target, request, response, fault).catch(() => response.destroy())
    })
    const url = yield* Effect.acquireRelease(
      Effect.callback<string>((resume) => {
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          const port = typeof address === "object" && address !== null ? address.port : 0
          resume(Effect.succeed(`http://127.0.0.1:${port}`))
        })
      }),
      () =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    return {
      url,
      strike: (fault) =>
        Effect.sync(() => {
          next = fault
        }),
      hold: Effect.sync(() => {
        const { promise, resolve } = Promise.withResolvers<void>()
        next = { released: promise }
        return Effect.sync(() => resolve())
      })
    }
  })

const serve = async (
  target: string,
  request: IncomingMessage,
  response: ServerResponse,
  fault: Fault | Held | null
): Promise<void> => {
  const body = await bodyOf(request)
  if (typeof fault === "object" && fault !== null) await fault.released
  switch (fault) {
    case "timeout_before":
      return
    case "reset_before":
      request.socket.resetAndDestroy()
      return
    case "error_before":
      internalError(response)
      return
  }
  const answer = await fetch(`${target}${request.url}`, {
    method: request.method ?? "GET",
    headers: headersOf(request),
    redirect: "manual",
    ...(body.length === 0 ? {} : { body: new Uint8Array(body) })
  })
  const text = await answer.text()
  switch (fault) {
    case "timeout_after":
      return
    case "reset_after":
      request.socket.resetAndDestroy()
      return
    case "error_after":
      internalError(response)
      return
    case "unreadable":
      response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" })
      response.end(text.slice(0, text.length / 2))
      return
    case "oversized":
      response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" })
      response.write(text)
      response.end(" ".repeat(oversizedBytes))
      return
  }
  const headers: Record<string, string> = {}
  answer.headers.forEach((value, name) => {
    if (!hopByHop.has(name) && name !== "content-encoding") headers[name] = value
  })
  response.writeHead(answer.status, headers)
  response.end(text)
}

const internalError = (response: ServerResponse): void => {
  response.writeHead(500, { "content-type": "text/html" })
  response.end("<html>Internal Server Error</html>")
}

const headersOf = (request: IncomingMessage): Record<string, string> => {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.headers)) {
    if (typeof value === "string" && !hopByHop.has(name)) headers[name] = value
  }
  return headers
}

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Array<Uint8Array> = []
  for await (const chunk of request) if (chunk instanceof Uint8Array) chunks.push(chunk)
  return Buffer.concat(chunks)
}
