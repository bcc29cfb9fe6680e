/** What an organiser thinks of: a small house with rules by chance, and newer layouts of it. */
import type { SaleLayout } from "@onsale/contracts/inventory/SaleLayout"
import { block, grid, voucher, widerGrid } from "../SaleLayouts.ts"
import type { Dice } from "./World.ts"

type Area = SaleLayout["areas"][number]
type Tier = SaleLayout["tiers"][number]

/** Numbers of the vouchers there may be, and one that there is not. */
export const voucherNumbers = [1, 2, 3] as const

/** Three rows of five, two of them of one tier and one of another, and two areas. */
const house = (): SaleLayout => {
  const plain = grid(3, 5, {
    flags: (row, seat) => (row === 2 && seat < 2 ? 1 : row === 2 && seat === 2 ? 2 : 0),
    areas: [
      { name: "Floor", tier: 1, capacity: 5 },
      { name: "Pit", tier: 1, capacity: 3 }
    ]
  })
  const [front, standing] = plain.tiers
  return {
    ...plain,
    tiers: [
      front!,
      standing!,
      { ...front!, id: standing!.id.replace("2500", "2000") as Tier["id"], name: "Rear" }
    ],
    rows: plain.rows.map((row, i) => ({
      ...row,
      seats: row.seats.map((seat) => ({ ...seat, tier: i === 0 ? 0 : 2 }))
    }))
  }
}

const some = (dice: Dice, count: number, probability: number): Array<number> =>
  Array.from({ length: count }, (_, i) => i).filter(() => dice.chance(probability))

const tierRule = (dice: Dice, nowMs: number): Partial<Tier> => {
  const least = dice.chance(0.3) ? 2 : undefined
  return {
    ...(dice.chance(0.3) ? { opensAtMs: nowMs + dice.between(0, 40_000) } : {}),
    ...(dice.chance(0.3) ? { closesAtMs: nowMs + dice.between(10_000, 90_000) } : {}),
    ...(least === undefined ? {} : { minPerOrder: least }),
    ...(dice.chance(0.3) ? { maxPerOrder: dice.between(least ?? 1, 3) } : {}),
    ...(dice.chance(0.2) ? { voucherOnly: true } : {})
  }
}

const withRules = (dice: Dice, before: SaleLayout, nowMs: number): SaleLayout => {
  const { areas, rows, tiers } = before
  const quotas = Array.from({ length: dice.between(0, 2) }, (_, i) => ({
    name: `quota ${i}`,
    capacity: dice.between(2, 12),
    tiers: some(dice, tiers.length, 0.4),
    areas: some(dice, areas.length, 0.5)
  }))
  const seats = rows.reduce((sum, row) => sum + row.seats.length, 0)
  const blocks = dice.chance(0.4) ? [block("House", some(dice, seats, 0.2)), block("Guests", [])] : []
  const reserved = dice.chance(0.5) ? 1 : 0
  return {
    ...before,
    tiers: tiers.map((tier) => (dice.chance(0.4) ? { ...tier, ...tierRule(dice, nowMs) } : tier)),
    areas: areas.map(
      (area, i): Area => ({
        ...area,
        ...(i === 0 && reserved > 0 ? { reserved } : {}),
        ...(i === 1 && blocks.length > 0 && dice.chance(0.5) ? { block: 1 } : {})
      })
    ),
    quotas,
    blocks,
    vouchers: voucherNumbers.slice(0, 2).map((number) =>
      voucher(number, {
        tiers: some(dice, tiers.length, 0.6),
        blocks: some(dice, blocks.length, 0.6),
        maxTickets: dice.between(2, 8),
        ...(dice.chance(0.3) ? { fromMs: nowMs + dice.between(0, 20_000) } : {}),
        ...(dice.chance(0.3) ? { untilMs: nowMs + dice.between(20_000, 80_000) } : {})
      })
    ),
    ...(dice.chance(0.6) ? { maxPerCustomer: dice.between(2, 5) } : {}),
    ...(dice.chance(0.3) ? { accessibleReleased: true } : {}),
    maxPerOrder: dice.between(4, 6)
  }
}

/** The layouts of one event, the oldest first, each of a newer revision than the one before. */
export const simulatedLayouts = (dice: Dice, nowMs: number): ReadonlyArray<SaleLayout> => {
  const ruled = dice.chance(0.7)
  const count = dice.chance(0.5) ? 1 : dice.between(2, 4)
  let plain = house()
  return Array.from({ length: count }, (_, i) => {
    if (i > 0 && dice.chance(0.3) && plain.areas.length === 2) plain = widerGrid(plain)
    const layout = ruled ? withRules(dice, plain, nowMs) : plain
    return { ...layout, revision: i }
  })
}
