import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { SandboxSignature, SandboxWebhook } from "@onsale/contracts/payments/Sandbox"
import { Context, Effect, Fiber, FileSystem, Layer, Redacted, Schema } from "effect"
import { createHmac } from "node:crypto"
import { createServer } from "node:http"
import { Sandbox, type SandboxOptions } from "../src/Sandbox.ts"
import * as SandboxClient from "./SandboxClient.ts"

const webhookSecret = "webhook-secret"

const temporary = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  return `${yield* fs.makeTempDirectoryScoped()}/ledger.jsonl`
}).pipe(Effect.provide(NodeFileSystem.layer))

/** Runs the sandbox in this process until the scope ends. */
const start = Effect.fnUntraced(function* (options: Omit<SandboxOptions, "secret">) {
  const context = yield* Layer.build(
    Sandbox.layer({ secret: Redacted.make(SandboxClient.secret), ...options })
  )
  return SandboxClient.make(Context.get(context, Sandbox).url)
})

interface Received {
  readonly signature: string
  readonly body: string
}

/** A merchant's endpoint that answers with `statuses` in turn and then 200; `received` grows as webhooks come. */
const receiver = (statuses: ReadonlyArray<number> = []) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly url: string; readonly received: Array<Received>; readonly close: () => void }>(
      (resume) => {
        const received: Array<Received> = []
        const server = createServer((request, response) => {
          let body = ""
          request.on("data", (chunk) => (body += chunk))
          request.on("end", () => {
            const status = statuses[received.length] ?? 200
            received.push({ signature: String(request.headers["sandbox-signature"]), body })
            response.writeHead(status).end("thanks")
          })
        })
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          const port = typeof address === "object" && address !== null ? address.port : 0
          const close = () => {
            server.closeAllConnections()
            server.close()
          }
          resume(Effect.succeed({ url: `http://127.0.0.1:${port}/webhooks/sandbox`, received, close }))
        })
      }
    ),
    ({ close }) => Effect.sync(close)
  )

const webhooks = (url: string, changes: "all" | "asynchronous" = "all") => ({
  url,
  secret: Redacted.make(webhookSecret),
  changes
})

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(SandboxWebhook))
const decodeSignature = Schema.decodeUnknownSync(SandboxSignature)

const types = (received: ReadonlyArray<Received>) => received.map(({ body }) => decode(body).type).toSorted()

