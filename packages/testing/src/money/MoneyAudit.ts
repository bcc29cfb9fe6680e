/** The audit of all invariants over a money world, as an operator runs it. */
import { NodeServices } from "@effect/platform-node"
import * as Audit from "@onsale/app/Audit"
import { Effect, Option } from "effect"
import { SqlClient } from "effect/sql"
import type { MoneyWorld } from "./MoneyWorld.ts"

/** The breaches, with the ledger of the preferred provider beside our books. */
export const breaches = (world: MoneyWorld) =>
  Audit.run({ ledger: Option.fromUndefinedOr(world.desks[0]?.ledgerFile) }).pipe(
    Effect.provideService(SqlClient.SqlClient, world.sql),
    Effect.provide(NodeServices.layer),
    Effect.map((findings) =>
      findings.flatMap(({ breaches, invariant }) => breaches.map((what) => `${invariant}: ${what}`))
    )
  )
