/** A small HTTP server for stand-ins of providers: a function from a request to an answer, over a real socket. */
import { Effect, type Scope } from "effect"
import { createServer } from "node:http"

export interface FakeRequest {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface FakeAnswer {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** Serves until the scope ends, and answers with its URL. */
export const serve = (
  contentType: string,
  answer: (request: FakeRequest) => FakeAnswer
): Effect.Effect<string, never, Scope.Scope> => {
  const server = createServer((request, response) => {
    const chunks: Array<Uint8Array> = []
    request.on("data", (chunk: Uint8Array) => chunks.push(chunk))
    request.on("end", () => {
      const url = new URL(request.url ?? "/", "http://fake")
      const headers: Record<string, string> = {}
      for (const [name, value] of Object.entries(request.headers)) {
        if (typeof value === "string") headers[name] = value
      }
      const {
        body,
        headers: more,
        status
      } = answer({
        method: request.method ?? "GET",
        path: url.pathname,
        query: url.search.slice(1),
        headers,
        body: Buffer.concat(chunks).toString("utf8")
      })
      response.writeHead(status, { "content-type": contentType, ...more })
      response.end(body === null ? "" : JSON.stringify(body))
    })
  })
  return Effect.acquireRelease(
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
}
