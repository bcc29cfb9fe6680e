/**
 * Catches the mail of a laptop: an SMTP server on loopback that delivers to nobody and keeps each mail as an
 * `.eml` file, for `/dev/mail` to show. Mails are untrusted: whoever can reach the port can send one.
 */
import { makeUuidV7 } from "@onsale/contracts/Ids"
import { Clock, Context, Effect, FiberSet, FileSystem, Layer, Option, Path, Schema, Semaphore } from "effect"
import PostalMime, { type Address, type Email } from "postal-mime"
import { SMTPServer, type SMTPServerDataStream } from "smtp-server"

/** Mails that are kept; the oldest goes first. */
const maxMails = 500
/** An order of a thousand tickets makes a PDF of some megabytes. */
const maxMailBytes = 16 * 1024 * 1024
/** A connection holds at most one mail in memory. */
const maxClients = 20
const idleTimeoutMs = 60_000
/** How long connections have to end by themselves when we stop. */
const closeTimeoutMs = 1000

export const MailId = Schema.String.check(Schema.isUUID(7)).pipe(Schema.brand("MailId"))
export type MailId = typeof MailId.Type

const isMailId = Schema.is(MailId)

/** Why there is no mail catcher: its port is taken, or its directory cannot be written. */
export class DevMailError extends Schema.TaggedError<DevMailError>()("DevMailError", {
  message: Schema.String,
  cause: Schema.optional(Schema.Defect())
}) {}

export interface CaughtAttachment {
  readonly filename: string
  readonly contentType: string
  readonly content: Uint8Array
}

export interface CaughtMail {
  readonly id: MailId
  /** UTC instant, ISO 8601. */
  readonly caughtAt: string
  readonly from: string
  readonly to: ReadonlyArray<string>
  readonly subject: string
  readonly messageId: string
  readonly headers: ReadonlyArray<{ readonly name: string; readonly value: string }>
  readonly text: string
  readonly html: string | null
  readonly attachments: ReadonlyArray<CaughtAttachment>
}

export interface DevMailOptions {
  /** Where the mails are kept, such as `<data directory>/mail`. Made when missing. */
  readonly directory: string
  /** 0 takes a free one. */
  readonly port: number
}

const addresses = (list: ReadonlyArray<Address>): ReadonlyArray<string> =>
  list.flatMap(({ address, group, name }) =>
    group !== undefined ? addresses(group) : [name === "" ? (address ?? "") : `${name} <${address ?? ""}>`]
  )

const bytesOf = (content: ArrayBuffer | Uint8Array | string): Uint8Array =>
  typeof content === "string"
    ? new TextEncoder().encode(content)
    : content instanceof Uint8Array
      ? content
      : new Uint8Array(content)

const toCaughtMail = (id: MailId, mail: Email): CaughtMail => ({
  id,
  caughtAt: new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)).toISOString(),
  from: addresses(mail.from === undefined ? [] : [mail.from])[0] ?? "",
  to: addresses([...(mail.to ?? []), ...(mail.cc ?? []), ...(mail.bcc ?? [])]),
  subject: mail.subject ?? "",
  messageId: mail.messageId ?? "",
  headers: mail.headers.map(({ originalKey, value }) => ({ name: originalKey, value })),
  text: mail.text ?? "",
  html: mail.html ?? null,
  attachments: mail.attachments.map(({ content, filename, mimeType }, i) => ({
    filename: filename ?? `attachment-${i + 1}`,
    contentType: mimeType,
    content: bytesOf(content)
  }))
})

const parse = (id: MailId, raw: Uint8Array) =>
  Effect.tryPromise(() => PostalMime.parse(raw)).pipe(
    Effect.map((mail) => toCaughtMail(id, mail)),
    // What cannot be parsed is shown as it is.
    Effect.catch(() =>
      Effect.succeed(
        toCaughtMail(id, {
          headers: [],
          headerLines: [],
          attachments: [],
          subject: "(unreadable)",
          text: Buffer.from(raw).toString("latin1")
        })
      )
    )
  )

/** The whole mail, or none where it is too large; reads it to its end in any case, as SMTP wants it. */
const collect = (stream: SMTPServerDataStream) =>
  Effect.tryPromise(async () => {
    const chunks: Array<Buffer> = []
    let bytes = 0
    for await (const chunk of stream) {
      if (!Buffer.isBuffer(chunk)) continue
      bytes += chunk.length
      if (bytes <= maxMailBytes) chunks.push(chunk)
    }
    return bytes <= maxMailBytes ? Option.some(Buffer.concat(chunks)) : Option.none()
  })

