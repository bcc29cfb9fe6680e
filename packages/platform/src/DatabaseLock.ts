/**
 * Work that one process at a time does, of all that share a database: by a lock of a name, held by a transaction
 * that writes nothing, which therefore holds no follower of a journal back.
 */
import { Deferred, Duration, Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"

/** The lock was lost with its connection. */
export class LockLost extends Schema.TaggedError<LockLost>()("LockLost", { cause: Schema.Defect() }) {}

const Locked = Schema.Tuple([Schema.Struct({ locked: Schema.Boolean })])

/** How soon a lock that was lost with its connection is noticed. */
const lockCheckEvery = Duration.seconds(2)

/** Runs the effect while this process holds the lock of that name; false where another holds it. */
export const whileLocked = Effect.fnUntraced(function* <A, E, R>(
  name: string,
  effect: Effect.Effect<A, E, R>
) {
  const sql = yield* SqlClient.SqlClient
  const taken = yield* Deferred.make<boolean>()
  const holding = sql
    .withTransaction(
      Effect.gen(function* () {
        const rows =
          yield* sql`SELECT pg_try_advisory_xact_lock(hashtextextended(${name}::text, 0)) AS locked`
        const [{ locked }] = yield* Schema.decodeUnknownEffect(Locked)(rows)
        yield* Deferred.succeed(taken, locked)
        if (!locked) return
        yield* Effect.forever(Effect.andThen(Effect.sleep(lockCheckEvery), sql`SELECT 1`))
      })
    )
    .pipe(Effect.mapError((cause) => new LockLost({ cause })))
  return yield* Effect.raceFirst(
    Effect.andThen(holding, Effect.never),
    Effect.flatMap(Deferred.await(taken), (locked) =>
      locked ? Effect.as(effect, true) : Effect.succeed(false)
    )
  )
})
