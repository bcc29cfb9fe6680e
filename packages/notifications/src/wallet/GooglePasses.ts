/**
 * Links that put a ticket into Google's wallet: a JWT with all that the pass says, signed with the key of a service
 * account. Nothing is asked of Google; the pass is made when the buyer follows the link.
 */
import { Config, Context, Effect, Layer, Option, Redacted, Schema } from "effect"
import { importPKCS8, SignJWT } from "jose"
import { createHash } from "node:crypto"
import { ticketWords } from "../TicketWords.ts"
import { short, type WalletPass, WalletNotConfigured, when } from "./WalletPass.ts"

/** `ONSALE_GOOGLE_WALLET_KEY` is no key of a service account. The message does not repeat it. */
export class GoogleWalletKeyInvalid extends Schema.TaggedError<GoogleWalletKeyInvalid>()(
  "GoogleWalletKeyInvalid",
  {}
) {
  override get message(): string {
    return "ONSALE_GOOGLE_WALLET_KEY is not the JSON of a service account's key (client_email, private_key)"
  }
}

const ServiceAccount = Schema.fromJsonString(
  Schema.Struct({ client_email: Schema.NonEmptyString, private_key: Schema.NonEmptyString })
)

export interface GoogleWalletOptions {
  /** The number of the issuer's account. */
  readonly issuer: string
  /** The JSON of a service account's key, as Google gives it. */
  readonly key: Redacted.Redacted
}

const saveUrl = "https://pay.google.com/gp/v/save/"
const textIn = (language: string) => (value: string) => ({
  defaultValue: { language, value: short(value) || "-" }
})

/** The pass of an older code is another object: one that is in a wallet cannot be changed by a link. */
const versionOf = (code: string) => createHash("sha256").update(code).digest("hex").slice(0, 12)

const payloadOf = (issuer: string, { document, ticket }: WalletPass, eventId: string) => {
  const { event, locale } = document
  const text = textIn(locale)
  const classId = `${issuer}.${eventId}`
  return {
    eventTicketClasses: [
      {
        id: classId,
        issuerName: "Onsale",
        reviewStatus: "UNDER_REVIEW",
        eventName: text(event.name),
        venue: { name: text(event.venue.name), address: text(event.venue.location) },
        dateTime: { start: event.startsAt }
      }
    ],
    eventTicketObjects: [
      {
        id: `${issuer}.${ticket.id}-${versionOf(ticket.code)}`,
        classId,
        state: "ACTIVE",
        ticketHolderName: short(document.holder),
        ticketNumber: ticket.id,
        seatInfo: ticket.isArea === true ? { section: text(ticket.label) } : { seat: text(ticket.label) },
        textModulesData: [{ id: "when", header: ticketWords[locale].pass.date, body: when(document) }],
        barcode: { type: "QR_CODE", value: ticket.code }
      }
    ]
  }
}

export class GooglePasses extends Context.Service<
  GooglePasses,
  {
    /** The address of the link. `issuedAtMs` is now, milliseconds since 1970. */
    readonly link: (
      pass: WalletPass,
      eventId: string,
      issuedAtMs: number
    ) => Effect.Effect<string, WalletNotConfigured>
  }
>()("@onsale/notifications/GooglePasses") {
  static readonly layerWith = (options: Option.Option<GoogleWalletOptions>) =>
    Layer.effect(
      GooglePasses,
      Effect.gen(function* () {
        if (Option.isNone(options)) {
          return GooglePasses.of({ link: () => Effect.fail(new WalletNotConfigured({ wallet: "google" })) })
        }
        const { issuer, key } = options.value
        const account = yield* Effect.mapError(
          Schema.decodeUnknownEffect(ServiceAccount)(Redacted.value(key)),
          () => new GoogleWalletKeyInvalid()
        )
        const signer = yield* Effect.tryPromise({
          try: () => importPKCS8(account.private_key, "RS256"),
          catch: () => new GoogleWalletKeyInvalid()
        })
        return GooglePasses.of({
          link: Effect.fn("GooglePasses.link")((pass, eventId, issuedAtMs) =>
            Effect.promise(async () => {
              const jwt = await new SignJWT({
                typ: "savetowallet",
                origins: [],
                payload: payloadOf(issuer, pass, eventId)
              })
                .setProtectedHeader({ alg: "RS256", typ: "JWT" })
                .setIssuer(account.client_email)
                .setAudience("google")
                .setIssuedAt(Math.floor(issuedAtMs / 1000))
                .sign(signer)
              return `${saveUrl}${jwt}`
            })
          )
        })
      })
    )

  /** `ONSALE_GOOGLE_WALLET_ISSUER` and `_KEY`; none without the issuer. */
  static readonly layer = Layer.unwrap(
    Effect.gen(function* () {
      const issuer = yield* Config.option(Config.NonEmptyString("ONSALE_GOOGLE_WALLET_ISSUER"))
      if (Option.isNone(issuer)) return GooglePasses.layerWith(Option.none())
      const key = yield* Config.Redacted("ONSALE_GOOGLE_WALLET_KEY")
      return GooglePasses.layerWith(Option.some({ issuer: issuer.value, key }))
    })
  )
}
