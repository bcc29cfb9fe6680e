/** The whole edge over contexts of which nothing is asked but what a test says. */
import { CheckIns } from "@onsale/booking/CheckIns"
import { Orders } from "@onsale/booking/Orders"
import { Blocks } from "@onsale/catalog/Blocks"
import { Catalog } from "@onsale/catalog/Catalog"
import { PublicEvents } from "@onsale/catalog/PublicEvents"
import { EventSearches } from "@onsale/catalog/search/EventSearches"
import { Vouchers } from "@onsale/catalog/Vouchers"
import { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import { MailWebhooks } from "@onsale/notifications/MailWebhooks"
import { MessageLog } from "@onsale/notifications/MessageLog"
import { Notifications } from "@onsale/notifications/Notifications"
import { Preferences } from "@onsale/notifications/Preferences"
import { PushSubscriptions } from "@onsale/notifications/push/PushSubscriptions"
import { VapidKeys } from "@onsale/notifications/push/VapidKeys"
import { SmsCallbacks } from "@onsale/notifications/sms/SmsCallbacks"
import { Suppressions } from "@onsale/notifications/Suppressions"
import { UnsubscribeLinks } from "@onsale/notifications/UnsubscribeLinks"
import { WebhookDeliveries } from "@onsale/notifications/webhooks/WebhookDeliveries"
import { WebhookSubscriptions } from "@onsale/notifications/webhooks/WebhookSubscriptions"
import { Webhooks } from "@onsale/payments/Webhooks"
import * as HttpServer from "@onsale/platform/HttpServer"
import { Context, Effect, Layer, Redacted } from "effect"
import { HttpServer as Server } from "effect/http"
import { Reactivity } from "effect/reactivity"
import { SqlClient, Statement } from "effect/sql"
import * as Gateway from "../src/Gateway.ts"

const idle = Layer.mergeAll(
  Layer.mock(Catalog, {}),
  Layer.mock(PublicEvents, {}),
  Layer.mock(Orders, {}),
  Layer.mock(Blocks, {}),
  Layer.mock(Vouchers, {}),
  Layer.mock(EventSearches, {}),
  Layer.mock(CheckIns, {}),
  Layer.mock(Notifications, {}),
  Layer.mock(MailWebhooks, {}),
  Layer.mock(MessageLog, {}),
  Layer.mock(Suppressions, {}),
  Layer.mock(Preferences, {}),
  Layer.mock(UnsubscribeLinks, {}),
  Layer.mock(WebhookDeliveries, {}),
  Layer.mock(WebhookSubscriptions, {}),
  Layer.mock(PushSubscriptions, {}),
  Layer.mock(SmsCallbacks, {}),
  Layer.mock(VapidKeys, { publicKey: "", privateKey: Redacted.make(""), subject: "" }),
  Layer.mock(Webhooks, {}),
  Layer.mock(InventoryClient, {}),
  // Only asked for whether it answers.
  Layer.effect(
    SqlClient.SqlClient,
    SqlClient.make({
      acquirer: Effect.never,
      compiler: Statement.makeCompilerSqlite(),
      driver: "none",
      spanAttributes: []
    })
  ).pipe(Layer.provide(Reactivity.layer))
)

/** Its port, until the scope closes. `contexts` stand in the place of the idle ones. */
export const serve = <A>(contexts: Layer.Layer<A>) =>
  HttpServer.serve(Gateway.layer({ organiserKey: Redacted.make("key") }), {
    port: 0,
    host: "127.0.0.1",
    shutdownLimit: 2_000
  }).pipe(
    Layer.provide(Layer.mergeAll(idle, contexts)),
    Layer.build,
    Effect.map((context) => {
      const { address } = Context.get(context, Server.HttpServer)
      return address._tag === "UnixPathAddress" ? 0 : address.port
    })
  )
