/** A gateway's process: the HTTP edge, and a client of the cluster. */
import { NodeHttpClient } from "@effect/platform-node"
import { CheckIns } from "@onsale/booking/CheckIns"
import { Orders } from "@onsale/booking/Orders"
import { Catalog } from "@onsale/catalog/Catalog"
import * as DemoSeason from "@onsale/catalog/DemoSeason"
import * as Search from "@onsale/catalog/search/Search"
import { shardGroups } from "@onsale/contracts/ShardGroups"
import { EventAvailability } from "@onsale/inventory/EventAvailability"
import * as InventoryClient from "@onsale/inventory/InventoryClient"
import * as StandbyAvailability from "@onsale/inventory/StandbyAvailability"
import { NoticeJobs } from "@onsale/notifications/NoticeJobs"
import { Notifications } from "@onsale/notifications/Notifications"
import { WebhookDeliveries } from "@onsale/notifications/webhooks/WebhookDeliveries"
import { WebhookSubscriptions } from "@onsale/notifications/webhooks/WebhookSubscriptions"
import * as HoldExpiryWorker from "@onsale/notifications/push/HoldExpiryWorker"
import { Payments } from "@onsale/payments/Payments"
import * as Cluster from "@onsale/platform/Cluster"
import * as HttpServer from "@onsale/platform/HttpServer"
import * as RoleProcess from "@onsale/platform/RoleProcess"
import { Config, Effect, Layer, Option } from "effect"
import * as DoorAuth from "./DoorAuth.ts"
import * as Gateway from "./Gateway.ts"

/** What the routes ask of the contexts. Seats, orders and payments are the runners'. */
const contexts = Layer.mergeAll(
  Catalog.layer,
  Search.layer,
  Orders.layer,
  CheckIns.layer,
  HoldExpiryWorker.layer().pipe(Layer.provide(NoticeJobs.layer))
).pipe(
  Layer.provideMerge(
    Layer.mergeAll(
      StandbyAvailability.layer.pipe(Layer.provide([InventoryClient.layerEntity, EventAvailability.layer])),
      Payments.layerGateway.pipe(Layer.provide(NodeHttpClient.layerUndici)),
      Notifications.layer,
      WebhookDeliveries.layer,
      WebhookSubscriptions.layer
    )
  ),
  Layer.provideMerge(Cluster.layerClient({ shardGroups }))
)

const settings = Config.all({
  port: Config.Port("PORT").pipe(Config.withDefault(3000)),
  host: Config.option(Config.NonEmptyString("ONSALE_HOST")),
  organiserKey: Config.Redacted("ONSALE_ORGANISER_KEY"),
  /** Without them no customer's token holds. */
  tokenKeys: Config.option(Config.Redacted("ONSALE_TOKEN_KEYS")),
  demo: Config.Boolean("ONSALE_DEMO").pipe(Config.withDefault(false))
})

const server = Layer.unwrap(
  Effect.gen(function* () {
    const { demo, host, organiserKey, port, tokenKeys } = yield* settings
    yield* Effect.logInfo(`check-ins are ${yield* DoorAuth.described}`)
    const routes = Gateway.layer({ organiserKey, port, tokenKeys: Option.getOrUndefined(tokenKeys) })
    return HttpServer.serve(routes, { port, host: Option.getOrUndefined(host) }).pipe(
      Layer.provide(demo ? DemoSeason.layer : Layer.empty),
      Layer.provide(contexts)
    )
  })
)

RoleProcess.run({ name: "gateway", layer: server })
