import { PgClient, PgTypes } from "@effect/sql-pg"
import { layerEmptyDatabase } from "@onsale/testing/PostgresFixture"
import { describe, expect, layer } from "@effect/vitest"
import { Effect, Exit, Result } from "effect"

const uuid = "0198c0de-0000-7000-8000-00000000abcd"

/** The table in Sql.ts says what the driver does with values; repositories are written against it. */
describe("what the driver makes of values", () => {
  layer(layerEmptyDatabase)((it) => {
    it.effect("results: int8 is a bigint, numeric a string, timestamptz a Date, json is parsed", () =>
      Effect.gen(function* () {
        const sql = yield* PgClient.PgClient
        const [row] = yield* sql`
          SELECT 9007199254740993::int8 AS int8, 7::int4 AS int4, 1.5::float8 AS float8, 12.50::numeric AS numeric,
            count(*) AS count, sum(2::int8) AS sum8, sum(2::int4) AS sum4,
            '2026-11-21T10:00:00.123456Z'::timestamptz AS instant, '2026-11-21'::date AS day,
            '{"a":[1]}'::json AS json, '{"a":[1]}'::jsonb AS jsonb, ${uuid.toUpperCase()}::uuid AS uuid,
            '{1,2}'::int4[] AS int4s, '{1,2}'::int8[] AS int8s, ARRAY[${uuid}]::uuid[] AS uuids, '\\x00ff'::bytea AS bytes,
            '{}'::text[] AS none, NULL::int4 AS nothing, true AS yes`
        expect(row).toEqual({
          int8: 9007199254740993n,
          int4: 7,
          float8: 1.5,
          numeric: "12.50",
          count: 1n,
          sum8: "2",
          sum4: 2n,
          instant: new Date("2026-11-21T10:00:00.123Z"),
          day: "2026-11-21",
          json: { a: [1] },
          jsonb: { a: [1] },
          uuid,
          int4s: [1, 2],
          int8s: [1n, 2n],
          uuids: [uuid],
          bytes: new Uint8Array([0, 255]),
          none: [],
          nothing: null,
          yes: true
        })
      })
    )

    it.effect("parameters go into columns of every type and come back", () =>
      Effect.gen(function* () {
        const sql = yield* PgClient.PgClient
        yield* sql`CREATE TABLE kinds (
          id uuid PRIMARY KEY, big int8, at timestamptz, doc jsonb, plain json, ids uuid[], ints int4[], bigs int8[],
          names text[], times timestamptz[], amount numeric, raw bytea)`
        const at = new Date("2026-11-21T10:00:00.123Z")
        yield* sql`INSERT INTO kinds ${sql.insert({
          id: uuid,
          big: 5,
          at,
          doc: sql.json({ a: 1 }),
          plain: sql.json([1, 2]),
          ids: [uuid],
          ints: [1, 2],
          bigs: [1n, 2n],
          names: ["a", "b"],
          times: [at],
          amount: "12.50",
          raw: new Uint8Array([1, 2])
        })}`.pipe(
          // `sql.json` is a fragment, not a value of a record, and text[] does not become uuid[] by itself.
          Effect.exit,
          Effect.tap((exit) => Effect.sync(() => expect(Exit.isFailure(exit)).toBe(true)))
        )
        yield* sql`
          INSERT INTO kinds (id, big, at, doc, plain, ids, ints, bigs, names, times, amount, raw)
          VALUES (${uuid}, ${5}, ${at}, ${sql.json({ a: 1 })}, ${JSON.stringify([1, 2])}, ${[uuid]}::uuid[], ${[1, 2]},
            ${[1n, 2n]}, ${["a", "b"]}, ${[at]}, ${"12.50"}, ${new Uint8Array([1, 2])})`
        const [row] =
          yield* sql`SELECT * FROM kinds WHERE id = ${uuid} AND big = ${5n} AND id = ANY(${[uuid]}::uuid[])`
        expect(row).toEqual({
          id: uuid,
          big: 5n,
          at,
          doc: { a: 1 },
          plain: [1, 2],
          ids: [uuid],
          ints: [1, 2],
          bigs: [1n, 2n],
          names: ["a", "b"],
          times: [at],
          amount: "12.50",
          raw: new Uint8Array([1, 2])
        })
      })
    )

    it.effect(
      "records: jsonb by PgTypes.jsonb, uuid[] by PgTypes.array (a Result), so that sql.insert takes them",
      () =>
        Effect.gen(function* () {
          const sql = yield* PgClient.PgClient
          yield* sql`CREATE TABLE records (doc jsonb, ids uuid[])`
          const probe = (doc: unknown, ids: unknown) =>
            sql`INSERT INTO records ${sql.insert({ doc, ids })} RETURNING *`
          const [row] = yield* probe(
            PgTypes.jsonb({ a: 1 }),
            Result.getOrThrow(PgTypes.array([uuid], PgTypes.OID.uuid))
          )
          expect(row).toEqual({ doc: { a: 1 }, ids: [uuid] })
          const [text] = yield* probe(JSON.stringify({ a: 1 }), [])
          expect(text).toEqual({ doc: { a: 1 }, ids: [] })
        })
    )

    it.effect("unnest of several arrays is one statement for a whole batch", () =>
      Effect.gen(function* () {
        const sql = yield* PgClient.PgClient
        const rows = yield* sql`
          SELECT * FROM unnest(${[uuid, uuid]}::uuid[], ${[1, 2]}::int4[], ${["{}", '{"b":2}']}::jsonb[]) AS t(id, n, doc)`
        expect(rows).toEqual([
          { id: uuid, n: 1, doc: {} },
          { id: uuid, n: 2, doc: { b: 2 } }
        ])
        const none = yield* sql`SELECT * FROM unnest(${[]}::uuid[]) AS t(id)`
        expect(none).toEqual([])
      })
    )

    it.effect(
      "what does not bind; types without a codec, such as enums, come as text where they are text",
      () =>
        Effect.gen(function* () {
          const sql = yield* PgClient.PgClient
          const fails = <A, E>(effect: Effect.Effect<A, E>) => Effect.map(Effect.exit(effect), Exit.isFailure)
          expect(yield* fails(sql`SELECT ${[1, 3_000_000_000]}::int8[]`)).toBe(true)
          expect(yield* fails(sql`SELECT ${[null]}::int4[]`)).toBe(true)
          yield* sql`CREATE TYPE colour AS ENUM ('red')`
          expect(yield* sql`SELECT 'red'::colour AS colour`).toEqual([{ colour: "red" }])
          expect(yield* fails(sql`SELECT '(1,2)'::point AS point`)).toBe(true)
          yield* sql`CREATE DOMAIN code AS text`
          expect(yield* sql`SELECT 'x'::code AS code, ${"y"} AS text`).toEqual([{ code: "x", text: "y" }])
        })
    )
  })
})
