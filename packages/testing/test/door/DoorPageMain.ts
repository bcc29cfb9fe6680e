/** A page for the door, as the browser's test runs it: one door, codes in their order, and what it says to each. */
import { Door, type Verdict } from "@onsale/door/Door"
import { DoorBundleError } from "@onsale/door/DoorBundle"
import type { DoorKey } from "@onsale/door/Ed25519"

export interface DoorCase {
  readonly jws: string
  readonly trustedKeys: ReadonlyArray<DoorKey>
  readonly codes: ReadonlyArray<string>
  /** A bundle that is to be refused. */
  readonly untrusted: string
  readonly now: number
}

export interface DoorResult {
  readonly verdicts: ReadonlyArray<Verdict["result"]>
  readonly refused: string
  readonly pending: number
}

export const run = async ({ codes, jws, now, trustedKeys, untrusted }: DoorCase): Promise<DoorResult> => {
  const door = await Door.open({ jws, trustedKeys })
  const verdicts: Array<Verdict["result"]> = []
  for (const code of codes) verdicts.push((await door.verify(code, { gate: "North", now })).result)
  const refused = await door.refresh(untrusted).then(
    () => "taken",
    (error: unknown) => (error instanceof DoorBundleError ? error.reason : String(error))
  )
  return { verdicts, refused, pending: (await door.pendingScans()).length }
}
