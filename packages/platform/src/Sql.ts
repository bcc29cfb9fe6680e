/**
 * The connection to Postgres: `PgClient` and `SqlClient` over two pools (`SqlPools.ts`).
 *
 * What `@effect/sql-pg` 4.0.5 makes of values (it speaks the wire protocol itself, in binary; checked by
 * `test/SqlTypes.integration.test.ts`):
 *
 * | type | as a parameter | as a result |
 * |---|---|---|
 * | int8, also `count(*)` | bigint, or a safe integer number | **bigint**, always: decode with `Schema.BigInt` and narrow, or select `::int4` / `::float8` |
 * | sum(int8), numeric | string (`"12.50"`) | string |
 * | int2, int4, float8 | number; a whole number binds as int4, or int8 beyond 32 bits | number |
 * | timestamptz | `Date`, or an ISO string | `Date`, cut to milliseconds (the server keeps microseconds) |
 * | date | `YYYY-MM-DD` | the same string |
 * | json, jsonb | `sql.json(value)` of the `PgClient`, or JSON text with a cast: `${JSON.stringify(v)}::jsonb`. A bare object or array of objects fails to bind | the parsed value |
 * | uuid | string | string, lower case |
 * | bytea | `Uint8Array` | `Uint8Array` |
 * | int4[] | number[]; all must bind as the same type: mixing sizes across 32 bits fails, use `PgTypes.array` | number[] |
 * | int8[] | bigint[] | bigint[] |
 * | uuid[] | string[] with a cast: `${ids}::uuid[]` (it binds as text[]) | string[] |
 * | text[], timestamptz[] | string[], Date[] | the same |
 * | any array | an empty one binds as `'{}'`, of the type the statement gives it; one of nothing but nulls fails; nested ones fail | |
 * | null | null or undefined; needs a cast where the statement gives no type | null |
 *
 * A string binds without a type, as in the text protocol: the statement decides (`WHERE id = ${uuid}` works
 * on a uuid column), and where nothing decides, as in `SELECT ${x}`, it is text.
 *
 * An enum comes as its name and a domain as its base type. A column of a type without a codec, such as a
 * point or a range, fails to decode: cast it to text in the query.
 *
 * In a record of `sql.insert`, jsonb is `PgTypes.jsonb(value)` (or JSON text) and uuid[] is
 * `Result.getOrThrow(PgTypes.array(ids, PgTypes.OID.uuid))`; `sql.json` is a fragment and fails there.
 *
 * Statements of different fibers share connections, pipelined (`SqlPools.ts`). So nothing outside a
 * transaction may depend on the session (`SET`, advisory session locks, temporary tables), and a slow
 * statement holds up what is queued behind it. Transactions and listeners get one of their own.
 * An interrupted statement on a shared connection still runs to its end in the server.
 */
