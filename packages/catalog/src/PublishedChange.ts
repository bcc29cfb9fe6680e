/** What an organiser changes of a published event, checked as a draft is. Pure. */
import { EventInvalid, type InvalidField } from "@onsale/contracts/catalog/CatalogErrors"
import type { EventChange } from "@onsale/contracts/catalog/EventChange"
import { Result } from "effect"
import { type EventDraft, farthestStartMs, longestEventMs } from "./EventDraft.ts"
import { millis, type Tell } from "./EventRules.ts"
import type { StoredEvent } from "./StoredEvent.ts"

/** What of an event can be changed while it is published. Times are milliseconds since 1970. */
export type Changeable = Pick<
  EventDraft,
  "name" | "description" | "startsAtMs" | "saleEndsAtMs" | "performers"
>

const checkStart = (event: StoredEvent, startsAtMs: number, nowMs: number, tell: Tell) => {
  // A repeat of a change may come when the event has begun.
  if (startsAtMs === event.startsAtMs) return
  if (startsAtMs <= nowMs) tell("/startsAt", "the event would have begun already")
  if (startsAtMs > nowMs + farthestStartMs) tell("/startsAt", "the event starts more than 20 years from now")
}

/** One that was named lies ahead; one that goes with the start may be over, as the start counts. */
const checkSaleEnd = (
  event: StoredEvent,
  { saleEndsAtMs, startsAtMs }: Pick<Changeable, "saleEndsAtMs" | "startsAtMs">,
  named: boolean,
  nowMs: number,
  tell: Tell
) => {
  const path = named ? "/saleEndsAt" : "/startsAt"
  if (saleEndsAtMs !== event.saleEndsAtMs) {
    if (named && saleEndsAtMs <= nowMs) tell(path, "the sale would be over already")
    else if (saleEndsAtMs <= event.onSaleAtMs) tell(path, "the sale would end before it begins")
    for (const { name, saleFromMs } of event.tiers) {
      if (saleFromMs === null || saleFromMs < saleEndsAtMs || saleFromMs >= event.saleEndsAtMs) continue
      tell(
        path,
        `the sale of the tier ${JSON.stringify(name)} would begin when that of the event is over: name another saleEndsAt`
      )
    }
  }
  const isOther = saleEndsAtMs !== event.saleEndsAtMs || startsAtMs !== event.startsAtMs
  if (isOther && saleEndsAtMs > startsAtMs + longestEventMs)
    tell(path, "the sale would end more than 31 days after the event starts")
}

/** The event as it is then, or every reason why not. */
export const check = (
  event: StoredEvent,
  change: EventChange,
  nowMs: number
): Result.Result<Changeable, EventInvalid> => {
  const problems: Array<InvalidField> = []
  const tell: Tell = (path, message) => problems.push({ path, message })
  const startsAtMs =
    change.startsAt === undefined ? event.startsAtMs : millis(change.startsAt, "/startsAt", tell)
  const saleEndsAtMs =
    change.saleEndsAt === undefined
      ? event.saleEndsAtMs + (startsAtMs - event.startsAtMs)
      : millis(change.saleEndsAt, "/saleEndsAt", tell)
  checkStart(event, startsAtMs, nowMs, tell)
  checkSaleEnd(event, { saleEndsAtMs, startsAtMs }, change.saleEndsAt !== undefined, nowMs, tell)
  if (problems.length > 0) return Result.fail(new EventInvalid({ problems }))
  return Result.succeed({
    name: change.name ?? event.name,
    description: change.description ?? event.description,
    startsAtMs,
    saleEndsAtMs,
    performers: (change.performers ?? event.performers).map(({ description, name }) => ({
      name,
      description: description ?? event.performers.find((before) => before.name === name)?.description ?? ""
    }))
  })
}
