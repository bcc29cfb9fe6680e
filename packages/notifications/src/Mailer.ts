/** Hands mails to a mail server. */
import { Config, Context, Effect, Layer, Redacted, Schema } from "effect"
import { createTransport } from "nodemailer"

export interface Attachment {
  readonly filename: string
  readonly contentType: string
  readonly content: Uint8Array
}

export interface Mail {
  /** Without angle brackets; the same for each repetition of the mail. */
  readonly messageId: string
  readonly to: { readonly name: string; readonly address: string }
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly attachments: ReadonlyArray<Attachment>
  /** Of the request that it stems from, for who looks for it in our logs; undefined where none is known. */
  readonly correlation?: string | undefined
}

/** The mail was not taken. `retryable` is false where the server will never take it, such as for an unknown address. */
export class MailError extends Schema.TaggedError<MailError>()("MailError", {
  retryable: Schema.Boolean,
  message: Schema.String,
  /** The reply of the server, where there was one: 450, 550. */
  responseCode: Schema.NullOr(Schema.Int)
}) {}

export interface MailerOptions {
  /** `smtp://user:password@host:port` or `smtps://…`. */
  readonly url: Redacted.Redacted<string>
  /** An address, or `Name <address>`. */
  readonly from: string
}

/** Connections to the mail server at most, and mails over each before it is renewed. */
const maxConnections = 4
const maxMessages = 100

/**
 * Milliseconds; one after the other they end before the worker's attempt does (`MailWorker.attemptLimit`), so
 * that it hears what a silent server was silent about, and leaves no connection at work behind. Some servers
 * make strangers wait for their greeting on purpose, six seconds mostly.
 */
export const timeouts = {
  dnsTimeout: 2_000,
  connectionTimeout: 4_000,
  greetingTimeout: 7_000,
  socketTimeout: 10_000
}

const headerText = (text: string) => text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ").trim()

const Failure = Schema.Struct({
  message: Schema.String,
  code: Schema.optional(Schema.String),
  responseCode: Schema.optional(Schema.Int)
})

const toMailError = (cause: unknown): MailError => {
  if (!Schema.is(Failure)(cause))
    return new MailError({ retryable: true, message: String(cause), responseCode: null })
  const { code, message, responseCode } = cause
  // A refused login is our configuration, which somebody will put right; a refused mail or address stays refused.
  const refused =
    responseCode !== undefined && responseCode >= 500 && (code === "EENVELOPE" || code === "EMESSAGE")
  return new MailError({ retryable: !refused, message, responseCode: responseCode ?? null })
}

export class Mailer extends Context.Service<
  Mailer,
  {
    /** The domain to make message ids in. */
    readonly domain: string
    /** Ends when the server has taken the mail over. It may be sent even where this fails: see `Mail.messageId`. */
    readonly send: (mail: Mail) => Effect.Effect<void, MailError>
  }
>()("@onsale/notifications/Mailer") {
  /** By SMTP, over a small pool of connections. */
  static readonly layerSmtp = (options: MailerOptions) =>
    Layer.effect(
      Mailer,
      Effect.gen(function* () {
        const transport = yield* Effect.acquireRelease(
          Effect.sync(() =>
            createTransport({
              url: Redacted.value(options.url),
              pool: true,
              maxConnections,
              maxMessages,
              // What we attach is in memory: a mail must never make us read a file or call an address.
              disableFileAccess: true,
              disableUrlAccess: true,
              ...timeouts
            })
          ),
          (transport) => Effect.sync(() => transport.close())
        )
        const domain = /@([^\s@<>]+)>?\s*$/.exec(options.from)?.[1] ?? "localhost"
        return Mailer.of({
          domain,
          send: Effect.fn("Mailer.send")(function* (mail) {
            yield* Effect.tryPromise({
              try: () =>
                transport.sendMail({
                  from: options.from,
                  to: { name: headerText(mail.to.name), address: headerText(mail.to.address) },
                  subject: headerText(mail.subject),
                  messageId: `<${headerText(mail.messageId)}>`,
                  // Answers by machines ("out of office") are nothing to anybody here.
                  headers: {
                    "Auto-Submitted": "auto-generated",
                    ...(mail.correlation === undefined
                      ? {}
                      : { "X-Correlation-ID": headerText(mail.correlation) })
                  },
                  text: mail.text,
                  html: mail.html,
                  attachments: mail.attachments.map(({ content, contentType, filename }) => ({
                    filename,
                    contentType,
                    content: Buffer.from(content)
                  }))
                }),
              catch: toMailError
            })
          })
        })
      })
    )

  /** `ONSALE_SMTP_URL` and `ONSALE_MAIL_FROM`. */
  static readonly layer = Layer.unwrap(
    Effect.map(
      Config.all({
        url: Config.Redacted("ONSALE_SMTP_URL"),
        from: Config.String("ONSALE_MAIL_FROM").pipe(Config.withDefault("Onsale <tickets@onsale.example>"))
      }),
      Mailer.layerSmtp
    )
  )
}
