/**
 * `npm run bench -- freshness`: how long after the answer to a change it shows to who reads, seen from outside, while
 * nine requests in ten are reads.
 */
import { EventDetail, VenueDetail } from "@onsale/contracts/catalog/Event"
import { type EventId, seatId } from "@onsale/contracts/Ids"
import { Console, DateTime, Effect, FileSystem, Option, Schema } from "effect"
import { HttpClient, HttpClientRequest, HttpClientResponse } from "effect/http"
import * as BigEvent from "./BigEvent.ts"
import { quantile } from "./ClosedLoop.ts"
import * as Forked from "./Forked.ts"
import * as HoldDriver from "./HoldDriver.ts"
import { ViewersOpen, ViewersReady, ViewersReport } from "./load/Viewers.ts"
import * as PostgresServer from "./PostgresServer.ts"
import * as ReadDriver from "./ReadDriver.ts"
import * as ServiceProcess from "./ServiceProcess.ts"
import { markdown } from "./Table.ts"

export interface FreshnessOptions {
  /** Requests in all; nine in ten are reads, half of the others holds and half releases. */
  readonly requests: number
  readonly seconds: number
}

class FreshnessFailed extends Schema.TaggedError<FreshnessFailed>()("FreshnessFailed", {
  message: Schema.String
}) {}

/** A change, and how a reader sees it. */
interface Probe<A> {
  readonly name: string
  /** Succeeds with its answer. */
  readonly change: Effect.Effect<A>
  /** The status of what was read, and whether it shows the change. */
  readonly look: (change: A) => Effect.Effect<{ readonly status: number; readonly shows: boolean }>
}

const organiserKey = "bench-key"
const limitMs = 2_000
/** A reader looks so often; that much of what is measured is its own. */
const lookEvery = "20 millis"
/** A change that does not show within it counts with this time. */
const patienceMs = 10_000
const pause = "250 millis"

