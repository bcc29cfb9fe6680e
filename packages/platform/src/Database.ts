/** The database of this process: the server that the configuration names, or an embedded one. */
import type { PgClient } from "@effect/sql-pg"
import { Config, Context, Effect, Layer, Option, type Redacted } from "effect"
import type { SqlClient } from "effect/sql"
import { EmbeddedPostgres, type EmbeddedPostgresError } from "./EmbeddedPostgres.ts"
import type { PoolOwner } from "./LeastConnections.ts"
import * as Sql from "./Sql.ts"

type Provided = Database | PgClient.PgClient | SqlClient.SqlClient
type Failure = Sql.DatabaseError | EmbeddedPostgresError | Config.ConfigError

const overConfigured = (owner: PoolOwner): Layer.Layer<Provided, Failure> =>
  Layer.merge(
    Sql.layerFor(owner, "onsale"),
    Layer.effect(
      Database,
      Effect.map(Sql.config, ({ url }) =>
        Database.of({ url, embeddedIn: Option.none(), failure: Effect.never })
      )
    )
  )

const overEmbedded = (start: typeof EmbeddedPostgres.layer): Layer.Layer<Provided, Failure> =>
  Layer.unwrap(
    Effect.map(EmbeddedPostgres.options, (options) =>
      Layer.unwrap(
        Effect.map(EmbeddedPostgres, ({ dataDir, failure, url }) =>
          Layer.merge(
            Sql.layerUrl(url),
            Layer.succeed(Database, { url, embeddedIn: Option.some(dataDir), failure })
          )
        )
      ).pipe(Layer.provide(start(options)))
    )
  )

const choose = (owner: PoolOwner, start: typeof EmbeddedPostgres.layer): Layer.Layer<Provided, Failure> =>
  Layer.unwrap(
    Effect.map(
      Config.option(Config.Redacted("ONSALE_DATABASE_URL")),
      Option.match({ onNone: () => overEmbedded(start), onSome: () => overConfigured(owner) })
    )
  )

/** What the process is connected to, beside the clients themselves. */
export class Database extends Context.Service<
  Database,
  {
    readonly url: Redacted.Redacted<string>
    /** The directory of the embedded server, when it is one. */
    readonly embeddedIn: Option.Option<string>
    /** Fails when an embedded server died for good: race the program against it. Else it never ends. */
    readonly failure: Effect.Effect<never, EmbeddedPostgresError>
  }
>()("@onsale/platform/Database") {
  /** For servers: `ONSALE_DATABASE_URL` when set, else an embedded server that this process owns. */
  static readonly layer = choose("onsale", EmbeddedPostgres.layer)

  /** For commands that may run beside a server: shares its embedded Postgres, starts one when it is alone. */
  static readonly layerShared = choose("command", EmbeddedPostgres.layerShared)
}
