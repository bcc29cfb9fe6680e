/** Buys a hold at once, for contracts that know no order in between; its key comes from the hold, so a repeat is none. */
import type { NewOrder } from "@onsale/contracts/booking/Order"
import type { Order } from "@onsale/contracts/http/OrdersApi"
import type { HoldId } from "@onsale/contracts/Ids"
import { PaymentMethod } from "@onsale/contracts/payments/PaymentIntent"
import { Config, Data, Duration, Effect, Option, Schedule, Schema } from "effect"
import { CurrentCustomer, type ProvedCustomer } from "../CurrentCustomer.ts"
import type * as OrderOperations from "../OrderOperations.ts"
import * as CompatAnswer from "./CompatAnswer.ts"

/** Any method that the configuration does not name, and what is bought on account. */
const anyMethod = "*"

const Methods = Schema.fromJsonString(Schema.Record(Schema.String, PaymentMethod))

/** The payment was declined; nothing is charged, and the hold lives on. */
export class Declined extends Data.TaggedError("CompatDeclined")<{ readonly code: string | null }> {}

/** The hold cannot be bought any more. */
export class NotBuyable extends Data.TaggedError("CompatNotBuyable")<{ readonly why: string }> {}

/** More than the customer may have. */
export class TooMany extends Data.TaggedError("CompatTooMany")<{ readonly limit: number }> {}

/** It is not known yet whether it is paid; the seats are kept for it meanwhile, and it goes on by itself. */
export class Pending extends Data.TaggedError("CompatPending")<{ readonly order: Order }> {}

/** Known by its key for ever; by a hash of what was asked, where the key does not say that. */
interface Request {
  readonly key: string
  readonly fingerprint?: string
}

const reused = () =>
  Effect.fail(
    CompatAnswer.refused(422, "idempotency key", "The Idempotency-Key was used for another booking")
  )

/** How long a payment whose outcome is open is waited for, and a first request by a second one like it. */
const patience = Schedule.upTo(Schedule.spaced("250 millis"), { duration: Duration.seconds(10) })

/**
 * `ONSALE_COMPAT_PAYMENT_METHODS`: the methods of the providers by the UUIDs that clients know, as JSON; `*` is for all
 * others, and for what is bought on account. As left out it is the sandbox's.
 */
const configured = Config.option(Config.schema(Methods, "ONSALE_COMPAT_PAYMENT_METHODS"))
const methods = Config.map(
  configured,
  Option.getOrElse(() => ({ [anyMethod]: PaymentMethod.make("tok_ok") }))
)

/** Whether somebody has said what is charged. */
export const isConfigured = Config.map(configured, Option.isSome)

export const make = Effect.fnUntraced(function* (
  orders: Effect.Success<typeof OrderOperations.make>,
  buyerOf: (customer: ProvedCustomer) => NewOrder["customer"]
) {
  const known = new Map(Object.entries(yield* methods).map(([uuid, method]) => [uuid.toLowerCase(), method]))

  /** The method of that UUID, or what is on account; undefined where there is none. */
  const methodOf = (uuid: string | null) =>
    known.get(uuid?.toLowerCase() ?? anyMethod) ?? known.get(anyMethod)

  /** How it ended, where it is not known yet whether it was paid. */
  const settle = Effect.fnUntraced(function* (order: Order) {
    if (order.status === "confirmed") return order
    const settled = yield* orders.get(order.id).pipe(
      Effect.repeat({ schedule: patience, while: ({ status }) => status === "payment_pending" }),
      // It was answered a moment ago.
      Effect.orDie
    )
    switch (settled.status) {
      case "payment_pending":
        return yield* new Pending({ order: settled })
      case "declined":
        return yield* new Declined({ code: settled.reason ?? null })
      case "cancelled":
        return yield* new NotBuyable({ why: settled.status })
      default:
        // It was bought, whatever came later.
        return settled
    }
  })

  const placed = Effect.fnUntraced(
    function* (holdId: HoldId, customer: ProvedCustomer, methodUuid: string | null, request: Request) {
      const method = methodOf(methodUuid)
      if (method === undefined) return yield* new Declined({ code: "unknown payment method" })
      return yield* orders
        .create(
          request.key,
          { holdId, customer: buyerOf(customer), payment: { method } },
          { asked: request.fingerprint }
        )
        .pipe(
          Effect.retry({ schedule: patience, while: ({ _tag }) => _tag === "KeyInUse" }),
          Effect.provideService(CurrentCustomer, customer)
        )
    },
    Effect.catchTags({
      PaymentDeclined: ({ code }) => Effect.fail(new Declined({ code })),
      LimitPassed: ({ limit }) => Effect.fail(new TooMany({ limit })),
      Overloaded: (error) => Effect.fail(CompatAnswer.overloaded(error)),
      KeyInUse: () => Effect.fail(CompatAnswer.later("the first request of this kind is still running")),
      HoldNotFound: () => Effect.fail(new NotBuyable({ why: "the hold is gone" })),
      HoldBought: () => Effect.fail(new NotBuyable({ why: "the hold was bought before" })),
      HoldInCheckout: () => Effect.fail(new NotBuyable({ why: "it is being paid in another way" })),
      EventCancelled: () => Effect.fail(new NotBuyable({ why: "the event was cancelled" })),
      OrderCancelled: ({ detail }) =>
        Effect.fail(new NotBuyable({ why: detail ?? "the order was cancelled" }))
    })
  )

  return {
    /** Buys the hold; once more, with the same method, is no other purchase. */
    hold: Effect.fnUntraced(
      function* (holdId: HoldId, customer: ProvedCustomer, methodUuid: string | null) {
        const key = `compat:${holdId}:${methodUuid?.toLowerCase() ?? "account"}`
        return yield* settle(yield* placed(holdId, customer, methodUuid, { key }))
      },
      Effect.catchTag("KeyReused", () => Effect.fail(new NotBuyable({ why: "it is bought in another way" })))
    ),

    /** Buys the hold on account for a request that has a key of its own: that one is bought once, whatever is held. */
    request: Effect.fnUntraced(
      function* (holdId: HoldId, customer: ProvedCustomer, request: Required<Request>) {
        return yield* settle(yield* placed(holdId, customer, null, request))
      },
      Effect.catchTag("KeyReused", reused)
    ),

    /** How the purchase of such a request ended, however long ago; null where it has not come to one. */
    again: Effect.fnUntraced(
      function* ({ fingerprint, key }: Required<Request>) {
        const order = yield* orders.again(key, fingerprint)
        return order === null ? null : yield* settle(order)
      },
      Effect.catchTags({
        KeyReused: reused,
        PaymentDeclined: ({ code }) => Effect.fail(new Declined({ code })),
        OrderCancelled: ({ detail }) =>
          Effect.fail(new NotBuyable({ why: detail ?? "the order was cancelled" }))
      })
    )
  }
})

export type Purchase = Effect.Success<ReturnType<typeof make>>
