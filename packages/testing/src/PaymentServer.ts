/** The server of a payment provider as `PaymentProviderSuite` plays with it. */
import type { Vitest } from "@effect/vitest"
import type { PaymentIntentId } from "@onsale/contracts/Ids"
import type { Standing } from "@onsale/payments/PaymentAnswer"
import type { PaymentProvider } from "@onsale/payments/PaymentProvider"
import { Context, type Effect } from "effect"
import type { Fault } from "./FaultProxy.ts"

/** A payment as the server's books have it. Amounts in minor units. */
export interface LedgerEntry {
  readonly reference: string
  readonly captured: number
  readonly refunded: number
  /** Refunds that were made. */
  readonly refunds: number
  /** Whether it holds the buyer's money, or may yet. */
  readonly isLive: boolean
}

export interface SignedWebhook {
  readonly body: Uint8Array
  readonly headers: Readonly<Record<string, string>>
  readonly token: string | undefined
}

export class PaymentServer extends Context.Service<
  PaymentServer,
  {
    /** With a time limit of about a second, and what is unanswered settled soon after. */
    readonly provider: PaymentProvider
    /** The same with credentials that are wrong. */
    readonly stranger: PaymentProvider
    /** The same at an address where nobody listens. */
    readonly unreachable: PaymentProvider
    /** The method tokens that do what their names say. */
    readonly methods: {
      readonly ok: string
      readonly declined: string
      readonly action: string
      readonly processing: string
    }
    readonly ledgerOf: (intentId: PaymentIntentId) => Effect.Effect<ReadonlyArray<LedgerEntry>>
    /** The buyer answers on the page that a standing sends them to. */
    readonly act: (standing: Standing, isApproved: boolean) => Effect.Effect<void>
    /** What was processing gets through. */
    readonly settle: (reference: string) => Effect.Effect<void>
    readonly dispute: (reference: string, outcome: "open" | "won") => Effect.Effect<void>
    /** Strikes the next call that may move money, once. */
    readonly strike: (fault: Fault) => Effect.Effect<void>
    /** Has the next such call run longer than the adapter waits, and answers with what lets it end. */
    readonly hold: Effect.Effect<Effect.Effect<void>>
    /** A webhook that tells that the payment was authorised, as the server would send it. */
    readonly webhook: (options: {
      readonly intentId: PaymentIntentId
      readonly reference: string
      /** `old`: the one that is being replaced. */
      readonly secret: "current" | "old" | "forged"
      /** Of the signature, Unix time in milliseconds. */
      readonly atMs: number
    }) => Effect.Effect<SignedWebhook>
    /** Whether the signature has a time; where nothing is signed, it cannot be too old. */
    readonly signsTime: boolean
  }
>()("@onsale/testing/PaymentServer") {}

/** Declares tests against the server in their context. */
export type PaymentRules = (it: Vitest.MethodsNonLive<PaymentServer>) => void
