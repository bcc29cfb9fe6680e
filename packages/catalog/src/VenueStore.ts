/** Venues and the versions of their seat maps, in Postgres. A stored map is never changed. */
import { VenueDetail, type VenueSummary } from "@onsale/contracts/catalog/Event"
import { type ImportReport, MapRow, MapSection, SeatMap } from "@onsale/contracts/catalog/SeatMap"
import { VenueId } from "@onsale/contracts/Ids"
import { SharedCache } from "@onsale/platform/SharedCache"
import { Cache, Context, Duration, Effect, Exit, Layer, Option, Schema } from "effect"
import { SqlClient, SqlSchema } from "effect/sql"
import { instant, moment, settled } from "./CatalogSql.ts"
import type { Place } from "./PageCursor.ts"

/** Maps kept in memory. A large one takes some megabytes, and few venues are on sale at one time. */
const cachedMaps = 16

/** Copies that processes share; a map never changes. */
const copiesLive = Duration.hours(1)
/** Characters of such a copy: some 30,000 seats. */
const maxCopySize = 2 * 1024 * 1024

/** Rows go to the server in statements of about this size, in characters. */
const chunkSize = 1_000_000

/** As `seat_maps.map` has it: the rows are in `seat_map_rows`. */
const MapHead = Schema.Struct({
  ...SeatMap.fields,
  sections: Schema.Array(Schema.Struct({ ...MapSection.fields, rows: Schema.Tuple([]) }))
})

const StoredRow = Schema.Struct({ section: Schema.Int, ...MapRow.fields })

export interface NewVenueRow {
  readonly id: VenueId
  readonly name: string
  readonly location: string
  readonly timeZone: string
  readonly map: SeatMap
  readonly report: ImportReport
  readonly atMs: number
}

const rowsOf = (map: SeatMap) =>
  map.sections
    .flatMap((section, index) => section.rows.map((row) => ({ section: index, ...row })))
    .map((row, ordinal) => ({ ordinal, ...row }))

/** The rows as JSON arrays of about `chunkSize`. */
const chunksOf = function* (map: SeatMap): Generator<string> {
  let chunk: Array<string> = []
  let size = 0
  for (const row of rowsOf(map)) {
    const json = JSON.stringify(row)
    chunk.push(json)
    size += json.length
    if (size > chunkSize) {
      yield `[${chunk.join()}]`
      chunk = []
      size = 0
    }
  }
  if (chunk.length > 0) yield `[${chunk.join()}]`
}

