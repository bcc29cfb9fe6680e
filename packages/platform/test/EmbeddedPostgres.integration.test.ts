import { NodeServices } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { EmbeddedPostgres } from "@onsale/platform/EmbeddedPostgres"
import * as Sql from "@onsale/platform/Sql"
import { pollUntil } from "@onsale/testing/Poll"
import { Deferred, Effect, FileSystem, Layer, Redacted, Result, type Scope } from "effect"
import { SqlClient } from "effect/sql"
import { type ChildProcess, spawn } from "node:child_process"
import { join } from "node:path"

const temporary = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped({ prefix: "onsale-embedded-" })
  return join(directory, "postgres")
})

/** Starts a server for the effect, which gets a client, and stops it. */
const withServer = <A, E, R>(
  directory: string,
  effect: Effect.Effect<A, E, R | EmbeddedPostgres | SqlClient.SqlClient>
) =>
  Effect.provide(
    effect,
    Layer.unwrap(Effect.map(EmbeddedPostgres, ({ url }) => Sql.layerUrl(url, { maxConnections: 2 }))).pipe(
      Layer.provideMerge(EmbeddedPostgres.layer({ directory }))
    )
  )

const postmasterPid = (directory: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) =>
    fs.readFileString(join(directory, "data", "postmaster.pid")).pipe(
      Effect.map((text) => Number.parseInt(text, 10)),
      Effect.orElseSucceed(() => undefined)
    )
  )

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

interface Holder {
  readonly process: ChildProcess
  readonly url: Redacted.Redacted<string>
}

/** Another process that holds the directory; ended with the test. */
const startHolder = Effect.fnUntraced(function* (directory: string) {
  const ready = yield* Deferred.make<Redacted.Redacted<string>, Error>()
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, [join(import.meta.dirname, "EmbeddedPostgresMain.ts")], {
        env: { PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", ONSALE_DATA_DIR: directory },
        stdio: ["ignore", "pipe", "pipe"]
      })
    ),
    (child) => Effect.sync(() => child.kill("SIGTERM"))
  )
  let output = ""
  const take = (chunk: Buffer) => {
    output += chunk.toString()
    const url = /READY (\S+)/.exec(output)?.[1]
    if (url !== undefined) Deferred.doneUnsafe(ready, Effect.succeed(Redacted.make(url)))
  }
  child.stdout.on("data", take)
  child.stderr.on("data", take)
  child.on("exit", () => Deferred.doneUnsafe(ready, Effect.fail(new Error(`the holder ended: ${output}`))))
  return { process: child, url: yield* Deferred.await(ready) } satisfies Holder
})

const awaitEnd = (child: ChildProcess) =>
  pollUntil(
    Effect.sync(() => child.exitCode !== null || child.signalCode !== null),
    (ended) => ended
  )

const write = (n: number) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* sql`CREATE TABLE IF NOT EXISTS kept (n int4 PRIMARY KEY)`
    yield* sql`INSERT INTO kept VALUES (${n})`
  })

const kept = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  return (yield* sql<{ readonly n: number }>`SELECT n FROM kept ORDER BY n`).map(({ n }) => n)
})

