/**
 * Ends a process whose connections to the database hang while the database is there for others: who supervises it starts
 * it again, with new ones. Seen after a machine was frozen and cut off from its network within seconds: its pool handed
 * out nothing any more, without an error, for ever. What was answered is in the journal, so nothing is lost.
 */
import { Clock, Duration, Effect, Layer, Redacted, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import { connect } from "node:net"
import * as Sql from "./Sql.ts"

const lookEvery = Duration.seconds(2)
const answerLimit = Duration.seconds(5)
/** A database that starts again is back before, and the pool with it. */
const patienceMs = 20_000
const firstAnswerMs = 2_000

/** The question that every client may ask before it says who it is (SSLRequest): one byte is the answer. */
const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])

/** Whether a Postgres answers on a connection of its own, which is closed again. */
export const answersAnew = (host: string, port: number): Effect.Effect<boolean> =>
  Effect.callback((resume) => {
    const socket = connect({ host, port })
    const done = (answered: boolean) => {
      socket.destroy()
      resume(Effect.succeed(answered))
    }
    socket.setTimeout(firstAnswerMs, () => done(false))
    socket.on("error", () => done(false))
    socket.on("data", () => done(true))
    socket.on("connect", () => socket.write(sslRequest))
    return Effect.sync(() => socket.destroy())
  })

/** Calls `stuck` once the pool has been silent for 20 seconds though the database answers. */
export const watch = Effect.fnUntraced(function* (options: {
  readonly poolAnswers: Effect.Effect<boolean>
  readonly databaseAnswers: Effect.Effect<boolean>
  readonly stuck: Effect.Effect<void>
}) {
  let lastMs = yield* Clock.currentTimeMillis
  return yield* Effect.gen(function* () {
    if (yield* options.poolAnswers) lastMs = yield* Clock.currentTimeMillis
    else if ((yield* Clock.currentTimeMillis) - lastMs >= patienceMs && (yield* options.databaseAnswers)) {
      yield* options.stuck
    }
  }).pipe(Effect.repeat(Schedule.spaced(lookEvery)))
})

/** For the database of the configuration. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const { url } = yield* Sql.config
    const { hostname, port } = new URL(Redacted.value(url))
    yield* watch({
      poolAnswers: sql`SELECT 1`.pipe(Effect.timeout(answerLimit), Effect.isSuccess),
      databaseAnswers: answersAnew(hostname, port === "" ? 5432 : Number(port)),
      stuck: Effect.logFatal(
        "the database answers, but not on our connections: ending, to be started again"
      ).pipe(Effect.andThen(Effect.sync(() => process.exit(1))))
    }).pipe(Effect.forkScoped)
  })
)
