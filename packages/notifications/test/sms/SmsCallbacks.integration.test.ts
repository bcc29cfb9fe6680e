import { assert, layer } from "@effect/vitest"
import { pollUntil } from "@onsale/testing/Poll"
import { layerDatabase } from "@onsale/testing/PostgresFixture"
import { Clock, ConfigProvider, Deferred, Effect, Fiber, Layer, Result } from "effect"
import { SqlClient } from "effect/sql"
import { createHmac, randomBytes } from "node:crypto"
import twilio from "twilio"
import { MessageStore } from "../../src/MessageStore.ts"
import { NoticeJobs } from "../../src/NoticeJobs.ts"
import { SmsCallbacks } from "../../src/sms/SmsCallbacks.ts"
import { Suppressions } from "../../src/Suppressions.ts"

const tokens = ["token-of-the-first-account", "token/of the second"] as const
const account = "AC00000000000000000000000000000001"
const providerUrls = tokens.map(
  (token) => `twilio://${account}:${encodeURIComponent(token)}@api.twilio.com?from=%2B15550001111`
)
const settings = (more: Record<string, string>) => ConfigProvider.layer(ConfigProvider.fromUnknown(more))
const publicUrl = { ONSALE_PUBLIC_URL: "https://tickets.example/" }
const callbackUrl = "https://tickets.example/api/v1/webhooks/sms/twilio"

const callbacks = SmsCallbacks.layer.pipe(Layer.provideMerge(Suppressions.layer))
const services = Layer.merge(callbacks, MessageStore.layer.pipe(Layer.provide(NoticeJobs.layer))).pipe(
  Layer.provide(settings({ ...publicUrl, ONSALE_SMS_PROVIDERS: providerUrls.join(",") })),
  Layer.provideMerge(layerDatabase)
)

type Form = Readonly<Record<string, string>>

/** As Twilio documents it: the URL, then the parameters by name, each name before its value; HMAC-SHA1, base64. */
const signatureOf = (form: Form, token: string = tokens[0], url = callbackUrl) =>
  createHmac("sha1", token)
    .update(
      url +
        Object.keys(form)
          .sort()
          .map((name) => name + form[name])
          .join("")
    )
    .digest("base64")

const statusOf = (sid: string, status: string, more: Form = {}): Form => ({
  AccountSid: account,
  ApiVersion: "2010-04-01",
  From: "+15550001111",
  MessageSid: sid,
  MessageStatus: status,
  SmsSid: sid,
  SmsStatus: status,
  To: "+4930901820",
  ...more
})

const post = Effect.fnUntraced(function* (form: Form, signature: string | undefined = signatureOf(form)) {
  const { receive } = yield* SmsCallbacks
  yield* receive(Buffer.from(new URLSearchParams(form).toString()), signature)
})

/** A message that Twilio has taken. */
const sent = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const sid = `SM${randomBytes(16).toString("hex")}`
  yield* sql`INSERT INTO notifications.messages (id, notice, channel, recipient, sent_at, provider, reference)
    VALUES (${`m:${sid}`}::text, '{}'::json, 'sms', '+4930901820', now(), 'api.twilio.com', ${sid}::text)`
  return sid
})

/** A message that Twilio has taken, and whose answer is not on record before `answered`. */
const sending = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const messages = yield* MessageStore
  const sid = `SM${randomBytes(16).toString("hex")}`
  yield* sql`INSERT INTO notifications.messages (id, notice, channel, recipient)
    VALUES (${`m:${sid}`}::text, '{}'::json, 'sms', '+4930901820')`
  const answered = Effect.flatMap(Clock.currentTimeMillis, (atMs) =>
    messages.record(
      `m:${sid}`,
      {
        tries: [{ provider: "api.twilio.com", atMs, outcome: "sent", reason: null }],
        result: Result.succeed({ provider: "api.twilio.com", reference: sid })
      },
      { channel: "sms", recipient: "+4930901820", subject: "" }
    )
  )
  return { sid, answered }
})

const recorded = Effect.fnUntraced(function* (sid: string) {
  const sql = yield* SqlClient.SqlClient
  const attempts = yield* sql<{
    readonly outcome: string
    readonly reason: string | null
    readonly provider: string
  }>`
    SELECT outcome, reason, provider FROM notifications.attempts WHERE message_id = ${`m:${sid}`}::text ORDER BY n`
  const [message] = yield* sql<{ readonly bounced: boolean }>`
    SELECT bounced_at IS NOT NULL AS bounced FROM notifications.messages WHERE id = ${`m:${sid}`}::text`
  return {
    attempts: attempts.map(({ outcome, provider, reason }) => [outcome, reason, provider]),
    bounced: message?.bounced
  }
})

const unharmed = { attempts: [], bounced: false }

