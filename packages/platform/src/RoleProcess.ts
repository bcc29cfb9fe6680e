/**
 * A process of one role of a cluster: its work over the configured database, and what its operators look at.
 *
 * It does not change the schema: `onsale migrate` does, before any role starts. It is ready, and its operations port
 * open, when its work has begun; told to stop, it ends what it has accepted.
 */
import { NodeRuntime } from "@effect/platform-node"
import { Cause, Effect, Exit, Layer, References, Runtime } from "effect"
import * as SecureRandom from "effect/crypto/SecureRandom"
import type { SqlClient } from "effect/sql"
import * as Migrations from "./Migrations.ts"
import * as Operations from "./Operations.ts"
import * as Sql from "./Sql.ts"

export interface Role<A, E> {
  /** For `pg_stat_activity` and the log. */
  readonly name: string
  readonly layer: Layer.Layer<A, E, SqlClient.SqlClient | SecureRandom.SecureRandom>
}

/** Runs until it is told to stop. The exit code is 0 then, and another one where the work could not begin. */
export const run = <A, E>({ layer, name }: Role<A, E>): void =>
  Layer.launch(
    Operations.layer.pipe(
      // Nothing of it is for the operations: a router would be taken for theirs.
      Layer.provide(Layer.effectDiscard(Layer.build(layer))),
      Layer.provide(Migrations.layerUpToDate),
      Layer.provide([Sql.layerFor(`onsale-${name}`), SecureRandom.layerWebCrypto])
    )
  ).pipe(
    // Nobody collects spans yet, and making them costs a tenth of a checkout.
    Effect.provideService(References.TracerEnabled, false),
    Effect.annotateLogs("role", name),
    NodeRuntime.runMain({
      teardown: (exit, onExit) =>
        Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)
          ? onExit(0)
          : Runtime.defaultTeardown(exit, onExit)
    })
  )