describe("EmbeddedPostgres", () => {
  const live = <A, E>(name: string, effect: () => Effect.Effect<A, E, FileSystem.FileSystem | Scope.Scope>) =>
    it.live(name, () => Effect.provide(effect(), NodeServices.layer))

  live(
    "keeps its data and its password over a stop and a start, listens on loopback only, is safe on disk",
    () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const directory = yield* temporary
        const first = yield* withServer(
          directory,
          Effect.gen(function* () {
            yield* write(1)
            const sql = yield* SqlClient.SqlClient
            const settings = yield* sql`
            SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit,
              current_setting('wal_level') AS wal, current_setting('listen_addresses') AS listen,
              current_setting('server_encoding') AS encoding, current_database() AS database,
              (SELECT datlocprovider::text FROM pg_database WHERE datname = current_database()) AS provider`
            expect(settings).toEqual([
              {
                fsync: "on",
                commit: "on",
                wal: "logical",
                listen: "127.0.0.1",
                encoding: "UTF8",
                database: "onsale",
                provider: "b"
              }
            ])
            return yield* EmbeddedPostgres
          })
        )
        expect(first.dataDir).toBe(directory)
        expect((yield* fs.stat(join(directory, "password"))).mode & 0o777).toBe(0o600)
        expect((yield* fs.stat(directory)).mode & 0o777).toBe(0o700)
        expect(yield* postmasterPid(directory)).toBeUndefined()

        const [again, second] = yield* withServer(directory, Effect.all([kept, EmbeddedPostgres]))
        expect(again).toEqual([1])
        expect(new URL(Redacted.value(second.url)).password).toBe(new URL(Redacted.value(first.url)).password)
      })
  )

  live("asks for a password", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const refused = yield* withServer(
        directory,
        Effect.flatMap(EmbeddedPostgres, ({ port }) =>
          Effect.result(
            Effect.scoped(
              Layer.build(Sql.layerUrl(Redacted.make(`postgres://onsale:wrong@127.0.0.1:${port}/onsale`)))
            )
          )
        )
      )
      expect(Result.isFailure(refused) ? refused.failure.reason : "accepted").toBe("Refused")
    })
  )

  live("refuses a second start on a directory, in this process and in another, and names the holder", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      yield* withServer(
        directory,
        Effect.gen(function* () {
          const second = yield* Effect.flip(Effect.scoped(Layer.build(EmbeddedPostgres.layer({ directory }))))
          expect(second._tag).toBe("EmbeddedPostgresError")
          expect(second.reason).toBe("InUse")
          expect(second.message).toContain(directory)
          expect(second.message).toContain(String(process.pid))
          const other = yield* Effect.flip(startHolder(directory))
          expect(String(other)).toContain(`in use by process ${process.pid}`)
        })
      )
    })
  )

  live("shares the server of a live process, and starts one when there is none", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const portOf = Effect.map(EmbeddedPostgres, ({ port }) => port)
      const shared = Effect.provide(portOf, EmbeddedPostgres.layerShared({ directory }))
      yield* withServer(
        directory,
        Effect.gen(function* () {
          expect(yield* shared).toBe(yield* portOf)
          // Leaving the shared one does not stop it.
          yield* write(1)
        })
      )
      expect(yield* shared).toBeGreaterThan(0)
      expect(yield* postmasterPid(directory)).toBeUndefined()
    })
  )

  live("SIGTERM and SIGINT stop the server before the process ends", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      for (const signal of ["SIGTERM", "SIGINT"] as const) {
        const holder = yield* startHolder(directory)
        holder.process.kill(signal)
        yield* awaitEnd(holder.process)
        expect(yield* postmasterPid(directory)).toBeUndefined()
      }
    })
  )

  live("after kill -9 of the process nothing runs on, and what was committed is there", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const holder = yield* startHolder(directory)
      yield* Effect.provide(write(1), Sql.layerUrl(holder.url, { maxConnections: 1 }))
      const pid = yield* postmasterPid(directory)
      holder.process.kill("SIGKILL")
      yield* pollUntil(
        Effect.sync(() => pid !== undefined && isAlive(pid)),
        (alive) => !alive
      )
      expect(yield* withServer(directory, kept)).toEqual([1])
    })
  )

  live(
    "after kill -9 of the process and at once a new start, the server that is still there is replaced",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporary
        const holder = yield* startHolder(directory)
        yield* Effect.provide(write(1), Sql.layerUrl(holder.url, { maxConnections: 1 }))
        holder.process.kill("SIGKILL")
        yield* awaitEnd(holder.process)
        expect(yield* withServer(directory, kept)).toEqual([1])
      })
  )

  live("after kill -9 of the process and the server, the stale pid file does not matter", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* temporary
      const holder = yield* startHolder(directory)
      yield* Effect.provide(write(1), Sql.layerUrl(holder.url, { maxConnections: 1 }))
      const pid = yield* postmasterPid(directory)
      if (pid !== undefined) process.kill(pid, "SIGKILL")
      holder.process.kill("SIGKILL")
      yield* awaitEnd(holder.process)
      // As after the restart of a container: the number now belongs to somebody else.
      const file = join(directory, "data", "postmaster.pid")
      const text = yield* fs.readFileString(file)
      yield* fs.writeFileString(file, text.replace(/^\d+/, String(process.ppid)))
      expect(yield* withServer(directory, kept)).toEqual([1])
    })
  )

  live("a server that dies is started again on its port, and the pool finds it", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      yield* withServer(
        directory,
        Effect.gen(function* () {
          yield* write(1)
          const pid = yield* postmasterPid(directory)
          if (pid !== undefined) process.kill(pid, "SIGKILL")
          yield* pollUntil(postmasterPid(directory), (now) => now !== undefined && now !== pid)
          const rows = yield* pollUntil(
            Effect.orElseSucceed(kept, () => undefined),
            (found) => found !== undefined
          )
          expect(rows).toEqual([1])
        })
      )
    })
  )

  live("an initialisation that was cut off starts afresh", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* temporary
      yield* fs.makeDirectory(join(directory, "data.new", "base"), { recursive: true })
      yield* fs.writeFileString(join(directory, "data.new", "PG_VERSION"), "18\n")
      yield* withServer(directory, write(1))
    })
  )

  live("a configured port that is taken is told at once", () =>
    Effect.gen(function* () {
      const [one, two] = yield* Effect.all([temporary, temporary])
      yield* withServer(
        one,
        Effect.gen(function* () {
          const { port } = yield* EmbeddedPostgres
          const error = yield* Effect.flip(
            Effect.scoped(Layer.build(EmbeddedPostgres.layer({ directory: two, port })))
          )
          expect(error.reason).toBe("StartFailed")
          expect(error.message).toContain("Address already in use")
        })
      )
    })
  )
})