layer(services, { excludeTestServices: true })("Callbacks of Twilio", (it) => {
  it.effect("the signature of these tests is that of Twilio's own SDK", () =>
    Effect.sync(() => {
      const form = statusOf("SM1", "delivered", { ErrorMessage: "with spaces & signs" })
      const signature = twilio.getExpectedTwilioSignature(tokens[0], callbackUrl, form)
      assert.strictEqual(signatureOf(form), signature)
      assert.isTrue(twilio.validateRequest(tokens[0], signatureOf(form), callbackUrl, form))
    })
  )

  it.effect("delivered, undelivered and failed are on record; what comes between says nothing new", () =>
    Effect.gen(function* () {
      const delivered = yield* sent
      for (const status of ["queued", "sent", "delivered"]) yield* post(statusOf(delivered, status))
      assert.deepStrictEqual(yield* recorded(delivered), {
        attempts: [["sent", "delivered", "api.twilio.com"]],
        bounced: false
      })
      const undelivered = yield* sent
      yield* post(statusOf(undelivered, "undelivered", { ErrorCode: "30003" }))
      assert.deepStrictEqual(yield* recorded(undelivered), {
        attempts: [["refused", "undelivered 30003", "api.twilio.com"]],
        bounced: true
      })
      const failed = yield* sent
      yield* post(statusOf(failed, "failed"))
      assert.deepStrictEqual(yield* recorded(failed), {
        attempts: [["refused", "failed", "api.twilio.com"]],
        bounced: true
      })
    })
  )

  it.effect("a repeat is harmless, also while the first is being written down", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const sid = yield* sent
      const form = statusOf(sid, "undelivered", { ErrorCode: "30003" })
      const written = yield* Deferred.make<void>()
      const repeated = yield* Deferred.make<void>()
      // The first, by hand, as slow as it takes for the second to come.
      const first = yield* Effect.gen(function* () {
        yield* sql`SELECT FROM notifications.messages WHERE reference = ${sid}::text FOR UPDATE`
        yield* sql`INSERT INTO notifications.attempts (message_id, at, provider, outcome, reason)
          VALUES (${`m:${sid}`}::text, now(), 'api.twilio.com', 'refused', 'undelivered 30003')`
        yield* Deferred.succeed(written, undefined)
        yield* Deferred.await(repeated)
      }).pipe(sql.withTransaction, Effect.forkChild)
      yield* Deferred.await(written)
      const second = yield* Effect.forkChild(post(form))
      yield* pollUntil(
        sql`SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        ({ length }) => length > 0,
        { deadline: "30 seconds" }
      )
      yield* Deferred.succeed(repeated, undefined)
      yield* Fiber.join(first)
      yield* Fiber.join(second)
      yield* post(form)
      assert.strictEqual((yield* recorded(sid)).attempts.length, 1)
    })
  )

  it.effect("a number that nobody has is not written to any more; one that was switched off is", () =>
    Effect.gen(function* () {
      const suppressions = yield* Suppressions
      const off = "+4930901821"
      yield* post(statusOf(yield* sent, "undelivered", { ErrorCode: "30003", To: off }))
      assert.deepStrictEqual(yield* suppressions.list(off), [])
      const gone = "+4930901822"
      yield* post(statusOf(yield* sent, "undelivered", { ErrorCode: "30005", To: gone }))
      const [suppressed] = yield* suppressions.list(gone)
      assert.deepInclude(suppressed, { provider: "twilio", reason: "undelivered 30005" })
    })
  )

  it.effect("of several accounts each signs with its own token", () =>
    Effect.gen(function* () {
      const sid = yield* sent
      const form = statusOf(sid, "delivered")
      yield* post(form, signatureOf(form, tokens[1]))
      assert.strictEqual((yield* recorded(sid)).attempts.length, 1)
    })
  )

  it.effect("what is not signed by Twilio, or not for this address, changes nothing", () =>
    Effect.gen(function* () {
      const sid = yield* sent
      const form = statusOf(sid, "failed", { ErrorCode: "30005", To: "+4930901823" })
      const wrong = [
        "",
        "x",
        signatureOf(form, "another token"),
        signatureOf(form, tokens[0], "https://elsewhere.example/api/v1/webhooks/sms/twilio"),
        signatureOf({ ...form, MessageStatus: "delivered" }),
        signatureOf(form).toLowerCase()
      ]
      for (const signature of wrong) {
        assert.strictEqual((yield* Effect.flip(post(form, signature)))._tag, "SmsCallbackRejected", signature)
      }
      const { receive } = yield* SmsCallbacks
      const body = Buffer.from(new URLSearchParams(form).toString())
      assert.strictEqual((yield* Effect.flip(receive(body, undefined)))._tag, "SmsCallbackRejected")
      assert.deepStrictEqual(yield* recorded(sid), unharmed)
      assert.deepStrictEqual(yield* (yield* Suppressions).list("+4930901823"), [])
    })
  )

  it.effect("what is signed and of no message of ours is taken, and what is no status is not", () =>
    Effect.gen(function* () {
      yield* post(statusOf("SM00000000000000000000000000000000", "delivered"))
      const incoming: Form = { From: "+4930901820", Body: "STOP" }
      assert.strictEqual((yield* Effect.flip(post(incoming)))._tag, "SmsCallbackRejected")
    })
  )

  it.effect("what is signed and cannot be stored, or has no end, is no status: nothing of it is", () =>
    Effect.gen(function* () {
      const sid = yield* sent
      const suppressions = yield* Suppressions
      const gone = { ErrorCode: "30005" }
      const wrong = [
        statusOf(sid, "undelivered", { ...gone, To: "+4930901824\0" }),
        statusOf(sid, "undelivered", { ...gone, To: "+".padEnd(65, "4") }),
        statusOf(sid, "undelivered", { ErrorCode: "1e9" }),
        statusOf(sid, "undelivered", { ErrorCode: "1".repeat(10) }),
        statusOf(sid, "un\0delivered"),
        statusOf("SM\0", "delivered"),
        { From: "+4930901820", Body: "STOP" }
      ]
      const before = yield* suppressions.list()
      for (const form of wrong) {
        assert.deepInclude(yield* Effect.flip(post(form)), { _tag: "SmsCallbackRejected", fault: "body" })
      }
      assert.deepInclude(yield* Effect.flip(post(statusOf(sid, "delivered"), "x")), { fault: "signature" })
      assert.deepStrictEqual(yield* recorded(sid), unharmed)
      assert.deepStrictEqual(yield* suppressions.list(), before)
    })
  )

  it.effect("a status that comes before its message is on record is on record with it, once", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const failed = yield* sending
      const form = statusOf(failed.sid, "undelivered", { ErrorCode: "30003" })
      for (const again of [form, form]) yield* post(again)
      assert.deepStrictEqual(yield* recorded(failed.sid), unharmed)
      yield* failed.answered
      const expected = {
        attempts: [
          ["sent", null, "api.twilio.com"],
          ["refused", "undelivered 30003", "api.twilio.com"]
        ],
        bounced: true
      }
      assert.deepStrictEqual(yield* recorded(failed.sid), expected)
      yield* post(form)
      assert.deepStrictEqual(yield* recorded(failed.sid), expected)
      assert.deepStrictEqual(
        yield* sql`SELECT FROM notifications.early_sms_statuses WHERE reference = ${failed.sid}::text`,
        []
      )
    })
  )

  it.effect("a status that comes while its message is being put on record waits, and is not lost", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const { answered, sid } = yield* sending
      const written = yield* Deferred.make<void>()
      const told = yield* Deferred.make<void>()
      const recording = yield* Effect.gen(function* () {
        yield* answered
        yield* Deferred.succeed(written, undefined)
        yield* Deferred.await(told)
      }).pipe(sql.withTransaction, Effect.forkChild)
      yield* Deferred.await(written)
      const telling = yield* Effect.forkChild(post(statusOf(sid, "delivered")))
      yield* pollUntil(
        Effect.map(
          sql`SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
          ({ length }) => length > 0 || telling.pollUnsafe() !== undefined
        ),
        (isOver) => isOver,
        { deadline: "30 seconds" }
      )
      yield* Deferred.succeed(told, undefined)
      yield* Fiber.join(recording)
      yield* Fiber.join(telling)
      assert.deepStrictEqual((yield* recorded(sid)).attempts, [
        ["sent", null, "api.twilio.com"],
        ["sent", "delivered", "api.twilio.com"]
      ])
    })
  )

  it.effect("what is of no message is forgotten after some minutes, and of many the oldest", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const early = (prefix: string) =>
        Effect.map(
          sql`SELECT 1 FROM notifications.early_sms_statuses WHERE reference LIKE ${`${prefix}%`}::text`,
          ({ length }) => length
        )
      yield* sql`INSERT INTO notifications.early_sms_statuses (reference, arrived, reason, at)
        VALUES ('OLD', true, 'delivered', now() - interval '16 minutes')`
      yield* post(statusOf("SM0000000000000000000000000000000a", "delivered"))
      assert.strictEqual(yield* early("OLD"), 0)
      yield* sql`INSERT INTO notifications.early_sms_statuses (reference, arrived, reason)
        SELECT 'MANY' || i, true, 'delivered' FROM generate_series(1, 11000) i`
      yield* post(statusOf("SM0000000000000000000000000000000b", "delivered"))
      assert.isAtMost(yield* early("MANY"), 10_000)
      assert.strictEqual(yield* early("SM0000000000000000000000000000000b"), 1)
      yield* sql`DELETE FROM notifications.early_sms_statuses`
    })
  )

  it.effect.each([
    ["an account", publicUrl],
    ["an address that is ours", { ONSALE_SMS_PROVIDERS: providerUrls[0] ?? "" }]
  ] as const)("without %s nothing is taken", ([, config]) =>
    Effect.gen(function* () {
      const sid = yield* sent
      const error = yield* Effect.flip(post(statusOf(sid, "delivered"))).pipe(
        Effect.provide(Layer.fresh(callbacks).pipe(Layer.provide(settings(config))))
      )
      assert.strictEqual(error._tag, "SmsCallbackRejected")
      assert.deepStrictEqual(yield* recorded(sid), unharmed)
    })
  )
})
