/**
 * How often those who watch are told. Pure.
 *
 * A message to a viewer costs the thread about 10 µs, most of it the system's, so what a process can say is a number
 * of messages a second, whoever gets them: 20,000, a fifth of the thread. Up to 2,000 viewers have ten a second each,
 * 10,000 two. All viewers of the process count: an event with few of them shares the thread with one that has many.
 */

/** At most ten messages a second, however few watch. */
const leastMs = 100
/** The share of a viewer: 20,000 messages a second in all. */
const msAViewer = 1 / 20
/** Of an event that is watched: a board is made for each turn, 500 a second in all. */
const msAnEvent = 2

/** Between the beginnings of two turns of an event. */
export const turnMs = (viewers: number, events: number): number =>
  Math.max(leastMs, viewers * msAViewer, events * msAnEvent)

/**
 * After a turn that took so long. Others get the thread within a turn too, so on a machine that is slow, or busy with
 * something else, a fifth of the time is rest enough.
 */
export const pauseMs = (viewers: number, events: number, tookMs: number): number =>
  Math.max(turnMs(viewers, events) - tookMs, tookMs / 4)

/**
 * When one viewer comes back whose connection has ended, by a draw from 0 to 1: those of a process that ends come to
 * the others 2,000 a second, and nobody waits for long.
 */
export const returnMs = (viewers: number, draw: number): number =>
  leastReturnMs + draw * Math.min(30_000, Math.max(1_000, viewers / 2))

/** A server that restarts is not back sooner. */
const leastReturnMs = 500
