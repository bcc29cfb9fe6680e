/**
 * A gateway as a process of its own, without runners: for what it answers from the catalog alone. Nothing is copied or
 * looked after beside it, so that what is measured is what is asked.
 */
import { NodeHttpClient, NodeServices } from "@effect/platform-node"
import { Effect, type Redacted } from "effect"
import { HttpClient } from "effect/http"
import { ChildProcess } from "effect/process"
import { createServer } from "node:net"
import { pollUntil } from "../Poll.ts"

const main = new URL("../../../../apps/gateway/src/main.ts", import.meta.url).pathname
const readyLimit = "90 seconds"

/** A port of this machine that nobody listens on; somebody else may take it before it is used. */
const freePort: Effect.Effect<number> = Effect.callback((resume) => {
  const server = createServer()
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    server.close(() => resume(Effect.succeed(port)))
  })
})

/** Starts it on a migrated database, and waits until it answers searches; stopped with the scope. */
export const start = Effect.fn("GatewayProcess.start")(
  function* (databaseUrl: Redacted.Redacted) {
    const [port, operationsPort] = [yield* freePort, yield* freePort]
    const handle = yield* ChildProcess.make(process.execPath, [main], {
      extendEnv: true,
      env: {
        PORT: String(port),
        ONSALE_HOST: "127.0.0.1",
        ONSALE_OPERATIONS_PORT: String(operationsPort),
        ONSALE_ORGANISER_KEY: "nobody-organises-here",
        // Nobody pays here.
        ONSALE_SANDBOX_URL: "http://127.0.0.1:9",
        ONSALE_SANDBOX_SECRET: "bench",
        ONSALE_SANDBOX_WEBHOOK_SECRET: "bench",
        ONSALE_DATABASE_URL: databaseUrl
      },
      stdin: "ignore",
      stdout: "inherit",
      stderr: "inherit",
      forceKillAfter: "20 seconds"
    })
    const url = `http://127.0.0.1:${port}`
    const client = yield* HttpClient.HttpClient
    const status = client.get(`${url}/api/v1/search/events?q=ready`).pipe(
      Effect.map(({ status }) => status),
      Effect.orElseSucceed(() => 0)
    )
    yield* pollUntil(status, (is) => is === 200, { deadline: readyLimit })
    return { url, pid: Number(handle.pid) }
  },
  Effect.provide([NodeServices.layer, NodeHttpClient.layerUndici])
)
