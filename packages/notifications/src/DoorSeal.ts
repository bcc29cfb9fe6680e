/** Signs what a gate takes with it by the key of the ticket codes, with a `typ` of its own: neither passes for the other. */
import { type DoorBundle, doorBundleType, type DoorKey } from "@onsale/contracts/booking/DoorBundle"
import { Effect, Redacted } from "effect"
import { CompactSign, importJWK } from "jose"
import type { SigningKeys } from "./SigningKeys.ts"

export const make = ({ signer, verifiers }: SigningKeys["Service"]) => ({
  seal: Effect.fn("DoorSeal.seal")((bundle: DoorBundle) =>
    Effect.orDie(
      Effect.tryPromise(async () =>
        new CompactSign(new TextEncoder().encode(JSON.stringify(bundle)))
          .setProtectedHeader({ alg: "Ed25519", kid: String(signer.number), typ: doorBundleType })
          .sign(await importJWK(Redacted.value(signer.privateJwk), "Ed25519"))
      )
    )
  ),
  doorKeys: Effect.succeed(verifiers.map(({ number, publicJwk }): DoorKey => ({ number, x: publicJwk.x })))
})
