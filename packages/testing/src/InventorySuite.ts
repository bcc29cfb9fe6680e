/**
 * What every implementation of the `InventoryClient` contract must do, whatever the level.
 *
 * The implementation is built over a `SteeredClock`: it must judge every expiry by Effect's `Clock`.
 */
import { layer as testLayer, type Vitest } from "@effect/vitest"
import type { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import { Layer } from "effect"
import { accessibleRules } from "./AccessibleRules.ts"
import { bestAvailableRules } from "./BestAvailableRules.ts"
import { cancelRules } from "./CancelRules.ts"
import { crowdRules } from "./CrowdRules.ts"
import { holdRules } from "./HoldRules.ts"
import { limitRules } from "./LimitRules.ts"
import { quotaRules } from "./QuotaRules.ts"
import { replaceRules } from "./ReplaceRules.ts"
import { saleRules } from "./SaleRules.ts"
import { SteeredClock } from "./SteeredClock.ts"
import { tierRules } from "./TierRules.ts"
import { voucherRules } from "./VoucherRules.ts"

/** Declares tests against the implementation in their context. */
export type Rules = (it: Vitest.MethodsNonLive<InventoryClient | SteeredClock>) => void

/**
 * Declares the whole suite. `implementation` is over a database of its own, and without a cache that
 * outlives the layer.
 */
export const suite = <E>(name: string, implementation: Layer.Layer<InventoryClient, E, SteeredClock>): void =>
  testLayer(implementation.pipe(Layer.provideMerge(SteeredClock.layer)), {
    excludeTestServices: true,
    timeout: "60 seconds"
  })(name, (it) => {
    holdRules(it)
    bestAvailableRules(it)
    accessibleRules(it)
    saleRules(it)
    replaceRules(it)
    limitRules(it)
    quotaRules(it)
    tierRules(it)
    voucherRules(it)
    cancelRules(it)
    crowdRules(it)
  })
