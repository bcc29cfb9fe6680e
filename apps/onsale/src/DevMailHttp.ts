/**
 * `/dev/mail`: the mails that were caught, as pages, or as JSON where the client asks for it.
 *
 * | path | what |
 * |---|---|
 * | `/dev/mail` `?limit&to` | the newest 50, or `limit` (at most 200) |
 * | `/dev/mail/{id}` | one, with headers, text and attachments |
 * | `/dev/mail/{id}/html` | its HTML, for a sandboxed frame |
 * | `/dev/mail/{id}/attachments/{n}` | its n-th attachment, from 0, as a download |
 * | `/dev/mail/{id}/raw` | its source, as a download |
 */
import { Effect, Layer, Option, Schema } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { type CaughtMail, DevMail, MailId } from "./DevMail.ts"
import { common, frame, htmlPage, jsonAnswer, notFound, wantsJson } from "./DevMailAnswer.ts"
import { listPage, mailPage } from "./DevMailPages.ts"

const defaultLimit = 50
const maxLimit = 200

const download = (content: Uint8Array, filename: string, contentType: string) => {
  // RFC 6266: what is not plain ASCII goes into the encoded form.
  const plain = filename.replace(/[^A-Za-z0-9._-]/g, "_").slice(-100)
  const encoded = encodeURIComponent(filename.toWellFormed().slice(-100).toWellFormed()).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`
  )
  return HttpServerResponse.uint8Array(content, {
    contentType: /^[a-z0-9]+\/[a-z0-9.+-]+$/.test(contentType) ? contentType : "application/octet-stream",
    headers: {
      ...common,
      "content-security-policy": "sandbox; default-src 'none'",
      "content-disposition": `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`
    }
  })
}

const summary = ({ attachments, caughtAt, from, id, messageId, subject, to }: CaughtMail) => ({
  id,
  caughtAt,
  from,
  to,
  subject,
  messageId,
  attachments: attachments.map(({ content, contentType, filename }, i) => ({
    filename,
    contentType,
    bytes: content.length,
    url: `/dev/mail/${id}/attachments/${i}`
  }))
})

const detail = (mail: CaughtMail) => ({
  ...summary(mail),
  headers: mail.headers,
  text: mail.text,
  html: mail.html
})

const ListQuery = Schema.Struct({
  limit: Schema.optionalKey(
    Schema.NumberFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 1, maximum: maxLimit }))
  ),
  to: Schema.optionalKey(Schema.String)
})
const MailPath = Schema.Struct({ id: MailId })
const AttachmentPath = Schema.Struct({
  id: MailId,
  index: Schema.NumberFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 0, maximum: 1000 }))
})

type Answer<E, R> = Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>

/** The answer about what was found, or 404. */
const orNotFound = <A, E, R, E2, R2>(
  found: Effect.Effect<Option.Option<A>, E, R>,
  answer: (value: A) => Answer<E2, R2>
) =>
  Effect.gen(function* () {
    const value = yield* found
    return yield* Option.isSome(value) ? answer(value.value) : notFound
  })

/** A path that is no id names no mail. */
const pathOr404 = <A, I extends Readonly<Record<string, string | undefined>>, E, R>(
  schema: Schema.Codec<A, I>,
  answer: (path: A) => Answer<E, R>
) => orNotFound(Effect.option(HttpRouter.schemaPathParams(schema)), answer)

/** The routes; give them to the server's router, over a `DevMail`. */
export const layer = Layer.unwrap(
  Effect.map(DevMail, (devMail) => {
    const withMail = <E, R>(id: MailId, answer: (mail: CaughtMail) => Answer<E, R>) =>
      orNotFound(devMail.mail(id), answer)

    return HttpRouter.addAll([
      HttpRouter.route(
        "GET",
        "/dev/mail",
        HttpServerRequest.schemaSearchParams(ListQuery).pipe(
          Effect.orElseSucceed((): typeof ListQuery.Type => ({})),
          Effect.flatMap(({ limit = defaultLimit, to = null }) => devMail.list({ limit, to })),
          Effect.zip(wantsJson),
          Effect.map(([mails, json]) =>
            json ? jsonAnswer({ mails: mails.map(summary) }) : htmlPage(listPage(mails))
          )
        )
      ),
      HttpRouter.route(
        "GET",
        "/dev/mail/:id",
        pathOr404(MailPath, ({ id }) =>
          withMail(id, (mail) =>
            Effect.map(wantsJson, (json) => (json ? jsonAnswer(detail(mail)) : htmlPage(mailPage(mail))))
          )
        )
      ),
      HttpRouter.route(
        "GET",
        "/dev/mail/:id/html",
        pathOr404(MailPath, ({ id }) =>
          withMail(id, ({ html }) => (html === null ? notFound : Effect.succeed(frame(html))))
        )
      ),
      HttpRouter.route(
        "GET",
        "/dev/mail/:id/attachments/:index",
        pathOr404(AttachmentPath, ({ id, index }) =>
          withMail(id, ({ attachments }) => {
            const attachment = attachments[index]
            return attachment === undefined
              ? notFound
              : Effect.succeed(download(attachment.content, attachment.filename, attachment.contentType))
          })
        )
      ),
      HttpRouter.route(
        "GET",
        "/dev/mail/:id/raw",
        pathOr404(MailPath, ({ id }) =>
          orNotFound(devMail.raw(id), (raw) => Effect.succeed(download(raw, `${id}.eml`, "message/rfc822")))
        )
      )
    ])
  })
)
