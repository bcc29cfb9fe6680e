/** A read model that shows whatever was projected twice, in a wrong order or not at all: a text for each stream. */
import type * as Journal from "@onsale/platform/Journal"
import * as ReadModel from "@onsale/platform/ReadModel"
import { Effect, Exit, Layer, References, Schema, Scope } from "effect"
import { brief, type Event, makeJournal, stream } from "./JournalFixture.ts"

type Rows = ReadonlyArray<Journal.JournalRow<typeof Event.Type>>

const Line = Schema.Struct({ stream: Schema.String, text: Schema.String })
export type Lines = ReadonlyArray<typeof Line.Type>

export const makeModel = Effect.gen(function* () {
  const fixture = yield* makeJournal
  const { entry, journal, schema, sql } = fixture
  yield* ReadModel.createTables(schema)
  const table = sql(`${schema}.lines`)
  yield* sql`CREATE TABLE ${table} (generation int, stream uuid, text text NOT NULL, PRIMARY KEY (generation, stream))`
  yield* ReadModel.ownTable(schema, "lines", "lines")

  const write = Effect.fnUntraced(function* (rows: Rows, generation: number) {
    for (const row of rows) {
      yield* sql`INSERT INTO ${table} AS l (generation, stream, text)
        VALUES (${generation}::int, ${row.stream}::uuid, ${`${brief([row])[0]} `}::text)
        ON CONFLICT (generation, stream) DO UPDATE SET text = l.text || excluded.text`
    }
  })
  const model = (
    more: {
      readonly batch?: number
      /** Before each batch is written. */
      readonly before?: (generation: number, rows: Rows) => Effect.Effect<void, unknown>
      /** After it, in the same transaction. */
      readonly after?: (generation: number, rows: Rows) => Effect.Effect<void, unknown>
    } = {}
  ): ReadModel.Model<typeof Event.Type> => ({
    schema,
    name: "lines",
    tables: ["lines"],
    journal,
    batch: more.batch ?? 5,
    pollEvery: "10 millis",
    gatherFor: "1 millis",
    handle: (rows, generation) =>
      (more.before?.(generation, rows) ?? Effect.void).pipe(
        Effect.andThen(write(rows, generation)),
        Effect.andThen(more.after?.(generation, rows) ?? Effect.void)
      )
  })
  return {
    ...fixture,
    model,
    /** What a reader gets: null where no generation is ready. */
    read: ReadModel.read(
      { schema, name: "lines" },
      Line
    )(
      (generation) => sql`SELECT stream, text FROM ${table} WHERE generation = ${generation} ORDER BY stream`
    ),
    /** What it has to be, from the journal itself. */
    expected: Effect.map(
      sql<{ readonly stream: string; readonly text: string }>`SELECT stream::text AS stream, string_agg(
          right(stream::text, 12)::bigint::text || '/' || version::text || ':' || (events->0->>'n') || ' ', '' ORDER BY version) AS text
        FROM ${sql(`${schema}.journal`)} GROUP BY stream ORDER BY stream`,
      (rows): Lines => rows.map(({ stream, text }) => ({ stream, text }))
    ),
    generations: Effect.map(
      sql<{ readonly generation: number }>`SELECT DISTINCT generation FROM ${table} ORDER BY generation`,
      (rows) => rows.map(({ generation }) => generation)
    ),
    empty: sql`TRUNCATE ${table}`,
    append: (n: number, from: number, to: number) =>
      Effect.forEach(
        Array.from({ length: to - from + 1 }, (_, i) => from + i),
        (version) => journal.append(entry(stream(n), version, version)),
        { discard: true }
      ),
    /** What fails in it is meant to. */
    start: Effect.fnUntraced(function* (of: ReadModel.Model<typeof Event.Type>) {
      const scope = yield* Scope.make()
      yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
      yield* Layer.buildWithScope(
        ReadModel.layer(of).pipe(Layer.provide(Layer.succeed(References.MinimumLogLevel, "None"))),
        scope
      )
      return Scope.close(scope, Exit.void)
    })
  }
})

/** How many rows of the journal a model shows. */
export const shown = (lines: Lines | null): number =>
  (lines ?? []).reduce((sum, { text }) => sum + text.split(" ").length - 1, 0)
