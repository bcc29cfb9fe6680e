/** Takes what mail providers tell of bounces. Whoever has the secret can keep us from writing to somebody. */
import { Config, Context, Effect, Layer, Option, Redacted, Schema } from "effect"
import { createHash, createHmac, timingSafeEqual } from "node:crypto"
import * as BounceReport from "./BounceReport.ts"
import { Suppressions } from "./Suppressions.ts"

export class MailWebhookRejected extends Schema.TaggedError<MailWebhookRejected>()("MailWebhookRejected", {
  /** `body`: whoever sent it may. */
  fault: Schema.Literals(["signature", "body"]),
  reason: Schema.String
}) {}

/** Hashes of one length are compared, so that the time says nothing of the secret. */
const same = (a: string, b: string): boolean => {
  const digest = (text: string) => createHash("sha256").update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}

const isAllowed = (
  secret: string,
  body: Uint8Array,
  headers: { readonly authorization?: string | undefined; readonly signature?: string | undefined }
): boolean => {
  const [scheme = "", credential = ""] = (headers.authorization ?? "").split(" ", 2)
  if (/^bearer$/i.test(scheme)) return same(credential, secret)
  if (/^basic$/i.test(scheme)) {
    const login = Buffer.from(credential, "base64").toString("utf8")
    return same(login.slice(login.indexOf(":") + 1), secret)
  }
  const expected = `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`
  return headers.signature !== undefined && same(headers.signature, expected)
}

const parse = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Json))

export class MailWebhooks extends Context.Service<
  MailWebhooks,
  {
    /** Puts on record what bounced, and answers how many that were. */
    readonly receive: (
      provider: string,
      body: Uint8Array,
      headers: { readonly authorization?: string | undefined; readonly signature?: string | undefined }
    ) => Effect.Effect<number, MailWebhookRejected>
  }
>()("@onsale/notifications/MailWebhooks") {
  /** `ONSALE_MAIL_WEBHOOK_SECRET`; without it nothing is taken. */
  static readonly layer = Layer.effect(
    MailWebhooks,
    Effect.gen(function* () {
      const suppressions = yield* Suppressions
      const secret = yield* Config.Redacted("ONSALE_MAIL_WEBHOOK_SECRET").pipe(Config.option)
      const reject = (reason: string) => new MailWebhookRejected({ fault: "signature", reason })
      const unreadable = (reason: string) => new MailWebhookRejected({ fault: "body", reason })
      return MailWebhooks.of({
        receive: Effect.fn("MailWebhooks.receive")(function* (provider, body, headers) {
          if (Option.isNone(secret) || Redacted.value(secret.value).trim() === "") {
            return yield* reject("ONSALE_MAIL_WEBHOOK_SECRET is not set")
          }
          if (!isAllowed(Redacted.value(secret.value), body, headers)) {
            return yield* reject("the secret does not hold")
          }
          const json = yield* parse(Buffer.from(body).toString("utf8")).pipe(
            Effect.mapError(() => unreadable("it is no JSON"))
          )
          const bounces = BounceReport.read(json)
          if (bounces === undefined) return yield* unreadable("it is no report of a shape that is known")
          yield* suppressions.add(provider, bounces)
          if (bounces.length > 0) yield* Effect.logInfo(`${provider} tells of ${bounces.length} bounces`)
          return bounces.length
        })
      })
    })
  )
}
