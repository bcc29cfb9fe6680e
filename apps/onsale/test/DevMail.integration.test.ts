import { NodeHttpServer, NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { makeUuidV7 } from "@onsale/contracts/Ids"
import type { Attachment } from "@onsale/notifications/Channel"
import { Channels } from "@onsale/notifications/Channels"
import { Effect, FileSystem, Layer, Option, Redacted } from "effect"
import { HttpClient, HttpClientRequest, HttpRouter } from "effect/http"
import { DevMail } from "../src/DevMail.ts"
import * as DevMailHttp from "../src/DevMailHttp.ts"
import * as DevMailTemplates from "../src/DevMailTemplates.ts"

const devMail = Layer.unwrap(
  Effect.map(
    Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped({ prefix: "onsale-mail-" })),
    (directory) => DevMail.layer({ directory: `${directory}/mail`, port: 0 })
  )
)
const mailer = Layer.unwrap(
  Effect.map(DevMail, ({ url }) =>
    Channels.layerSmtp({ urls: Redacted.make(url), from: "Onsale <tickets@onsale.example>" })
  )
)
const server = HttpRouter.serve(Layer.merge(DevMailHttp.layer, DevMailTemplates.layer), {
  disableLogger: true,
  disableListenLog: true
})
const layer = Layer.merge(server, mailer).pipe(
  Layer.provideMerge(devMail),
  Layer.provideMerge(NodeHttpServer.layerTest),
  Layer.provideMerge(NodeServices.layer)
)

const evil = `<script>alert("x")</script>`

const deliver = Effect.fnUntraced(function* (id: string, attachment: Attachment, address = "a@example.org") {
  const pool = (yield* Channels).of("email")
  const { result } = yield* (pool ?? assert.fail("no mail server")).deliver({
    id,
    recipient: { channel: "email", name: `Łukasz "${evil}"`, address },
    rendered: {
      subject: `Tickets ${id.slice(1)} ${evil}`,
      text: `Hello ${evil}`,
      html: `<p>Hello</p>${evil}`,
      sms: "",
      push: { title: "", body: "" }
    },
    attachments: [attachment]
  })
  yield* Effect.fromResult(result)
})

const send = (n: number) =>
  deliver(
    `m${n}`,
    {
      filename: `a"b;\r\nü.pdf`,
      contentType: "application/pdf",
      content: new Uint8Array([37, 80, 68, 70, n])
    },
    `buyer${n}@example.org`
  )

const get = (path: string, accept = "text/html") =>
  Effect.gen(function* () {
    const client = yield* HttpClient.HttpClient
    const response = yield* client.execute(HttpClientRequest.get(path, { headers: { accept } }))
    return { status: response.status, headers: response.headers, body: yield* response.text }
  })

