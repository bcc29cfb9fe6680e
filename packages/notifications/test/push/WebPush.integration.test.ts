import { assert, describe, it } from "@effect/vitest"
import { ChannelServer, suite } from "@onsale/testing/ChannelSuite"
import * as ProviderServer from "@onsale/testing/ProviderServer"
import { Effect, Layer, Redacted } from "effect"
import { decrypt } from "http_ece"
import { execFileSync } from "node:child_process"
import { createECDH, randomBytes } from "node:crypto"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import webPush from "web-push"
import type { ChannelMessage } from "../../src/Channel.ts"
import * as WebPushProvider from "../../src/push/WebPushProvider.ts"

const vapid = webPush.generateVAPIDKeys()
const keys = {
  publicKey: vapid.publicKey,
  privateKey: Redacted.make(vapid.privateKey),
  subject: "mailto:tickets@onsale.example"
}

/** A browser's own keys, which the push service never has. */
const browser = createECDH("prime256v1")
browser.generateKeys()
const authSecret = randomBytes(16)

const certificate = () => {
  const folder = mkdtempSync(join(tmpdir(), "push-"))
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")]
  const command =
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
  execFileSync("openssl", [...command.split(" "), "-keyout", key, "-out", cert], { stdio: "ignore" })
  const pems = { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") }
  rmSync(folder, { recursive: true })
  return pems
}
const tls = certificate()
const secretPath = "/push/of-this-browser-alone"

const make = (allowPrivate = true) =>
  Effect.gen(function* () {
    const server = yield* ProviderServer.make({
      tls,
      reply: (what, { path }) => {
        if (what === "taken") return { status: 201 }
        if (what === "refuse") return { status: 410, body: `gone: ${path}` }
        return { status: 429, headers: { "retry-after": "5" } }
      }
    })
    const provider = yield* WebPushProvider.make({
      keys,
      policy: { allowPrivate, allowHttp: false },
      ca: tls.cert,
      timeouts: { connect: 1_000, answer: 1_500 }
    })
    const message = (id: string): ChannelMessage => ({
      id,
      recipient: {
        channel: "push",
        endpoint: `https://127.0.0.1:${server.port}${secretPath}`,
        keys: { p256dh: browser.getPublicKey("base64url"), auth: authSecret.toString("base64url") }
      },
      rendered: { subject: "", text: "", html: "", sms: "", push: { title: "Заказ", body: id } },
      attachments: []
    })
    return { server, provider, message }
  })

const opened = (body: Buffer): unknown =>
  JSON.parse(decrypt(body, { version: "aes128gcm", privateKey: browser, authSecret }).toString("utf8"))

suite(
  "Web Push",
  Layer.effect(
    ChannelServer,
    Effect.map(make(), ({ message, provider, server }) =>
      ChannelServer.of({
        provider,
        message,
        next: (command) => Effect.sync(() => void server.next.push(command)),
        received: Effect.sync(() => server.received.map(({ body }) => JSON.stringify(opened(body)))),
        down: server.down,
        up: server.up,
        secrets: [vapid.privateKey, secretPath, authSecret.toString("base64url")]
      })
    )
  )
)

describe("WebPushProvider", () => {
  it.live("only the browser reads it, and a repetition takes the place of the first", () =>
    Effect.gen(function* () {
      const { message, provider, server } = yield* make()
      yield* provider.send(message("hold:expiring"))
      yield* provider.send(message("hold:expiring"))
      const [first, second] = server.received
      assert.deepStrictEqual(opened(first?.body ?? Buffer.alloc(0)), {
        id: "hold:expiring",
        title: "Заказ",
        body: "hold:expiring"
      })
      assert.notInclude(String(first?.body), "expiring")
      assert.strictEqual(first?.headers["urgency"], "high")
      assert.strictEqual(first?.headers["ttl"], "60")
      assert.strictEqual(first?.headers["topic"], second?.headers["topic"])
      assert.include(String(first?.headers.authorization), vapid.publicKey)
    })
  )

  it.live("a browser that is gone is told nothing more", () =>
    Effect.gen(function* () {
      const { message, provider, server } = yield* make()
      server.next.push("refuse")
      const error = yield* Effect.flip(provider.send(message("gone")))
      assert.isTrue(error.isGone)
    })
  )

  it.live("nothing is sent into a private network", () =>
    Effect.gen(function* () {
      const { message, provider, server } = yield* make(false)
      const error = yield* Effect.flip(provider.send(message("inside")))
      assert.strictEqual(error.kind, "refused")
      assert.strictEqual(server.received.length, 0)
    })
  )
})
