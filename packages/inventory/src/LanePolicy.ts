/**
 * What one event may have waiting in a process beside all others, and what those are told who find no room. Pure;
 * asked once a command, so it allocates nothing.
 *
 * The room is shared by a threshold that moves: an event may have as many commands here as there are places free.
 * One hot event takes half of the room, two take a third each, and whatever they do an event that comes later
 * finds places. It needs to know of no other event, nor how many there are.
 */
import { maxCommandsAMessage } from "@onsale/contracts/inventory/InventoryEntity"

/** A command that has no answer by then is given up; it may have been carried out. */
export const deadlineMs = 5_000
/** Commands of all events in a process, waiting or sent: about 10 MB. One event alone gets half of it. */
export const room = 20_480
/** `Retry-After` counts whole seconds, and who comes back at once would find the same. */
const leastPauseMs = 1_000
/** Of what is measured the newest counts a quarter: two messages that come back as a pair hardly move it. */
const newest = 0.25

/** One event's part. */
export interface Load {
  /** Commands that wait or are on their way. */
  held: number
  /** Between two messages that came back while there was work; 0 before the first. */
  messageMs: number
  /** When the last one came back. */
  backAtMs: number
}

export const idle = (): Load => ({ held: 0, messageMs: 0, backAtMs: 0 })

/**
 * How long a command that comes now would wait, in milliseconds: for the messages before its own and for its own.
 * Counted in full messages, because those of a lane that has to wait are full: what a small one takes says nothing
 * of how many commands a second the entity answers.
 */
export const waitMs = ({ held, messageMs }: Load): number =>
  (Math.floor(held / maxCommandsAMessage) + 1) * messageMs

/** 0 for a command that is taken; else the milliseconds after which what stands before it will be gone. */
export const refusal = (lane: Load, heldByAll: number): number =>
  lane.held < room - heldByAll && (lane.held < maxCommandsAMessage || waitMs(lane) <= deadlineMs)
    ? 0
    : Math.max(leastPauseMs, Math.ceil(waitMs(lane)))

/** A message that was sent at `sentAtMs` has come back, or was given up. */
export const cameBack = (lane: Load, sentAtMs: number, nowMs: number): void => {
  // Beside another one it had the entity to itself only since that was back.
  const tookMs = Math.min(deadlineMs, Math.max(0, nowMs - Math.max(sentAtMs, lane.backAtMs)))
  lane.messageMs = lane.messageMs === 0 ? tookMs : lane.messageMs + newest * (tookMs - lane.messageMs)
  lane.backAtMs = nowMs
}
