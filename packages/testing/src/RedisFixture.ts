/**
 * A real Redis for a test suite: a `redis-server` of its own, which a test may empty, stop and start again.
 *
 * `ONSALE_TEST_REDIS_URL` names a server to use instead (its database is emptied); it is not stopped.
 * Without either, suites are skipped, and say so in their names: see `suiteName`.
 */
import { NodeServices } from "@effect/platform-node"
import {
  Config,
  Context,
  Effect,
  Exit,
  FileSystem,
  Layer,
  Option,
  Redacted,
  References,
  Schema,
  Scope
} from "effect"
import { Redis as LibraryRedis } from "effect/persistence"
import { ChildProcess } from "effect/process"
import * as Redis from "@onsale/platform/Redis"
import { spawnSync } from "node:child_process"
import { createServer } from "node:net"
import { pollUntil } from "./Poll.ts"

export class RedisFixtureError extends Schema.TaggedError<RedisFixtureError>()("RedisFixtureError", {
  message: Schema.String
}) {}

const configured = Effect.runSync(Config.option(Config.Redacted("ONSALE_TEST_REDIS_URL")))

/** True where the tests can start and stop a Redis of their own. */
export const ownRedis: boolean =
  Option.isNone(configured) && spawnSync("redis-server", ["--version"]).status === 0

/** True where there is a Redis to test with. */
export const hasRedis: boolean = Option.isSome(configured) || ownRedis

/** The name of a suite that needs a Redis: it tells where the suite is skipped for want of one. */
export const suiteName = (name: string): string =>
  hasRedis
    ? name
    : `SKIPPED, NOT TESTED: ${name} (no redis-server on PATH and no ONSALE_TEST_REDIS_URL; apt-get install redis-server)`

const freePort = Effect.callback<number>((resume) => {
  const probe = createServer()
  probe.listen(0, "127.0.0.1", () => {
    const address = probe.address()
    probe.close(() =>
      resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
    )
  })
})

const failure = (cause: unknown) => new RedisFixtureError({ message: String(cause) })

export class TestRedis extends Context.Service<
  TestRedis,
  {
    readonly url: Redacted.Redacted<string>
    /** Forgets everything, as an operator's mistake would. */
    readonly flushAll: Effect.Effect<void, RedisFixtureError>
    /** Ends it without saving anything, as a crash would. Only where `ownRedis`. */
    readonly stop: Effect.Effect<void, RedisFixtureError>
    /** Starts it again at the same address, empty. Only where `ownRedis`. */
    readonly start: Effect.Effect<void, RedisFixtureError>
    /** Stops it in the middle of whatever it does, and lets it go on: connected, but silent. Only where `ownRedis`. */
    readonly freeze: Effect.Effect<void, RedisFixtureError>
    readonly thaw: Effect.Effect<void, RedisFixtureError>
  }
>()("@onsale/testing/TestRedis") {
  static readonly layer = Layer.effect(
    TestRedis,
    Effect.gen(function* () {
      const send = (url: Redacted.Redacted<string>, command: string) =>
        Effect.scoped(
          Effect.flatMap(Layer.build(Redis.layerUrl({ url })), (context) =>
            Context.get(context, LibraryRedis.Redis).send(command)
          )
        ).pipe(
          Effect.mapError(failure),
          Effect.asVoid,
          // That it is not there yet is no news.
          Effect.provideService(References.MinimumLogLevel, "None")
        )
      const flushAll = (url: Redacted.Redacted<string>) => send(url, "FLUSHALL")

      if (Option.isSome(configured)) {
        const url = configured.value
        yield* flushAll(url)
        const notOurs = Effect.fail(
          new RedisFixtureError({ message: "the Redis of ONSALE_TEST_REDIS_URL is not ours to stop" })
        )
        return TestRedis.of({
          url,
          flushAll: flushAll(url),
          stop: notOurs,
          start: notOurs,
          freeze: notOurs,
          thaw: notOurs
        })
      }

      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped({ prefix: "onsale-redis-" })
      const port = yield* freePort
      const url = Redacted.make(`redis://127.0.0.1:${port}`)
      const scope = yield* Effect.scope
      let running:
        | { readonly scope: Scope.Closeable; readonly pid: number; readonly gone: Effect.Effect<void> }
        | undefined

      const start = Effect.gen(function* () {
        const process = yield* Scope.fork(scope)
        const handle = yield* ChildProcess.make(
          "redis-server",
          [
            "--port",
            String(port),
            "--bind",
            "127.0.0.1",
            "--dir",
            directory,
            "--save",
            "",
            "--appendonly",
            "no",
            "--daemonize",
            "no"
          ],
          {
            stdin: "ignore",
            stdout: "ignore",
            stderr: "ignore",
            // In the group of the tests: who breaks them off on a terminal ends it, too.
            detached: false,
            killSignal: "SIGKILL"
          }
        ).pipe(Scope.provide(process), Effect.mapError(failure))
        running = { scope: process, pid: handle.pid, gone: Effect.ignore(handle.exitCode) }
        yield* pollUntil(Effect.exit(send(url, "PING")), Exit.isSuccess).pipe(Effect.mapError(failure))
      })
      const signal = (name: "SIGSTOP" | "SIGCONT") =>
        Effect.try({
          try: () => {
            if (running === undefined) throw new Error("the test's Redis is not running")
            process.kill(running.pid, name)
          },
          catch: failure
        })
      yield* start
      return TestRedis.of({
        url,
        flushAll: flushAll(url),
        stop: Effect.suspend(() => {
          const was = running
          running = undefined
          // The next one takes its port.
          return was === undefined ? Effect.void : Effect.andThen(Scope.close(was.scope, Exit.void), was.gone)
        }),
        start: Effect.provide(start, NodeServices.layer),
        freeze: signal("SIGSTOP"),
        thaw: signal("SIGCONT")
      })
    })
  ).pipe(Layer.provide(NodeServices.layer))
}
