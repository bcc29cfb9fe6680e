import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Redacted } from "effect"
import { FetchHttpClient, HttpClient } from "effect/http"
import * as OnsaleProcess from "../src/OnsaleProcess.ts"

describe("OnsaleProcess", () => {
  it.live(
    "starts, is killed, starts again on what is left, and stops; nothing remains of it",
    () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const http = yield* HttpClient.HttpClient
        const isReady = (url: string) => Effect.map(http.get(`${url}/readyz`), ({ status }) => status === 200)

        const dataDir = yield* Effect.scoped(
          Effect.gen(function* () {
            const first = yield* OnsaleProcess.start()
            assert.isTrue(yield* isReady(first.url))
            yield* first.kill9
            assert.isFalse(yield* fs.exists(`/proc/${first.pid}`))

            const second = yield* OnsaleProcess.start({ dataDir: first.dataDir })
            assert.strictEqual(Redacted.value(second.organiserKey), Redacted.value(first.organiserKey))
            assert.isTrue(yield* isReady(second.url))
            // 130 is what a program ends with that was asked to.
            assert.include([0, 130], yield* second.stop)
            return first.dataDir
          })
        )
        assert.isFalse(yield* fs.exists(dataDir))
      }).pipe(Effect.provide([NodeServices.layer, FetchHttpClient.layer])),
    { timeout: 120_000 }
  )

  it.live("tells what it printed where it cannot start", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        Effect.scoped(
          OnsaleProcess.start({
            env: {
              ONSALE_DATABASE_URL: "postgres://nobody@127.0.0.1:9/none",
              ONSALE_DATABASE_CONNECT_LIMIT: "1 second"
            }
          })
        )
      )
      assert.match(error.message, /ended before it was ready:\n(.*\n)*.*no database answers at/)
    })
  )
})
