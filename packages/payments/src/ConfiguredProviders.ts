/**
 * The providers that this process is connected to: the sandbox, and each of the others whose key is configured,
 * all behind their breakers. `ONSALE_PAYMENT_ROUTES` says which of them takes a payment whose buyer named none;
 * without it the sandbox does.
 *
 * The SDKs are loaded by those who use them only: they cost a second at the start, and 30 to 50 MB.
 */
import { Config, Effect, Layer, Option } from "effect"
import { Mac, SecureRandom } from "effect/crypto"
import type { HttpClient } from "effect/http"
import { make, type PaymentProvider, PaymentProviders } from "./PaymentProvider.ts"
import { routesOver } from "./PaymentRoutes.ts"
import * as ProviderHealth from "./ProviderHealth.ts"
import * as SandboxProvider from "./SandboxProvider.ts"

/** A provider is wanted where its key is there; what else it needs must be there then. */
const whenConfigured = <E, R>(key: string, provider: Effect.Effect<PaymentProvider, E, R>) =>
  Effect.flatMap(Config.option(Config.Redacted(key)), (found) =>
    Option.isNone(found)
      ? Effect.succeed<ReadonlyArray<PaymentProvider>>([])
      : Effect.map(provider, (one) => [one])
  )

const loadStripe = async () => {
  const { config, make } = await import("./StripeProvider.ts")
  return { config, make }
}

const loadMollie = async () => {
  const { config, make } = await import("./MollieProvider.ts")
  return { config, make }
}

const stripe = whenConfigured(
  "ONSALE_STRIPE_SECRET_KEY",
  Effect.gen(function* () {
    const { config, make } = yield* Effect.promise(loadStripe)
    return yield* make(yield* config)
  })
)

const mollie = whenConfigured(
  "ONSALE_MOLLIE_API_KEY",
  Effect.gen(function* () {
    const { config, make } = yield* Effect.promise(loadMollie)
    return yield* make(yield* config)
  })
)

/** A second sandbox, so that what happens between two providers can be tried. */
const secondSandbox = whenConfigured(
  "ONSALE_SANDBOX_B_SECRET",
  Effect.flatMap(SandboxProvider.configOf("ONSALE_SANDBOX_B"), (options) =>
    SandboxProvider.make({ ...options, name: "sandbox-b" })
  )
)

const isConfigured = (key: string) => Config.map(Config.option(Config.Redacted(key)), Option.isSome)

/** The names of the connected providers that are no sandbox. */
export const takingRealMoney: Config.Config<ReadonlyArray<string>> = Config.map(
  Config.all({
    stripe: isConfigured("ONSALE_STRIPE_SECRET_KEY"),
    mollie: isConfigured("ONSALE_MOLLIE_API_KEY")
  }),
  (found) => Object.entries(found).flatMap(([name, isThere]) => (isThere ? [name] : []))
)

const others = Effect.map(Effect.all([secondSandbox, stripe, mollie]), (found) => found.flat())

const connect = Effect.fnUntraced(function* (sandbox: SandboxProvider.SandboxProviderOptions) {
  const health = yield* ProviderHealth.make
  const first = health.guard(yield* SandboxProvider.make(sandbox))
  const rest = (yield* others).map(health.guard)
  const connected = new Set([first, ...rest].map(({ name }) => name))
  const routes = yield* Config.option(Config.schema(routesOver(connected), "ONSALE_PAYMENT_ROUTES"))
  return PaymentProviders.of({
    ...make(first, rest, Option.getOrUndefined(routes)),
    isHealthy: health.isHealthy
  })
})

const layerMac = Mac.layerWebCrypto.pipe(Layer.provide(SecureRandom.layerWebCrypto))

export const layer = (
  sandbox: SandboxProvider.SandboxProviderOptions
): Layer.Layer<PaymentProviders, Config.ConfigError, HttpClient.HttpClient> =>
  PaymentProviders.layerEffect(connect(sandbox)).pipe(Layer.provide(layerMac))

export const layerConfig: Layer.Layer<PaymentProviders, Config.ConfigError, HttpClient.HttpClient> =
  Layer.unwrap(Effect.map(SandboxProvider.config, layer))