const assemble = (head: typeof MapHead.Type, rows: ReadonlyArray<typeof StoredRow.Type>): SeatMap => {
  const bySection = head.sections.map((): Array<MapRow> => [])
  for (const { section, ...row } of rows) bySection[section]?.push(row)
  return { ...head, sections: head.sections.map((section, i) => ({ ...section, rows: bySection[i] ?? [] })) }
}

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const encodeHead = Schema.encodeEffect(Schema.fromJsonString(MapHead))

  const insert = Effect.fn("VenueStore.insert")(function* (venue: NewVenueRow) {
    const head = yield* encodeHead({
      ...venue.map,
      sections: venue.map.sections.map((section) => ({ ...section, rows: [] as const }))
    })
    const write = Effect.gen(function* () {
      // A retry after a commit whose answer was lost finds everything there.
      const inserted = yield* sql`
        INSERT INTO catalog.venues (id, name, location, time_zone, seat_map_version, created_at)
        VALUES (${venue.id}::uuid, ${venue.name}::text, ${venue.location}::text, ${venue.timeZone}::text, 1,
          ${instant(sql, venue.atMs)})
        ON CONFLICT (id) DO NOTHING RETURNING 1 AS inserted`
      if (inserted.length === 0) return
      yield* sql`INSERT INTO catalog.seat_maps (venue_id, version, map, report, created_at)
        VALUES (${venue.id}::uuid, 1, ${head}::json, ${JSON.stringify(venue.report)}::json,
          ${instant(sql, venue.atMs)})`
      for (const chunk of chunksOf(venue.map)) {
        yield* sql`INSERT INTO catalog.seat_map_rows (venue_id, version, ordinal, section, label, seats)
          SELECT ${venue.id}::uuid, 1, row.ordinal, row.section, row.label, row.seats
          FROM json_to_recordset(${chunk}::json) AS row (ordinal int, section int, label text, seats json)`
      }
    })
    yield* sql.withTransaction(write)
  }, settled)

  const columns = sql.literal(`v.id::text AS id, v.name, v.location, v.time_zone AS "timeZone",
    v.seat_map_version AS "seatMapVersion", m.report`)
  const tables = sql.literal(`catalog.venues v
    JOIN catalog.seat_maps m ON m.venue_id = v.id AND m.version = v.seat_map_version`)

  const find = SqlSchema.findOneOption({
    Request: VenueId,
    Result: VenueDetail,
    execute: (id) => sql`SELECT ${columns} FROM ${tables} WHERE v.id = ${id}::uuid`
  })

  const findPage = SqlSchema.findAll({
    Request: Schema.Struct({ atMicros: Schema.Int, id: Schema.String, limit: Schema.Int }),
    Result: Schema.Struct({
      id: VenueId,
      name: Schema.String,
      location: Schema.String,
      atMicros: Schema.Int
    }),
    execute: ({ atMicros, id, limit }) => sql`
      SELECT id::text AS id, name, location, (extract(epoch FROM created_at) * 1000000)::float8 AS "atMicros"
      FROM catalog.venues
      WHERE (created_at, id) > (${moment(sql, atMicros)}, ${id}::uuid)
      ORDER BY created_at, id LIMIT ${limit}::int`
  })

  const findHead = SqlSchema.findOne({
    Request: Schema.Struct({ id: VenueId, version: Schema.Int }),
    Result: Schema.Struct({ map: MapHead }),
    execute: ({ id, version }) =>
      sql`SELECT map FROM catalog.seat_maps WHERE venue_id = ${id}::uuid AND version = ${version}::int`
  })

  const findRows = SqlSchema.findAll({
    Request: Schema.Struct({ id: VenueId, version: Schema.Int }),
    Result: StoredRow,
    execute: ({ id, version }) => sql`
      SELECT section, label, seats FROM catalog.seat_map_rows
      WHERE venue_id = ${id}::uuid AND version = ${version}::int ORDER BY ordinal`
  })

  const loadMap = Effect.fn("VenueStore.loadMap")(
    function* (id: VenueId, version: number) {
      const { map } = yield* findHead({ id, version })
      return assemble(map, yield* findRows({ id, version }))
    },
    settled,
    Effect.orDie
  )

  const shared = yield* (yield* SharedCache).keyed({
    name: "seat_maps",
    version: 1,
    schema: SeatMap,
    source: (key) => {
      const [id, version] = key.split("/")
      return loadMap(VenueId.make(id ?? ""), Number(version))
    },
    ttl: copiesLive,
    absentTtl: copiesLive,
    maxSize: maxCopySize
  })
  const maps = yield* Cache.makeWith(
    (key: string) =>
      Effect.flatMap(shared.get(key), (map) =>
        map === null ? Effect.die(new Error(`there is no seat map ${key}`)) : Effect.succeed(map)
      ),
    { capacity: cachedMaps, timeToLive: (exit) => (Exit.isSuccess(exit) ? Duration.infinity : Duration.zero) }
  )

  return VenueStore.of({
    insert,
    find: Effect.fn("VenueStore.find")(function* (id: VenueId) {
      return Option.getOrNull(yield* find(id))
    }, settled),
    page: Effect.fn("VenueStore.page")((after, limit) => settled(findPage({ ...after, limit }))),
    map: (id, version) => Cache.get(maps, `${id}/${version}`)
  })
})

export class VenueStore extends Context.Service<
  VenueStore,
  {
    /** Stores a venue with the first version of its seat map, whole or not at all. */
    readonly insert: (venue: NewVenueRow) => Effect.Effect<void>
    readonly find: (id: VenueId) => Effect.Effect<VenueDetail | null>
    /** The venues behind a place in the order of their creation, at most `limit`. */
    readonly page: (
      after: Place,
      limit: number
    ) => Effect.Effect<ReadonlyArray<typeof VenueSummary.Type & { readonly atMicros: number }>>
    /** A version that exists; anything else is a defect. */
    readonly map: (id: VenueId, version: number) => Effect.Effect<SeatMap>
  }
>()("@onsale/catalog/VenueStore") {
  static readonly layer = Layer.effect(VenueStore, make)
}
