/** One trace, and one correlation id in the logs, of a purchase over four processes of as many roles. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Hold } from "@onsale/contracts/http/HoldsApi"
import { Order } from "@onsale/contracts/http/OrdersApi"
import { pollUntil } from "@onsale/testing/Poll"
import { TestDatabase } from "@onsale/testing/PostgresFixture"
import { Effect, FileSystem, Redacted, Schema, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { createServer } from "node:net"
import { fileURLToPath } from "node:url"
import { SMTPServer } from "smtp-server"
import * as SandboxProcess from "../../src/SandboxProcess.ts"
import * as HttpCall from "./HttpCall.ts"
import * as OtlpCollector from "./OtlpCollector.ts"
import * as SeatsioChart from "./SeatsioChart.ts"
import { organiserKey } from "./Service.ts"
import * as Shop from "./Shop.ts"

const root = fileURLToPath(new URL("../../../../", import.meta.url))
const deadline = "90 seconds"

const freePort = Effect.callback<number>((resume) => {
  const server = createServer()
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    server.close(() => resume(Effect.succeed(port)))
  })
})

const mailServer = Effect.gen(function* () {
  const mails: Array<string> = []
  const server = new SMTPServer({
    disabledCommands: ["AUTH", "STARTTLS"],
    disableReverseLookup: true,
    closeTimeout: 100,
    onData: (stream, _, done) => {
      const chunks: Array<Buffer> = []
      stream.on("data", (chunk: Buffer) => chunks.push(chunk))
      stream.on("end", () => {
        mails.push(Buffer.concat(chunks).toString("utf8"))
        done()
      })
    }
  })
  server.on("error", () => undefined)
  const port = yield* Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      const listener = server.listen(0, "127.0.0.1", () => {
        const address = listener.address()
        resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
      })
    }),
    () => Effect.callback<void>((resume) => server.close(() => resume(Effect.void)))
  )
  return { url: `smtp://127.0.0.1:${port}`, mails: mails as ReadonlyArray<string> }
})

/** Starts a role, waits until it is ready, and keeps what it logs. */
const role = Effect.fnUntraced(function* (script: string, env: Readonly<Record<string, string>>) {
  const operations = yield* freePort
  const lines: Array<string> = []
  const handle = yield* ChildProcess.make(process.execPath, [`${root}${script}`], {
    extendEnv: true,
    env: {
      ...env,
      ONSALE_OPERATIONS_PORT: String(operations),
      ONSALE_RUNNER_HOST: "127.0.0.1",
      ONSALE_RUNNER_LISTEN: "127.0.0.1",
      ONSALE_RUNNER_PORT: String(yield* freePort)
    },
    stdin: "ignore",
    forceKillAfter: "20 seconds"
  })
  yield* handle.all.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.runForEach((line) => Effect.sync(() => lines.push(line))),
    Effect.ignore,
    Effect.forkScoped
  )
  yield* pollUntil(
    HttpCall.send(`http://127.0.0.1:${operations}`, { path: "/readyz" }).pipe(
      Effect.map(({ status }) => status),
      Effect.orElseSucceed(() => 0)
    ),
    (status) => status === 200,
    { deadline }
  ).pipe(Effect.mapError(() => new Error(`${script} was not ready:\n${lines.join("\n")}`)))
  return { lines: lines as ReadonlyArray<string> }
})

const Line = Schema.fromJsonString(
  Schema.Struct({
    role: Schema.optionalKey(Schema.String),
    correlationId: Schema.optionalKey(Schema.String),
    trace_id: Schema.optionalKey(Schema.String)
  })
)
const decodeLine = Schema.decodeUnknownOption(Line)

const world = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped({ prefix: "onsale-trace-" })
  const { url: database } = yield* TestDatabase
  const collector = yield* OtlpCollector.start
  const mail = yield* mailServer
  const port = yield* freePort
  const secret = "sandbox-secret-of-the-trace"
  const sandbox = yield* SandboxProcess.start({
    ledger: `${directory}/ledger.jsonl`,
    secret: Redacted.make(secret),
    webhookUrl: `http://127.0.0.1:${port}/api/v1/webhooks/sandbox`,
    webhookSecret: Redacted.make("webhook-secret-of-the-trace")
  })
  const env = {
    ONSALE_DATABASE_URL: Redacted.value(database),
    ONSALE_ORGANISER_KEY: organiserKey,
    ONSALE_SANDBOX_URL: sandbox,
    ONSALE_SANDBOX_SECRET: secret,
    ONSALE_SANDBOX_WEBHOOK_SECRET: "webhook-secret-of-the-trace",
    ONSALE_SMTP_URL: mail.url,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    // Only who asks for it is traced.
    OTEL_TRACES_SAMPLER_ARG: "0"
  }
  const [booking, payment, notification, gateway] = yield* Effect.all(
    [
      role("apps/runner/src/booking.ts", env),
      role("apps/runner/src/payment.ts", env),
      role("apps/runner/src/notification.ts", env),
      role("apps/gateway/src/main.ts", { ...env, PORT: String(port), ONSALE_HOST: "127.0.0.1" })
    ],
    { concurrency: 2 }
  )
  return {
    shop: Shop.at(`http://127.0.0.1:${port}`),
    collector,
    mail,
    logs: { booking, payment, notification, gateway }
  }
})

