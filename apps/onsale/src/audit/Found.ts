/** What a check of the audit has found, and the books that are kept of it. */

export const invariants = {
  "INV-01":
    "a seat has at most one live hold or sale, an area never more live holds and sales than it has places",
  "INV-02": "a hold of several seats is all or nothing",
  "INV-03": "a hold that was answered lives until its own expiry, and is never honoured after it",
  "INV-04": "a customer is charged at most once for an order",
  "INV-05": "money captured is backed by issued tickets or by a refund that is on its way",
  "INV-06": "a ticket belongs to exactly one paid order, a seat has at most one valid ticket",
  "INV-07": "the same Idempotency-Key with the same body gives the same answer",
  "INV-08": "a limit of tickets holds at hold, at change and at purchase",
  "INV-09": "every domain event that was committed reaches every projection and every consumer, in order",
  "INV-10": "caches and brokers may be emptied at any moment: Postgres alone decides"
} as const

export type InvariantId = keyof typeof invariants

export const invariantIds: ReadonlyArray<InvariantId> = [
  "INV-01",
  "INV-02",
  "INV-03",
  "INV-04",
  "INV-05",
  "INV-06",
  "INV-07",
  "INV-08",
  "INV-09",
  "INV-10"
]

/**
 * - `breach`: the promise is broken
 * - `in progress`: not kept yet, and somebody is at it
 * - `note`: for the operator's eye
 */
export type Kind = "breach" | "in progress" | "note"

export interface Found {
  readonly invariant: InvariantId
  readonly kind: Kind
  readonly what: string
}

/** Shown of each kind of each invariant; all are counted. */
export const maxShown = 20

/** What was found of one invariant, counted whole and kept in part. */
class Page {
  count = 0
  readonly shown: Array<string> = []

  add(what: string, times: number): void {
    this.count += times
    if (this.shown.length < maxShown) this.shown.push(what)
  }
}

/** How one invariant stands. */
export interface Finding {
  readonly invariant: InvariantId
  readonly ok: boolean
  readonly statement: string
  /** What was looked at, such as "8 events, 12,345 domain events". */
  readonly checked: string
  readonly breachCount: number
  /** The first 20. */
  readonly breaches: ReadonlyArray<string>
  readonly inProgressCount: number
  readonly inProgress: ReadonlyArray<string>
  readonly notes: ReadonlyArray<string>
}

export class Books {
  private readonly pages = new Map<string, Page>()

  private page(invariant: InvariantId, kind: Kind): Page {
    const key = `${invariant} ${kind}`
    let page = this.pages.get(key)
    if (page === undefined) this.pages.set(key, (page = new Page()))
    return page
  }

  /** `times` is more than 1 where one line stands for several that are not shown. */
  add({ invariant, kind, what }: Found, times = 1): void {
    this.page(invariant, kind).add(what, times)
  }

  /** All invariants in their order; `checked` says what was looked at. */
  close(checked: Readonly<Record<InvariantId, string>>): ReadonlyArray<Finding> {
    return invariantIds.map((invariant) => {
      const breaches = this.page(invariant, "breach")
      const inProgress = this.page(invariant, "in progress")
      return {
        invariant,
        ok: breaches.count === 0,
        statement: invariants[invariant],
        checked: checked[invariant],
        breachCount: breaches.count,
        breaches: breaches.shown,
        inProgressCount: inProgress.count,
        inProgress: inProgress.shown,
        notes: this.page(invariant, "note").shown
      }
    })
  }
}
