import { assert, layer } from "@effect/vitest"
import { layerDatabase } from "@onsale/testing/PostgresFixture"
import { Effect, Exit } from "effect"
import * as CatalogScan from "../src/CatalogScan.ts"

const all = Array.from(
  { length: 2_500 },
  (_, i) => `01990000-0003-7000-8000-${i.toString(16).padStart(12, "0")}`
)

/** Goes through `all`; the n-th page fails. */
const scanOf = (seen: Array<string>, scan: string | undefined, failAt = Number.POSITIVE_INFINITY) => {
  let pages = 0
  return CatalogScan.through({
    name: "test",
    scan,
    page: (after) => Effect.succeed(all.filter((id) => id > after).slice(0, CatalogScan.pageSize)),
    each: (ids) =>
      ++pages === failAt
        ? Effect.die(new Error("a crash"))
        : Effect.sync(() => {
            assert.isAtMost(ids.length, CatalogScan.pageSize)
            seen.push(...ids)
          })
  })
}

layer(layerDatabase, { excludeTestServices: true })("CatalogScan", (it) => {
  it.effect("goes on where it was broken off, of the same scan alone, and does nothing once it is done", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      assert.isTrue(Exit.isFailure(yield* Effect.exit(scanOf(seen, "slot:1", 2))))
      assert.lengthOf(seen, CatalogScan.pageSize)
      assert.strictEqual(yield* scanOf(seen, "slot:1"), 1_500)
      assert.deepStrictEqual(seen, all)
      assert.strictEqual(yield* scanOf(seen, "slot:1"), 0)
      assert.strictEqual(yield* scanOf(seen, "slot:2"), all.length)
      assert.strictEqual(yield* scanOf(seen, undefined), all.length)
      // Who remembers nothing does not break off what others remember.
      assert.strictEqual(yield* scanOf(seen, "slot:2"), 0)
    })
  )
})
