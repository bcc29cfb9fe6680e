/** Our own service as a contender, the way a user starts it, at a level; and its yardstick. */
import type { EventId } from "@onsale/contracts/Ids"
import { Effect, FileSystem, Option } from "effect"
import * as BigEvent from "../BigEvent.ts"
import type { PlaceClaim, SeatClaim } from "../peers/Peer.ts"
import type { PostgresServer } from "../PostgresServer.ts"
import type { RedisServer } from "../RedisServer.ts"
import * as ServiceProcess from "../ServiceProcess.ts"
import type { Contender, OnSale } from "./Contender.ts"

const organiserKey = "bench-key"

const start = Effect.fnUntraced(function* (
  script: string,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>
) {
  const fs = yield* FileSystem.FileSystem
  const dataDir = yield* fs.makeTempDirectoryScoped({ prefix: "onsale-bench-" })
  return yield* ServiceProcess.start(script, args, {
    PORT: "0",
    ONSALE_DATA_DIR: dataDir,
    ONSALE_DEMO: "false",
    ONSALE_ORGANISER_KEY: organiserKey,
    ...env
  })
})

type Claims<Claim> = (
  server: PostgresServer,
  url: string,
  eventId: EventId
) => Effect.Effect<ReadonlyArray<Claim>>

// A batch of the entity is a row of the journal; nothing expires or is given back in a run that is checked.
const journalSeats: Claims<SeatClaim> = (server, url, eventId) =>
  server.query(
    url,
    async (sql) =>
      await sql<Array<SeatClaim>>`
        SELECT event->>'hold' AS hold, seat::int AS seat FROM inventory.journal,
          json_array_elements(events) AS event, json_array_elements_text(event->'seats') AS seat
        WHERE stream = ${eventId}::uuid AND event->>'_tag' = 'Held'`
  )
const journalPlaces: Claims<PlaceClaim> = (server, url, eventId) =>
  server.query(
    url,
    async (sql) =>
      await sql<Array<PlaceClaim>>`
        SELECT event->>'hold' AS hold, (area->>'quantity')::int AS quantity FROM inventory.journal,
          json_array_elements(events) AS event, json_array_elements(event->'areas') AS area
        WHERE stream = ${eventId}::uuid AND event->>'_tag' = 'Held'`
  )
const rowSeats: Claims<SeatClaim> = (server, url, eventId) =>
  server.query(
    url,
    async (sql) =>
      await sql<Array<SeatClaim>>`
        SELECT hold_id::text AS hold, unnest(seats) AS seat FROM inventory.row_hold
        WHERE event_id = ${eventId}::uuid`
  )
const rowPlaces: Claims<PlaceClaim> = (server, url, eventId) =>
  server.query(
    url,
    async (sql) =>
      await sql<Array<PlaceClaim>>`
        SELECT hold_id::text AS hold, unnest(quantities) AS quantity FROM inventory.row_hold
        WHERE event_id = ${eventId}::uuid`
  )

interface Level {
  readonly needsRedis: boolean
  readonly label: string
  readonly seats: Claims<SeatClaim>
  readonly places: Claims<PlaceClaim>
}

/** The levels of the service, and where each keeps its claims. */
export const levels: Readonly<Record<string, Level>> = {
  L0: { needsRedis: false, label: "rows, one conditional upsert a hold", seats: rowSeats, places: rowPlaces },
  L1: { needsRedis: true, label: "Redis in front of the rows", seats: rowSeats, places: rowPlaces },
  L3: {
    needsRedis: false,
    label: "an entity an event, one commit for a batch of commands",
    seats: journalSeats,
    places: journalPlaces
  }
}

/** The peers empty theirs at each round. */
const ownDatabase = (redisUrl: string): string => {
  const url = new URL(redisUrl)
  url.pathname = "/1"
  return url.href
}

/** `onsale start` at a level. */
export const level = Effect.fn("OursContender.level")(function* (
  name: string,
  { label, places, seats }: Level,
  server: PostgresServer,
  redis: Option.Option<RedisServer>
) {
  const database = `bench_ours_${name.toLowerCase()}`
  const url = yield* server.database(database)
  const service = yield* start("apps/onsale/src/main.ts", ["start"], {
    ONSALE_LEVEL: name,
    ONSALE_DATABASE_URL: url,
    ...(Option.isSome(redis) ? { ONSALE_REDIS_URL: ownDatabase(redis.value.url) } : {})
  })
  const contender: Contender = {
    name,
    label: `ours: ${label}`,
    seenIn: "",
    kind: "ours",
    trustsRedis: false,
    ...service,
    database,
    open: (count, capacity) =>
      Effect.map(
        BigEvent.make(service, organiserKey, count, capacity),
        (eventId): OnSale => ({
          eventId,
          seatClaims: seats(server, url, eventId),
          placeClaims: places(server, url, eventId)
        })
      ),
    rest: Effect.void
  }
  return contender
})

/** The same routes over an inventory that keeps nothing. */
export const constant = Effect.fn("OursContender.constant")(function* (server: PostgresServer) {
  const database = "bench_constant"
  const url = yield* server.database(database)
  const service = yield* start("apps/onsale/src/yardstick.ts", [], { ONSALE_DATABASE_URL: url })
  const unknown = Effect.succeed(undefined)
  const contender: Contender = {
    name: "constant",
    label: "limit: our endpoint with a constant answer and no inventory",
    seenIn: "",
    kind: "limit",
    trustsRedis: false,
    ...service,
    database,
    // It sells whatever is asked for.
    open: () =>
      Effect.map(
        BigEvent.make(service, organiserKey, 100, 100),
        (eventId): OnSale => ({ eventId, seatClaims: unknown, placeClaims: unknown })
      ),
    rest: Effect.void
  }
  return contender
})
