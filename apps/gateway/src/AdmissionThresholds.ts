/**
 * From which delay of the thread on who is kept out, in the order in which they go (ADR 0040): what is cheapest to lose
 * first, and no purchase is held back while reads of what is not in memory are let in.
 */
export const thresholdsMs = {
  /** Of reads of what is not in memory fewer are at work at once; the others wait for their turn. */
  coldFewer: 40,
  /** They are refused. */
  coldRefused: 80,
  /** Fewer purchases are at work at once; the others wait in their line. Above this, so after those reads. */
  ordersFewer: 80,
  /** Reads of memory are refused too. */
  readsRefused: 750,
  /** And holds. Purchases are not, but for want of room in their line. */
  holdsRefused: 2_500
} as const

/**
 * Of 0 to 1, how full the line of purchases is where a class is refused, whatever the delay: who wins now could not buy
 * in time.
 */
export const refusedFromFullness = { cold: 0.5, reads: 0.75, holds: 0.875 } as const
