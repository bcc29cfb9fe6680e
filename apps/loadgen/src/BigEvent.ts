/** Makes an event with as many seats as a run needs, through the API like any organiser. */
import { EventDetail, VenueDetail } from "@onsale/contracts/catalog/Event"
import type { EventId } from "@onsale/contracts/Ids"
import { DateTime, Effect, Schema } from "effect"
import { HttpClient, HttpClientRequest, HttpClientResponse } from "effect/http"
import type { Service } from "./ServiceProcess.ts"

const seatsARow = 100
/** As many as a hold can ask for in a request; runs that fill an event take them by the hundred. */
const maxPerOrder = 100

/** A CSV plan of one price: a section of seats, and an area where it has places. */
const plan = (seats: number, places: number): string =>
  [
    "section,row,seat_from,seat_to,quantity,price",
    ...Array.from(
      { length: Math.ceil(seats / seatsARow) },
      (_, row) => `Stalls,${row + 1},1,${Math.min(seatsARow, seats - row * seatsARow)},,45.00`
    ),
    ...(places > 0 ? [`Standing,,,,${places},45.00`] : [])
  ].join("\n")

/** Imports the plan, makes the event, publishes it. Dies where the service refuses. */
export const make = Effect.fn("BigEvent.make")(function* (
  service: Pick<Service, "host" | "port">,
  organiserKey: string,
  seats: number,
  /** Of its one area for general admission; none where 0. */
  places = 0,
  /** How long a hold lives. */
  holdSeconds = 3600
) {
  const client = yield* HttpClient.HttpClient
  const call = <A, I>(path: string, body: unknown, schema: Schema.Codec<A, I>) =>
    HttpClientRequest.post(`http://${service.host}:${service.port}/api/v1/organiser${path}`).pipe(
      HttpClientRequest.bearerToken(organiserKey),
      HttpClientRequest.bodyJsonUnsafe(body),
      client.execute,
      Effect.flatMap((response) =>
        response.status < 300
          ? Effect.succeed(response)
          : Effect.flatMap(response.text, (text) =>
              Effect.die(new Error(`${path}: ${response.status} ${text}`))
            )
      ),
      Effect.flatMap(HttpClientResponse.schemaBodyJson(schema)),
      Effect.orDie
    )
  const startsAt = DateTime.formatIso(DateTime.add(yield* DateTime.now, { days: 30 }))
  const venue = yield* call(
    "/venues",
    { name: "Bench hall", timeZone: "UTC", seatMap: { format: "csv", content: plan(seats, places) } },
    Schema.Struct({ id: VenueDetail.fields.id })
  )
  const event = yield* call(
    "/events",
    { venueId: venue.id, name: "Bench", startsAt, currency: "EUR", holdSeconds, maxPerOrder },
    Schema.Struct({ id: EventDetail.fields.id })
  )
  yield* call(`/events/${event.id}/publish`, {}, Schema.Unknown)
  return event.id satisfies EventId
})
