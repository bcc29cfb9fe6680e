/** Whether a draft can be replaced by another one, whose blocks and vouchers stay. Pure. */
import type { InvalidField } from "@onsale/contracts/catalog/CatalogErrors"
import type { SeatMap } from "@onsale/contracts/catalog/SeatMap"
import type { TierId, VenueId } from "@onsale/contracts/Ids"
import { keptTooMuch } from "./BlockRules.ts"
import type { EventDraft } from "./EventDraft.ts"
import { tierAreas } from "./SaleAreas.ts"
import type { StoredBlock, StoredEvent } from "./StoredEvent.ts"

/** What refers to the draft. */
export interface Kept {
  readonly blocks: ReadonlyArray<StoredBlock>
  /** Those that vouchers unlock. */
  readonly voucherTiers: ReadonlyArray<TierId>
}

/** Every reason why not. */
export const check = (
  before: StoredEvent,
  place: { readonly venueId: VenueId; readonly seatMapVersion: number },
  draft: EventDraft,
  map: SeatMap,
  { blocks, voucherTiers }: Kept
): ReadonlyArray<InvalidField> => {
  const problems: Array<InvalidField> = []
  const sameMap = before.venue.id === place.venueId && before.seatMapVersion === place.seatMapVersion
  if (blocks.length > 0 && !sameMap) {
    problems.push({ path: "/venueId", message: "the event has blocks on its seat map: make another event" })
    return problems
  }
  const idOf = new Map(before.tiers.map(({ id, name }) => [name, id]))
  const tierIds = draft.tiers.map(({ name }) => idOf.get(name))
  const nameOf = new Map(before.tiers.map(({ id, name }) => [id, name]))
  const nameOfTier = (tier: TierId) => JSON.stringify(nameOf.get(tier) ?? tier)
  for (const tier of voucherTiers) {
    if (!tierIds.includes(tier))
      problems.push({ path: "/tiers", message: `vouchers unlock the tier ${nameOfTier(tier)}` })
  }
  const sold = new Set(tierAreas(map, draft.tiers).map(({ area, tier }) => `${area} ${tierIds[tier]}`))
  for (const { areas, name } of blocks) {
    for (const { area, tier } of areas) {
      if (sold.has(`${area} ${tier}`)) continue
      const place = JSON.stringify(map.areas[area]?.name ?? area)
      problems.push({
        path: "/tiers",
        message: `the block ${JSON.stringify(name)} has places of the area ${place} on the tier ${nameOfTier(tier)}`
      })
    }
  }
  const limits = { tierIds, quotas: draft.quotas, maxTickets: draft.maxTickets }
  for (const message of keptTooMuch(map, limits, blocks)) problems.push({ path: "/quotas", message })
  return problems
}
