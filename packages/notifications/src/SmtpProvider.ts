/** Hands mails to mail servers. */
import { Config, Effect, Option, Redacted, Schema, type Scope } from "effect"
import { createTransport } from "nodemailer"
import type { Readable } from "node:stream"
import { type ChannelMessage, type ChannelProvider, DeliveryError } from "./Channel.ts"
import * as MailPart from "./MailPart.ts"

/** There is no mail server in the configuration, or something in it is no address of one. */
export class SmtpUrlInvalid extends Schema.TaggedError<SmtpUrlInvalid>()("SmtpUrlInvalid", {
  message: Schema.String
}) {}

/** `ONSALE_SMTP_URL`, `ONSALE_MAIL_FROM` and `ONSALE_SMTP_RATE`, the mails a second that each account takes. */
export const config = Config.all({
  urls: Config.Redacted("ONSALE_SMTP_URL"),
  from: Config.NonEmptyString("ONSALE_MAIL_FROM").pipe(Config.withDefault("Onsale <tickets@onsale.example>")),
  ratePerSecond: Config.Finite("ONSALE_SMTP_RATE").pipe(Config.option, Config.map(Option.getOrUndefined))
})

/** Connections to a mail server at most, and mails over each before it is renewed. */
const maxConnections = 4
const maxMessages = 100

/** Milliseconds without a mail after which we hang up, before the server does: five minutes are usual. */
const idleTimeout = 60_000

/** Accounts at most; more than a few are a mistake in the configuration. */
const maxAccounts = 8

/**
 * Milliseconds; one after the other they end before the provider's time does (`Channel.providerLimit`), so that it is
 * heard what a silent server was silent about, and no connection is left at work behind. Some servers make
 * strangers wait for their greeting on purpose, six seconds mostly.
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

/** `isHandedOver`: the server had all of the mail, and may have taken it. */
const toDeliveryError = (cause: unknown, isHandedOver: boolean): DeliveryError => {
  if (!Schema.is(Failure)(cause))
    return DeliveryError.of(isHandedOver ? "unknown" : "unreachable", String(cause))
  const { code, message, responseCode } = cause
  const ofThisMail = code === "EENVELOPE" || code === "EMESSAGE"
  if (responseCode !== undefined) {
    // A refused login is our configuration, which somebody will put right; a refused mail or address stays refused.
    if (!ofThisMail) return DeliveryError.of("unreachable", message)
    return DeliveryError.of(responseCode >= 500 ? "refused" : "deferred", message)
  }
  // Not by the server, but for it: the mail is larger than it takes, the address is none.
  if (ofThisMail) return DeliveryError.of("refused", message)
  return DeliveryError.of(isHandedOver ? "unknown" : "unreachable", message)
}

/** `smtp://user:password@host:port` or `smtps://…`, one or several with commas or white space between them. */
const urlsOf = Effect.fnUntraced(function* (text: Redacted.Redacted<string>) {
  const urls = Redacted.value(text)
    .split(/[\s,]+/)
    .filter((part) => part !== "")
  const isWrong = urls.length === 0 || urls.length > maxAccounts
  if (isWrong || urls.some((url) => !URL.canParse(url) || !/^smtps?:$/.test(new URL(url).protocol))) {
    return yield* new SmtpUrlInvalid({
      message: `ONSALE_SMTP_URL: expected 1 to ${maxAccounts} addresses such as smtp://user:password@host:587, with commas between them`
    })
  }
  return urls.map((url) => Redacted.make(url))
})

/** What must not be told of an account: its password, as it is written and as it goes over the wire. */
const hiding = (url: URL) => {
  const password = decodeURIComponent(url.password)
  const user = decodeURIComponent(url.username)
  const base64 = (text: string) => Buffer.from(text).toString("base64")
  const secrets = [url.password, password, base64(password), base64(`\0${user}\0${password}`)].filter(
    // Those of three characters would be found in everything, and base64 of nothing is nothing.
    (secret) => password !== "" && secret.length > 3
  )
  return (error: DeliveryError): DeliveryError =>
    secrets.some((secret) => error.reason.includes(secret))
      ? DeliveryError.of(
          error.kind,
          secrets.reduce((text, secret) => text.replaceAll(secret, "<redacted>"), error.reason),
          error.retryAfter
        )
      : error
}

