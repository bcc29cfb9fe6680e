/** Makes holds, for the typed route and for the lean one: one rule for keys, ids and boards. */
import { KeyInUse, type Overloaded } from "@onsale/contracts/http/Problems"
import { CommandId, type EventId, makeHoldId } from "@onsale/contracts/Ids"
import { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import type { InventoryAnswer, InventoryCommand } from "@onsale/contracts/inventory/InventoryCommand"
import * as InventorySubmit from "@onsale/inventory/InventorySubmit"
import * as Tracing from "@onsale/platform/Tracing"
import { Clock, Context, Effect, Exit, Layer } from "effect"
import { createHash } from "node:crypto"
import { AdmissionControl } from "./AdmissionControl.ts"
import { AvailabilityBoard } from "./AvailabilityBoard.ts"
import { unsettled } from "./InventoryProblems.ts"
import * as Patience from "./Patience.ts"

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
const fingerprintOf = ({
  accessible,
  areas,
  best,
  customer,
  lifeMs,
  replaces,
  seats,
  voucherKey
}: Claims): string =>
  short(
    JSON.stringify([
      [...seats].sort(ascending),
      areas.length < 2 ? areas : [...areas].sort((a, b) => a.area - b.area),
      // As it was written before there were numbers: a repeat may come after a new version.
      best === null || best.accessible > 0 ? best : { ...best, accessible: false },
      // Nearly nobody says more than this.
      ...((customer ?? voucherKey ?? replaces ?? accessible) === undefined
        ? []
        : [customer ?? null, voucherKey ?? null, replaces ?? null, accessible ?? false]),
      ...(lifeMs === undefined ? [] : [lifeMs])
    ])
  )

interface Event {
  readonly id: EventId
  readonly number: number
}

export class HoldDesk extends Context.Service<
  HoldDesk,
  {
    /**
     * Holds the claims under an `Idempotency-Key`. `KeyInUse` while the first request with the key is
     * running in this process; elsewhere the inventory gives both the same answer.
     */
    readonly hold: (
      event: Event,
      key: string,
      claims: Claims
    ) => Effect.Effect<InventoryAnswer, KeyInUse | Overloaded>
    /**
     * As `hold`, for who has no fiber. Calls back once, at once or later, until what it gives back is called: that
     * gives the key back before there is an answer.
     */
    readonly submit: (
      event: Event,
      key: string,
      claims: Claims,
      done: (exit: Exit.Exit<InventoryAnswer, KeyInUse | Overloaded>) => void,
      /** Who asks, where that is traced. */
      traced?: Tracing.Traced,
      /** When nobody waits for it any more, where that is known: it is not begun later. Milliseconds since 1970. */
      untilMs?: number
    ) => () => void
  }
>()("@onsale/gateway/HoldDesk") {
  static readonly layer = Layer.effect(
    HoldDesk,
    Effect.gen(function* () {
      const send = yield* InventorySubmit.of(yield* InventoryClient)
      const boards = yield* AvailabilityBoard
      const clock = yield* Clock.Clock
      const control = yield* AdmissionControl
      const running = new Set<string>()

      /** Who lost seats looks for others next: those must not look free. Nor a change that the board may not show yet. */
      const tell = (eventId: EventId, answer: InventoryAnswer): void => {
        if (answer._tag === "Held") boards.changed(eventId, answer.hold.version)
        else if (
          answer._tag === "Refused" &&
          (answer.code === "seats_taken" || answer.code === "quota_full")
        ) {
          boards.met(eventId)
          control.lost()
        }
      }

      const submit: HoldDesk["Service"]["submit"] = (event, key, claims, done, traced, untilMs) => {
        const commandId = CommandId.make(short(key), { disableChecks: true })
        const run = event.id + commandId
        if (running.has(run)) {
          done(Exit.fail(new KeyInUse({})))
          return () => {}
        }
        running.add(run)
        let ours = true
        const giveBack = (): boolean => {
          if (!ours) return false
          ours = false
          return running.delete(run)
        }
        const forget = send(
          event.id,
          {
            _tag: "Hold",
            commandId,
            fingerprint: fingerprintOf(claims),
            holdId: makeHoldId(clock.currentTimeMillisUnsafe(), event.number),
            ...claims
          },
          (exit) => {
            // Whether anybody still waits for it or not: it has happened.
            if (exit._tag === "Success") tell(event.id, exit.value)
            if (giveBack()) done(Exit.mapError(exit, unsettled))
          },
          traced,
          untilMs
        )
        return () => {
          if (giveBack()) forget()
        }
      }

      return HoldDesk.of({
        submit,
        hold: (event, key, claims) =>
          Effect.flatMap(Effect.all([Tracing.traced, Patience.Until]), ([traced, untilMs]) =>
            Effect.callback((resume) => {
              const forget = submit(event, key, claims, resume, traced, untilMs)
              return Effect.sync(forget)
            })
          )
      })
    })
  )
}
