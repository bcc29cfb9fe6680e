/**
 * The yardstick of `npm run bench -- holds`: the same process with the same routes, but an inventory that
 * keeps nothing and answers every hold at once. What the real one costs is the difference.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { TierId } from "@onsale/contracts/Ids"
import { InventoryClient } from "@onsale/contracts/inventory/InventoryClient"
import type { InventoryAnswer, InventoryCommand } from "@onsale/contracts/inventory/InventoryCommand"
import * as InventorySubmit from "@onsale/inventory/InventorySubmit"
import { Effect, Exit, Layer } from "effect"
import { startWith } from "./Start.ts"

const tier = TierId.make("01900000-0000-7000-8000-000000000000")

const answer = (command: InventoryCommand): InventoryAnswer =>
  command._tag === "Hold"
    ? {
        _tag: "Held",
        hold: {
          holdId: command.holdId,
          seats: command.seats.map((seat) => ({ seat, label: "A · 1 · 1", tier, price: 4500 })),
          areas: command.areas.map((claim) => ({ ...claim, name: "Standing", tier, price: 4500 })),
          amount: 9000,
          currency: "EUR",
          expiresAtMs: 1_900_000_000_000,
          version: 1,
          orderId: null
        }
      }
    : { _tag: "Released" }

const constant = Layer.sync(InventoryClient, () =>
  InventorySubmit.takes(
    {
      open: () => Effect.void,
      execute: (_, command) => Effect.succeed(answer(command)),
      holdOf: () => Effect.succeed(null),
      hold: () => Effect.never,
      availability: () => Effect.succeed(null)
    },
    (_, command, done) => {
      done(Exit.succeed(answer(command)))
      return InventorySubmit.goesOn
    }
  )
)

startWith(constant).pipe(Effect.provide(NodeServices.layer), NodeRuntime.runMain)
