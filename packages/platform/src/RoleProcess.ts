/**
 * A process of one role of a cluster: its work over the configured database, and what its operators look at.
 *
 * It does not change the schema: `onsale migrate` does, before any role starts. It is ready, and its operations port
 * open, when its work has begun; told to stop, it ends what it has accepted.
 */
import { NodeRuntime } from "@effect/platform-node"
import type { PgClient } from "@effect/sql-pg"
import { Cause, Config, Effect, Exit, Layer, Runtime } from "effect"
import * as SecureRandom from "effect/crypto/SecureRandom"
import type { SqlClient } from "effect/sql"
import * as DatabaseMetrics from "./DatabaseMetrics.ts"
import * as DatabaseWatch from "./DatabaseWatch.ts"
import type { PoolOwner } from "./LeastConnections.ts"
import * as LostAddresses from "./LostAddresses.ts"
import * as Migrations from "./Migrations.ts"
import * as Operations from "./Operations.ts"
import * as Sql from "./Sql.ts"
import * as Telemetry from "./Telemetry.ts"

/** What every role can build on. */
export type Provided = PgClient.PgClient | SqlClient.SqlClient | SecureRandom.SecureRandom

export interface Role<A, E> {
  /** For the log, and for what it needs of its database. */
  readonly name: Exclude<PoolOwner, "onsale" | "command">
  /** What its sessions at the database are called; by its name when left out. */
  readonly sessionName?: Config.Config<string>
  readonly layer: Layer.Layer<A, E, Provided>
}

/** The 20 seconds that accepted requests have, and what else has to be given back. */
const stopLimitMs = 28_000

/** A stop that hangs, on a database that went away meanwhile, must not hold up the one that follows. */
const endInTime = Effect.sync(() => {
  process.once("SIGTERM", () => {
    setTimeout(() => {
      process.stderr.write(`did not stop within ${stopLimitMs / 1000} seconds of SIGTERM: ending now\n`)
      process.exit(1)
    }, stopLimitMs).unref()
  })
})

/** Runs until it is told to stop. The exit code is 0 then, and another one where the work could not begin. */
export const run = <A, E>({
  layer,
  name,
  sessionName = Config.succeed(`onsale-${name}`)
}: Role<A, E>): void =>
  Effect.andThen(
    endInTime,
    Layer.launch(
      Operations.layer.pipe(
        // Nothing of it is for the operations: a router would be taken for theirs.
        Layer.provide(Layer.effectDiscard(Layer.build(layer))),
        Layer.provide([Migrations.layerUpToDate, DatabaseWatch.layer, DatabaseMetrics.layer]),
        Layer.provide([
          Layer.unwrap(Effect.map(sessionName, (session) => Sql.layerFor(name, session))),
          SecureRandom.layerWebCrypto
        ]),
        // Before any connection is made.
        Layer.provide(LostAddresses.layer)
      )
    )
  ).pipe(
    // No annotation here: handlers run with the context of their layer, whose annotations would hide a request's.
    Effect.provide(Telemetry.layer(name)),
    NodeRuntime.runMain({
      teardown: (exit, onExit) =>
        Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)
          ? onExit(0)
          : Runtime.defaultTeardown(exit, onExit)
    })
  )
