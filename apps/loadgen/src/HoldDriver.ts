/** Holds and releases at a steady rate, whatever the answers take, and when each was answered. */
import { type EventId, seatId } from "@onsale/contracts/Ids"
import { Effect } from "effect"
import { randomBytes } from "node:crypto"
import { type Answer, bodiless, Connection, ConnectionError, post } from "./Connection.ts"
import type { Answered } from "./load/Viewers.ts"

export interface DriveOptions {
  readonly host: string
  readonly port: number
  readonly eventId: EventId
  /** Of two seats each, and as many releases. */
  readonly holdsPerSecond: number
  readonly seconds: number
  /** Connections; where all are busy a hold is left out, and counted. */
  readonly connections: number
}

/** How long a hold is held: longer than the longest pause between two messages to a viewer. */
const heldMs = 2_000
const tickMs = 10

/** Of the Unix epoch, finer than a millisecond, and the same in all processes of this machine. */
const nowMs = () => performance.timeOrigin + performance.now()

/** Seats that a run needs: each is held once. */
export const seatsFor = (holdsPerSecond: number, seconds: number): number =>
  2 * Math.ceil(holdsPerSecond * seconds) + 2

export const drive = Effect.fn("HoldDriver.drive")(function* (options: DriveOptions) {
  const { eventId, host, port } = options
  const idle = yield* Effect.acquireRelease(
    Effect.promise(() =>
      Promise.all(Array.from({ length: options.connections }, () => Connection.open(host, port)))
    ),
    (opened) => Effect.sync(() => opened.forEach((connection) => connection.close()))
  )
  const run = randomBytes(6).toString("base64url")
  const answered: Array<Answered> = []
  let [holds, releases, skipped, other, busy, seat] = [0, 0, 0, 0, 0, 0]

  const send = (request: Buffer, then: (answer: Answer) => void): boolean => {
    const connection = idle.pop()
    if (connection === undefined) return false
    busy++
    connection.send(
      request,
      (answer) => {
        busy--
        if (answer instanceof ConnectionError) return void other++
        idle.push(connection)
        then(answer)
      },
      true
    )
    return true
  }

  const release = (id: string, seats: ReadonlyArray<string>): void => {
    const sent = send(bodiless("DELETE", `/api/v1/holds/${id}`, host), ({ status }) => {
      if (status !== 204) return void other++
      releases++
      answered.push({ seats, status: "available", atMs: nowMs() })
    })
    if (!sent) setTimeout(() => release(id, seats), tickMs)
  }
  let held = 0
  const hold = (): void => {
    const seats = [seatId(eventId, seat), seatId(eventId, seat + 1)]
    seat += 2
    const sent = send(
      post(
        `/api/v1/events/${eventId}/holds`,
        host,
        `idempotency-key: ${run}-${seat}\r\n`,
        JSON.stringify({ seats })
      ),
      ({ body = "", status }) => {
        if (status !== 201) return void other++
        holds++
        answered.push({ seats, status: "held", atMs: nowMs() })
        held++
        const at = body.indexOf('"id":"') + 6
        setTimeout(() => {
          held--
          release(body.slice(at, at + 36), seats)
        }, heldMs)
      }
    )
    if (!sent) skipped++
  }

  yield* Effect.promise(
    () =>
      new Promise<void>((resolve) => {
        const begun = performance.now()
        let due = 0
        const tick = setInterval(() => {
          const passed = (performance.now() - begun) / 1e3
          if (passed < options.seconds) {
            for (; due < passed * options.holdsPerSecond; due++) hold()
          } else if (held === 0 && busy === 0) {
            clearInterval(tick)
            resolve()
          }
        }, tickMs)
      })
  )
  return { answered, holds, releases, skipped, other }
}, Effect.scoped)
