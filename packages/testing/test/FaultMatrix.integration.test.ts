/** INV-04 and INV-05 under every fault of every step of a payment. */
import { it } from "@effect/vitest"
import { Clock, Console, Effect } from "effect"
import { assert, describe } from "vitest"
import * as FastClock from "../src/FastClock.ts"
import * as FaultMatrix from "../src/money/FaultMatrix.ts"
import * as MoneyAudit from "../src/money/MoneyAudit.ts"
import { TestDatabase } from "../src/PostgresFixture.ts"

const speed = 5

/** All cells of one world, and the audit of its database. */
const worldOf = (providers: readonly [string, ...ReadonlyArray<string>]) =>
  Effect.gen(function* () {
    const { url } = yield* TestDatabase
    const { outcomes, world } = yield* FaultMatrix.run({ database: url, providers, speed, concurrency: 12 })
    return { outcomes, breaches: yield* MoneyAudit.breaches(world) }
  }).pipe(Effect.scoped, Effect.provide(TestDatabase.layer("migrated")))

describe("the fault matrix", () => {
  it.live(
    "INV-04, INV-05: whatever strikes a step, everybody's books agree in the end",
    () =>
      Effect.gen(function* () {
        const clock = yield* FastClock.make(speed)
        const worlds = yield* Effect.forEach([["sandbox"], ["sandbox", "sandbox-b"]] as const, worldOf, {
          concurrency: 2
        }).pipe(Effect.provideService(Clock.Clock, clock))
        const outcomes = worlds.flatMap((world) => world.outcomes)
        yield* Console.log(FaultMatrix.table(outcomes))

        const wrong = outcomes.flatMap(({ fault, providers, step, wrong }) =>
          wrong.map((what) => `${step} × ${fault} × ${providers}: ${what}`)
        )
        const breaches = worlds.flatMap((world) => world.breaches)
        assert.deepStrictEqual([...wrong, ...breaches], [])
        assert.lengthOf(outcomes, 2 * FaultMatrix.steps.length * FaultMatrix.faults.length)
      }),
    300_000
  )
})