export const run = Effect.fn("FreshnessBench.run")(function* (options: FreshnessOptions) {
  const fs = yield* FileSystem.FileSystem
  const client = yield* HttpClient.HttpClient
  const postgres = yield* PostgresServer.make(Option.none())
  const service = yield* ServiceProcess.start("apps/onsale/src/main.ts", ["start"], {
    PORT: "0",
    ONSALE_DATA_DIR: yield* fs.makeTempDirectoryScoped({ prefix: "onsale-bench-" }),
    ONSALE_DATABASE_URL: yield* postgres.database("bench_freshness"),
    ONSALE_DEMO: "false",
    ONSALE_ORGANISER_KEY: organiserKey
  })
  const { host, port } = service
  const api = `http://${host}:${port}/api/v1`
  const holdsPerSecond = options.requests / 20
  const driven = HoldDriver.seatsFor(holdsPerSecond, options.seconds)
  // Seats behind those of the driver are the probe's.
  const eventId = yield* BigEvent.make(service, organiserKey, driven + 8 * options.seconds + 100)

  const read = (path: string) =>
    client.get(`${api}${path}`).pipe(
      Effect.flatMap((response) => Effect.map(response.text, (text) => ({ status: response.status, text }))),
      Effect.orDie
    )
  const call = <A, I>(path: string, body: unknown, schema: Schema.Codec<A, I>) =>
    HttpClientRequest.post(`${api}/organiser${path}`).pipe(
      HttpClientRequest.bearerToken(organiserKey),
      HttpClientRequest.bodyJsonUnsafe(body),
      client.execute,
      Effect.flatMap(HttpClientResponse.schemaBodyJson(schema)),
      Effect.orDie
    )

  const venue = yield* call(
    "/venues",
    {
      name: "Fresh hall",
      timeZone: "UTC",
      seatMap: {
        format: "csv",
        content: "section,row,seat_from,seat_to,quantity,price\nStalls,1,1,10,,45.00"
      }
    },
    Schema.Struct({ id: VenueDetail.fields.id })
  )
  let count = 0
  const publish = Effect.gen(function* () {
    const name = `Fresh${(count++).toString(36)}x${Math.round(performance.now()).toString(36)}`
    const startsAt = DateTime.formatIso(DateTime.add(yield* DateTime.now, { days: 30 }))
    const event = yield* call(
      "/events",
      { venueId: venue.id, name, startsAt, currency: "EUR" },
      Schema.Struct({ id: EventDetail.fields.id })
    )
    yield* call(`/events/${event.id}/publish`, {}, Schema.Unknown)
    return { id: event.id satisfies EventId, name }
  })
  let seat = driven
  const hold = Effect.gen(function* () {
    const id = seatId(eventId, seat++)
    const { status } = yield* HttpClientRequest.post(`${api}/events/${eventId}/holds`).pipe(
      HttpClientRequest.setHeader("idempotency-key", `fresh-${id}`),
      HttpClientRequest.bodyJsonUnsafe({ seats: [id] }),
      client.execute,
      Effect.orDie
    )
    return status === 201 ? id : yield* Effect.die(new Error(`a hold was answered with ${status}`))
  })
  const shows = (path: (change: string) => string, what: (change: string) => string) => (change: string) =>
    Effect.map(read(path(change)), ({ status, text }) => ({ status, shows: text.includes(what(change)) }))
  const published = {
    /** What a reader asks for, and sees. */
    by: (name: string, path: (event: { readonly id: string; readonly name: string }) => string) => ({
      name,
      change: publish,
      look: (event: { readonly id: string; readonly name: string }) =>
        Effect.map(read(path(event)), ({ status, text }) => ({
          status,
          shows: text.includes(`"${event.id}"`)
        }))
    })
  }

  const measure = Effect.fnUntraced(function* <A>({ change, look, name }: Probe<A>) {
    const taken: Array<number> = []
    const until = performance.now() + options.seconds * 1e3
    while (performance.now() < until) {
      const changed = yield* change
      const begun = performance.now()
      while (true) {
        const { shows, status } = yield* look(changed)
        if (shows || performance.now() - begun > patienceMs) break
        // A route that there is not, not one that knows nothing yet.
        if (status === 404 && name.startsWith("search")) return { name, taken: Float64Array.of() }
        yield* Effect.sleep(lookEvery)
      }
      taken.push(performance.now() - begun)
      yield* Effect.sleep(pause)
    }
    return { name, taken: Float64Array.from(taken).sort() }
  })

  const { forked } = yield* Forked.start(new URL("./load/ViewersMain.ts", import.meta.url), [], ViewersReady)
  const path = `/api/v1/events/${eventId}`
  yield* forked.ask(
    { _tag: "Open", host, port, path: `${path}/availability/stream`, viewers: 20, gzip: true, sampled: 20 },
    ViewersOpen
  )
  const reads = yield* ReadDriver.make({
    host,
    port,
    paths: [path, `${path}/availability`, "/api/v1/events", `${path}/availability`],
    readsPerSecond: options.requests * 0.9,
    connections: 64
  })
  const [holds, ...probed] = yield* Effect.all(
    [
      HoldDriver.drive({ host, port, eventId, holdsPerSecond, seconds: options.seconds, connections: 32 }),
      measure({
        name: "a hold, in GET availability",
        change: hold,
        look: shows(
          () => `/events/${eventId}/availability`,
          (id) => `"${id}"`
        )
      }),
      measure(published.by("an event that is published, in GET events/{id}", ({ id }) => `/events/${id}`)),
      measure(
        published.by("search: the same, in GET search/events", ({ name }) => `/search/events?q=${name}`)
      )
    ],
    { concurrency: "unbounded" }
  )
  yield* Effect.sleep("2 seconds")
  const told = yield* forked.ask({ _tag: "Report", answered: holds.answered }, ViewersReport)
  const rows = [{ name: "a hold or a release, in the stream", taken: told.latencies.sort() }, ...probed]
  const ms = (value: number) => value.toFixed(0)
  yield* Console.log(
    `${Math.round(reads.asked / options.seconds)} reads/s (${reads.skipped} left out, ${reads.other} not 200), ${Math.round(holds.holds / options.seconds)} holds/s and as many releases (${holds.skipped} left out, ${holds.other} refused)\n`
  )
  yield* Console.log(
    markdown(
      ["from the answer until it shows", "samples", "p50 ms", "p95 ms", "p99 ms", `p95 < ${limitMs}`],
      rows.map(({ name, taken }) =>
        taken.length === 0
          ? [name, "0", "", "", "", "not there"]
          : [
              name,
              `${taken.length}`,
              ...[0.5, 0.95, 0.99].map((p) => ms(quantile(taken, p))),
              quantile(taken, 0.95) < limitMs ? "yes" : "NO"
            ]
      )
    )
  )
  const stale = rows.filter(({ taken }) => taken.length > 0 && quantile(taken, 0.95) >= limitMs)
  if (stale.length > 0 || told.unseen > 0) {
    return yield* new FreshnessFailed({
      message: [...stale.map(({ name }) => `${name}: too late`), `${told.unseen} changes not seen`].join("\n")
    })
  }
  return rows.map(({ name, taken }) => ({
    name,
    samples: taken.length,
    p50: quantile(taken, 0.5),
    p95: quantile(taken, 0.95),
    p99: quantile(taken, 0.99)
  }))
})
