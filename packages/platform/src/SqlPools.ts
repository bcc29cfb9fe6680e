/**
 * One client over two pools: statements share a few connections, pipelined; transactions, and who listens, have one of
 * the others each.
 *
 * A single pool of `@effect/sql-pg` can do both, and may not. Seen with 4.0.5, once in some hundred rebuilds of a read model
 * on a busy machine: on a connection that went from shared statements to a transaction nobody was known to wait for the
 * answer to BEGIN. The connection was destroyed, and the fiber waited for ever, where nothing can interrupt it. What makes
 * it forget was not seen; by its source, a batch that is empty as its statement was given up in that moment.
 */
import { PgClient } from "@effect/sql-pg"
import { Context, Effect } from "effect"

/** More would lie idle: each takes 32 statements at a time. */
const mostShared = 3

/** A runner of bookings keeps five for itself: see `LeastConnections.ts`. */
const leastForTransactions = 8

/**
 * How many of so many connections statements share; none where there is only one. Where there are fewer than 8 they are
 * all for transactions, as those who keep one would leave none to the others, and the shared one comes on top.
 */
export const shareOf = (
  connections: number
): { readonly statements: number; readonly transactions: number } => {
  if (connections < 2) return { statements: 0, transactions: 1 }
  const statements = Math.min(mostShared, Math.max(1, Math.floor(connections / 5)))
  return {
    statements,
    transactions: connections < leastForTransactions ? connections : connections - statements
  }
}

type Transaction = PgClient.PgClient["transactionService"]["Service"]

/** `statements` does what is done outside of transactions, `transactions` the rest. */
const combine = (statements: PgClient.PgClient, transactions: PgClient.PgClient): PgClient.PgClient => {
  const within = statements.transactionService
  return Object.assign(statements, {
    reserve: transactions.reserve,
    listen: transactions.listen,
    withTransaction: <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      transactions.withTransaction(
        Effect.flatMap(transactions.transactionService, (transaction: Transaction) =>
          Effect.provideService(effect, within, transaction)
        )
      ),
    // What runs after it is outside of it for both.
    afterCommit: <R>(effect: Effect.Effect<void, never, R>) =>
      transactions.afterCommit(
        Effect.updateContext(
          effect,
          (context: Context.Context<R>) => Context.omit(within)(context) as Context.Context<R>
        )
      )
  })
}

/** A client with so many connections at most. */
export const make = Effect.fnUntraced(function* (
  config: Omit<PgClient.PgPoolConfig, "multiplex" | "maxConnections"> & { readonly maxConnections: number }
) {
  const share = shareOf(config.maxConnections)
  const transactions = yield* PgClient.make({
    ...config,
    maxConnections: share.transactions,
    multiplex: false
  })
  if (share.statements === 0) return transactions
  const statements = yield* PgClient.make({ ...config, maxConnections: share.statements, multiplex: true })
  return combine(statements, transactions)
})
