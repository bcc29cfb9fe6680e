/** A journal in a schema of its own, of events that say no more than a number. */
import * as Journal from "@onsale/platform/Journal"
import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"

export const Event = Schema.Struct({ n: Schema.Int })

let made = 0

/** Makes the schema and its tables; `done` is there for what is written together with an append. */
export const makeJournal = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const schema = `journal${++made}`
  yield* sql`CREATE SCHEMA ${sql(schema)}`
  yield* Journal.createTable(schema)
  const table = sql(`${schema}.done`)
  yield* sql`CREATE TABLE ${table} (what text NOT NULL, CONSTRAINT done_once UNIQUE (what))`
  const journal = yield* Journal.make({ schema, event: Event })
  const entry = (stream: string, version: number, ...numbers: ReadonlyArray<number>) => ({
    stream,
    version,
    atMs: 1_000 + version,
    correlation: null,
    events: numbers.map((n) => ({ n }))
  })
  return {
    sql,
    schema,
    journal,
    entry,
    done: (what: string) => sql`INSERT INTO ${table} (what) VALUES (${what})`,
    allDone: Effect.map(sql<{ readonly what: string }>`SELECT what FROM ${table} ORDER BY what`, (rows) =>
      rows.map(({ what }) => what)
    )
  }
})

export type TestJournal = Effect.Success<typeof makeJournal>

/** The id of a stream. */
export const stream = (n: number): string => `00000000-0000-7000-8000-${String(n).padStart(12, "0")}`

/** What rows say, in a word each. */
export const brief = (rows: ReadonlyArray<Journal.JournalRow<typeof Event.Type>>) =>
  rows.map(
    (row) => `${Number(row.stream.slice(-12))}/${row.version}:${row.events.map(({ n }) => n).join("+")}`
  )
