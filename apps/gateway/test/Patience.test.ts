import { assert, it } from "@effect/vitest"
import { waitMsOf } from "../src/Patience.ts"

it("a client says by RFC 7240 how long it waits; what is not understood says nothing", () => {
  const expected: ReadonlyArray<readonly [prefer: string | undefined, waitMs: number | undefined]> = [
    ["wait=10", 10_000],
    ["respond-async, wait=10", 10_000],
    ["wait=10; foo", 10_000],
    ["Wait=10,return=minimal", 10_000],
    ["wait=2", 2_000],
    ["wait=1", 2_000],
    ["wait=0", 2_000],
    ["wait=99999", 60_000],
    ["wait=-1", undefined],
    ["wait=1.5", undefined],
    ["await=3", undefined],
    ["wait", undefined],
    [undefined, undefined]
  ]
  for (const [prefer, waitMs] of expected) {
    assert.strictEqual(waitMsOf(prefer === undefined ? {} : { prefer }), waitMs, prefer)
  }
})
