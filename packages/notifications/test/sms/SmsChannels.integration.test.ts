import { assert, describe, it } from "@effect/vitest"
import { ChannelServer, suite } from "@onsale/testing/ChannelSuite"
import * as ProviderServer from "@onsale/testing/ProviderServer"
import { Duration, Effect, Layer, Redacted } from "effect"
import type { ChannelMessage } from "../../src/Channel.ts"
import * as HttpSmsProvider from "../../src/sms/HttpSmsProvider.ts"
import { normalised } from "../../src/sms/PhoneNumber.ts"
import * as TwilioProvider from "../../src/sms/TwilioProvider.ts"

const token = "s3cret-auth-token-0123456789"
const timeouts = { connect: 1_000, answer: 1_500 }
const account = "AC00000000000000000000000000000001"

let last = 0
const numbers = new Map<string, string>()
const numberOf = (id: string) => {
  const known = numbers.get(id) ?? `+4930${String(++last).padStart(8, "0")}`
  numbers.set(id, known)
  return known
}
const message = (id: string, text = "Your tickets"): ChannelMessage => ({
  id,
  recipient: { channel: "sms", phone: numberOf(id) },
  rendered: { subject: "", text: "", html: "", sms: text, push: { title: "", body: "" } },
  attachments: []
})

const twilioError = (code: number, text: string) =>
  JSON.stringify({ code, message: text, status: 400, more_info: "" })

const makeTwilio = (refusal = 21212) =>
  Effect.gen(function* () {
    const server = yield* ProviderServer.make({
      reply: (what) => {
        if (what === "taken")
          return { status: 201, body: JSON.stringify({ sid: `SM${++last}`, status: "queued" }) }
        if (what === "refuse") return { status: 400, body: twilioError(refusal, `no, ${token}`) }
        return { status: 429, headers: { "retry-after": "7" }, body: twilioError(20429, "too many") }
      }
    })
    const provider = yield* TwilioProvider.make({
      accountSid: account,
      authToken: Redacted.make(token),
      baseUrl: `http://127.0.0.1:${server.port}`,
      name: "twilio",
      from: "+15550001111",
      statusCallback: "https://tickets.example/api/v1/webhooks/sms/twilio",
      timeouts
    })
    return { provider, server }
  })

suite(
  "SMS by Twilio",
  Layer.effect(
    ChannelServer,
    Effect.map(makeTwilio(), ({ provider, server }) =>
      ChannelServer.of({
        provider,
        message,
        next: (command) => Effect.sync(() => void server.next.push(command)),
        received: Effect.sync(() =>
          server.received.map(({ body }) => {
            const form = new URLSearchParams(body.toString())
            return `${form.get("To")} ${form.get("Body")}`
          })
        ),
        down: server.down,
        up: server.up,
        secrets: [token, Buffer.from(`${account}:${token}`).toString("base64")]
      })
    )
  )
)

const makeHttp = Effect.gen(function* () {
  const taken = new Set<string>()
  const server = yield* ProviderServer.make({
    reply: (what, { headers }) => {
      if (what === "taken")
        return { status: 202, body: JSON.stringify({ reference: `r-${headers["idempotency-key"]}` }) }
      if (what === "refuse") return { status: 422, body: JSON.stringify({ error: `no, ${token}` }) }
      return { status: 503, headers: { "retry-after": "3" } }
    }
  })
  const provider = yield* HttpSmsProvider.make({
    url: `http://127.0.0.1:${server.port}/send`,
    token: Redacted.make(token),
    name: "http",
    from: "Onsale",
    timeouts
  })
  return { provider, server, taken }
})

suite(
  "SMS by HTTP",
  Layer.effect(
    ChannelServer,
    Effect.map(makeHttp, ({ provider, server }) =>
      ChannelServer.of({
        provider,
        message,
        next: (command) => Effect.sync(() => void server.next.push(command)),
        received: Effect.sync(() => server.received.map(({ headers }) => String(headers["idempotency-key"]))),
        down: server.down,
        up: server.up,
        secrets: [token]
      })
    )
  )
)

describe("TwilioProvider", () => {
  it.live("asks as Twilio documents it: the account, the sender, and where to tell what became of it", () =>
    Effect.gen(function* () {
      const { provider, server } = yield* makeTwilio()
      yield* provider.send(message("as documented"))
      const [request] = server.received
      assert.strictEqual(request?.path, `/2010-04-01/Accounts/${account}/Messages.json`)
      assert.strictEqual(
        request?.headers.authorization,
        `Basic ${Buffer.from(`${account}:${token}`).toString("base64")}`
      )
      assert.deepStrictEqual(Object.fromEntries(new URLSearchParams(request?.body.toString())), {
        To: numberOf("as documented"),
        From: "+15550001111",
        Body: "Your tickets",
        StatusCallback: "https://tickets.example/api/v1/webhooks/sms/twilio"
      })
    })
  )

  it.live("waits as long as Twilio asks for", () =>
    Effect.gen(function* () {
      const { provider, server } = yield* makeTwilio()
      server.next.push("defer")
      const error = yield* Effect.flip(provider.send(message("limited")))
      assert.deepStrictEqual(error.retryAfter, Duration.seconds(7))
    })
  )

  it.live.each([21211, 21610])("a number that says %i is not written to any more", (code) =>
    Effect.gen(function* () {
      const { provider, server } = yield* makeTwilio(code)
      server.next.push("refuse")
      const error = yield* Effect.flip(provider.send(message(`gone-${code}`)))
      assert.isTrue(error.isGone)
    })
  )

  it.live("a text of more parts than are paid for is not sent", () =>
    Effect.gen(function* () {
      const { provider, server } = yield* makeTwilio()
      const error = yield* Effect.flip(provider.send(message("long", "ж".repeat(400))))
      assert.strictEqual(error.kind, "refused")
      assert.strictEqual(server.received.length, 0)
    })
  )
})

describe("PhoneNumber", () => {
  it("is one that a numbering plan has, in E.164", () => {
    assert.strictEqual(normalised("+49 30 901820"), "+4930901820")
    assert.isNull(normalised("+49301"))
    assert.isNull(normalised("030 901820"))
    assert.isNull(normalised("+999123456789"))
  })
})
