/**
 * Passes for Apple's wallet: a signed archive, with the certificates of the organiser who runs this installation.
 *
 * A pass is known by its type and the id of its ticket: one that is loaded again takes the place of the older, with
 * the code of that time. There is no web service for updates, so an older code stays on the telephone until then;
 * the door refuses it.
 */
import { Config, Context, Effect, Layer, Option, Redacted, Schema } from "effect"
import { createPrivateKey, X509Certificate } from "node:crypto"
import { TicketPress } from "../TicketPress.ts"
import type { ApplePassSigner } from "./ApplePass.ts"
import { type WalletPass, WalletNotConfigured } from "./WalletPass.ts"

/** Something of `ONSALE_APPLE_PASS_*` is not what it should be. The message does not repeat it. */
export class ApplePassConfigInvalid extends Schema.TaggedError<ApplePassConfigInvalid>()(
  "ApplePassConfigInvalid",
  { message: Schema.String }
) {}

export interface ApplePassOptions {
  /** The pass type's certificate, PEM. */
  readonly certificate: string
  /** Its RSA key, PEM. */
  readonly key: Redacted.Redacted
  readonly passphrase: Option.Option<Redacted.Redacted>
  /** Apple's intermediate certificate (Worldwide Developer Relations), PEM. */
  readonly wwdr: string
  readonly passType: string
  readonly team: string
}

const invalid = (message: string) => new ApplePassConfigInvalid({ message })

/** Looked at once at the start, so that no buyer is the first to find out. */
const certificatesOf = (options: ApplePassOptions) =>
  Effect.gen(function* () {
    const parsed = yield* Effect.try({
      try: () => ({
        leaf: new X509Certificate(options.certificate),
        wwdr: new X509Certificate(options.wwdr)
      }),
      catch: () => invalid("ONSALE_APPLE_PASS_CERTIFICATE or ONSALE_APPLE_PASS_WWDR is no certificate in PEM")
    })
    const key = yield* Effect.try({
      try: () =>
        createPrivateKey({
          key: Redacted.value(options.key),
          ...(Option.isSome(options.passphrase)
            ? { passphrase: Redacted.value(options.passphrase.value) }
            : {})
        }),
      catch: () => invalid("ONSALE_APPLE_PASS_KEY is no private key in PEM, or its passphrase is another")
    })
    if (key.asymmetricKeyType !== "rsa" || !parsed.leaf.checkPrivateKey(key)) {
      return yield* invalid("ONSALE_APPLE_PASS_KEY is not the RSA key of ONSALE_APPLE_PASS_CERTIFICATE")
    }
    return {
      signerCert: options.certificate,
      // As the library can read it, without a passphrase.
      signerKey: Redacted.make(String(key.export({ type: "pkcs1", format: "pem" }))),
      wwdr: options.wwdr
    }
  })

export class ApplePasses extends Context.Service<
  ApplePasses,
  {
    /** A `.pkpass`. Waits for a thread of `TicketPress`: whoever calls bounds how many wait. */
    readonly make: (pass: WalletPass) => Effect.Effect<Uint8Array, WalletNotConfigured>
  }
>()("@onsale/notifications/ApplePasses") {
  static readonly layerWith = (options: Option.Option<ApplePassOptions>) =>
    Layer.effect(
      ApplePasses,
      Effect.gen(function* () {
        if (Option.isNone(options)) {
          return ApplePasses.of({ make: () => Effect.fail(new WalletNotConfigured({ wallet: "apple" })) })
        }
        const { passType, team } = options.value
        const certificates = yield* certificatesOf(options.value)
        const press = yield* TicketPress
        return ApplePasses.of({
          make: Effect.fn("ApplePasses.make")((pass: WalletPass) => {
            const signer: ApplePassSigner = {
              certificates: { ...certificates, signerKey: Redacted.value(certificates.signerKey) },
              passType,
              team
            }
            return press.sign(pass, signer)
          })
        })
      })
    )

  /** `ONSALE_APPLE_PASS_CERTIFICATE`, `_KEY`, `_PASSPHRASE`, `_WWDR`, `_TYPE` and `_TEAM`; none without the type. */
  static readonly layer = Layer.unwrap(
    Effect.gen(function* () {
      const passType = yield* Config.option(Config.NonEmptyString("ONSALE_APPLE_PASS_TYPE"))
      if (Option.isNone(passType)) return ApplePasses.layerWith(Option.none())
      const options = yield* Config.all({
        certificate: Config.NonEmptyString("ONSALE_APPLE_PASS_CERTIFICATE"),
        key: Config.Redacted("ONSALE_APPLE_PASS_KEY"),
        passphrase: Config.option(Config.Redacted("ONSALE_APPLE_PASS_PASSPHRASE")),
        wwdr: Config.NonEmptyString("ONSALE_APPLE_PASS_WWDR"),
        team: Config.NonEmptyString("ONSALE_APPLE_PASS_TEAM")
      })
      return ApplePasses.layerWith(Option.some({ ...options, passType: passType.value }))
    })
  ).pipe(Layer.provide(TicketPress.layer))
}
