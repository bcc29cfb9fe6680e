/**
 * Vitest's global setup of the integration tests: one Postgres for the whole run, with one migrated database
 * that every suite's own is copied from.
 *
 * `ONSALE_TEST_DATABASE_URL` names a server to use instead; its user must be allowed to create databases.
 */
import { NodeServices } from "@effect/platform-node"
import { PgClient } from "@effect/sql-pg"
import { Config, Context, Effect, Exit, Layer, Option, Redacted, Scope } from "effect"
import { SecureRandom } from "effect/crypto"
import * as Migrations from "@onsale/platform/Migrations"
import * as Sql from "@onsale/platform/Sql"
import type { TestProject } from "vitest/node"
import * as ScratchPostgres from "./ScratchPostgres.ts"

declare module "vitest" {
  interface ProvidedContext {
    readonly onsaleTestDatabase: {
      /** Of the server, with the right to create databases. */
      readonly url: string
      /** The migrated database to copy, or why there is none: tests that need no schema run all the same. */
      readonly template: { readonly name: string } | { readonly failure: string }
    }
  }
}

const makeTemplate = Effect.fnUntraced(function* (url: Redacted.Redacted<string>) {
  const random = yield* SecureRandom.SecureRandom
  const template = `onsale_template_${(yield* random.uuidV4()).replaceAll("-", "")}`
  const server = Context.get(yield* Layer.build(Sql.layerUrl(url)), PgClient.PgClient)
  yield* Effect.acquireRelease(server.unsafe(`CREATE DATABASE ${template}`), () =>
    Effect.ignore(server.unsafe(`DROP DATABASE IF EXISTS ${template} WITH (FORCE)`))
  )
  // In a scope of its own: a database with a connection to it cannot be copied.
  yield* Migrations.run.pipe(Effect.provide(Sql.layerUrl(databaseUrl(url, template))))
  return { name: template }
})

/** The same server, another database. */
export const databaseUrl = (url: Redacted.Redacted<string>, database: string): Redacted.Redacted<string> => {
  const changed = new URL(Redacted.value(url))
  changed.pathname = `/${database}`
  return Redacted.make(changed.href)
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const scope = Scope.makeUnsafe()
  const close = () => Effect.runPromise(Scope.close(scope, Exit.void))
  const program = Effect.gen(function* () {
    const configured = yield* Config.option(Config.Redacted("ONSALE_TEST_DATABASE_URL"))
    const url = Option.isSome(configured) ? configured.value : yield* ScratchPostgres.start
    const template = yield* makeTemplate(url).pipe(
      Effect.catchTag("MigrationsError", ({ message }) => Effect.succeed({ failure: message }))
    )
    return { url: Redacted.value(url), template }
  }).pipe(
    Effect.provideService(Scope.Scope, scope),
    Effect.provide([NodeServices.layer, SecureRandom.layerWebCrypto])
  )
  try {
    project.provide("onsaleTestDatabase", await Effect.runPromise(program))
  } catch (error) {
    await close()
    throw error
  }
  return close
}
