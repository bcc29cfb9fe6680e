/** Takes spans as a collector does (OTLP over HTTP, JSON), counts them and keeps none. */
import { Effect } from "effect"
import { createServer } from "node:http"

/** Once in each span, and in nothing else of what is sent. */
const mark = "startTimeUnixNano"

const marksIn = (text: string): number => {
  let count = 0
  for (let at = text.indexOf(mark); at !== -1; at = text.indexOf(mark, at + mark.length)) count++
  return count
}

/** Its address and what has come so far; ends with the scope. */
export const make = Effect.gen(function* () {
  const counts = { spans: 0, bytes: 0 }
  const server = createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const body = Buffer.concat(chunks)
      counts.spans += marksIn(body.toString("latin1"))
      counts.bytes += body.length
      response.writeHead(200, { "content-type": "application/json" }).end("{}")
    })
  })
  const port = yield* Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
      })
    }),
    () =>
      Effect.callback<void>((resume) => {
        server.closeAllConnections()
        server.close(() => resume(Effect.void))
      })
  )
  return { url: `http://127.0.0.1:${port}`, counts: counts as Readonly<typeof counts> }
})
