/**
 * `npm run bench -- search`: search in a catalogue of a million events. How many of the judged queries find what was
 * meant, and how long distinct queries of many kinds take, so many at a time, over HTTP at a gateway of its own.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { SearchIndex } from "@onsale/catalog/search/SearchIndex"
import * as SearchIndexPostgres from "@onsale/catalog/search/SearchIndexPostgres"
import { SearchRefresh } from "@onsale/catalog/search/SearchRefresh"
import * as Migrations from "@onsale/platform/Migrations"
import * as Sql from "@onsale/platform/Sql"
import { Console, Effect, FileSystem, Layer, Option, Redacted } from "effect"
import { Command, Flag } from "effect/cli"
import { SqlClient } from "effect/sql"
import { availableParallelism, loadavg } from "node:os"
import * as CpuTime from "./search/CpuTime.ts"
import * as GatewayProcess from "./search/GatewayProcess.ts"
import * as LargeCatalogue from "./search/LargeCatalogue.ts"
import { judgedQueries } from "./search/JudgedQueries.ts"
import * as SearchLoad from "./search/SearchLoad.ts"
import { smallCatalogue } from "./search/SmallCatalogue.ts"

import * as ScratchPostgres from "./ScratchPostgres.ts"

const seed = 42
/** Documents and their index of a million events are 0.7 GiB, and what is asked of them is all over the place. */
const sharedBuffers = "1GB"
const keys = Object.keys(smallCatalogue)

