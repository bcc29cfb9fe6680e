/**
 * How a payment is found at Stripe by our intent, without ever charging it.
 *
 * A repeat of the create under its key would answer what it answered, but where the first one never arrived
 * it would charge: so it is never used as a question. What is asked instead:
 *
 * 1. by Stripe's own id, where it has told us one: exact at any time;
 * 2. by search over our intent in the metadata. A hit is certain and is read again by its id, as the index may
 *    be behind. No hit is not: "under normal operating conditions, data is searchable in less than a minute",
 *    and up to an hour later in an outage;
 * 3. by list over the time in which it can have been created, which is consistent. The window begins at the
 *    time in our intent's id. Read to its end, no hit is certain; a list that is longer than we read is not.
 *
 * A request that was not answered may still be on its way, so that nothing is found for a moment:
 * `Unanswered` keeps the answer at `unknown` for as long as it may yet arrive.
 */
import type { PaymentIntentId } from "@onsale/contracts/Ids"
import { timeOfUuidV7 } from "@onsale/contracts/Ids"
import { Clock, Duration, Effect, Schema } from "effect"
import type { Stripe } from "stripe"
import type { FindRequest, ProviderFailure } from "./PaymentProvider.ts"
import { notAnswered, unknown } from "./ProviderHttp.ts"
import type { StripeClient } from "./StripeClient.ts"
import { intentIdOf, metadataNames, type StripePayment, StripePaymentList } from "./StripeWire.ts"
import type { Unanswered } from "./Unanswered.ts"

export interface FindTimes {
  /** Before a payment is that old it is not searched for: the index cannot have it yet. */
  readonly searchableAfterMs: number
  /** After that the index has everything, whatever happened to it. */
  readonly indexLagMs: number
}

export const defaultFindTimes: FindTimes = {
  searchableAfterMs: 60_000,
  indexLagMs: 3 * 3_600_000
}

/** Between Stripe's clock and the one that made our id. */
const skewMs = 5 * 60_000

/**
 * No authorisation of an intent begins later than this after its id was made: the hold behind it is frozen for
 * 15 minutes, once.
 */
const windowMs = 2 * 3_600_000

const pageSize = 100

/** 1,000 payments: what an on-sale makes in some ten seconds, and as many calls as fit into one of ours. */
const maxPages = 10

const decodeList = Schema.decodeUnknownEffect(StripePaymentList)

export const make = (
  client: StripeClient,
  unanswered: Unanswered,
  times: FindTimes,
  timeout: Duration.Duration
) => {
  const page = (params: Stripe.PaymentIntentListParams) =>
    client.call((stripe) => stripe.paymentIntents.list(params), decodeList)

  const search = Effect.fnUntraced(function* (intentId: PaymentIntentId) {
    const query = `metadata['${metadataNames.intent}']:'${intentId}'`
    const hits = yield* client.call(
      (stripe) => stripe.paymentIntents.search({ query, limit: pageSize }),
      decodeList
    )
    return yield* Effect.forEach(hits.data, (hit) => client.retrieve(hit.id))
  })

  /** `isWhole`: the list was read to its end. */
  const scan = Effect.fnUntraced(function* (intentId: PaymentIntentId, createdMs: number) {
    const created = {
      gte: Math.floor((createdMs - skewMs) / 1000),
      lte: Math.ceil((createdMs + windowMs + skewMs) / 1000)
    }
    const found: Array<StripePayment> = []
    let after: string | undefined
    for (let read = 0; read < maxPages; read++) {
      const listed = yield* page({
        created,
        limit: pageSize,
        ...(after === undefined ? {} : { starting_after: after })
      })
      found.push(...listed.data.filter(({ metadata }) => intentIdOf(metadata) === intentId))
      after = listed.data.at(-1)?.id
      if (!listed.has_more || after === undefined) return { found, isWhole: true }
      // One key makes one payment, so the rest of the list is of no interest.
      if (found.length > 0) return { found, isWhole: false }
    }
    return { found, isWhole: false }
  })

  const find = Effect.fnUntraced(function* ({ intentId, key, reference }: FindRequest) {
    if (reference !== null) return yield* client.standingOf(yield* client.retrieve(reference))
    const createdMs = timeOfUuidV7(intentId)
    const ageMs = (yield* Clock.currentTimeMillis) - createdMs
    if (ageMs >= times.searchableAfterMs) {
      const hit = yield* theOne(yield* search(intentId))
      if (hit !== null) return yield* client.standingOf(hit)
    }
    // From then on the index alone is certain, and the window lies too far back to be read through.
    const isSearchEnough = ageMs >= windowMs + times.indexLagMs
    const scanned = isSearchEnough ? { found: [], isWhole: true } : yield* scan(intentId, createdMs)
    const hit = yield* theOne(scanned.found)
    if (hit !== null) return yield* client.standingOf(hit)
    if (!scanned.isWhole) {
      return yield* unknown(
        "not_certain",
        "more payments of that time than can be read, and not searchable yet"
      )
    }
    if (yield* unanswered.mayArrive(key))
      return yield* unknown("in_flight", "a call with this key may still run")
    return { _tag: "Absent" as const }
  })

  return (request: FindRequest) =>
    find(request).pipe(
      Effect.timeoutOrElse({
        duration: timeout,
        orElse: () => Effect.fail(unknown("timeout", `not found within ${Duration.format(timeout)}`))
      }),
      Effect.mapError(notAnswered)
    )
}

/** The payment that holds money or may; else any. Two that do are more than one key can make. */
const theOne = (
  payments: ReadonlyArray<StripePayment>
): Effect.Effect<StripePayment | null, ProviderFailure> => {
  const live = payments.filter(({ status }) => status !== "canceled" && status !== "requires_payment_method")
  return live.length > 1
    ? Effect.fail(unknown("several_payments", `${live.map(({ id }) => id).join(", ")} are of one intent`))
    : Effect.succeed(live[0] ?? payments[0] ?? null)
}
