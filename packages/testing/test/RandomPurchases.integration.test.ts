/** INV-04 and INV-05 under whatever chance brings; thousands more by `npm run sim -- purchases`. */
import { it } from "@effect/vitest"
import { Clock, Console, Effect } from "effect"
import { assert, describe } from "vitest"
import * as FastClock from "../src/FastClock.ts"
import * as MoneyAudit from "../src/money/MoneyAudit.ts"
import * as PurchasesText from "../src/money/PurchasesText.ts"
import * as RandomPurchases from "../src/money/RandomPurchases.ts"
import { TestDatabase } from "../src/PostgresFixture.ts"

const speed = 5

describe("random purchases", () => {
  it.live(
    "INV-04, INV-05: nobody is charged twice, or without tickets or refund",
    () =>
      Effect.gen(function* () {
        const { url } = yield* TestDatabase
        const report = yield* RandomPurchases.run({
          database: url,
          providers: ["sandbox", "sandbox-b"],
          purchases: 150,
          faultRate: 0.2,
          failFirst: null,
          seed: 1,
          concurrency: 24,
          crashes: 2
        })
        yield* Console.log(PurchasesText.lines(report).join("\n"))
        assert.deepStrictEqual([...report.wrong, ...(yield* MoneyAudit.breaches(report.world))], [])
        assert.isAbove(report.ends.get("confirmed") ?? 0, 50)
      }).pipe(Effect.scoped, Effect.provide(TestDatabase.layer("migrated")), (run) =>
        Effect.flatMap(FastClock.make(speed), (clock) => Effect.provideService(run, Clock.Clock, clock))
      ),
    300_000
  )
})