/** `<id>` as the `Message-ID` of a mail: the same for each repetition, at whichever server. */
const messageIdOf = (id: string, domain: string) => `${headerText(id).replaceAll(":", ".")}@${domain}`

export interface SmtpOptions {
  readonly url: Redacted.Redacted<string>
  /** An address, or `Name <address>`. */
  readonly from: string
  /** Unique among the mail servers; the host of the address when left out. */
  readonly name?: string
  readonly ratePerSecond?: number | undefined
  /** For tests, which need not wait for as long. */
  readonly timeouts?: Partial<typeof timeouts>
}

/** One account at one mail server, over a small pool of connections that is closed with the scope. */
export const make = Effect.fnUntraced(function* (
  options: SmtpOptions
): Effect.fn.Return<ChannelProvider, never, Scope.Scope> {
  const url = new URL(Redacted.value(options.url))
  const hide = hiding(url)
  const domain = /@([^\s@<>]+)>?\s*$/.exec(options.from)?.[1] ?? "localhost"
  /** By `Message-ID`: the mails under way. One whose stream has ended was handed over to its last byte. */
  const streams = new Map<string, Readable>()

  const transport = yield* Effect.acquireRelease(
    Effect.sync(() =>
      createTransport({
        url: url.href,
        pool: true,
        maxConnections,
        maxMessages,
        // Tried again by us, who put it on record and may go elsewhere: not out of sight, and past the time of the provider.
        maxRequeues: 0,
        idleTimeout,
        // What we attach is in memory: a mail must never make us read a file or call an address.
        disableFileAccess: true,
        disableUrlAccess: true,
        ...timeouts,
        ...options.timeouts
      })
    ),
    (transport) => Effect.sync(() => transport.close())
  )
  transport.use("stream", (mail, done) => {
    const { message } = mail
    const open = message.createReadStream.bind(message)
    message.createReadStream = (streamOptions) => {
      const stream = open(streamOptions)
      streams.set(message.messageId(), stream)
      return stream
    }
    done()
  })

  const send = Effect.fn("SmtpProvider.send")(function* (message: ChannelMessage) {
    const { attachments, correlation, id, recipient, rendered, unsubscribeUrl } = message
    if (recipient.channel !== "email") return yield* DeliveryError.of("refused", "not an e-mail address")
    const messageId = `<${messageIdOf(id, domain)}>`
    yield* Effect.tryPromise({
      try: (signal) =>
        transport.sendMail({
          from: options.from,
          to: { name: headerText(recipient.name), address: headerText(recipient.address) },
          subject: headerText(rendered.subject),
          messageId,
          headers: {
            // Answers by machines ("out of office") are nothing to anybody here.
            "Auto-Submitted": "auto-generated",
            ...(correlation === undefined ? {} : { "X-Correlation-ID": headerText(correlation) }),
            ...(unsubscribeUrl === undefined
              ? {}
              : {
                  "List-Unsubscribe": `<${headerText(unsubscribeUrl)}>`,
                  "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"
                })
          },
          text: rendered.text,
          html: rendered.html,
          attachments: attachments.map(MailPart.of),
          signal
        }),
      catch: (cause) => hide(toDeliveryError(cause, streams.get(messageId)?.readableEnded === true))
    }).pipe(Effect.ensuring(Effect.sync(() => streams.delete(messageId))))
    return { reference: messageId.slice(1, -1) }
  })

  return {
    channel: "email",
    name: options.name ?? url.hostname,
    ...(options.ratePerSecond === undefined ? {} : { ratePerSecond: options.ratePerSecond }),
    send
  }
})

/** Of a list of addresses, in the order of preference. */
export const makeAll = Effect.fnUntraced(function* (options: {
  readonly urls: Redacted.Redacted<string>
  readonly from: string
  readonly ratePerSecond?: number | undefined
}) {
  const urls = yield* urlsOf(options.urls)
  const hosts = urls.map((url) => new URL(Redacted.value(url)).host)
  return yield* Effect.forEach(urls, (url, i) => {
    const host = hosts[i] ?? ""
    const earlier = hosts.slice(0, i).filter((other) => other === host).length
    return make({
      url,
      from: options.from,
      name: earlier === 0 ? host : `${host}#${earlier + 1}`,
      ratePerSecond: options.ratePerSecond
    })
  })
})
