import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Layer, References } from "effect"
import { SqlError } from "effect/sql"
import * as FailedRequest from "../src/FailedRequest.ts"

const quiet = Effect.provide(Layer.succeed(References.MinimumLogLevel, "None"))

/** As the driver has what Postgres says with that code. */
const refused = (code: string) =>
  new SqlError.SqlError({
    reason: new SqlError.UnknownError({
      cause: Object.assign(new Error("refused"), { code }),
      message: "PgConnection: Query failed",
      operation: "query"
    })
  })
const gone = new SqlError.SqlError({
  reason: new SqlError.ConnectionError({ cause: new Error("gone"), message: "gone", operation: "connect" })
})

const told = (method: string, defect: unknown) =>
  FailedRequest.render(Cause.die(defect), { method, url: "/api/v1/orders" }).pipe(
    quiet,
    Effect.map(({ body, headers, status }) => ({
      status,
      type: body._tag === "Uint8Array" ? JSON.parse(new TextDecoder().decode(body.body)).type : undefined,
      retryAfter: headers["retry-after"]
    }))
  )

describe("a request that failed", () => {
  for (const [name, error] of [
    ["recovers", refused("57P03")],
    ["is not there", gone]
  ] as const) {
    it.effect(`is told to come again while the database ${name}`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* told("GET", error), {
          status: 503,
          type: "urn:onsale:problem:unavailable",
          retryAfter: "1"
        })
        // It may have been committed before the answer was lost.
        assert.deepStrictEqual(yield* told("POST", error), {
          status: 503,
          type: "urn:onsale:problem:outcome-unknown",
          retryAfter: "1"
        })
      })
    )
  }

  it.effect("is our fault else", () =>
    Effect.gen(function* () {
      for (const defect of [refused("42601"), new Error("a bug")])
        assert.strictEqual((yield* told("GET", defect)).status, 500)
    })
  )
})
