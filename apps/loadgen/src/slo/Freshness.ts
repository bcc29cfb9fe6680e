/** How long after a hold was answered everybody sees it: one seat of an event of its own, held again and again. */
import { type EventId, seatId } from "@onsale/contracts/Ids"
import { Effect, Schedule, Schema } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"
import * as Latencies from "../open/Latencies.ts"
import type { RunningLevel } from "./LevelProcesses.ts"

const Held = Schema.fromJsonString(Schema.Struct({ id: Schema.String }))
const lookEveryMs = 20
const pauseMs = 700
/** What is not seen by then counts as this. */
const limit = "30 seconds"

/** Fills the histogram until the scope ends; what fails is left out, and counted with the load's errors elsewhere. */
export const make = Effect.fn("Freshness.make")(function* (
  level: RunningLevel,
  eventId: EventId,
  seats: number
) {
  const client = yield* HttpClient.HttpClient
  const latencies = Latencies.make()
  const counts = { failed: 0, n: 0 }
  const url = (path: string) => `http://${level.host}:${level.ports[0]}/api/v1${path}`
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
    const looked = client.get(url(`/events/${eventId}/availability`)).pipe(
      Effect.flatMap((answer) => answer.text),
      Effect.repeat({
        schedule: Schedule.spaced(lookEveryMs),
        while: (text) => !text.includes(seat)
      }),
      Effect.timeout(limit),
      Effect.exit
    )
    yield* looked
    latencies.record(performance.now() - begun)
    yield* client.execute(HttpClientRequest.delete(url(`/holds/${id}`)))
  }).pipe(
    Effect.catch(() =>
      Effect.sync(() => {
        counts.failed++
      })
    )
  )
  yield* Effect.forkScoped(Effect.repeat(round, Schedule.spaced(pauseMs)))
  return latencies
})
