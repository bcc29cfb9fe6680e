/** A thread of the open loop: sends what is due, whatever became of what was sent before. */
import { parentPort, workerData } from "node:worker_threads"
import * as Arrivals from "./Arrivals.ts"
import type { Assignment, Second, WorkerReport } from "./Assignment.ts"
import { Client, nowMs } from "./Client.ts"
import * as Mix from "./Mix.ts"
import * as Visitors from "./Visitors.ts"

/** Passed by the thread that started this one. */
const assignment: Assignment = workerData
/** What was begun is followed to its end for so long after the time. */
const drainMs = 75_000

const tell = (message: Second | WorkerReport) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(message)
}
const client = new Client(assignment, tell)
const visitors = Visitors.make(client, assignment)
const running = new Set<Promise<void>>()

const begin = (visit: Promise<void>) => {
  const kept = visit
    .catch((cause: unknown) => client.refute(`this side failed: ${String(cause)}`))
    .finally(() => running.delete(kept))
  running.add(kept)
}

const { beginMs, load, seconds, seed, warmUpSeconds } = assignment
const lengthMs = (warmUpSeconds + seconds) * 1e3

const arrivals = (): Promise<void> =>
  new Promise((resolve) => {
    const mix = load.type === "mix" ? Mix.make(load.mix) : undefined
    const next =
      load.type === "flash"
        ? Arrivals.crowd(load.buyers, 1_000, seed)
        : Arrivals.poisson(
            load.type === "mix" ? load.requestsPerSecond / (mix?.requests ?? 1) : 1,
            lengthMs,
            seed
          )
    const random = Mix.randoms(~seed)
    let due = next()
    const tick = () => {
      const passed = nowMs() - beginMs
      for (; due !== undefined && due <= passed; due = next()) {
        const dueMs = beginMs + due
        if (mix === undefined) begin(visitors.crowd(dueMs))
        else begin(visitors[mix.visitor(random())](dueMs))
      }
      if (due === undefined) resolve()
      else setTimeout(tick, Math.min(1, Math.max(0, due - passed)))
    }
    tick()
  })

/** One request after another on each connection. */
const closed = () => {
  const endMs = beginMs + lengthMs
  return Promise.all(
    Array.from({ length: assignment.connections }, async () => {
      while (nowMs() < endMs)
        await client.ask({ kind: "read", method: "GET", path: "/", right: [200] }, nowMs())
    })
  )
}

const report = (): WorkerReport => {
  const { flash, orders, told } = visitors
  const latencies = (kind: "read" | "search" | "hold" | "order") => client.latencies.get(kind)?.encode() ?? ""
  return {
    type: "report",
    due: client.due,
    answered: client.answered,
    errors: client.errors,
    reads: client.reads,
    late: client.late,
    worstLagMs: client.worstLagMs,
    statuses: client.statuses,
    wrong: client.wrong,
    examples: [...client.refuted, ...client.failures],
    latencies: {
      read: latencies("read"),
      search: latencies("search"),
      hold: latencies("hold"),
      order: latencies("order")
    },
    orders,
    told,
    flash: {
      held: flash.held.encode(),
      bought: flash.bought.encode(),
      refused: flash.refused.encode(),
      refusedCount: flash.refused.count(),
      boughtCount: flash.bought.count(),
      unanswered: flash.unanswered
    }
  }
}

await new Promise((resume) => setTimeout(resume, Math.max(0, beginMs - nowMs())))
if (load.type === "ceiling") await closed()
else {
  await arrivals()
  const drained = Promise.all(running)
  let timer: NodeJS.Timeout | undefined
  await Promise.race([
    drained,
    new Promise((resume) => {
      timer = setTimeout(resume, drainMs)
    })
  ])
  clearTimeout(timer)
}
client.close()
tell(report())