class SmtpRefusal extends Error {
  readonly responseCode: number
  constructor(responseCode: number, message: string) {
    super(message)
    this.responseCode = responseCode
  }
}

export class DevMail extends Context.Service<
  DevMail,
  {
    /** `smtp://127.0.0.1:<port>`, for a mailer to send to. */
    readonly url: string
    /** The newest mails first, at most `limit`; `to` keeps those that name it in an address. */
    readonly list: (options: {
      readonly limit: number
      readonly to: string | null
    }) => Effect.Effect<ReadonlyArray<CaughtMail>>
    readonly mail: (id: MailId) => Effect.Effect<Option.Option<CaughtMail>>
    /** As it came over the wire. */
    readonly raw: (id: MailId) => Effect.Effect<Option.Option<Uint8Array>>
  }
>()("@onsale/app/DevMail") {
  static readonly layer = (options: DevMailOptions) =>
    Layer.effect(
      DevMail,
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const path = yield* Path.Path
        yield* fs.makeDirectory(options.directory, { recursive: true })
        const fileOf = (id: MailId) => path.join(options.directory, `${id}.eml`)
        // Ids sort by time. What a crash left half-written does not end in .eml.
        const ids = (yield* fs.readDirectory(options.directory))
          .map((name) => path.basename(name, ".eml"))
          .filter(isMailId)
          .sort()

        const storing = yield* Semaphore.make(1)
        const store = Effect.fn("DevMail.store")(function* (raw: Uint8Array) {
          const id = MailId.make(makeUuidV7(yield* Clock.currentTimeMillis))
          yield* fs.writeFile(`${fileOf(id)}.part`, raw)
          yield* fs.rename(`${fileOf(id)}.part`, fileOf(id))
          ids.push(id)
          for (const old of ids.splice(0, Math.max(0, ids.length - maxMails))) {
            yield* Effect.ignore(fs.remove(fileOf(old), { force: true }))
          }
        }, storing.withPermit)

        const run = yield* FiberSet.makeRuntimePromise<never, void, unknown>()
        const server = new SMTPServer({
          banner: "Onsale development mail",
          disabledCommands: ["AUTH", "STARTTLS"],
          disableReverseLookup: true,
          size: maxMailBytes,
          maxClients,
          socketTimeout: idleTimeoutMs,
          closeTimeout: closeTimeoutMs,
          onData: (stream, _session, done) => {
            run(
              Effect.gen(function* () {
                const raw = yield* collect(stream)
                if (Option.isNone(raw))
                  return yield* Effect.fail(new SmtpRefusal(552, "the mail is too large"))
                yield* store(raw.value)
              })
            ).then(
              () => done(),
              (error: unknown) =>
                done(error instanceof SmtpRefusal ? error : new SmtpRefusal(451, "not stored"))
            )
          }
        })
        const port = yield* Effect.acquireRelease(
          Effect.callback<number, DevMailError>((resume) => {
            server.once("error", (cause) =>
              resume(
                Effect.fail(
                  new DevMailError({
                    message: `mail cannot be caught on port ${options.port}: ${cause.message}`,
                    cause
                  })
                )
              )
            )
            const listener = server.listen(options.port, "127.0.0.1", () => {
              const address = listener.address()
              // A client that breaks off is no news.
              server.on("error", () => undefined)
              resume(
                Effect.succeed(typeof address === "object" && address !== null ? address.port : options.port)
              )
            })
          }),
          () => Effect.callback<void>((resume) => server.close(() => resume(Effect.void)))
        )

        const raw = Effect.fn("DevMail.raw")((id: MailId) =>
          ids.includes(id) ? Effect.option(fs.readFile(fileOf(id))) : Effect.succeedNone
        )
        const mail = Effect.fn("DevMail.mail")(function* (id: MailId) {
          const bytes = yield* raw(id)
          return Option.isNone(bytes) ? Option.none() : Option.some(yield* parse(id, bytes.value))
        })

        return DevMail.of({
          url: `smtp://127.0.0.1:${port}`,
          raw,
          mail,
          list: Effect.fn("DevMail.list")(function* ({ limit, to }) {
            const found: Array<CaughtMail> = []
            for (const id of ids.toReversed()) {
              if (found.length >= limit) break
              const caught = yield* mail(id)
              if (Option.isNone(caught)) continue
              if (to === null || caught.value.to.some((address) => address.includes(to)))
                found.push(caught.value)
            }
            return found
          })
        })
      }).pipe(
        Effect.mapError((cause) =>
          cause._tag === "DevMailError"
            ? cause
            : new DevMailError({
                message: `mail cannot be kept in ${options.directory}: ${cause.message}`,
                cause
              })
        )
      )
    )
}