describe("DevMail", () => {
  it.live("shows the newest mail first, with everything escaped", () =>
    Effect.gen(function* () {
      yield* send(1)
      yield* send(2)
      const { list } = yield* DevMail
      const mails = yield* list({ limit: 10, to: null })
      assert.deepStrictEqual(
        mails.map(({ messageId }) => messageId),
        ["<m2@onsale.example>", "<m1@onsale.example>"]
      )
      const page = yield* get("/dev/mail")
      assert.strictEqual(page.status, 200)
      assert.include(page.headers["content-security-policy"] ?? "", "default-src 'none'")
      assert.notInclude(page.body, "<script")
      assert.isBelow(page.body.indexOf("Tickets 2"), page.body.indexOf("Tickets 1"))
      const detail = yield* get(`/dev/mail/${mails[0]?.id}`)
      assert.strictEqual(detail.status, 200)
      assert.notInclude(detail.body, "<script")
      assert.include(detail.body, "<iframe sandbox ")
      const html = yield* get(`/dev/mail/${mails[0]?.id}/html`)
      assert.include(html.body, "<p>Hello</p>")
      assert.match(html.headers["content-security-policy"] ?? "", /^sandbox; default-src 'none'/)
    }).pipe(Effect.provide(layer))
  )

  it.live("shows every template in every language, as it would be sent", () =>
    Effect.gen(function* () {
      const list = yield* get("/dev/mail/templates")
      assert.include(list.body, 'href="/dev/mail/templates/EventCancelled"')
      const page = yield* get("/dev/mail/templates/EventCancelled")
      for (const locale of ["en", "de", "fr", "es", "ar"]) {
        const path = `/dev/mail/templates/EventCancelled/1/${locale}`
        assert.include(page.body, `src="${path}"`)
        const html = yield* get(path)
        assert.include(html.body, `<html lang="${locale}"`)
        assert.match(html.headers["content-security-policy"] ?? "", /^sandbox; default-src 'none'/)
      }
    }).pipe(Effect.provide(layer))
  )

  it.live("answers in JSON where that is asked for, and gives attachments as downloads", () =>
    Effect.gen(function* () {
      yield* send(3)
      yield* send(4)
      const list = yield* get("/dev/mail?to=buyer3@example.org", "application/json")
      const { mails } = JSON.parse(list.body)
      assert.strictEqual(mails.length, 1)
      assert.strictEqual(mails[0].subject, `Tickets 3 ${evil}`)
      const detail = JSON.parse((yield* get(`/dev/mail/${mails[0].id}`, "application/json")).body)
      assert.include(detail.text, "Hello")
      const attachment = yield* get(mails[0].attachments[0].url)
      assert.strictEqual(attachment.body, "%PDF\u0003")
      assert.strictEqual(attachment.headers["content-type"], "application/pdf")
      assert.match(
        attachment.headers["content-disposition"] ?? "",
        /^attachment; filename="[\w.-]+"; filename\*=UTF-8''[\w.%-]+$/
      )
      const raw = yield* get(`/dev/mail/${mails[0].id}/raw`)
      assert.include(raw.body, "Message-ID: <m3@onsale.example>")
    }).pipe(Effect.provide(layer))
  )

  it.live.each([
    "/dev/mail/x",
    "/dev/mail/templates/Nothing",
    "/dev/mail/templates/Refunded/99/en",
    "/dev/mail/templates/Refunded/1/tlh",
    "/dev/mail/..%2f..%2fetc",
    `/dev/mail/${makeUuidV7(0)}`,
    `/dev/mail/${makeUuidV7(0)}/attachments/-1`
  ])("has no mail at %s", (path) =>
    Effect.gen(function* () {
      assert.strictEqual((yield* get(path)).status, 404)
      const json = yield* get(path, "application/json")
      assert.strictEqual(json.status, 404)
      assert.strictEqual(json.headers["content-type"], "application/problem+json")
    }).pipe(Effect.provide(layer))
  )

  it.live("refuses a mail that is too large, and goes on", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        deliver("big", {
          filename: "big",
          contentType: "application/octet-stream",
          content: new Uint8Array(17 * 1024 * 1024)
        })
      )
      assert.isFalse(error.retryable)
      yield* send(5)
      const { list } = yield* DevMail
      assert.strictEqual((yield* list({ limit: 10, to: null })).length, 1)
    }).pipe(Effect.provide(layer))
  )

  it.live("keeps its mails from one start to the next, and passes over what a crash left", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped({ prefix: "onsale-mail-" })
      const start = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        Effect.provide(
          effect,
          mailer.pipe(Layer.provideMerge(Layer.fresh(DevMail.layer({ directory, port: 0 }))))
        )
      yield* start(send(6))
      yield* fs.writeFileString(`${directory}/${makeUuidV7(0)}.eml.part`, "half")
      const mails = yield* start(Effect.flatMap(DevMail, ({ list }) => list({ limit: 10, to: null })))
      assert.strictEqual(mails.length, 1)
      assert.isTrue(
        Option.isSome(yield* start(Effect.flatMap(DevMail, ({ raw }) => raw(mails[0]?.id ?? assert.fail()))))
      )
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("says so where its port is taken", () =>
    Effect.gen(function* () {
      const { url } = yield* DevMail
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped({ prefix: "onsale-mail-" })
      const error = yield* Effect.flip(
        Layer.build(Layer.fresh(DevMail.layer({ directory, port: Number(new URL(url).port) })))
      )
      assert.include(error.message, "cannot be caught on port")
    }).pipe(Effect.scoped, Effect.provide(layer))
  )
})
