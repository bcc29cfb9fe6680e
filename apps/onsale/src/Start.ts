/**
 * `onsale start`: everything in one process. Where nothing else is configured it brings its own
 * Postgres, payment provider and mail catcher, and loads a demo season.
 */
import { NodeHttpClient } from "@effect/platform-node"
import * as CatalogChanges from "@onsale/catalog/CatalogChanges"
import * as DemoSeason from "@onsale/catalog/DemoSeason"
import type { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import * as DoorAuth from "@onsale/gateway/DoorAuth"
import * as Gateway from "@onsale/gateway/Gateway"
import * as LocalOnly from "@onsale/gateway/LocalOnly"
import type { Link } from "@onsale/gateway/RootHttp"
import { Channels } from "@onsale/notifications/Channels"
import * as ConfiguredProviders from "@onsale/payments/ConfiguredProviders"
import { Database } from "@onsale/platform/Database"
import * as DatabaseMetrics from "@onsale/platform/DatabaseMetrics"
import * as HttpServer from "@onsale/platform/HttpServer"
import * as Log from "@onsale/platform/Log"
import * as Migrations from "@onsale/platform/Migrations"
import * as Telemetry from "@onsale/platform/Telemetry"
import { Config, ConfigProvider, Console, Duration, Effect, Layer, Option, Redacted, Schema } from "effect"
import * as SecureRandom from "effect/crypto/SecureRandom"
import { HttpServer as Server } from "effect/http"
import * as Contexts from "./Contexts.ts"
import * as DataDir from "./DataDir.ts"
import { DevMail } from "./DevMail.ts"
import * as DevMailHttp from "./DevMailHttp.ts"
import * as DevMailTemplates from "./DevMailTemplates.ts"
import * as Level from "./Level.ts"
import { concretePort } from "./ListeningPort.ts"
import { organiserKey } from "./OrganiserKey.ts"
import * as SandboxProcess from "./SandboxProcess.ts"
import { tokenKeys } from "./TokenKeys.ts"

const PortOrAny = Schema.FiniteFromString.check(
  Schema.isInt(),
  Schema.isBetween({ minimum: 0, maximum: 65_535 })
)

const settings = Config.all({
  /** 0 takes a free one. */
  port: Config.schema(PortOrAny, "PORT").pipe(Config.withDefault(3000)),
  host: Config.option(Config.NonEmptyString("ONSALE_HOST")),
  smtpUrl: Config.option(Config.Redacted("ONSALE_SMTP_URL")),
  mailFrom: Config.NonEmptyString("ONSALE_MAIL_FROM").pipe(
    Config.withDefault("Onsale <tickets@onsale.example>")
  ),
  sandboxUrl: Config.option(Config.NonEmptyString("ONSALE_SANDBOX_URL")),
  demo: Config.Boolean("ONSALE_DEMO").pipe(Config.withDefault(true))
})

/** The mail server of the configuration, or one that catches everything and shows it at `/dev/mail`. */
const mail = (options: {
  readonly smtpUrl: Option.Option<Redacted.Redacted<string>>
  readonly from: string
  readonly dataDir: string
}) =>
  Option.match(options.smtpUrl, {
    onSome: () => ({
      layer: Channels.layer,
      routes: Layer.empty,
      links: [] as ReadonlyArray<Link>
    }),
    onNone: () => {
      const caught = DevMail.layer({ directory: `${options.dataDir}/mail`, port: 0 })
      return {
        layer: Layer.unwrap(
          Effect.map(DevMail, ({ url }) =>
            Channels.layerLocal({ urls: Redacted.make(url), from: options.from })
          )
        ).pipe(Layer.provide(caught)),
        routes: Layer.merge(DevMailHttp.layer, DevMailTemplates.layer).pipe(
          Layer.provide([caught, LocalOnly.layer])
        ),
        links: [
          {
            href: "/dev/mail",
            title: "Mail",
            about: "what was sent; caught on this machine, from which alone it shows"
          }
        ]
      }
    }
  })

/** The sandbox of the configuration, or one that we start. */
const payments = (options: {
  readonly port: number
  readonly dataDir: string
  readonly configured: boolean
}) =>
  options.configured
    ? ConfiguredProviders.layerConfig
    : Layer.unwrap(
        Effect.gen(function* () {
          const secret = yield* DataDir.key("sandbox-secret")
          const webhookSecret = yield* DataDir.key("sandbox-webhook-secret")
          const url = yield* SandboxProcess.start({
            ledger: `${options.dataDir}/sandbox-ledger.jsonl`,
            secret: secret.value,
            webhookUrl: `http://127.0.0.1:${options.port}/api/v1/webhooks/sandbox`,
            webhookSecret: webhookSecret.value
          })
          return ConfiguredProviders.layer({
            url,
            secret: secret.value,
            webhookSecrets: [webhookSecret.value],
            timeout: Duration.seconds(5)
          })
        })
      )

const server = Effect.fnUntraced(function* <E, R>(inventory: Layer.Layer<InventoryClient, E, R>) {
  const config = yield* settings
  const dataDir = yield* DataDir.dataDir
  const port = yield* concretePort(config.port, Option.getOrUndefined(config.host))
  const organiser = yield* organiserKey
  const customers = yield* tokenKeys
  const checkIns = yield* DoorAuth.described
  const mailing = mail({ smtpUrl: config.smtpUrl, from: config.mailFrom, dataDir })

  const contexts = Contexts.layerWith(inventory).pipe(
    // For the links in messages: any port was asked for, and this one it is.
    Layer.provide(
      ConfigProvider.layerAdd(ConfigProvider.fromUnknown({ PORT: `${port}` }), { asPrimary: true })
    ),
    Layer.provide([
      mailing.layer,
      payments({ port, dataDir, configured: Option.isSome(config.sandboxUrl) }).pipe(
        Layer.provide(NodeHttpClient.layerUndici)
      )
    ])
  )
  const ready = Layer.effectDiscard(
    Effect.gen(function* () {
      const { address } = yield* Server.HttpServer
      const at = `http://localhost:${address._tag === "UnixPathAddress" ? "" : address.port}`
      yield* Console.log(
        [
          "",
          `Onsale is at      ${at}`,
          `API documentation ${at}/docs`,
          ...mailing.links.map(({ href, title }) => `${title.padEnd(17)} ${at}${href}`),
          `Metrics           ${at}/metrics`,
          `Check-ins         ${checkIns}`,
          organiser.made
            ? `Organiser's key   ${Redacted.value(organiser.value)} (shown this once, kept in ${organiser.file})`
            : organiser.file === ""
              ? "Organiser's key   as configured"
              : `Organiser's key   in ${organiser.file}`,
          ""
        ].join("\n")
      )
    })
  )
  const routes = Layer.mergeAll(
    Gateway.layer({
      organiserKey: organiser.value,
      port,
      tokenKeys: customers,
      links: mailing.links,
      compatWithSandbox: true
    }),
    mailing.routes
  )
  // Over all of the others: who keeps copies of the catalog, of the contexts or of the gateway, is told of every change.
  return Layer.mergeAll(ready, CatalogChanges.layer, DatabaseMetrics.layer).pipe(
    Layer.provideMerge(HttpServer.serve(routes, { port, host: Option.getOrUndefined(config.host) })),
    // Before the port is open: whoever finds us ready finds something to buy.
    Layer.provide(config.demo ? DemoSeason.layer : Layer.empty),
    Layer.provide(contexts),
    Layer.provide(Migrations.layer),
    Layer.provideMerge(Database.layer)
  )
})

/** Serves over an inventory until it is interrupted, or until the embedded database is lost for good. */
export const startWith = <E, R>(inventory: Layer.Layer<InventoryClient, E, R>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const context = yield* Layer.build(Layer.unwrap(server(inventory)))
      const database = yield* Database.pipe(Effect.provideContext(context))
      return yield* database.failure
    })
  ).pipe(
    Effect.provide(Telemetry.layer("onsale", Log.formForPeople)),
    Effect.provide(SecureRandom.layerWebCrypto)
  )

/** At the level of the configuration. */
export const start = startWith(Level.inventory).pipe(Effect.provide(Level.cache))
