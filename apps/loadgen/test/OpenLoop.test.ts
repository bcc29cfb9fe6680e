import { Effect } from "effect"
import { createServer, type Server } from "node:net"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import * as Arrivals from "../src/open/Arrivals.ts"
import { Client, nowMs } from "../src/open/Client.ts"
import * as Latencies from "../src/open/Latencies.ts"
import * as Mix from "../src/open/Mix.ts"
import * as OpenLoop from "../src/open/OpenLoop.ts"

const all = (arrivals: Arrivals.Arrivals): ReadonlyArray<number> => {
  const times: Array<number> = []
  for (let at = arrivals(); at !== undefined; at = arrivals()) times.push(at)
  return times
}

describe("arrivals", () => {
  it("come at the rate that was asked for, at random, and the same from the same seed", () => {
    const times = all(Arrivals.poisson(1_000, 20_000, 1))
    expect(Math.abs(times.length - 20_000)).toBeLessThan(600)
    const gaps = times.slice(1).map((at, i) => at - times[i]!)
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length
    const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length)
    // Of an exponential distribution they are equal.
    expect(deviation / mean).toBeGreaterThan(0.95)
    expect(deviation / mean).toBeLessThan(1.05)
    expect(all(Arrivals.poisson(1_000, 1_000, 7))).toEqual(all(Arrivals.poisson(1_000, 1_000, 7)))
  })
  it("of a crowd are all within its second, in order", () => {
    const times = all(Arrivals.crowd(20_000, 1_000, 1))
    expect(times).toHaveLength(20_000)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    expect(times.at(-1)).toBeLessThan(1_000)
  })
})

describe("a mix", () => {
  it.each([
    ["normal", 0.9, 0.95],
    ["onsale", 0.85, 0.9]
  ] as const)("of a %s day has its share of reads", (name, least, most) => {
    const mix = Mix.make(name)
    const random = Mix.randoms(3)
    const counts = { reader: 0, buyer: 0, bot: 0 }
    for (let i = 0; i < 100_000; i++) counts[mix.visitor(random())]++
    const reads = counts.reader + counts.buyer * Mix.buyerReads
    const writes = counts.buyer * Mix.buyerWrites + counts.bot * Mix.botHolds
    expect(reads / (reads + writes)).toBeGreaterThan(least)
    expect(reads / (reads + writes)).toBeLessThan(most)
    expect((reads + writes) / 100_000 / mix.requests).toBeCloseTo(1, 1)
  })
})

describe("latencies", () => {
  it("of several threads add up", () => {
    const [a, b, sum] = [Latencies.make(), Latencies.make(), Latencies.make()]
    for (let ms = 1; ms <= 50; ms++) a.record(ms)
    for (let ms = 51; ms <= 100; ms++) b.record(ms)
    sum.add(a.encode())
    sum.add(b.encode())
    expect(sum.count()).toBe(100)
    expect(Math.abs(sum.percentile(95) - 95)).toBeLessThan(1)
  })
})

describe("the open loop", () => {
  const stallMs = 400
  let server: Server
  let port = 0
  let [stalled, served] = [false, 0]

  beforeAll(
    () =>
      new Promise<void>((resolve) => {
        const answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
        // Stands still once for everybody.
        let resume: Promise<void> | undefined
        server = createServer((socket) => {
          socket.on("error", () => socket.destroy())
          socket.on("data", () => {
            served++
            if (!stalled) {
              stalled = true
              resume = new Promise((done) => setTimeout(done, stallMs))
            }
            void (resume ?? Promise.resolve()).then(() => socket.write(answer))
          })
        })
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          port = typeof address === "object" && address !== null ? address.port : 0
          resolve()
        })
      })
  )
  afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())))

  it("counts from when a request was due, so that what a stall held up shows", async () => {
    // Sent this much after it was due, as where this side is late.
    const lateMs = 5_000
    const dueMs = nowMs() - lateMs
    const client = new Client(
      {
        host: "127.0.0.1",
        ports: [port],
        // All wait behind the one that stands still.
        connections: 1,
        seed: 1,
        events: [],
        beginMs: dueMs,
        warmUpSeconds: 0,
        seconds: 60,
        load: { type: "ceiling" }
      },
      () => {}
    )
    const ask = () => client.ask({ kind: "read", method: "GET", path: "/", right: [200] }, dueMs)
    const answers = await Promise.all(Array.from({ length: 20 }, ask))
    client.close()
    expect(answers.every((answer) => answer?.status === 200)).toBe(true)
    expect(client.latencies.get("read")?.percentile(1)).toBeGreaterThanOrEqual((lateMs + stallMs) * 0.98)
    expect(served).toBe(20)
    expect(client.late).toBe(20)
  })

  it("counts an answer that is not allowed as an error, and keeps it", async () => {
    const client = new Client(
      {
        host: "127.0.0.1",
        ports: [port],
        connections: 1,
        seed: 1,
        events: [],
        beginMs: nowMs(),
        warmUpSeconds: 0,
        seconds: 60,
        load: { type: "ceiling" }
      },
      () => {}
    )
    const answer = await client.ask({ kind: "hold", method: "GET", path: "/", right: [201, 409] }, nowMs())
    client.close()
    expect(answer).toBeUndefined()
    expect(client.errors).toBe(1)
    expect(client.wrong).toBe(1)
    expect(client.statuses).toEqual({ "hold 200": 1 })
    expect(client.refuted).toHaveLength(1)
  })

  it("keeps examples of what counts, and names what was refuted before that", async () => {
    const closed = await new Promise<number>((resolve) => {
      const once = createServer().listen(0, "127.0.0.1", () => {
        const address = once.address()
        once.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
      })
    })
    const of = (at: number, warmUpSeconds: number) =>
      new Client(
        {
          host: "127.0.0.1",
          ports: [at],
          connections: 1,
          seed: 1,
          events: [],
          beginMs: nowMs(),
          warmUpSeconds,
          seconds: 60,
          load: { type: "ceiling" }
        },
        () => {}
      )
    const ask = async (client: Client, late?: { afterMs: number; right: ReadonlyArray<number> }) => {
      await client.ask(
        { kind: "hold", method: "GET", path: "/", right: [201], ...(late === undefined ? {} : { late }) },
        nowMs()
      )
      client.close()
      return { refuted: client.refuted, failures: client.failures.length }
    }
    expect(await ask(of(closed, 60))).toEqual({ refuted: [], failures: 0 })
    expect(await ask(of(closed, 0))).toEqual({ refuted: [], failures: 1 })
    expect(await ask(of(port, 60))).toEqual({ refuted: ["in the warm-up: GET /: 200 "], failures: 0 })
    // What is right once it is over, such as the end of a hold.
    expect(await ask(of(port, 0), { afterMs: nowMs(), right: [200] })).toEqual({ refuted: [], failures: 0 })
    expect((await ask(of(port, 0), { afterMs: nowMs() + 60_000, right: [200] })).refuted).toHaveLength(1)
  })

  it("measures what it can do itself", async () => {
    expect(await Effect.runPromise(OpenLoop.ceiling(1, 0.5))).toBeGreaterThan(100)
  })
})
