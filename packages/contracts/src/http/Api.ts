/** The HTTP API, whole: what the gateway serves, OpenAPI describes and typed clients are made from. */
import { HttpApi, OpenApi } from "effect/http-api"
import { CalendarsApi, SitemapApi } from "./DiscoveryApi.ts"
import { CompatApi } from "./CompatApi.ts"
import { AvailabilityStreamApi } from "./AvailabilityStreamApi.ts"
import { CheckInsApi, DoorApi } from "./CheckInsApi.ts"
import { EventsApi } from "./EventsApi.ts"
import { HoldsApi } from "./HoldsApi.ts"
import { MailWebhooksApi, NotificationsApi } from "./NotificationsApi.ts"
import { OrdersApi } from "./OrdersApi.ts"
import { OrganiserApi } from "./OrganiserApi.ts"
import { PreferencesApi, UnsubscribeApi } from "./PreferencesApi.ts"
import { OrganiserWebhooksApi } from "./OrganiserWebhooksApi.ts"
import { PushApi, SmsWebhooksApi } from "./PushApi.ts"
import { RefundsApi } from "./RefundsApi.ts"
import { RequestProblems } from "./RequestProblems.ts"
import { SearchApi } from "./SearchApi.ts"
import { WalletApi } from "./WalletApi.ts"
import { WebhooksApi } from "./WebhooksApi.ts"

export class Api extends HttpApi.make("onsale")
  .add(EventsApi)
  .add(AvailabilityStreamApi)
  .add(HoldsApi)
  .add(OrdersApi)
  .add(CheckInsApi)
  .add(OrganiserApi)
  .add(DoorApi)
  .add(OrganiserWebhooksApi)
  .add(RefundsApi)
  .add(PreferencesApi)
  .add(UnsubscribeApi)
  .add(SearchApi)
  .add(WalletApi)
  .add(WebhooksApi)
  .add(NotificationsApi)
  .add(MailWebhooksApi)
  .add(PushApi)
  .add(SmsWebhooksApi)
  .add(CalendarsApi)
  .add(SitemapApi)
  .add(CompatApi)
  .middleware(RequestProblems)
  .annotateMerge(
    OpenApi.annotations({
      title: "Onsale",
      version: "1.0.0",
      description:
        "Ticketing and seat booking. Errors are application/problem+json. Money is an integer of minor units with its ISO 4217 code, times are UTC instants, ids are UUIDv7. Idempotency-Key is required on POSTs that create a hold, an order or a refund."
    })
  ) {}
