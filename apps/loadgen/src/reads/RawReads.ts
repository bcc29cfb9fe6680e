/** The limit of reads: plain `node:http` that looks an answer up, compares its tag, and writes it. */
import { Schema } from "effect"
import { createServer } from "node:http"
import { Done, type Page, Ready, Serve } from "./Pages.ts"

const decode = Schema.decodeUnknownSync(Serve)
/** By path, then by what is accepted. */
const pages = new Map<string, Map<string, Page>>()

const server = createServer((request, response) => {
  const page = pages.get(request.url ?? "")?.get(String(request.headers["accept-encoding"] ?? ""))
  if (page === undefined) return void response.writeHead(404).end()
  if (request.headers["if-none-match"] === page.etag)
    return void response.writeHead(304, page.validators).end()
  response.writeHead(200, page.headers).end(page.body)
})
// The clients keep their connections over a whole run.
server.keepAliveTimeout = 60_000
server.listen(0, "127.0.0.1", 1024, () => {
  const address = server.address()
  process.send?.(Ready.make({ port: typeof address === "object" && address !== null ? address.port : 0 }))
})

process.on("disconnect", () => process.exit(0))
process.on("message", (message) => {
  pages.clear()
  for (const page of decode(message).pages) {
    const byEncoding = pages.get(page.path) ?? new Map<string, Page>()
    byEncoding.set(page.accepts, page)
    pages.set(page.path, byEncoding)
  }
  process.send?.(Done.make({}))
})
