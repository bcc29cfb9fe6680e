/** A line on the terminal that tells how far an upload is, and that the service is at it. */
import { Clock, Effect, Fiber, Ref, Stdio, Stream } from "effect"
import { HttpBody, HttpClient, HttpClientRequest } from "effect/http"
import { Json } from "./Settings.ts"

/** Small enough that the bar moves, large enough that it costs nothing. */
const chunkBytes = 64 * 1024
const redrawEvery = "100 millis"
const barWidth = 30
const clearLine = "\r\u001b[2K"

interface Sent {
  readonly bytes: number
  readonly total: number
}

const megabytes = (bytes: number) => `${(bytes / 1_000_000).toFixed(1)} MB`

/** The line, for what was sent and the seconds since. */
const line = ({ bytes, total }: Sent, seconds: number): string => {
  if (total === 0) return "Connecting …"
  if (bytes >= total) return `Sent ${megabytes(total)}, the service reads the plan … ${seconds} s`
  const filled = Math.floor((bytes / total) * barWidth)
  return `Sending [${"#".repeat(filled)}${".".repeat(barWidth - filled)}] ${megabytes(bytes)} of ${megabytes(total)}`
}

/** Sends bodies in pieces, and tells of each that the connection has taken. */
const counted = (client: HttpClient.HttpClient, sent: Ref.Ref<Sent>): HttpClient.HttpClient =>
  HttpClient.mapRequest(client, (request) => {
    const { body } = request
    if (body._tag !== "Uint8Array") return request
    const bytes = body.body
    const total = bytes.length
    const pieces = Array.from({ length: Math.ceil(total / chunkBytes) }, (_, i) => i * chunkBytes)
    return HttpClientRequest.setBody(
      request,
      HttpBody.stream(
        Stream.fromIterable(pieces).pipe(
          Stream.rechunk(1),
          Stream.mapEffect((start) => {
            const piece = bytes.subarray(start, start + chunkBytes)
            return Effect.as(Ref.set(sent, { bytes: start + piece.length, total }), piece)
          })
        ),
        body.contentType,
        total
      )
    )
  })

/**
 * Runs the upload with a client that is watched. Nothing is drawn, and nothing changed about the
 * client, where stderr is no terminal or JSON is asked for.
 */
export const watch = Effect.fnUntraced(function* <A, E, R>(
  upload: (transform: (client: HttpClient.HttpClient) => HttpClient.HttpClient) => Effect.Effect<A, E, R>
) {
  const stdio = yield* Stdio.Stdio
  if ((yield* Json) || !(yield* stdio.stderrIsTerminal)) return yield* upload((client) => client)
  const sent = yield* Ref.make<Sent>({ bytes: 0, total: 0 })
  const draw = (text: string) =>
    Effect.ignore(Stream.run(Stream.make(clearLine + text), stdio.stderr({ endOnDone: false })))
  const startedAtMs = yield* Clock.currentTimeMillis
  const redraw = Effect.gen(function* () {
    const seconds = Math.floor(((yield* Clock.currentTimeMillis) - startedAtMs) / 1000)
    yield* draw(line(yield* Ref.get(sent), seconds))
    yield* Effect.sleep(redrawEvery)
  })
  const drawing = yield* Effect.forkChild(Effect.forever(redraw))
  return yield* Effect.ensuring(
    upload((client) => counted(client, sent)),
    Effect.andThen(Fiber.interrupt(drawing), draw(""))
  )
})
