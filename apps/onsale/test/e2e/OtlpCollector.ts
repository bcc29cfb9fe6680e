/** Takes spans by OTLP over HTTP (JSON), as a collector does, and keeps them. */
import { Effect, Schema } from "effect"
import { createServer } from "node:http"

const Attribute = Schema.Struct({ key: Schema.String, value: Schema.Record(Schema.String, Schema.Unknown) })

const Sent = Schema.Struct({
  resourceSpans: Schema.Array(
    Schema.Struct({
      resource: Schema.Struct({
        attributes: Schema.Array(
          Schema.Struct({
            key: Schema.String,
            value: Schema.Struct({ stringValue: Schema.optionalKey(Schema.String) })
          })
        )
      }),
      scopeSpans: Schema.Array(
        Schema.Struct({
          spans: Schema.Array(
            Schema.Struct({
              traceId: Schema.String,
              spanId: Schema.String,
              parentSpanId: Schema.optionalKey(Schema.String),
              name: Schema.String,
              attributes: Schema.Array(Attribute),
              links: Schema.optionalKey(Schema.Array(Schema.Struct({ traceId: Schema.String }))),
              status: Schema.Struct({ code: Schema.optionalKey(Schema.Int) })
            })
          )
        })
      )
    })
  )
})
const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Sent))

export interface Span {
  readonly service: string
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  /** The traces that it has links to. */
  readonly links: ReadonlyArray<string>
  /** As OpenTelemetry tells of it. */
  readonly failed: boolean
  /** `key=value`, each. */
  readonly attributes: ReadonlyArray<string>
}

/** OTLP's STATUS_CODE_ERROR. */
const statusError = 2

/** Ends with the scope. */
export const start = Effect.gen(function* () {
  const spans: Array<Span> = []
  const server = createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      for (const { resource, scopeSpans } of decode(Buffer.concat(chunks).toString()).resourceSpans) {
        const service =
          resource.attributes.find(({ key }) => key === "service.name")?.value.stringValue ?? "unnamed"
        for (const { spans: sent } of scopeSpans) {
          for (const { attributes, links = [], name, parentSpanId, spanId, status, traceId } of sent)
            spans.push({
              service,
              name,
              traceId,
              spanId,
              parentSpanId: parentSpanId || undefined,
              links: links.map((link) => link.traceId),
              failed: status.code === statusError,
              attributes: attributes.map(({ key, value }) => `${key}=${Object.values(value)[0]}`)
            })
        }
      }
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
  return { url: `http://127.0.0.1:${port}`, spans: spans as ReadonlyArray<Span> }
})
