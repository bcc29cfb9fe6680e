/** Plain HTTP/1.1, without the manners of a client: any method, path, header and body; statuses are no errors. */
import { Effect, Schema } from "effect"
import { Agent, type IncomingHttpHeaders, request as open } from "node:http"

/** No answer came: refused, reset, or too slow. */
export class ConnectionLost extends Schema.TaggedError<ConnectionLost>()("ConnectionLost", {
  message: Schema.String
}) {}

export interface Call {
  readonly method?: string
  /** As it goes over the wire, malformed or not. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  /** Text and bytes go as they are, anything else as JSON. An array of chunks goes without a length. */
  readonly body?: unknown
}

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly text: string
  /** Dies where the body is no JSON. */
  readonly json: unknown
}

const agent = new Agent({ keepAlive: true, maxSockets: 256 })

/** Generous: it only ends a test that has failed. */
const answerLimitMs = 40_000

const isChunks = (body: unknown): body is ReadonlyArray<Buffer> =>
  Array.isArray(body) && body.every(Buffer.isBuffer)

const bytesOf = (body: unknown): Buffer =>
  Buffer.isBuffer(body) ? body : Buffer.from(typeof body === "string" ? body : JSON.stringify(body))

/** Sends it to the server at `url` (scheme, host and port count). */
export const send = (url: string, call: Call): Effect.Effect<Reply, ConnectionLost> =>
  Effect.callback<Reply, ConnectionLost>((resume) => {
    const { hostname, port } = new URL(url)
    const { body, path } = call
    const lost = (error: Error) => resume(Effect.fail(new ConnectionLost({ message: error.message })))
    const chunks = body === undefined || !isChunks(body) ? undefined : body
    const whole = body === undefined || chunks !== undefined ? undefined : bytesOf(body)
    const sent = open(
      {
        agent,
        hostname,
        port,
        method: call.method ?? (body === undefined ? "GET" : "POST"),
        path,
        headers: {
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...(whole === undefined ? {} : { "content-length": String(whole.length) }),
          ...call.headers
        },
        timeout: answerLimitMs
      },
      (answer) => {
        const parts: Array<Buffer> = []
        answer.on("data", (part: Buffer) => parts.push(part))
        answer.on("error", lost)
        answer.on("end", () => {
          const bytes = Buffer.concat(parts)
          resume(
            Effect.succeed({
              status: answer.statusCode ?? 0,
              headers: answer.headers,
              body: bytes,
              get text() {
                return bytes.toString()
              },
              get json(): unknown {
                return JSON.parse(bytes.toString())
              }
            })
          )
        })
      }
    )
    sent.on("error", lost)
    sent.on("timeout", () => sent.destroy(new Error(`no answer within ${answerLimitMs} ms`)))
    for (const chunk of chunks ?? []) sent.write(chunk)
    sent.end(whole)
    return Effect.sync(() => sent.destroy())
  })
