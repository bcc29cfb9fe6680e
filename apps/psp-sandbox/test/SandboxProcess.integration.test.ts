import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Option, Schema, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import * as SandboxClient from "./SandboxClient.ts"

const main = new URL("../src/main.ts", import.meta.url).pathname

const decodeReady = Schema.decodeUnknownSync(
  Schema.fromJsonString(Schema.Struct({ listening: Schema.String }))
)

/** Starts the sandbox on a free port and waits until it says where it listens. */
const start = Effect.fnUntraced(function* (ledger: string) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const handle = yield* spawner.spawn(
    ChildProcess.make(process.execPath, [main], {
      env: { PSP_LEDGER: ledger, PSP_SECRET: SandboxClient.secret, PSP_HOLD: "100 millis" },
      extendEnv: true,
      stderr: "inherit"
    })
  )
  const line = yield* handle.stdout.pipe(Stream.decodeText, Stream.splitLines, Stream.runHead)
  const url = decodeReady(Option.getOrThrow(line)).listening
  const kill = handle.kill({ killSignal: "SIGKILL" })
  return { client: SandboxClient.make(url), url, handle, kill }
})

const temporary = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  return `${yield* fs.makeTempDirectoryScoped()}/ledger.jsonl`
})

/** The port changes with a restart, and the buyer's page with it. */
const withoutPort = (text: string) => text.replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, "")

describe("Sandbox, as a process", () => {
  it.live(
    "keeps every payment through kill -9, whatever its token did",
    () =>
      Effect.gen(function* () {
        const path = yield* temporary
        const first = yield* start(path)
        const { client } = first
        const statuses = {
          tok_ok: 201,
          tok_declined: 402,
          tok_error: 500,
          tok_error_charged: 500,
          tok_3ds: 201,
          tok_late_3600: 201,
          tok_capture_error: 201,
          tok_capture_timeout: 201,
          tok_refund_error: 201
        }
        const answers = new Map<string, string>()
        for (const [token, status] of Object.entries(statuses)) {
          const answered = yield* client.create(token, token)
          assert.strictEqual(answered.status, status, token)
          assert.isFalse(answered.replayed)
          answers.set(token, answered.text)
        }
        yield* Effect.flip(client.create("tok_timeout", "tok_timeout"))
        const id = (key: string) =>
          Effect.map(client.byKey(key), (found) => SandboxClient.ok(found).data[0]?.id ?? "")

        assert.strictEqual((yield* id("tok_error")) === "", true)
        assert.strictEqual(
          SandboxClient.ok(yield* client.payment(yield* id("tok_error_charged"))).status,
          "authorised"
        )
        assert.strictEqual(
          SandboxClient.ok(yield* client.payment(yield* id("tok_timeout"))).status,
          "authorised"
        )

        const stubborn = yield* id("tok_capture_error")
        assert.strictEqual((yield* client.capture("c1", stubborn)).status, 500)
        assert.strictEqual(SandboxClient.ok(yield* client.payment(stubborn)).captured, 0)
        assert.strictEqual(SandboxClient.ok(yield* client.capture("c1", stubborn)).captured, 1_000)

        const silent = yield* id("tok_capture_timeout")
        yield* Effect.flip(client.capture("c2", silent, 600))
        assert.strictEqual(SandboxClient.ok(yield* client.payment(silent)).captured, 600)
        assert.isTrue((yield* client.capture("c2", silent, 600)).replayed)

        const refunding = yield* id("tok_refund_error")
        yield* client.capture("c3", refunding)
        assert.strictEqual((yield* client.refund("r1", refunding, 300)).status, 500)
        assert.strictEqual(SandboxClient.ok(yield* client.refund("r1", refunding, 300)).payment.refunded, 300)

        yield* client.void(yield* id("tok_ok"))
        const before = SandboxClient.ok(yield* client.ledger)
        yield* first.kill

        const second = yield* start(path)
        const after = SandboxClient.ok(yield* second.client.ledger)
        assert.strictEqual(
          withoutPort(JSON.stringify(after.payments)),
          withoutPort(JSON.stringify(before.payments))
        )
        for (const [token, text] of answers) {
          const again = yield* second.client.create(token, token)
          assert.strictEqual(withoutPort(again.text), withoutPort(text), token)
          assert.strictEqual(again.replayed, token !== "tok_error", token)
        }
        const refunded = yield* second.client.refund("r1", refunding, 300)
        assert.deepStrictEqual([refunded.status, refunded.replayed], [201, true])
        assert.strictEqual(
          SandboxClient.code(yield* second.client.refund("r1", refunding, 301)),
          "key_reused"
        )
        assert.strictEqual(
          SandboxClient.ok(yield* second.client.ledger).payments.length,
          before.payments.length
        )
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
    60_000
  )

  it.live(
    "has every payment it answered when it is killed in the middle of many",
    () =>
      Effect.gen(function* () {
        const path = yield* temporary
        const first = yield* start(path)
        const answered = new Map<string, string>()
        const asked = new Set<string>()
        const buyer = (lane: number) =>
          Effect.gen(function* () {
            for (let n = 0; ; n++) {
              const key = `${lane}-${n}`
              asked.add(key)
              answered.set(key, SandboxClient.ok(yield* first.client.create(key, "tok_ok")).id)
              if (answered.size === 400) yield* first.kill
            }
          }).pipe(Effect.catchTag("HttpClientError", () => Effect.void))
        yield* Effect.all(
          Array.from({ length: 16 }, (_, lane) => buyer(lane)),
          { concurrency: "unbounded" }
        )

        const second = yield* start(path)
        for (const [key, id] of answered) {
          assert.deepStrictEqual(
            SandboxClient.ok(yield* second.client.byKey(key)).data.map((payment) => payment.id),
            [id]
          )
        }
        // The others may be there or not, and after one more try each is there once.
        for (const key of asked) SandboxClient.ok(yield* second.client.create(key, "tok_ok"))
        const { payments } = SandboxClient.ok(yield* second.client.ledger)
        assert.deepStrictEqual(
          payments.map((payment) => payment.idempotencyKey).toSorted(),
          [...asked].toSorted()
        )
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
    60_000
  )

  it.live(
    "settles a late payment that it was killed over",
    () =>
      Effect.gen(function* () {
        const path = yield* temporary
        const first = yield* start(path)
        const payment = SandboxClient.ok(yield* first.client.create("late", "tok_late_1"))
        assert.strictEqual(payment.status, "processing")
        yield* first.kill
        const second = yield* start(path)
        yield* SandboxClient.eventually(
          Effect.map(second.client.payment(payment.id), SandboxClient.ok),
          ({ status }) => status === "authorised"
        )
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
    60_000
  )

  it.live(
    "refuses who does not know its key, and goes when it is told to",
    () =>
      Effect.gen(function* () {
        const { url, handle } = yield* start(yield* temporary)
        for (const authorization of [
          "",
          "Bearer wrong",
          `Bearer ${SandboxClient.secret}x`,
          SandboxClient.secret
        ]) {
          const response = yield* Effect.promise(() =>
            fetch(`${url}/v1/ledger`, { headers: { authorization } })
          )
          assert.strictEqual(response.status, 401)
        }
        yield* handle.kill({ killSignal: "SIGTERM" })
        assert.isFalse(yield* handle.isRunning)
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
    60_000
  )
})
