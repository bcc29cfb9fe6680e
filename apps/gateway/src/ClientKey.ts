/** Whom a request counts for: its address, as limits count it. */
import { Config, Context, Effect, Layer, Option } from "effect"
import type { HttpServerRequest } from "effect/http"
import * as ClientAddress from "./ClientAddress.ts"

const loopback = Config.Literals(["limited", "free"], "ONSALE_RATE_LIMIT_LOOPBACK").pipe(
  Config.withDefault("free")
)

/**
 * Null for clients without a limit: those on this machine, but where `ONSALE_RATE_LIMIT_LOOPBACK` is `limited`; a
 * benchmark is no attack. A proxy on this machine has to be one of `ONSALE_TRUSTED_PROXIES`, else all its clients are
 * taken for it.
 */
export const make = Effect.gen(function* () {
  const proxies = yield* ClientAddress.trustedProxies
  const trusted = proxies.rules.length === 0 ? undefined : proxies
  const hereFree = (yield* loopback) === "free"
  return (remote: string, forwardedFor: string | ReadonlyArray<string> | undefined): string | null => {
    const address = ClientAddress.addressOf(remote, forwardedFor, trusted)
    return hereFree && ClientAddress.isLoopback(address) ? null : ClientAddress.keyOf(address)
  }
})

/** For who has the HTTP server's request. */
export class ClientKey extends Context.Service<
  ClientKey,
  (request: HttpServerRequest.HttpServerRequest) => string | null
>()("@onsale/gateway/ClientKey") {
  static readonly layer = Layer.effect(
    ClientKey,
    Effect.map(
      make,
      (clientOf) => (request: HttpServerRequest.HttpServerRequest) =>
        clientOf(
          Option.getOrElse(request.remoteAddress, () => ""),
          request.headers["x-forwarded-for"]
        )
    )
  )
}