const percentile = (sorted: ReadonlyArray<number>, share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN

const nowMillis = Effect.clockWith((clock) => clock.currentTimeMillis)
const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
const mib = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`

/** A new index of a large table is made faster as a whole than event by event. */
const build = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const refresh = yield* SearchRefresh
  yield* sql`DROP INDEX IF EXISTS catalog.search_events_words, catalog.search_events_keys, catalog.search_words_trigrams`
  const count = yield* refresh.everything()
  // As the migration has them.
  yield* sql`CREATE INDEX search_events_words ON catalog.search_events USING gin (words) WITH (fastupdate = off)`
  yield* sql`CREATE INDEX search_events_keys ON catalog.search_events
    USING gin (catalog.search_keys(words, starts_at)) WITH (fastupdate = off)`
  yield* sql`CREATE INDEX search_words_trigrams ON catalog.search_words USING gin (word gin_trgm_ops)`
  yield* sql`VACUUM ANALYZE catalog.search_events`
  yield* sql`VACUUM ANALYZE catalog.search_words`
  return count
})

const relevance = Effect.fnUntraced(function* (nowMs: number) {
  const index = yield* SearchIndex
  const missed: Array<string> = []
  for (const { event, text, top, what } of judgedQueries) {
    const { events } = yield* index.search({
      text,
      nowMs,
      fromMs: null,
      toMs: null,
      city: null,
      price: null,
      offset: 0,
      limit: 10
    })
    const place = events.findIndex((id) => id === LargeCatalogue.smallEventId(keys.indexOf(event)))
    if (place < 0 || place >= top)
      missed.push(
        `  "${text}" (${what}): ${place < 0 ? "not among the first 10" : `place ${place + 1}`}, not ${top}`
      )
  }
  return missed
})

const run = Effect.fnUntraced(function* (options: {
  readonly size: number
  readonly clients: number
  readonly seconds: number
  readonly warmUp: number
  readonly reuse: boolean
  readonly databaseUrl: Redacted.Redacted
}) {
  const sql = yield* SqlClient.SqlClient
  const index = yield* SearchIndex
  const begunMs = yield* nowMillis
  // The next midnight: the same for a catalogue that was written today.
  const nowMs = Math.ceil(begunMs / 86_400_000) * 86_400_000
  yield* Migrations.run
  const catalogue = options.reuse
    ? LargeCatalogue.names(options.size, seed)
    : yield* LargeCatalogue.write({ size: options.size, seed, nowMs })
  const writtenMs = yield* nowMillis
  const indexed = yield* index.count
  if (indexed < options.size) yield* build
  const builtMs = yield* nowMillis
  const [sizes] = yield* sql<{
    readonly events: number
    readonly words: number
    readonly table: number
    readonly gin: number
    readonly vocabulary: number
  }>`
    SELECT (SELECT count(*) FROM catalog.search_events)::float8 AS events,
      (SELECT count(*) FROM catalog.search_words)::float8 AS words,
      pg_table_size('catalog.search_events')::float8 AS table,
      pg_indexes_size('catalog.search_events')::float8 AS gin,
      pg_total_relation_size('catalog.search_words')::float8 AS vocabulary`
  yield* Console.log(
    `${sizes?.events} events, ${sizes?.words} words: documents ${mib(sizes?.table ?? 0)}, their indexes ${mib(sizes?.gin ?? 0)}, ` +
      `vocabulary ${mib(sizes?.vocabulary ?? 0)}; written in ${seconds(writtenMs - begunMs)}, index built in ${seconds(builtMs - writtenMs)}`
  )

  const missed = yield* relevance(nowMs)
  const hits = judgedQueries.length - missed.length
  yield* Console.log(
    `\nfound as they should be: ${hits} of ${judgedQueries.length} judged queries (${Math.round((100 * hits) / judgedQueries.length)}%)`
  )
  for (const line of missed) yield* Console.log(line)

  const gateway = yield* GatewayProcess.start(options.databaseUrl)
  const seen = new Set<string>()
  const load = (seconds: number, seed: number) =>
    SearchLoad.run({ url: gateway.url, catalogue, clients: options.clients, seconds, seed, nowMs, seen })
  // Until what was compiled is compiled, and the pages of its connections are in their place.
  yield* load(options.warmUp, seed)
  const cpu = Effect.map(CpuTime.ofPostgres, (postgres) => ({
    postgres,
    gateway: CpuTime.ofProcess(gateway.pid),
    load: CpuTime.ofProcess(process.pid)
  }))
  const before = yield* cpu
  const { empty, refused, taken } = yield* load(options.seconds, seed + 1)
  const after = yield* cpu
  yield* Console.log(
    `\n${sizes?.events} events, GET /search/events, ${options.clients} at a time, no query twice, ${options.seconds} s, milliseconds:`
  )
  yield* Console.log(
    `${"".padEnd(16)}${["queries", "p50", "p95", "p99", "max"].map((cell) => cell.padStart(9)).join("")}`
  )
  const rows = taken.map(({ kind, ms }) => {
    const at = (share: number) => Math.round(percentile(ms, share) * 10) / 10
    return { kind, queries: ms.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) }
  })
  for (const { kind, max, p50, p95, p99, queries } of rows)
    yield* Console.log(
      `${kind.padEnd(16)}${[queries, p50, p95, p99, max].map((cell) => `${cell}`.padStart(9)).join("")}`
    )
  const queries = Math.max(1, rows.find(({ kind }) => kind === "all")?.queries ?? 0)
  const cpuMs = {
    postgres: (after.postgres - before.postgres) / queries,
    gateway: (after.gateway - before.gateway) / queries,
    load: (after.load - before.load) / queries
  }
  const loads = loadavg()
  // What of the machine was left for it by others tells what the times are worth.
  const coresUsed = ((cpuMs.postgres + cpuMs.gateway + cpuMs.load) * queries) / (options.seconds * 1_000)
  yield* Console.log(
    `CPU a query: ${cpuMs.postgres.toFixed(1)} ms in Postgres, ${cpuMs.gateway.toFixed(1)} ms in the gateway, ${cpuMs.load.toFixed(1)} ms in the clients; ` +
      `together ${coresUsed.toFixed(1)} of ${availableParallelism()} cores, load average ${loads[0]?.toFixed(1)}; ${empty} found nothing`
  )
  for (const [status, count] of Object.entries(refused))
    yield* Console.log(`answered with ${status}: ${count}`)
  return {
    sizes,
    writeMs: writtenMs - begunMs,
    buildMs: builtMs - writtenMs,
    rows,
    cpuMs,
    coresUsed,
    loadAverage: loads[0],
    empty,
    refused,
    judged: judgedQueries.length,
    missed
  }
})

Command.make(
  "search",
  {
    size: Flag.Int("size").pipe(Flag.withDefault(1_000_000)),
    clients: Flag.Int("clients").pipe(Flag.withDefault(16)),
    seconds: Flag.Int("seconds").pipe(Flag.withDefault(20)),
    warmUp: Flag.Int("warm-up").pipe(Flag.withDefault(10)),
    databaseUrl: Flag.String("database-url").pipe(Flag.optional),
    reuse: Flag.Boolean("reuse").pipe(Flag.withDefault(false)),
    json: Flag.String("json").pipe(Flag.optional)
  },
  Effect.fn(function* ({ databaseUrl, json, ...options }) {
    const url = Option.isSome(databaseUrl)
      ? Redacted.make(databaseUrl.value)
      : yield* ScratchPostgres.startWith({ shared_buffers: sharedBuffers })
    const result = yield* run({ ...options, databaseUrl: url }).pipe(
      Effect.provide(
        SearchRefresh.layer.pipe(
          Layer.provideMerge(SearchIndexPostgres.layer),
          Layer.provideMerge(Sql.layerUrl(url))
        )
      )
    )
    if (Option.isSome(json)) {
      const fs = yield* FileSystem.FileSystem
      yield* fs.writeFileString(json.value, JSON.stringify({ options, ...result }, null, 2))
    }
  }, Effect.scoped)
).pipe(Command.run({ version: "1" }), Effect.provide(NodeServices.layer), NodeRuntime.runMain)
