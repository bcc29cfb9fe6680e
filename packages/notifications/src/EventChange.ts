/** Which changes of an event its buyers have to hear of. Pure. */
import type { EventFacts } from "@onsale/contracts/catalog/CatalogEvent"

/** Spaces and the form of accents are nothing that anybody would travel differently for. */
const same = (a: string, b: string): boolean => words(a) === words(b)
const words = (text: string): string => text.normalize("NFC").replace(/\s+/g, " ").trim()

const sameAll = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): boolean =>
  a.length === b.length && same(a.map(words).toSorted().join("\n"), b.map(words).toSorted().join("\n"))

/**
 * Another time, place, name or other performers. Not: its description, its tiers, the order of the performers, or
 * the same instant written in another way.
 */
export const mattersToBuyers = (before: EventFacts, after: EventFacts): boolean =>
  Date.parse(before.startsAt) !== Date.parse(after.startsAt) ||
  before.timeZone !== after.timeZone ||
  !same(before.venue.name, after.venue.name) ||
  !same(before.venue.location, after.venue.location) ||
  !same(before.name, after.name) ||
  !sameAll(before.performers, after.performers)