describe("A purchase", () => {
  it.live(
    "is one trace from the request to the mail, and its correlation id stands in the logs of all",
    () =>
      Effect.gen(function* () {
        const { collector, logs, mail, shop } = yield* world
        const venue = yield* shop.importPlan("seatsio", SeatsioChart.make({ seats: 100 }))
        const event = yield* shop.openEvent(venue)
        const traceId = "0af7651916cd43dd8448eb211c80319c"
        const correlation = "purchase-of-the-trace"
        const headers = (traceparent: string) => ({
          "x-correlation-id": correlation,
          traceparent,
          "idempotency-key": Shop.newKey()
        })
        const traced = `00-${traceId}-b7ad6b7169203331-01`
        const buy = Effect.fnUntraced(function* (traceparent: string) {
          const hold = yield* Effect.flatMap(
            shop.send({
              path: shop.api(`/events/${event.id}/holds`),
              headers: headers(traceparent),
              body: { bestAvailable: { quantity: 2 } }
            }),
            Shop.expect(201, Hold)
          )
          const reply = yield* shop.send({
            path: shop.api("/orders"),
            headers: headers(traceparent),
            body: {
              holdId: hold.id,
              customer: { name: "Ada Lovelace", email: "ada@example.org" },
              payment: { method: "tok_ok" }
            }
          })
          yield* Shop.expect(201, Order)(reply)
          return reply
        })
        const untraced = "1af7651916cd43dd8448eb211c80319d"
        yield* buy(`00-${untraced}-b7ad6b7169203331-00`)
        const answer = yield* buy(traced)
        assert.match(String(answer.headers["traceparent"]), new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`))
        assert.strictEqual(answer.headers["x-correlation-id"], correlation)

        yield* pollUntil(
          Effect.sync(() => mail.mails),
          ({ length }) => length >= 2,
          { deadline }
        )
        for (const text of mail.mails) assert.match(text, /^X-Correlation-ID: purchase-of-the-trace\r$/m)

        const spans = yield* pollUntil(
          Effect.sync(() => collector.spans.filter((span) => span.traceId === traceId)),
          (all) =>
            all.some(({ name }) => name.startsWith("job ")) &&
            all.some(({ name }) => name === "Payment.capture") &&
            all.filter(({ service }) => service === "onsale-gateway").length > 3,
          { deadline }
        )
        const byId = new Map(spans.map((span) => [span.spanId, span]))
        /** Its ancestors, itself first, up to the client's. */
        const chain = (name: string): ReadonlyArray<string> => {
          const found: Array<string> = []
          for (
            let span = spans.find((one) => one.name === name);
            span !== undefined;
            span = byId.get(span.parentSpanId ?? "")
          )
            found.push(`${span.service} ${span.name}`)
          return found
        }
        const posts = (path: string) => `onsale-gateway POST /api/v1/${path}`
        assert.deepEqual(
          [chain("Inventory.Execute").slice(0, 2), chain("Inventory.Execute").at(-1)],
          [["onsale-booking Inventory.Execute", "onsale-gateway Inventory.batch"], posts("events/{id}/holds")]
        )
        const capture = chain("Payment.capture")
        assert.deepEqual([capture[0], capture.at(-1)], ["onsale-payment Payment.capture", posts("orders")])
        assert.include(capture, "onsale-booking Order.place")
        const job = chain(spans.find(({ name }) => name.startsWith("job "))?.name ?? "")
        assert.match(job[0] ?? "", /^onsale-notification job /)
        assert.strictEqual(job.at(-1), posts("orders"))
        assert.include(
          spans.map(({ service, name }) => `${service} ${name}`),
          "onsale-notification projection notifications.booking"
        )
        assert.sameMembers(
          [...new Set(spans.map(({ service }) => service))],
          ["onsale-gateway", "onsale-booking", "onsale-payment", "onsale-notification"]
        )
        assert.deepEqual(
          collector.spans.filter((span) => span.traceId === untraced),
          [],
          "whoever asks not to be traced is not"
        )

        for (const [name, { lines }] of Object.entries(logs)) {
          const said = lines.flatMap((line) => {
            const decoded = decodeLine(line)
            return decoded._tag === "Some" ? [decoded.value] : []
          })
          const ours = said.filter(({ correlationId }) => correlationId === correlation)
          assert.isNotEmpty(ours, `${name} logs the correlation id:\n${lines.join("\n")}`)
          assert.isTrue(
            ours.every(({ role }) => role === name),
            name
          )
          assert.include(
            ours.map(({ trace_id }) => trace_id),
            traceId,
            `${name} logs the trace`
          )
        }
      }).pipe(Effect.scoped, Effect.provide([TestDatabase.layer("migrated"), NodeServices.layer])),
    240_000
  )
})
