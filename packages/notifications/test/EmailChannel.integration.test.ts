import { assert, describe, it } from "@effect/vitest"
import { ChannelServer, type Command, suite } from "@onsale/testing/ChannelSuite"
import * as Smtp from "@onsale/testing/SmtpFixture"
import { Effect, Layer, Redacted, Result } from "effect"
import type { ChannelMessage } from "../src/Channel.ts"
import * as SmtpProvider from "../src/SmtpProvider.ts"

const from = "Onsale <tickets@onsale.example>"
/** A tenth of the true ones. */
const timeouts = { dnsTimeout: 500, connectionTimeout: 1_000, greetingTimeout: 1_000, socketTimeout: 1_500 }

const behaviours: Readonly<Record<Command, Smtp.Behaviour>> = {
  defer: { code: 451 },
  refuse: { code: 550, at: "recipient" },
  hang: "hang",
  silence: "silence",
  vanish: "vanish"
}

const message = (id: string): ChannelMessage => ({
  id,
  recipient: { channel: "email", name: "محمد Łukasz", address: `${id}@example.org` },
  rendered: {
    subject: "Tickets",
    text: "Hello",
    html: "<p>Hello</p>",
    sms: "",
    push: { title: "", body: "" }
  },
  attachments: [
    { filename: "big.bin", contentType: "application/octet-stream", content: new Uint8Array(100_000).fill(7) }
  ]
})

const password = "s3cret/pass word"
const server = Layer.effect(
  ChannelServer,
  Effect.gen(function* () {
    const smtp = yield* Smtp.make({ account: { user: "onsale", password } })
    const provider = yield* SmtpProvider.make({ url: Redacted.make(smtp.url), from, timeouts })
    return ChannelServer.of({
      provider,
      message,
      next: (command) => Effect.sync(() => void smtp.next.push(behaviours[command])),
      received: Effect.sync(() => smtp.received.map(({ messageId }) => messageId)),
      down: smtp.down,
      up: smtp.up,
      secrets: [
        password,
        encodeURIComponent(password),
        Buffer.from(`\0onsale\0${password}`).toString("base64")
      ]
    })
  })
)

suite("E-mail by SMTP", server)

describe("SmtpProvider", () => {
  it.live("a name or a subject that was kept with ends of lines in it adds no header", () =>
    Effect.gen(function* () {
      const smtp = yield* Smtp.make({ keepsRaw: true })
      const provider = yield* SmtpProvider.make({ url: Redacted.make(smtp.url), from, timeouts })
      const hostile = "Gala\r\nBcc: all@example.org\r\n\r\nHello\u2028\u0085X-Evil: 1"
      const plain = message("hostile")
      yield* provider.send({
        ...plain,
        recipient: { channel: "email", name: hostile, address: "ada@example.org" },
        rendered: { ...plain.rendered, subject: hostile },
        correlation: hostile
      })
      const raw = smtp.received[0]?.raw ?? ""
      const headers = raw.slice(0, raw.indexOf("\r\n\r\n"))
      assert.notMatch(headers, /^(Bcc|X-Evil):/im)
      assert.match(headers, /^Message-ID:/im)
      assert.strictEqual(smtp.received[0]?.to, "ada@example.org")
    })
  )

  it.live("a refused login is no fault of the mail, and says nothing of the password", () =>
    Effect.gen(function* () {
      const smtp = yield* Smtp.make({ account: { user: "onsale", password: "right-one" } })
      const url = Redacted.make(smtp.url.replace("right-one", "wrong-one"))
      const provider = yield* SmtpProvider.make({ url, from, timeouts })
      const error = yield* Effect.flip(provider.send(message("login")))
      assert.strictEqual(error.kind, "unreachable")
      assert.include(error.reason, "535")
      assert.notInclude(error.reason, "wrong-one")
    })
  )

  it.live("a server that breaks off in the middle of the mail did not take it", () =>
    Effect.gen(function* () {
      const smtp = yield* Smtp.make()
      smtp.next.push("cut")
      const provider = yield* SmtpProvider.make({ url: Redacted.make(smtp.url), from, timeouts })
      const large = {
        ...message("cut"),
        attachments: [
          { filename: "a", contentType: "application/octet-stream", content: new Uint8Array(5_000_000) }
        ]
      }
      const error = yield* Effect.flip(provider.send(large))
      assert.strictEqual(error.kind, "unreachable")
    })
  )

  it.live("a list of addresses makes an account each, told apart without their passwords", () =>
    Effect.gen(function* () {
      const urls = Redacted.make(
        "smtp://a:one@mail.example:587, smtps://b:two@other.example\n smtp://c:three@mail.example:587"
      )
      const providers = yield* SmtpProvider.makeAll({ urls, from })
      assert.deepStrictEqual(
        providers.map(({ name }) => name),
        ["mail.example:587", "other.example", "mail.example:587#2"]
      )
    })
  )

  it.live.each(["", "http://mail.example", "mail.example", "smtp://a, nothing"])(
    "takes no %s for one",
    (urls) =>
      Effect.gen(function* () {
        const made = yield* Effect.result(SmtpProvider.makeAll({ urls: Redacted.make(urls), from }))
        assert.isTrue(Result.isFailure(made))
      })
  )
})
