/** A process of viewers: plain sockets that follow an event's stream of availability. */
import { Effect, Schema } from "effect"
import { connect, type Socket } from "node:net"
import type { Answered, OpenViewers } from "./Viewers.ts"
import { ViewersJob, type ViewersOpen, ViewersReady, type ViewersReport } from "./Viewers.ts"
import * as ViewerStates from "./ViewerStates.ts"

/** Connections that are made at a time. */
const atOnce = 200

interface Viewer {
  readonly socket: Socket
  readonly gzip: boolean
  pending: Buffer | undefined
  hasHead: boolean
  state: ViewerStates.State | undefined
  /** Only of those who are sampled. */
  readonly arrivals: Array<{ readonly message: ViewerStates.Message; readonly atMs: number }> | undefined
}

const viewers: Array<Viewer> = []
const intern = ViewerStates.messages()
let [messages, bytes, snapshots, ended] = [0, 0, 0, 0]
let since = { at: performance.now(), cpu: process.cpuUsage() }

const nowMs = () => performance.timeOrigin + performance.now()

/** Of `event:`. */
const firstOfEvent = 0x65
const stale = Buffer.from("event: stale\n")
const gzipHeadLength = 10
/** What a flushed block of deflate ends with. */
const flushed = Buffer.from([0, 0, 0xff, 0xff])

/** Of the block of deflate at the beginning; 0 where it has not come whole. */
const blockLength = (data: Buffer): number => {
  if (data.length < 5) return 0
  if (data[0] === 0) return 5 + data.readUInt16LE(1)
  const end = data.indexOf(flushed)
  return end === -1 ? 0 : end + flushed.length
}

const take = (viewer: Viewer, block: Buffer): boolean => {
  // Comments, and when to come back; in gzip they are stored as they are, and messages never.
  if (viewer.gzip ? block[0] === 0 : block[0] !== firstOfEvent) return false
  // That nothing is known at the moment; stored in gzip, too.
  if (!viewer.gzip && block.subarray(0, stale.length).equals(stale)) return false
  const message = intern(block, viewer.gzip)
  messages++
  if (message.event === "snapshot") snapshots++
  viewer.arrivals?.push({ message, atMs: nowMs() })
  viewer.state = ViewerStates.apply(viewer.state, message)
  return true
}

/** Calls back when the first message has come. */
const read = (viewer: Viewer, chunk: Buffer, begun: () => void): void => {
  bytes += chunk.length
  let data = viewer.pending === undefined ? chunk : Buffer.concat([viewer.pending, chunk])
  if (!viewer.hasHead) {
    const end = data.indexOf("\r\n\r\n")
    if (end === -1 || data.length < end + 4 + gzipHeadLength) {
      viewer.pending = data
      return
    }
    viewer.hasHead = true
    data = data.subarray(end + 4 + (viewer.gzip ? gzipHeadLength : 0))
  }
  while (true) {
    const length = viewer.gzip ? blockLength(data) : data.indexOf("\n\n") + 2
    if (length < 2 || data.length < length) break
    if (take(viewer, data.subarray(0, length))) begun()
    data = data.subarray(length)
  }
  viewer.pending = data.length === 0 ? undefined : Buffer.from(data)
}

const openOne = (job: typeof OpenViewers.Type, sampled: boolean): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: job.host, port: job.port })
    const viewer: Viewer = {
      socket,
      gzip: job.gzip,
      pending: undefined,
      hasHead: false,
      state: undefined,
      arrivals: sampled ? [] : undefined
    }
    viewers.push(viewer)
    socket.on("data", (chunk) => read(viewer, chunk, () => resolve(true)))
    socket.on("error", () => resolve(false))
    socket.on("close", () => {
      ended++
      resolve(false)
    })
    socket.write(
      `GET ${job.path} HTTP/1.1\r\nhost: ${job.host}\r\n${job.gzip ? "accept-encoding: gzip\r\n" : ""}\r\n`
    )
  })

const open = async (job: typeof OpenViewers.Type): Promise<typeof ViewersOpen.Type> => {
  let opened = 0
  for (let from = 0; from < job.viewers; from += atOnce) {
    const count = Math.min(atOnce, job.viewers - from)
    const made = await Promise.all(
      Array.from({ length: count }, (_, i) => openOne(job, from + i < job.sampled))
    )
    opened += made.filter((is) => is).length
  }
  ;[messages, bytes, snapshots] = [0, 0, 0]
  since = { at: performance.now(), cpu: process.cpuUsage() }
  return { _tag: "Opened", opened }
}

/** Of each change that was answered and each sampled viewer: the first message after it that names the seat so. */
const latenciesOf = (answered: ReadonlyArray<Answered>) => {
  const latencies: Array<number> = []
  let unseen = 0
  for (const { arrivals } of viewers) {
    if (arrivals === undefined) continue
    const first = new Map<string, number>()
    for (const { atMs, message } of arrivals) {
      const seats = message.event === "delta" ? message.data.seats : message.data.unavailable
      for (const [seat, status] of Object.entries(seats)) {
        const key = `${seat} ${status}`
        if (!first.has(key)) first.set(key, atMs)
      }
    }
    for (const { atMs, seats, status } of answered) {
      const arrived = first.get(`${seats[0]} ${status}`)
      if (arrived === undefined) unseen++
      else latencies.push(arrived - atMs)
    }
  }
  return { latencies: Float64Array.from(latencies), unseen }
}

const report = (answered: ReadonlyArray<Answered>): ViewersReport => {
  const used = process.cpuUsage(since.cpu)
  const cores = (used.user + used.system) / 1e3 / (performance.now() - since.at)
  const states = new Map<ViewerStates.State | undefined, number>()
  for (const { state } of viewers) states.set(state, (states.get(state) ?? 0) + 1)
  return {
    _tag: "Report",
    ...latenciesOf(answered),
    messages,
    bytes,
    dropped: snapshots,
    ended,
    states: Array.from(states, ([state, count]) => ({
      digest: state === undefined ? "nothing" : ViewerStates.digest(state),
      viewers: count
    })),
    cores
  }
}

const answer = async (message: unknown) => {
  const job = await Effect.runPromise(Schema.decodeUnknownEffect(ViewersJob)(message))
  return job._tag === "Open" ? open(job) : report(job.answered)
}

process.on("disconnect", () => process.exit(0))
process.on("message", (message) => {
  // What dies ends the process, and the benchmark says so.
  void answer(message).then((answered) => process.send?.(answered))
})
process.send?.(ViewersReady.make({}))
