/**
 * What every implementation of the `PaymentProvider` contract must do, against a server with a ledger of its
 * own: what counts is the money there, whatever the adapter says.
 */
import { layer as testLayer } from "@effect/vitest"
import type { Layer } from "effect"
import { paymentFaultRules } from "./PaymentFaultRules.ts"
import { paymentRules } from "./PaymentRules.ts"
import type { PaymentServer } from "./PaymentServer.ts"
import { paymentWebhookRules } from "./PaymentWebhookRules.ts"

/** Declares the whole suite. */
export const suite = <E>(name: string, server: Layer.Layer<PaymentServer, E>): void =>
  testLayer(server, { excludeTestServices: true, timeout: "60 seconds" })(name, (it) => {
    paymentRules(it)
    paymentFaultRules(it)
    paymentWebhookRules(it)
  })
