/** The payments context as one layer: the entity, its supervisor, and the webhooks. */
import { Clock, Context, Effect, Layer } from "effect"
import * as ConfiguredProviders from "./ConfiguredProviders.ts"
import { IntentTable, type UnfinishedIntent } from "./IntentTable.ts"
import * as PaymentEntity from "./PaymentEntity.ts"
import * as PaymentSupervisor from "./PaymentSupervisor.ts"
import * as ReconciliationJob from "./ReconciliationJob.ts"
import { Webhooks } from "./Webhooks.ts"

/** What is listed at a time. */
const maxListed = 1_000

/** For operators and the health of a runner. */
export class Payments extends Context.Service<
  Payments,
  {
    /** Payments that are open and have not changed for that long, the oldest first; at most 1,000. */
    readonly listUnfinished: (options?: {
      readonly olderThanMs?: number | undefined
      readonly limit?: number | undefined
    }) => Effect.Effect<ReadonlyArray<UnfinishedIntent>>
  }
>()("@onsale/payments/Payments") {
  static readonly layerRead = Layer.effect(
    Payments,
    Effect.gen(function* () {
      const table = yield* IntentTable
      return Payments.of({
        listUnfinished: Effect.fn("Payments.listUnfinished")(function* (options = {}) {
          const limit = Math.min(options.limit ?? maxListed, maxListed)
          return yield* table.listUnfinished(yield* Clock.currentTimeMillis, options.olderThanMs ?? 0, limit)
        })
      })
    })
  ).pipe(Layer.provide(IntentTable.layer))

  /** Everything over providers that the caller chose; needs Sharding and SqlClient too. */
  static readonly layerNoProviders = (options: PaymentSupervisor.SupervisorOptions = {}) =>
    Layer.mergeAll(
      PaymentEntity.layer,
      PaymentSupervisor.layer(options),
      ReconciliationJob.layer,
      Webhooks.layer,
      Payments.layerRead
    )

  /** With the providers that are configured; needs Sharding, SqlClient and HttpClient. */
  static readonly layer = Payments.layerNoProviders().pipe(Layer.provide(ConfiguredProviders.layerConfig))

  /** What a gateway needs that runs no payments: it receives webhooks. Needs SqlClient and HttpClient. */
  static readonly layerGateway = Layer.mergeAll(Webhooks.layer, Payments.layerRead).pipe(
    Layer.provide(ConfiguredProviders.layerConfig)
  )
}
