/**
 * Statements that fibers ask for side by side, sent as one: whoever reads a row, or writes one, for a single job need not know
 * of the others, and a batch of jobs costs the database and this thread what one does.
 */
import { Cause, Context, Effect, Exit, Option, Request, RequestResolver } from "effect"
import { type SqlClient, SqlError } from "effect/sql"

interface Ask<K, A> extends Request.Request<A> {
  readonly key: K
}

/** More are sent as another statement: an array that nobody has to wait for. */
const maxGathered = 100

/** It is the statement's fault, or that of what it reads: of another one it need not be. */
const isOfOne = <A>(exit: Exit.Exit<A>): boolean => {
  if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return false
  const defect = Cause.squash(exit.cause)
  return !SqlError.isSqlError(defect) || !defect.isRetryable
}

/**
 * What is asked for before the fibers that are ready have had their turn goes together. Equal keys, by their ids, are asked
 * for once, and get the same answer. Where that fails, each is asked for alone: one that cannot be answered holds up
 * no other. In a transaction each is asked for by itself: a gathered statement may go on when who asked for it has left, and
 * would then run on a connection whose transaction is over.
 */
export const make = <K, A>(
  sql: SqlClient.SqlClient,
  options: {
    readonly idOf: (key: K) => string
    /** By the ids of the keys; `undefined` for what is not in it. */
    readonly run: (keys: ReadonlyArray<K>) => Effect.Effect<ReadonlyMap<string, A>>
  }
): ((key: K) => Effect.Effect<A | undefined>) => {
  const { idOf, run } = options
  const ask = Request.of<Ask<K, A | undefined>>()
  const resolver = RequestResolver.makeWith<Ask<K, A | undefined>>({
    batchKey: () => run,
    delay: Effect.yieldNow,
    collectWhile: ({ size }) => size < maxGathered,
    runAll: Effect.fnUntraced(function* (entries) {
      const asked = new Map(entries.map(({ request }) => [idOf(request.key), request.key]))
      const together = yield* Effect.exit(run([...asked.values()]))
      if (asked.size === 1 || !isOfOne(together)) {
        const answer = (id: string) => Exit.map(together, (answers) => answers.get(id))
        for (const entry of entries) entry.completeUnsafe(answer(idOf(entry.request.key)))
        return
      }
      for (const [id, key] of asked) {
        const alone = yield* Effect.exit(run([key]))
        const answer = Exit.map(alone, (answers) => answers.get(id))
        for (const entry of entries) if (idOf(entry.request.key) === id) entry.completeUnsafe(answer)
      }
    })
  })
  return (key) =>
    Effect.contextWith((context: Context.Context<never>) =>
      Option.isSome(Context.getOption(context, sql.transactionService))
        ? Effect.map(run([key]), (answers) => answers.get(idOf(key)))
        : Effect.request(ask({ key }), resolver)
    )
}
