/**
 * A real Kafka for a test suite: one broker that is its own controller, which a test may kill and start again;
 * it keeps its data meanwhile.
 *
 * Its jars come from `infra/ci/kafka/pom.xml` by Maven, once, into `ONSALE_KAFKA_HOME`
 * (`~/.cache/onsale/kafka` when left out). Where there is no Java or they cannot be had, suites are skipped, and
 * say so in their names: see `suiteName`.
 */
import { NodeServices } from "@effect/platform-node"
import { Config, Context, Effect, Exit, FileSystem, Layer, Schema, Scope } from "effect"
import { ChildProcess } from "effect/process"
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs"
import { connect, createServer } from "node:net"
import { homedir } from "node:os"
import { join } from "node:path"
import { pollUntil } from "./Poll.ts"

export class KafkaFixtureError extends Schema.TaggedError<KafkaFixtureError>()("KafkaFixtureError", {
  message: Schema.String
}) {}

const home = Effect.runSync(
  Config.String("ONSALE_KAFKA_HOME").pipe(Config.withDefault(join(homedir(), ".cache", "onsale", "kafka")))
)
const pom = join(import.meta.dirname, "..", "..", "..", "infra", "ci", "kafka", "pom.xml")
const version = /<version>(\d+\.\d+\.\d+)<\/version>/.exec(readFileSync(pom, "utf8"))?.[1] ?? "unknown"
const jars = join(home, version)

/** Fetches the jars where they are not there yet; a second process that does the same does no harm. */
const fetchJars = (): boolean => {
  if (existsSync(jars)) return true
  const partial = `${jars}.${process.pid}`
  mkdirSync(home, { recursive: true })
  const fetched = spawnSync(
    "mvn",
    ["-B", "-q", "-f", pom, "dependency:copy-dependencies", `-DoutputDirectory=${partial}`],
    { timeout: 300_000 }
  )
  if (fetched.status === 0 && !existsSync(jars)) renameSync(partial, jars)
  rmSync(partial, { recursive: true, force: true })
  return existsSync(jars)
}

/** True where the tests can start a Kafka. */
export const hasKafka: boolean = spawnSync("java", ["-version"]).status === 0 && fetchJars()

/** The name of a suite that needs a Kafka: it tells where the suite is skipped for want of one. */
export const suiteName = (name: string): string =>
  hasKafka ? name : `SKIPPED, NOT TESTED: ${name} (no Java 17, or no Maven to fetch Kafka with)`

const freePort = Effect.callback<number>((resume) => {
  const probe = createServer()
  probe.listen(0, "127.0.0.1", () => {
    const address = probe.address()
    probe.close(() =>
      resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
    )
  })
})

const answers = (port: number) =>
  Effect.callback<boolean>((resume) => {
    const socket = connect(port, "127.0.0.1")
    socket.once("connect", () => (socket.destroy(), resume(Effect.succeed(true))))
    socket.once("error", () => resume(Effect.succeed(false)))
  })

const failure = (cause: unknown) => new KafkaFixtureError({ message: String(cause) })

const properties = (directory: string, port: number, controller: number) => `
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controller}
listeners=BROKER://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=BROKER://127.0.0.1:${port}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
log.dirs=${join(directory, "data")}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
`

/** Quiet, and small enough for a machine of two cores. */
const java = (args: ReadonlyArray<string>) =>
  ChildProcess.make(
    "java",
    ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", join(jars, "*"), ...args],
    { stdin: "ignore", stdout: "ignore", stderr: "ignore", detached: false, killSignal: "SIGKILL" }
  )

export class TestKafka extends Context.Service<
  TestKafka,
  {
    /** `host:port`. */
    readonly broker: string
    /** Ends it without a word, as a crash would. */
    readonly kill: Effect.Effect<void>
    /** Starts it again at the same address, with its data. */
    readonly start: Effect.Effect<void, KafkaFixtureError>
  }
>()("@onsale/testing/TestKafka") {
  static readonly layer = Layer.effect(
    TestKafka,
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped({ prefix: "onsale-kafka-" })
      const [port, controller] = [yield* freePort, yield* freePort]
      const file = join(directory, "server.properties")
      yield* fs.writeFileString(file, properties(directory, port, controller))
      const formatted = yield* java([
        "kafka.tools.StorageTool",
        "format",
        "-t",
        "AAAAAAAAQACAAAAAAAAAAQ",
        "-c",
        file
      ]).pipe(
        Effect.flatMap((handle) => handle.exitCode),
        Effect.scoped,
        Effect.mapError(failure)
      )
      if (formatted !== 0) return yield* failure(`the storage could not be formatted: ${formatted}`)

      const scope = yield* Effect.scope
      let running: { readonly scope: Scope.Closeable; readonly gone: Effect.Effect<void> } | undefined
      const start = Effect.gen(function* () {
        const process = yield* Scope.fork(scope)
        const handle = yield* java(["kafka.Kafka", file]).pipe(
          Scope.provide(process),
          Effect.mapError(failure)
        )
        running = { scope: process, gone: Effect.ignore(handle.exitCode) }
        yield* pollUntil(answers(port), (yes) => yes, { deadline: "60 seconds" }).pipe(
          Effect.mapError(failure)
        )
      })
      yield* start
      return TestKafka.of({
        broker: `127.0.0.1:${port}`,
        kill: Effect.suspend(() => {
          const was = running
          running = undefined
          return was === undefined ? Effect.void : Effect.andThen(Scope.close(was.scope, Exit.void), was.gone)
        }),
        start: Effect.provide(start, NodeServices.layer)
      })
    })
  ).pipe(Layer.provide(NodeServices.layer))
}
