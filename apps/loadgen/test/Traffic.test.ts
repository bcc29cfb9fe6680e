import { assert, describe, it } from "@effect/vitest"
import { makeEventId } from "@onsale/contracts/Ids"
import { make, Plan, zipf } from "../src/load/Traffic.ts"

const common = { eventId: makeEventId(0), host: "127.0.0.1" }
const rush = (seed: number) =>
  Plan.cases.Rush.make({ ...common, seats: 100, buyers: 50, tries: 3, exponent: 1, seed })

const seatsIn = (request: Buffer): ReadonlyArray<string> => {
  const body: unknown = JSON.parse(request.toString().split("\r\n\r\n")[1] ?? "")
  return typeof body === "object" && body !== null && "seats" in body && Array.isArray(body.seats)
    ? body.seats.map(String)
    : []
}

/** Asks on one connection until there is nothing left; `win` says what each request is answered. */
const drain = (plan: Plan, win: (n: number) => boolean) => {
  const traffic = make(plan)
  const asked: Array<ReadonlyArray<string>> = []
  for (let request = traffic.next(0); request !== undefined; request = traffic.next(0)) {
    asked.push(seatsIn(request))
    const id = "0".repeat(36)
    traffic.answered(
      0,
      win(asked.length) ? { status: 201, body: `{"id":"${id}"}` } : { status: 409, body: "" }
    )
  }
  return { asked, wins: traffic.wins }
}

describe("Traffic", () => {
  it("asks for each pair of seats once", () => {
    const { asked, wins } = drain(Plan.cases.Pairs.make({ ...common, seats: 10 }), () => true)
    assert.strictEqual(asked.length, 5)
    assert.strictEqual(new Set(asked.flat()).size, 10)
    assert.deepStrictEqual(wins.seats, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    assert.strictEqual(wins.holds.length, 5)
  })

  it("lets a buyer try as often as it may, and no more once it has won", () => {
    assert.strictEqual(drain(rush(1), () => false).asked.length, 150)
    assert.strictEqual(drain(rush(1), () => true).asked.length, 50)
  })

  it("asks for the same under the same seed, for neighbours that exist", () => {
    const { asked } = drain(rush(1), () => false)
    assert.deepStrictEqual(asked, drain(rush(1), () => false).asked)
    assert.notDeepEqual(asked, drain(rush(2), () => false).asked)
    for (const [one, other] of asked) {
      const [first, second] = [one, other].map((id) => Number.parseInt(id?.slice(30) ?? "", 16))
      assert.strictEqual((second ?? 0) - (first ?? 0), 1)
      assert.isTrue((second ?? 0) <= 100)
    }
  })

  it("likes the front most", () => {
    const draw = zipf(1000, 1)
    const counts = Array.from({ length: 1000 }, () => 0)
    for (let i = 0; i < 100_000; i++) counts[draw(i / 100_000)]!++
    assert.isTrue(Math.abs(counts[0]! / counts[9]! - 10) < 0.5, `${counts[0]} ${counts[9]}`)
    assert.isTrue(counts.every((count) => count > 0))
  })

  it("gives back what it holds before it takes again, and in the end", () => {
    const traffic = make(
      Plan.cases.Cycles.make({ ...common, free: Int32Array.of(0, 1, 4, 5, 8, 9), connections: 2 })
    )
    const win = (id: string) => traffic.answered(0, { status: 201, body: `{"id":"${id.repeat(36)}"}` })
    const asked = [traffic.next(0)?.toString()]
    win("a")
    asked.push(traffic.next(0)?.toString())
    traffic.answered(0, { status: 204, body: "" })
    asked.push(traffic.next(0)?.toString())
    win("b")
    asked.push(traffic.finish(0)?.toString(), traffic.finish(0)?.toString())
    assert.deepStrictEqual(
      asked.map((request) => request?.split(" ")[0]),
      ["POST", "DELETE", "POST", "DELETE", undefined]
    )
    assert.include(asked[1] ?? "", "a".repeat(36))
    assert.notStrictEqual(asked[0]?.split("\r\n\r\n")[1], asked[2]?.split("\r\n\r\n")[1])
  })
})
