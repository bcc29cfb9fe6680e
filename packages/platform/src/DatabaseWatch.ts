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
/** Of a database that is there: a pool finds it again within that time after a failover, on a busy machine too. */
const patienceMs = 20_000
const firstAnswerMs = 2_000

/** Version 3.0 of the protocol. */
const protocolVersion = 196_608
/** The first byte of the server's answer: it asks who we are, so it takes connections. Else it says why it does not. */
const asksWhoWeAre = "R".charCodeAt(0)

/** What every client begins with (StartupMessage). */
const startup = (user: string, database: string): Buffer => {
  const text = Buffer.from(`user\0${user}\0database\0${database}\0\0`)
  const head = Buffer.alloc(8)
  head.writeInt32BE(8 + text.length, 0)
  head.writeInt32BE(protocolVersion, 4)
  return Buffer.concat([head, text])
}

export interface Address {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
}

/**
 * Whether a Postgres takes another connection, which is closed again: not one that is starting, recovering or full, and
 * not one that takes none without TLS, where nothing is said of it.
 */
export const answersAnew = ({ database, host, port, user }: Address): Effect.Effect<boolean> =>
  Effect.callback((resume) => {
    const socket = connect({ host, port })
    const done = (answered: boolean) => {
      socket.destroy()
      resume(Effect.succeed(answered))
    }
    socket.setTimeout(firstAnswerMs, () => done(false))
    socket.on("error", () => done(false))
    socket.on("data", (answer) => done(answer[0] === asksWhoWeAre))
    socket.on("close", () => done(false))
    socket.on("connect", () => socket.write(startup(user, database)))
    return Effect.sync(() => socket.destroy())
  })

/** Calls `stuck` once the pool has been silent for 20 seconds in which the database answered others. */
export const watch = Effect.fnUntraced(function* (options: {
  readonly poolAnswers: Effect.Effect<boolean>
  readonly databaseAnswers: Effect.Effect<boolean>
  readonly stuck: Effect.Effect<void>
}) {
  let lastMs = yield* Clock.currentTimeMillis
  return yield* Effect.gen(function* () {
    // Who waits for a database that is away is not stuck, and is not helped by a new start.
    if ((yield* options.poolAnswers) || !(yield* options.databaseAnswers))
      lastMs = yield* Clock.currentTimeMillis
    else if ((yield* Clock.currentTimeMillis) - lastMs >= patienceMs) yield* options.stuck
  }).pipe(Effect.repeat(Schedule.spaced(lookEvery)))
})

/** For the database of the configuration. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const { url } = yield* Sql.config
    const { hostname, pathname, port, username } = new URL(Redacted.value(url))
    yield* watch({
      poolAnswers: sql`SELECT 1`.pipe(Effect.timeout(answerLimit), Effect.isSuccess),
      databaseAnswers: answersAnew({
        host: hostname,
        port: port === "" ? 5432 : Number(port),
        user: decodeURIComponent(username),
        database: decodeURIComponent(pathname.slice(1))
      }),
      stuck: Effect.logFatal(
        "the database answers, but not on our connections: ending, to be started again"
      ).pipe(Effect.andThen(Effect.sync(() => process.exit(1))))
    }).pipe(Effect.forkScoped)
  })
)
