/** A database whose commits are carried out, but not heard of: what happens where a connection is cut in that moment. */
import { Effect, Layer } from "effect"
import { SqlClient, SqlError } from "effect/sql"

export interface Deaf {
  /** For as many transactions; it counts down. */
  times: number
  /** What others do before whoever committed can try again. */
  meanwhile?: Effect.Effect<void>
}

/** Over another `SqlClient`. */
export const layer = (deaf: Deaf) =>
  Layer.effect(
    SqlClient.SqlClient,
    Effect.map(
      SqlClient.SqlClient,
      (sql) =>
        new Proxy(sql, {
          get: (target, name, receiver) =>
            name === "withTransaction"
              ? <A, E, R>(effect: Effect.Effect<A, E, R>) =>
                  target.withTransaction(effect).pipe(
                    Effect.flatMap((value): Effect.Effect<A, SqlError.SqlError> => {
                      if (deaf.times === 0) return Effect.succeed(value)
                      deaf.times--
                      return Effect.andThen(
                        deaf.meanwhile ?? Effect.void,
                        Effect.fail(
                          new SqlError.SqlError({
                            reason: new SqlError.ConnectionError({
                              cause: new Error("cut while it committed")
                            })
                          })
                        )
                      )
                    })
                  )
              : Reflect.get(target, name, receiver)
        })
    )
  )
