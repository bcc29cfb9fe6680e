/** A service of an organiser that takes every message. */
import { Effect } from "effect"
import { createServer, type IncomingHttpHeaders } from "node:http"
import type { AddressInfo } from "node:net"

/** What lets a service send to it: it is on this machine, without TLS. */
export const env = { ONSALE_WEBHOOK_ALLOW_PRIVATE: "true", ONSALE_WEBHOOK_ALLOW_HTTP: "true" }

/** Ends with the scope. */
export const make = Effect.gen(function* () {
  const received: Array<{ readonly headers: IncomingHttpHeaders; readonly body: string }> = []
  const server = createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      received.push({ headers: request.headers, body: Buffer.concat(chunks).toString("utf8") })
      response.end("thanks")
    })
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.void))
    }),
    () => Effect.sync(() => server.close())
  )
  return { received, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` }
})
