/**
 * The calls of the payments to their providers, one by one: what strikes each is asked for before it is made.
 */
import type { PaymentIntentId } from "@onsale/contracts/Ids"
import type { PaymentProvider, ProviderFailure } from "@onsale/payments/PaymentProvider"
import { Context, Effect } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"
import { type Fault, faultHeader } from "../FaultProxy.ts"

export type MoneyStep = "authorise" | "capture" | "void" | "refund"

export interface MoneyCall {
  readonly provider: string
  readonly step: MoneyStep
  readonly intentId: PaymentIntentId
  /** Minor units; null for a void. */
  readonly amount: number | null
  /** The provider's id for the payment; null for an authorisation. */
  readonly reference: string | null
}

/** What happens to a call: `before` it is made, on its way, and `after` it was answered and before we hear of it. */
export interface Strike {
  readonly before?: Effect.Effect<void>
  /** For the `FaultProxy` in between. */
  readonly fault?: Fault | `slow:${number}`
  readonly after?: Effect.Effect<void>
}

const CurrentFault = Context.Reference<string | null>("@onsale/testing/money/CurrentFault", {
  defaultValue: () => null
})

/** A client that passes the fault of the call at hand on to the proxy. */
export const tellFaults: (client: HttpClient.HttpClient) => HttpClient.HttpClient =
  HttpClient.mapRequestEffect((request) =>
    Effect.map(CurrentFault, (fault) =>
      fault === null ? request : HttpClientRequest.setHeader(request, faultHeader, fault)
    )
  )

/**
 * The provider as one life of our process reaches it: with what strikes its calls, and not any more once `dead`
 * has failed, even for a call that was on its way.
 */
export const guard = (
  provider: PaymentProvider,
  strike: (call: MoneyCall) => Strike | null,
  dead: Effect.Effect<never, ProviderFailure>
): PaymentProvider => {
  const whileAlive = <A>(effect: Effect.Effect<A, ProviderFailure>) =>
    Effect.raceFirst(Effect.interruptible(dead), Effect.interruptible(effect))

  const struck = <A>(call: Omit<MoneyCall, "provider">, effect: Effect.Effect<A, ProviderFailure>) =>
    whileAlive(
      Effect.suspend(() => {
        const { after, before, fault } = strike({ ...call, provider: provider.name }) ?? {}
        const made = fault === undefined ? effect : Effect.provideService(effect, CurrentFault, fault)
        const answered = after === undefined ? made : Effect.tap(made, () => after)
        return before === undefined ? answered : Effect.andThen(before, answered)
      })
    )

  return {
    ...provider,
    authorise: (request) =>
      struck(
        { step: "authorise", intentId: request.intentId, amount: request.amount, reference: null },
        provider.authorise(request)
      ),
    capture: (request) => struck({ step: "capture", ...movedBy(request) }, provider.capture(request)),
    void: ({ intentId, key, reference }) =>
      struck(
        { step: "void", intentId, amount: null, reference },
        provider.void({ intentId, key, reference })
      ),
    refund: (request) => struck({ step: "refund", ...movedBy(request) }, provider.refund(request)),
    find: (request) => whileAlive(provider.find(request)),
    list: (request) => whileAlive(provider.list(request))
  }
}

const movedBy = ({
  amount,
  intentId,
  reference
}: {
  readonly amount: number
  readonly intentId: PaymentIntentId
  readonly reference: string
}) => ({ amount, intentId, reference })