import { PgClient } from "@effect/sql-pg"
import { Cause, Config, Duration, Effect, Layer, Predicate, Redacted, Schedule, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { leastConnections, ownerNames, type PoolOwner } from "./LeastConnections.ts"
import * as SqlPools from "./SqlPools.ts"

/** Why there is no usable database: the message says where it was looked for, never with a password. */
export class DatabaseError extends Schema.TaggedError<DatabaseError>()("DatabaseError", {
  reason: Schema.Literals(["BadUrl", "Unreachable", "Refused", "TooOld", "PoolTooSmall"]),
  message: Schema.String,
  cause: Schema.optional(Schema.Defect())
}) {}

export interface SqlOptions {
  readonly url: Redacted.Redacted<string>
  /** Connections at most; see {@link defaultMaxConnections}. */
  readonly maxConnections?: number | undefined
  /** How long to wait for a server that is not there yet. */
  readonly connectLimit?: Duration.Input | undefined
  /** Shown in `pg_stat_activity`. */
  readonly applicationName?: string | undefined
}

/**
 * Statements share three; the rest is for transactions and listeners, which take one
 * each. Five processes of it fit into Postgres' default of 100.
 */
const defaultMaxConnections = 16

/** A database container that starts beside us takes some seconds; one that is absent should be told soon. */
const defaultConnectLimit = Duration.seconds(30)

/** Postgres 15, for `NULLS NOT DISTINCT` and `MERGE`; as `server_version_num`. */
const oldestVersion = 150_000

/** "The database system is starting up" and the like: it will be there in a moment. */
const cannotConnectNow = "57P03"

const connectSchedule = Schedule.min([Schedule.exponential("50 millis", 1.6), Schedule.spaced("1 second")])

const sqlState = (error: SqlError.SqlError): string | undefined => {
  const cause = error.reason.cause
  return Predicate.hasProperty(cause, "code") && Predicate.isString(cause.code) ? cause.code : undefined
}

/** The server is not there, is starting or recovering, or a statement may be repeated: that passes. */
export const passes = (error: SqlError.SqlError) => error.isRetryable || sqlState(error) === cannotConnectNow

/** `host:port/database as user`, without what is secret. */
const describe = (url: Redacted.Redacted<string>): Effect.Effect<string, DatabaseError> =>
  Effect.try({
    try: () => {
      const { hostname, pathname, port, username, protocol } = new URL(Redacted.value(url))
      if (protocol !== "postgres:" && protocol !== "postgresql:") throw new Error("not postgres")
      return `${hostname}:${port === "" ? "5432" : port}${pathname} as ${username === "" ? "the default user" : username}`
    },
    catch: () =>
      new DatabaseError({
        reason: "BadUrl",
        message: "the database URL is not of the form postgres://user:password@host:port/database"
      })
  })

const reasonOf = (error: SqlError.SqlError) => {
  const cause = error.reason.cause
  return Predicate.hasProperty(cause, "message") && Predicate.isString(cause.message) && cause.message !== ""
    ? cause.message
    : error.message
}

/** Connects once, waiting for a server that is still starting, and checks that we can work with it. */
const verify = Effect.fn("Sql.verify")(function* (
  client: PgClient.PgClient,
  where: string,
  limit: Duration.Input
) {
  const rows = yield* client<{ readonly version: number; readonly text: string }>`
    SELECT current_setting('server_version_num')::int4 AS version, current_setting('server_version') AS text`.pipe(
    Effect.tapError((error) =>
      passes(error) ? Effect.logDebug(`waiting for the database ${where}: ${reasonOf(error)}`) : Effect.void
    ),
    Effect.retry({ schedule: Schedule.upTo(connectSchedule, { duration: limit }), while: passes }),
    Effect.mapError(
      (cause) =>
        new DatabaseError({
          reason: passes(cause) ? "Unreachable" : "Refused",
          message: passes(cause)
            ? `no database answers at ${where} (waited ${Duration.format(Duration.fromInputUnsafe(limit))}): ${reasonOf(cause)}`
            : `the database at ${where} refuses us: ${reasonOf(cause)}`,
          cause
        })
    )
  )
  const server = rows[0]
  if (server === undefined || server.version < oldestVersion) {
    return yield* new DatabaseError({
      reason: "TooOld",
      message: `the database at ${where} is Postgres ${server?.text ?? "of an unknown version"}; 15 or later is needed`
    })
  }
})

const make = Effect.fn("Sql.make")(function* (options: SqlOptions) {
  const where = yield* describe(options.url)
  const client = yield* SqlPools.make({
    url: options.url,
    applicationName: options.applicationName ?? "onsale",
    maxConnections: options.maxConnections ?? defaultMaxConnections,
    // The layout of the largest hall is one value of some 20 MB.
    maxMessageSize: 64 * 1024 * 1024,
    connectTimeout: "5 seconds",
    // A peer that vanished without a word (a failover, a cut cable) is noticed in under a minute.
    keepAlive: "30 seconds",
    idleTimeout: "5 minutes",
    startupParameters: {
      // Times in results are instants; this is for what Postgres prints or truncates to a day by itself.
      timezone: "UTC",
      // A transaction whose owner is stuck must not hold its locks for ever.
      idle_in_transaction_session_timeout: "60000"
    }
  })
  yield* verify(client, where, options.connectLimit ?? defaultConnectLimit)
  return client
})

/**
 * `PgClient` and `SqlClient` for a database that was chosen by the caller, such as an embedded one.
 * Fails with `DatabaseError` when it cannot be reached in time, refuses us or is older than Postgres 15.
 */
export const layerUrl = (
  url: Redacted.Redacted<string>,
  options: Omit<SqlOptions, "url"> = {}
): Layer.Layer<PgClient.PgClient | SqlClient.SqlClient, DatabaseError> =>
  PgClient.layerFrom(
    make({ ...options, url }).pipe(
      Effect.catchTag("SqlError", (cause) =>
        Effect.fail(new DatabaseError({ reason: "Refused", message: Cause.pretty(Cause.fail(cause)), cause }))
      )
    )
  )

/** `ONSALE_DATABASE_URL`, and `ONSALE_DATABASE_POOL` (16), `ONSALE_DATABASE_CONNECT_LIMIT` (30 seconds). */
export const config = Config.all({
  url: Config.Redacted("ONSALE_DATABASE_URL"),
  maxConnections: Config.Int("ONSALE_DATABASE_POOL").pipe(Config.withDefault(defaultMaxConnections)),
  connectLimit: Config.Duration("ONSALE_DATABASE_CONNECT_LIMIT").pipe(Config.withDefault(defaultConnectLimit))
})

/**
 * `PgClient` and `SqlClient` for the server that the configuration names, known to it by a name. Fails with
 * `DatabaseError` before it connects where the pool is too small for whose it is.
 */
export const layerFor = (
  owner: PoolOwner,
  applicationName: string
): Layer.Layer<PgClient.PgClient | SqlClient.SqlClient, DatabaseError | Config.ConfigError> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const { url, ...options } = yield* config
      const least = leastConnections[owner]
      if (options.maxConnections < least)
        return yield* new DatabaseError({
          reason: "PoolTooSmall",
          message: `ONSALE_DATABASE_POOL is ${options.maxConnections}: ${ownerNames[owner]} needs ${least} connections at least`
        })
      return layerUrl(url, { ...options, applicationName })
    })
  )
