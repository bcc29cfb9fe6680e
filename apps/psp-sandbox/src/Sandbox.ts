/**
 * The sandbox payment provider as one scoped layer: a ledger file, an HTTP server on the loopback interface and, if
 * somebody wants to be told, webhooks. `main.ts` runs it as a process of its own, tests run it in theirs.
 *
 * The ledger is held in memory as a whole (about 2 kB a payment): it is made for runs of up to a million payments.
 */
import { NodeCrypto, NodeFileSystem, NodeHttpClient, NodeHttpServer, NodePath } from "@effect/platform-node"
import { ByteSize, Config, Context, Duration, Effect, Latch, Layer, Option, type Redacted } from "effect"
import { HttpIncomingMessage, HttpRouter, HttpServer } from "effect/http"
import { createServer } from "node:http"
import { Faults } from "./Faults.ts"
import type { LedgerFileError } from "./LedgerFile.ts"
import { Provider } from "./Provider.ts"
import * as SandboxHttp from "./SandboxHttp.ts"
import * as Webhooks from "./Webhooks.ts"

export interface SandboxOptions {
  /** The address it listens on; 127.0.0.1 if not said, for it is nobody else's business. */
  readonly host?: string | undefined
  /** 0 or nothing: a free port. */
  readonly port?: number | undefined
  /** The path of the ledger file; made if it is not there. */
  readonly ledger: string
  /** The API key that callers send as a bearer token. */
  readonly secret: Redacted.Redacted
  /** How long a connection whose answer never comes is held; 30 s if not said. */
  readonly hold?: Duration.Input | undefined
  readonly webhooks?: SandboxWebhooks | undefined
}

export interface SandboxWebhooks extends Webhooks.WebhookOptions {
  /** `all` changes, or only those `asynchronous` ones that no call of the merchant made (late, 3-D Secure). */
  readonly changes?: "all" | "asynchronous" | undefined
}

const maxBody = ByteSize.kibibytes(16)

const defaultHold = Duration.seconds(30)

export class Sandbox extends Context.Service<
  Sandbox,
  {
    /** Where it listens, such as `http://127.0.0.1:49152`. */
    readonly url: string
    /** Never succeeds; fails when the ledger can no longer be written. */
    readonly failed: Effect.Effect<never, LedgerFileError>
  }
>()("@onsale/psp-sandbox/Sandbox") {
  /** Serves until the scope ends, then finishes what it accepted. */
  static readonly layer = (options: SandboxOptions) => {
    const platform = Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, NodeCrypto.layerSecureRandom)
    const provider = Provider.layer({
      ledger: options.ledger,
      webhooks: options.webhooks === undefined ? "none" : (options.webhooks.changes ?? "all")
    }).pipe(Layer.provide(platform))
    const webhooks =
      options.webhooks === undefined
        ? Layer.empty
        : Webhooks.layer(options.webhooks).pipe(
            Layer.provide([
              NodeHttpClient.layerUndici,
              NodeCrypto.layerMac.pipe(Layer.provide(NodeCrypto.layerSecureRandom))
            ])
          )
    const server = NodeHttpServer.layerServer(() => createServer({ keepAliveTimeout: 60_000 }), {
      host: options.host ?? "127.0.0.1",
      port: options.port ?? 0,
      gracefulShutdownTimeout: "2 seconds"
    })
    const closing = Latch.makeUnsafe()
    const http = HttpRouter.serve(
      SandboxHttp.layer({ secret: options.secret, hold: options.hold ?? defaultHold, closing }),
      { disableLogger: true, disableListenLog: true }
    ).pipe(Layer.provide([Faults.layer, Layer.succeed(HttpIncomingMessage.MaxBodySize)(maxBody)]))
    const sandbox = Layer.effect(
      Sandbox,
      Effect.gen(function* () {
        const provider = yield* Provider
        const { address } = yield* HttpServer.HttpServer
        return Sandbox.of({ url: HttpServer.formatAddress(address), failed: provider.failed })
      })
    )
    // Built on top of the server, so it comes down before it.
    const closer = Layer.effectDiscard(Effect.addFinalizer(() => closing.open)).pipe(Layer.provide(http))
    return Layer.mergeAll(sandbox, closer, webhooks).pipe(Layer.provide(server), Layer.provide(provider))
  }

  /**
   * From the environment: `PSP_HOST`, `PSP_PORT`, `PSP_LEDGER`, `PSP_SECRET`, `PSP_HOLD`, and for webhooks
   * `PSP_WEBHOOK_URL`, `PSP_WEBHOOK_SECRET` and `PSP_WEBHOOK_CHANGES` (`all` or `asynchronous`).
   */
  static readonly layerConfig = Layer.unwrap(
    Effect.gen(function* () {
      const url = yield* Config.option(Config.URL("PSP_WEBHOOK_URL"))
      return Sandbox.layer({
        host: Option.getOrUndefined(yield* Config.option(Config.NonEmptyString("PSP_HOST"))),
        port: yield* Config.Int("PSP_PORT").pipe(Config.withDefault(0)),
        ledger: yield* Config.NonEmptyString("PSP_LEDGER"),
        secret: yield* Config.Redacted("PSP_SECRET"),
        hold: yield* Config.Duration("PSP_HOLD").pipe(Config.withDefault(defaultHold)),
        webhooks: Option.isNone(url)
          ? undefined
          : {
              url: url.value.href,
              secret: yield* Config.Redacted("PSP_WEBHOOK_SECRET"),
              changes: yield* Config.Literals(["all", "asynchronous"], "PSP_WEBHOOK_CHANGES").pipe(
                Config.withDefault("all" as const)
              )
            }
      })
    })
  )
}
