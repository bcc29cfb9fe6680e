/** How long after a hold was answered everybody sees it: one seat of an event of its own, held again and again. */
import { type EventId, seatId } from "@onsale/contracts/Ids"
import { Effect, Exit, Schedule, Schema } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"
import * as Latencies from "../open/Latencies.ts"
import type { RunningLevel } from "./LevelProcesses.ts"

const Held = Schema.fromJsonString(Schema.Struct({ id: Schema.String }))
const lookEveryMs = 20
const pauseMs = 700
/** What is not seen by then, or could not be looked for, counts as this. */
const limitMs = 30_000

/** Fills the histogram until the scope ends. A round whose hold fails, or its release, has nothing to be seen and is left out. */
export const make = Effect.fn("Freshness.make")(function* (
  level: RunningLevel,
  eventId: EventId,
  seats: number
) {
  const client = yield* HttpClient.HttpClient
  const latencies = Latencies.make()
  const counts = { n: 0 }
  const at = (port: number | undefined) => (path: string) => `http://${level.host}:${port}/api/v1${path}`
  const [url, elsewhere] = [at(level.ports[0]), at(level.ports.at(-1))]
  const round = Effect.gen(function* () {
    const n = counts.n++
    const seat = seatId(eventId, n % seats)
    const response = yield* HttpClientRequest.post(url(`/events/${eventId}/holds`)).pipe(
      HttpClientRequest.setHeader("idempotency-key", `slo-freshness-${n}`),
      HttpClientRequest.bodyJsonUnsafe({ seats: [seat] }),
      client.execute
    )
    const begun = performance.now()
    const { id } = yield* Effect.flatMap(response.text, Schema.decodeUnknownEffect(Held))
    // By another gateway, where there are several.
    const looked = client.get(elsewhere(`/events/${eventId}/availability`)).pipe(
      Effect.flatMap((answer) => answer.text),
      Effect.repeat({
        schedule: Schedule.spaced(lookEveryMs),
        while: (text) => !text.includes(seat)
      }),
      Effect.timeout(limitMs),
      Effect.exit
    )
    const isSeen = Exit.isSuccess(yield* looked)
    latencies.record(isSeen ? performance.now() - begun : limitMs)
    yield* client.execute(HttpClientRequest.delete(url(`/holds/${id}`)))
  }).pipe(Effect.catch((error) => Effect.logDebug("a look at what is visible", error)))
  yield* Effect.forkScoped(Effect.repeat(round, Schedule.spaced(pauseMs)))
  return latencies
})
