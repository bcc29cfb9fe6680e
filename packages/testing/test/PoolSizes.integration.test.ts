/** Every process says at its start that its pool is too small, instead of hanging on it later. */
import { NodeServices } from "@effect/platform-node"
import { assert, it } from "@effect/vitest"
import { leastConnections, type PoolOwner } from "@onsale/platform/LeastConnections"
import { Effect, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../../../", import.meta.url))

const programs: { readonly [O in PoolOwner]: ReadonlyArray<string> } = {
  booking: ["apps/runner/src/booking.ts"],
  payment: ["apps/runner/src/payment.ts"],
  notification: ["apps/runner/src/notification.ts"],
  gateway: ["apps/gateway/src/main.ts"],
  onsale: ["apps/onsale/src/main.ts", "start"],
  command: ["apps/onsale/src/main.ts", "migrate"]
}

/** How it ended, and what it said. Nobody answers at its database: who would connect would wait, and say that. */
const started = Effect.fnUntraced(function* (owner: PoolOwner, pool: number) {
  const handle = yield* ChildProcess.make(process.execPath, [...programs[owner]], {
    cwd: root,
    extendEnv: true,
    env: {
      ONSALE_DATABASE_URL: "postgres://nobody@127.0.0.1:1/nothing",
      ONSALE_DATABASE_CONNECT_LIMIT: "10 millis",
      ONSALE_DATABASE_POOL: String(pool),
      ONSALE_OPERATIONS_PORT: "0",
      ONSALE_ORGANISER_KEY: "organiser-key-of-a-test",
      ONSALE_SMTP_URL: "smtp://127.0.0.1:1",
      ONSALE_SANDBOX_URL: "http://127.0.0.1:1",
      ONSALE_SANDBOX_SECRET: "secret-of-a-test",
      ONSALE_SANDBOX_WEBHOOK_SECRET: "webhook-secret-of-a-test"
    },
    stdin: "ignore",
    forceKillAfter: "5 seconds"
  })
  const output = yield* Stream.mkString(Stream.decodeText(handle.all))
  return { code: Number(yield* handle.exitCode), output }
}, Effect.scoped)

for (const owner of Object.keys(programs) as ReadonlyArray<PoolOwner>) {
  const least = leastConnections[owner]
  it.live(`${programs[owner].join(" ")} refuses ${least - 1} connections, and takes ${least}`, () =>
    Effect.gen(function* () {
      const [refused, taken] = yield* Effect.all([started(owner, least - 1), started(owner, least)], {
        concurrency: 2
      })
      assert.notStrictEqual(refused.code, 0)
      assert.include(refused.output, `ONSALE_DATABASE_POOL is ${least - 1}`)
      assert.include(refused.output, `needs ${least} connections at least`)
      assert.notInclude(taken.output, "ONSALE_DATABASE_POOL")
      assert.include(taken.output, "no database answers")
    }).pipe(Effect.provide(NodeServices.layer))
  )
}