describe("Sandbox", () => {
  it.live(
    "tells every change by a signed webhook",
    () =>
      Effect.gen(function* () {
        const { url, received } = yield* receiver()
        const client = yield* start({ ledger: yield* temporary, webhooks: webhooks(url) })
        const payment = SandboxClient.ok(yield* client.create("a", "tok_ok"))
        yield* client.capture("b", payment.id)
        yield* client.refund("c", payment.id, 1_000)
        yield* client.create("d", "tok_declined")
        yield* client.void(SandboxClient.ok(yield* client.create("e", "tok_ok")).id)
        yield* SandboxClient.eventually(
          Effect.map(client.ledger, SandboxClient.ok),
          (ledger) => received.length === 6 && ledger.webhooks.undelivered === 0
        )
        assert.deepStrictEqual(types(received), [
          "payment.authorised",
          "payment.authorised",
          "payment.captured",
          "payment.failed",
          "payment.refunded",
          "payment.voided"
        ])
        for (const { signature, body } of received) {
          const [, seconds, , hex] = decodeSignature(signature)
          assert.strictEqual(
            hex,
            createHmac("sha256", webhookSecret).update(`${seconds}.${body}`).digest("hex")
          )
          const { type, data } = decode(body)
          if (type === "payment.captured")
            assert.deepInclude(data, { id: payment.id, captured: 1_000, refunded: 0 })
        }
      }).pipe(Effect.scoped),
    60_000
  )

  it.live(
    "asks the buyer of tok_3ds, and tells the merchant only what it cannot know",
    () =>
      Effect.gen(function* () {
        const { url, received } = yield* receiver()
        const client = yield* start({ ledger: yield* temporary, webhooks: webhooks(url, "asynchronous") })
        const approved = SandboxClient.ok(yield* client.create("a", "tok_3ds"))
        const declined = SandboxClient.ok(yield* client.create("b", "tok_3ds"))
        yield* client.create("c", "tok_ok")
        const page = yield* Effect.promise(async () => (await fetch(approved.nextAction?.url ?? "")).text())
        assert.include(page, `action="/3ds/${approved.id}"`)
        assert.strictEqual(
          SandboxClient.code(yield* client.capture("d", approved.id)),
          "payment_not_capturable"
        )
        assert.strictEqual(SandboxClient.ok(yield* client.approve(approved.id, true)).status, "authorised")
        assert.strictEqual(SandboxClient.ok(yield* client.approve(approved.id, false)).status, "authorised")
        assert.strictEqual(SandboxClient.ok(yield* client.approve(declined.id, false)).status, "failed")
        yield* SandboxClient.eventually(
          Effect.map(client.ledger, SandboxClient.ok),
          (ledger) => received.length === 2 && ledger.webhooks.undelivered === 0
        )
        assert.deepStrictEqual(types(received), ["payment.authorised", "payment.failed"])
        assert.strictEqual(
          SandboxClient.ok(yield* client.payment(declined.id)).failureCode,
          "authentication_failed"
        )
      }).pipe(Effect.scoped),
    60_000
  )

  it.live(
    "delivers a webhook again until it is taken, under the same id",
    () =>
      Effect.gen(function* () {
        const { url, received } = yield* receiver([500, 503])
        const client = yield* start({ ledger: yield* temporary, webhooks: webhooks(url) })
        yield* client.create("a", "tok_late_0")
        yield* SandboxClient.eventually(
          Effect.map(client.ledger, SandboxClient.ok),
          (ledger) => received.length === 3 && ledger.webhooks.undelivered === 0
        )
        assert.strictEqual(new Set(received.map(({ body }) => decode(body).id)).size, 1)
      }).pipe(Effect.scoped),
    60_000
  )

  it.live(
    "delivers after a restart what the merchant missed before it",
    () =>
      Effect.gen(function* () {
        const ledger = yield* temporary
        const away = yield* receiver()
        away.close()
        yield* Effect.gen(function* () {
          const client = yield* start({ ledger, webhooks: webhooks(away.url) })
          yield* client.create("a", "tok_ok")
          yield* client.create("b", "tok_declined")
          assert.strictEqual(SandboxClient.ok(yield* client.ledger).webhooks.undelivered, 2)
        }).pipe(Effect.scoped)
        const { url, received } = yield* receiver()
        const client = yield* start({ ledger, webhooks: webhooks(url) })
        yield* SandboxClient.eventually(
          Effect.map(client.ledger, SandboxClient.ok),
          (ledger) => ledger.webhooks.undelivered === 0
        )
        assert.deepStrictEqual(types(received), ["payment.authorised", "payment.failed"])
      }).pipe(Effect.scoped),
    60_000
  )

  it.live(
    "answers 409 while the first call under a key runs, and frees the key when its caller goes",
    () =>
      Effect.gen(function* () {
        const client = yield* start({ ledger: yield* temporary })
        yield* client.faults({ rate: 1, kinds: ["timeout_before"], seed: 1 })
        const first = yield* Effect.forkChild(client.create("a", "tok_ok"))
        const asked = Effect.map(client.byKey("a"), SandboxClient.ok)
        yield* SandboxClient.eventually(asked, ({ inFlight }) => inFlight)
        yield* client.noFaults
        assert.strictEqual(SandboxClient.code(yield* client.create("a", "tok_ok")), "key_in_use")
        yield* Fiber.interrupt(first)
        yield* SandboxClient.eventually(asked, ({ inFlight }) => !inFlight)
        assert.strictEqual((yield* client.create("a", "tok_ok")).status, 201)
      }).pipe(Effect.scoped),
    60_000
  )

  it.live(
    "charges once however many ask at once",
    () =>
      Effect.gen(function* () {
        const client = yield* start({ ledger: yield* temporary })
        const answers = yield* Effect.all(
          Array.from({ length: 50 }, () => client.create("a", "tok_ok")),
          { concurrency: "unbounded" }
        )
        const payments = answers.filter(({ status }) => status === 201)
        assert.strictEqual(new Set(payments.map(({ text }) => text)).size, 1)
        assert.strictEqual(payments.filter(({ replayed }) => !replayed).length, 1)
        for (const answer of answers) {
          if (answer.status !== 201)
            assert.deepStrictEqual([answer.status, SandboxClient.code(answer)], [409, "key_in_use"])
        }
        assert.strictEqual(SandboxClient.ok(yield* client.ledger).payments.length, 1)
      }).pipe(Effect.scoped),
    60_000
  )

  it.live(
    "charges on faults after a call, and never on faults before it",
    () =>
      Effect.gen(function* () {
        const client = yield* start({ ledger: yield* temporary, hold: "50 millis" })
        for (const kind of [
          "error_before",
          "error_after",
          "timeout_before",
          "timeout_after",
          "reset",
          "slow"
        ] as const) {
          yield* client.faults({ rate: 1, kinds: [kind], seed: 3, slowMs: 1 })
          const answer = yield* Effect.option(client.create(kind, "tok_ok"))
          const status = answer._tag === "Some" ? answer.value.status : 0
          assert.strictEqual(
            status,
            { error_before: 500, error_after: 500, slow: 201 }[kind as string] ?? 0,
            kind
          )
          const { struck } = SandboxClient.ok(yield* client.noFaults)
          assert.strictEqual(
            Object.values(struck).reduce((sum, n) => sum + n, 0),
            0
          )
          const charged = SandboxClient.ok(yield* client.byKey(kind)).data.length
          if (kind !== "reset") assert.strictEqual(charged, kind.endsWith("before") ? 0 : 1, kind)
          const again = SandboxClient.ok(yield* client.create(kind, "tok_ok"))
          assert.strictEqual(again.status, "authorised")
        }
        assert.strictEqual(SandboxClient.ok(yield* client.ledger).payments.length, 6)
      }).pipe(Effect.scoped),
    60_000
  )

  it.live(
    "strikes the same calls under the same seed",
    () =>
      Effect.gen(function* () {
        const client = yield* start({ ledger: yield* temporary, hold: "1 millis" })
        const round = (name: string) =>
          Effect.gen(function* () {
            yield* client.faults({ rate: 0.5, kinds: ["error_before", "error_after", "reset"], seed: 11 })
            return yield* Effect.forEach(
              Array.from({ length: 40 }, (_, n) => n),
              (n) =>
                Effect.map(Effect.option(client.create(`${name}-${n}`, "tok_ok")), (answer) =>
                  answer._tag === "Some" ? answer.value.status : 0
                )
            )
          })
        const first = yield* round("first")
        assert.deepStrictEqual(yield* round("second"), first)
        assert.isTrue(first.includes(0) && first.includes(201) && first.includes(500))
      }).pipe(Effect.scoped),
    60_000
  )
})
