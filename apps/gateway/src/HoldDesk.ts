/** Makes holds, for the typed route and for the lean one: one rule for keys, ids and boards. */
import { KeyInUse, type Overloaded } from "@onsale/contracts/http/Problems"
import { CommandId, type EventId, makeHoldId } from "@onsale/contracts/Ids"
import { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import type { InventoryAnswer, InventoryCommand } from "@onsale/contracts/inventory/InventoryCommand"
import { Clock, Context, Effect, Layer } from "effect"
import { createHash } from "node:crypto"
import { AvailabilityBoard } from "./AvailabilityBoard.ts"
import { overloaded } from "./InventoryProblems.ts"

/** What is to be held, and for whom: indices of the event. */
export type Claims = Omit<
  Extract<InventoryCommand, { readonly _tag: "Hold" }>,
  "_tag" | "commandId" | "fingerprint" | "holdId"
>

// What is longer is hashed, so that what is remembered of a command stays small.
const plainLength = 64
const short = (text: string): string =>
  text.length <= plainLength ? `k:${text}` : `h:${createHash("sha256").update(text).digest("base64url")}`

const ascending = (a: number, b: number): number => a - b

/** What was asked, in one form whatever the order of its parts: equal requests have equal ones. */
const fingerprintOf = ({ accessible, areas, best, customer, replaces, seats, voucherKey }: Claims): string =>
  short(
    JSON.stringify([
      [...seats].sort(ascending),
      areas.length < 2 ? areas : [...areas].sort((a, b) => a.area - b.area),
      best,
      // Nearly nobody says more than this.
      ...((customer ?? voucherKey ?? replaces ?? accessible) === undefined
        ? []
        : [customer ?? null, voucherKey ?? null, replaces ?? null, accessible ?? false])
    ])
  )

/** Of a change that the board may not show yet. Who lost seats looks for others next: those must not look free. */
const tells = (answer: InventoryAnswer): boolean =>
  answer._tag === "Held" || (answer._tag === "Refused" && answer.code === "seats_taken")

export class HoldDesk extends Context.Service<
  HoldDesk,
  {
    /**
     * Holds the claims under an `Idempotency-Key`. `KeyInUse` while the first request with the key is
     * running in this process; elsewhere the inventory gives both the same answer.
     */
    readonly hold: (
      event: { readonly id: EventId; readonly number: number },
      key: string,
      claims: Claims
    ) => Effect.Effect<InventoryAnswer, KeyInUse | Overloaded>
  }
>()("@onsale/gateway/HoldDesk") {
  static readonly layer = Layer.effect(
    HoldDesk,
    Effect.gen(function* () {
      const inventory = yield* InventoryClient
      const boards = yield* AvailabilityBoard
      const clock = yield* Clock.Clock
      const running = new Set<string>()

      return HoldDesk.of({
        hold: (event, key, claims) =>
          Effect.suspend(() => {
            const commandId = CommandId.make(short(key), { disableChecks: true })
            const run = event.id + commandId
            let ours = false
            return Effect.onExit(
              // The key is taken where its return is certain already: an interruption may come between any two steps.
              Effect.suspend((): Effect.Effect<InventoryAnswer, KeyInUse | Overloaded> => {
                if (running.has(run)) return Effect.fail(new KeyInUse({}))
                running.add(run)
                ours = true
                return inventory
                  .execute(event.id, {
                    _tag: "Hold",
                    commandId,
                    fingerprint: fingerprintOf(claims),
                    holdId: makeHoldId(clock.currentTimeMillisUnsafe(), event.number),
                    ...claims
                  })
                  .pipe(Effect.mapError(overloaded))
              }),
              (exit) =>
                Effect.sync(() => {
                  if (!ours) return
                  running.delete(run)
                  if (exit._tag === "Success" && tells(exit.value)) boards.changed(event.id)
                })
            )
          })
      })
    })
  )
}
