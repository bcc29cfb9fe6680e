/** The HTTP edge, whole: every route over the contexts' services. */
import { Api } from "@onsale/contracts/http/Api"
import { Effect, Layer, Option, type Redacted } from "effect"
import { HttpApiBuilder, HttpApiSwagger } from "effect/http-api"
import { AdmissionControl } from "./AdmissionControl.ts"
import { AvailabilityBoard } from "./AvailabilityBoard.ts"
import { AvailabilityNews } from "./AvailabilityNews.ts"
import { AvailabilityFeed } from "./AvailabilityFeed.ts"
import * as CompatContracts from "./compat/CompatContracts.ts"
import * as CompatHttp from "./compat/CompatHttp.ts"
import * as CheckInsHttp from "./CheckInsHttp.ts"
import { ClientKey } from "./ClientKey.ts"
import * as CustomerToken from "./CustomerToken.ts"
import * as AvailabilityStreamHttp from "./AvailabilityStreamHttp.ts"
import * as DoorAuth from "./DoorAuth.ts"
import * as Edge from "./Edge.ts"
import * as CalendarsHttp from "./CalendarsHttp.ts"
import { EventReads } from "./EventReads.ts"
import { EventFills } from "./EventFills.ts"
import * as EventsHttp from "./EventsHttp.ts"
import * as HealthHttp from "./HealthHttp.ts"
import { HoldDesk } from "./HoldDesk.ts"
import * as HoldsHttp from "./HoldsHttp.ts"
import * as NotificationsHttp from "./NotificationsHttp.ts"
import * as OrdersHttp from "./OrdersHttp.ts"
import * as OrganiserAuth from "./OrganiserAuth.ts"
import * as OrganiserHttp from "./OrganiserHttp.ts"
import * as PreferencesHttp from "./PreferencesHttp.ts"
import * as OrganiserWebhooksHttp from "./OrganiserWebhooksHttp.ts"
import { PublicUrl } from "./PublicUrl.ts"
import { RateLimits } from "./RateLimits.ts"
import * as PushHttp from "./PushHttp.ts"
import { ReadAddresses } from "./ReadAddresses.ts"
import * as RefundsHttp from "./RefundsHttp.ts"
import * as RequestProblems from "./RequestProblems.ts"
import * as RootHttp from "./RootHttp.ts"
import * as SearchHttp from "./SearchHttp.ts"
import { SharedRedis } from "./SharedRedis.ts"
import * as SitemapHttp from "./SitemapHttp.ts"
import * as RpcGuards from "./rpc/RpcGuards.ts"
import * as RpcHandlers from "./rpc/RpcHandlers.ts"
import * as RpcRoutes from "./rpc/RpcRoutes.ts"
import { ViewersPerClient } from "./ViewersPerClient.ts"
import * as WalletHttp from "./WalletHttp.ts"
import * as WebhooksHttp from "./WebhooksHttp.ts"

export interface GatewayOptions {
  readonly organiserKey: Redacted.Redacted
  /** Where it is served, for addresses that others are given where no `ONSALE_PUBLIC_URL` is; 3000 when left out. */
  readonly port?: number
  /** As of `ONSALE_TOKEN_KEYS`; without any no customer's token holds. */
  readonly tokenKeys?: Redacted.Redacted | undefined
  /** Pages that only some installations have. */
  readonly links?: ReadonlyArray<RootHttp.Link>
  /** Whether `/compat` is served where `ONSALE_COMPAT` says nothing and no money is real. */
  readonly compatWithSandbox?: boolean
}

const routes = (options: GatewayOptions, contracts: CompatContracts.CompatContracts) => {
  const api = CompatContracts.describe(Api, contracts)
  return Layer.mergeAll(
    HttpApiBuilder.layer(api, { openapiPath: "/openapi.json" }).pipe(
      Layer.provide([
        CalendarsHttp.layer,
        CompatHttp.layer(contracts),
        EventsHttp.layer,
        AvailabilityStreamHttp.layer,
        HoldsHttp.layer,
        NotificationsHttp.layer,
        OrdersHttp.layer,
        OrganiserHttp.layer,
        PreferencesHttp.layer,
        CheckInsHttp.layer,
        CheckInsHttp.doorLayer,
        OrganiserWebhooksHttp.layer,
        PushHttp.layer,
        RefundsHttp.layer,
        SitemapHttp.layer,
        SearchHttp.layer,
        WalletHttp.layer,
        WebhooksHttp.layer
      ]),
      Layer.provide([
        OrganiserAuth.layer(options.organiserKey),
        DoorAuth.layer(options.organiserKey),
        CustomerToken.authLayer,
        RequestProblems.layer
      ])
    ),
    HttpApiSwagger.layer(api, { path: "/docs" }),
    RpcRoutes.layer.pipe(Layer.provide([RpcHandlers.layer, RpcGuards.layer(options.organiserKey)])),
    HealthHttp.layer,
    RootHttp.layer(options.links ?? []),
    Edge.layer
  ).pipe(
    Layer.provide([
      Layer.mergeAll(HoldDesk.layer, AvailabilityFeed.layer, EventReads.layer).pipe(
        Layer.provideMerge([AvailabilityBoard.layer, AdmissionControl.layer])
      ),
      ReadAddresses.layer,
      RateLimits.layer,
      ViewersPerClient.layer,
      PublicUrl.layer(options.port ?? 3000),
      ClientKey.layer,
      CustomerToken.CustomerToken.layer({
        keys: Option.fromUndefinedOr(options.tokenKeys),
        organiserKey: options.organiserKey
      })
    ]),
    Layer.provide([AvailabilityNews.layer, EventFills.layer]),
    Layer.provide(SharedRedis.layer)
  )
}

/** Needs the contexts' services, and an `HttpRouter` to add its routes to. */
export const layer = (options: GatewayOptions) =>
  Layer.unwrap(
    Effect.map(CompatContracts.configured(options.compatWithSandbox ?? false), (contracts) =>
      routes(options, contracts)
    )
  )
