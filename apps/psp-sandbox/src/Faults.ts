/**
 * Faults on command. Whether and how the n-th money call since the plan was set is struck follows from the plan's
 * seed and n alone, so a run that makes the same calls in the same order is struck alike.
 */
import type { SandboxFaultKind, SandboxFaults, SandboxFaultsReport } from "@onsale/contracts/payments/Sandbox"
import { Context, Effect, Layer } from "effect"

/** A fault that strikes one call: `reset` has made up its mind when. */
export type Strike =
  | { readonly kind: "error" | "timeout" | "reset"; readonly when: "before" | "after" }
  | { readonly kind: "slow"; readonly ms: number }

/** Without a word on it, slow is slower than a patient client's p99 and faster than its timeout. */
const defaultSlowMs = 1_000

/** A number from 0 up to 1 out of a seed and two counters: the finaliser of MurmurHash3, good enough to look random. */
export const draw = (seed: number, n: number, salt: number): number => {
  let h = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(n, 0xcc9e2d51) ^ Math.imul(salt, 0x1b873593)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return ((h ^ (h >>> 16)) >>> 0) / 0x1_0000_0000
}

/** What the `n`-th call under `plan` suffers, `undefined` for nothing. */
export const strikeOf = (
  plan: SandboxFaults,
  n: number
): { readonly kind: SandboxFaultKind; readonly strike: Strike } | undefined => {
  if (draw(plan.seed, n, 1) >= plan.rate) return undefined
  const kind = plan.kinds[Math.floor(draw(plan.seed, n, 2) * plan.kinds.length)]
  switch (kind) {
    case undefined:
      return undefined
    case "error_before":
      return { kind, strike: { kind: "error", when: "before" } }
    case "error_after":
      return { kind, strike: { kind: "error", when: "after" } }
    case "timeout_before":
      return { kind, strike: { kind: "timeout", when: "before" } }
    case "timeout_after":
      return { kind, strike: { kind: "timeout", when: "after" } }
    case "reset":
      return { kind, strike: { kind: "reset", when: draw(plan.seed, n, 3) < 0.5 ? "before" : "after" } }
    case "slow":
      return { kind, strike: { kind: "slow", ms: plan.slowMs ?? defaultSlowMs } }
  }
}

export class Faults extends Context.Service<
  Faults,
  {
    /** Takes the next number of the plan and says what the call that holds it suffers. */
    readonly next: () => Strike | undefined
    /** Puts a plan in force and starts counting calls anew; `null` ends it. */
    readonly set: (plan: SandboxFaults | null) => SandboxFaultsReport
    readonly report: () => SandboxFaultsReport
  }
>()("@onsale/psp-sandbox/Faults") {
  static readonly layer = Layer.effect(
    Faults,
    Effect.sync(() => {
      let plan: SandboxFaults | null = null
      let calls = 0
      let struck = untouched()
      const report = (): SandboxFaultsReport => ({ faults: plan, calls, struck: { ...struck } })
      return Faults.of({
        next: () => {
          if (plan === null) return undefined
          const hit = strikeOf(plan, ++calls)
          if (hit === undefined) return undefined
          struck[hit.kind]++
          return hit.strike
        },
        set: (next) => {
          plan = next
          calls = 0
          struck = untouched()
          return report()
        },
        report
      })
    })
  )
}

const untouched = (): Record<SandboxFaultKind, number> => ({
  error_before: 0,
  error_after: 0,
  timeout_before: 0,
  timeout_after: 0,
  reset: 0,
  slow: 0
})
