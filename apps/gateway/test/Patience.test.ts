import { assert, it } from "@effect/vitest"
import { applied, waitMsOf } from "../src/Patience.ts"

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

it("is told to have been understood where a request waits, and nowhere else", () => {
  const told = (method: string, url: string, prefer?: string) =>
    applied({ method, url, headers: prefer === undefined ? {} : { prefer } })?.["preference-applied"]
  const [holds, orders] = ["/api/v1/events/0190/holds", "/api/v1/orders"]
  assert.strictEqual(told("POST", holds, "wait=10"), "wait=10")
  assert.strictEqual(told("POST", `${orders}?a`, "respond-async, wait=0"), "wait=2")
  assert.strictEqual(told("POST", orders, "wait=99999"), "wait=60")
  assert.isUndefined(told("POST", orders, "wait=soon"))
  assert.isUndefined(told("POST", orders))
  // An answer that caches keep must not name one client's wish.
  assert.isUndefined(told("GET", "/api/v1/events/0190", "wait=10"))
  assert.isUndefined(told("POST", `${orders}/0190/refunds`, "wait=10"))
})
