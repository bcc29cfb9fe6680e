import { assert, it } from "@effect/vitest"
import { shareOf } from "../src/SqlPools.ts"

it("transactions have as many connections as are asked for, but for a few that statements share", () => {
  assert.deepStrictEqual([1, 2, 6, 8, 16, 100].map(shareOf), [
    { statements: 0, transactions: 1 },
    { statements: 1, transactions: 2 },
    { statements: 1, transactions: 6 },
    { statements: 1, transactions: 7 },
    { statements: 3, transactions: 13 },
    { statements: 3, transactions: 97 }
  ])
})
